"""The outbox for people and for monitors."""

from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy.orm import Session

from optout.errors import NotFoundError
from optout.store import job_lists, jobs
from optout.store.jobs import Retries
from optout.store.models import Job, JobKind, JobState
from optout.store.models.base import utc_now

ONCE = Retries(attempts=1)


def parked(session: Session, subject: str) -> Job:
    job = jobs.enqueue(session, JobKind.FINGERPRINT_WORK, subject)
    lease = jobs.claim_due(session, job.id)
    assert lease is not None
    jobs.fail(session, lease, code="internal-error", sentence="ValueError", retries=ONCE)
    return job


def test_a_page_shows_some_of_what_was_asked_for_newest_first_and_counts_all(session: Session) -> None:
    made = [parked(session, f"{n}") for n in range(5)]
    for age, job in enumerate(reversed(made)):
        job.created_at = utc_now() - timedelta(minutes=age)
    jobs.enqueue(session, JobKind.PUBLISH_LOG)

    page = job_lists.page(session, limit=2, offset=1, state=JobState.PARKED)

    assert [job.subject for job in page.jobs] == ["3", "2"]
    assert page.total == 5
    assert job_lists.page(session, limit=10).total == 6
    assert job_lists.page(session, limit=10, kind=JobKind.PUBLISH_LOG).total == 1
    assert job_lists.page(session, limit=10, state=JobState.WAITING, kind=JobKind.FINGERPRINT_WORK).total == 0


def test_a_job_that_is_not_there_is_not_found(session: Session) -> None:
    with pytest.raises(NotFoundError):
        job_lists.get(session, uuid4())


def test_every_state_is_counted(session: Session) -> None:
    parked(session, "a")

    assert job_lists.counts(session) == {
        JobState.WAITING: 0, JobState.RUNNING: 0, JobState.DONE: 0, JobState.PARKED: 1
    }  # fmt: skip


def test_ages_are_those_of_the_oldest_and_a_job_that_waits_for_its_next_attempt_is_not_overdue(
    session: Session,
) -> None:
    now = utc_now()
    old, backing_off, running = (jobs.enqueue(session, JobKind.FINGERPRINT_WORK, f"{n}") for n in range(3))
    old.created_at, old.due_at = now - timedelta(seconds=90), now - timedelta(seconds=30)
    backing_off.created_at, backing_off.due_at = now - timedelta(seconds=500), now + timedelta(seconds=60)
    running.due_at = now
    session.flush()
    assert jobs.claim_due(session, running.id, now=now) is not None

    ages = job_lists.ages(session, now=now)

    assert ages.by_state[JobState.WAITING] == 500
    assert ages.by_state[JobState.PARKED] == 0
    assert JobState.DONE not in ages.by_state
    assert ages.overdue == 30

    much_later = now + timedelta(hours=1)
    old.due_at = backing_off.due_at = much_later
    session.flush()
    assert job_lists.ages(session, now=much_later).overdue == pytest.approx(3600 - 600)  # its lease ran out
