"""The outbox loses nothing and does nothing twice at once."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from optout.errors import ConflictError, NotFoundError
from optout.store import db, jobs
from optout.store.jobs import Lease, Retries
from optout.store.models import Job, JobKind, JobState
from optout.store.settings import Settings

LATER = datetime.now(UTC) + timedelta(days=1)
RETRIES = Retries(attempts=3, lease=timedelta(seconds=60), first_backoff=timedelta(seconds=10))


def leased(session: Session, job: Job, *, now: datetime = LATER) -> Lease:
    lease = jobs.claim_due(session, job.id, retries=RETRIES, now=now)
    assert lease is not None
    return lease


def test_a_promised_job_is_due_at_once(session: Session) -> None:
    job = jobs.enqueue(session, JobKind.FINGERPRINT_WORK, "a")

    assert list(jobs.due(session)) == [job.id]
    assert jobs.enqueued(session) == (job.id,)


def test_a_promise_for_the_same_subject_is_the_same_job_while_it_waits(session: Session) -> None:
    first = jobs.enqueue(session, JobKind.PUBLISH_LOG)
    again = jobs.enqueue(session, JobKind.PUBLISH_LOG)
    other = jobs.enqueue(session, JobKind.FINGERPRINT_WORK, "a")

    assert again.id == first.id
    assert other.id != first.id


def test_a_promise_made_while_the_job_runs_is_a_new_job(session: Session) -> None:
    running = jobs.enqueue(session, JobKind.PUBLISH_LOG)
    leased(session, running)

    assert jobs.enqueue(session, JobKind.PUBLISH_LOG).id != running.id


def test_a_promise_is_gone_with_its_transaction(sessions: sessionmaker[Session]) -> None:
    def fails() -> None:
        with db.transaction(sessions) as session:
            jobs.enqueue(session, JobKind.PUBLISH_LOG)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fails()

    with db.reading(sessions) as session:
        assert session.scalars(select(Job)).all() == []


def test_a_leased_job_is_nobody_elses_until_the_lease_runs_out(session: Session) -> None:
    job = jobs.enqueue(session, JobKind.PUBLISH_LOG)
    first = leased(session, job)

    assert jobs.claim_due(session, job.id, retries=RETRIES, now=LATER + timedelta(seconds=59)) is None
    assert list(jobs.due(session, now=LATER + timedelta(seconds=59))) == []

    assert list(jobs.due(session, now=LATER + timedelta(seconds=60))) == [job.id]
    second = leased(session, job, now=LATER + timedelta(seconds=60))
    assert (first.attempt, second.attempt) == (1, 2)


def test_who_lost_the_lease_settles_nothing(session: Session) -> None:
    job = jobs.enqueue(session, JobKind.PUBLISH_LOG)
    lost = leased(session, job)
    held = leased(session, job, now=LATER + timedelta(minutes=5))

    assert jobs.finish(session, lost) is False
    assert jobs.extend(session, lost) is False
    assert jobs.fail(session, lost, code="x", sentence="x") is None
    assert job.state is JobState.RUNNING
    assert jobs.finish(session, held) is True
    assert job.state is JobState.DONE


def test_a_heartbeat_keeps_the_lease(session: Session) -> None:
    job = jobs.enqueue(session, JobKind.PUBLISH_LOG)
    lease = leased(session, job)

    assert jobs.extend(session, lease, retries=RETRIES, now=LATER + timedelta(seconds=50)) is True

    assert list(jobs.due(session, now=LATER + timedelta(seconds=100))) == []


def test_a_finished_job_is_not_run_again(session: Session) -> None:
    job = jobs.enqueue(session, JobKind.PUBLISH_LOG)
    jobs.finish(session, leased(session, job))

    assert jobs.claim_due(session, job.id, now=LATER + timedelta(days=1)) is None
    assert list(jobs.due(session, now=LATER + timedelta(days=1))) == []


def test_a_failed_attempt_waits_longer_each_time_and_then_parks_with_its_reason(session: Session) -> None:
    job = jobs.enqueue(session, JobKind.PUBLISH_LOG)
    now = LATER
    waits = []
    for _attempt in range(3):
        lease = leased(session, job, now=now)
        state = jobs.fail(session, lease, code="storage-unavailable", sentence="no disk", retries=RETRIES, now=now)
        waits.append((job.due_at - now).total_seconds())
        now += timedelta(hours=1)

    assert waits[:2] == [10, 20]
    assert state is JobState.PARKED
    assert [(one.error_code, one.error_sentence) for one in jobs.parked(session)] == [
        ("storage-unavailable", "no disk")
    ]
    assert jobs.claim_due(session, job.id, now=now) is None


def test_back_off_is_bounded() -> None:
    assert Retries(attempts=1000).backoff(1000) == jobs.LONGEST_BACKOFF


def test_a_job_that_kills_its_worker_each_time_is_parked(session: Session) -> None:
    job = jobs.enqueue(session, JobKind.FINGERPRINT_WORK, "poison")
    now = LATER
    for _attempt in range(3):
        leased(session, job, now=now)
        now += timedelta(hours=1)

    assert jobs.claim_due(session, job.id, retries=RETRIES, now=now) is None
    assert job.state is JobState.PARKED
    assert job.error_code == "worker-lost"


def test_a_failure_gives_way_to_a_job_that_waits_for_the_same(session: Session) -> None:
    running = jobs.enqueue(session, JobKind.PUBLISH_LOG)
    lease = leased(session, running)
    waiting = jobs.enqueue(session, JobKind.PUBLISH_LOG)

    assert jobs.fail(session, lease, code="x", sentence="x", retries=RETRIES) is JobState.DONE

    assert list(jobs.due(session, now=LATER + timedelta(days=1))) == [waiting.id]


def test_a_parked_job_is_replayed_with_all_its_attempts(session: Session) -> None:
    job = jobs.enqueue(session, JobKind.PUBLISH_LOG)
    once = Retries(attempts=1)
    jobs.fail(session, leased(session, job), code="x", sentence="x", retries=once)

    jobs.replay(session, job.id)

    assert list(jobs.due(session)) == [job.id]
    assert jobs.claim_due(session, job.id, retries=once) is not None


def test_only_a_parked_job_is_replayed(session: Session) -> None:
    job = jobs.enqueue(session, JobKind.PUBLISH_LOG)

    with pytest.raises(ConflictError, match="waiting"):
        jobs.replay(session, job.id)
    with pytest.raises(NotFoundError):
        jobs.replay(session, uuid4())


def test_eight_attempts_are_the_rule_and_each_waits_twice_as_long(settings: Settings) -> None:
    rule = Retries.of(settings)

    assert rule.attempts == 8
    assert [rule.backoff(n).total_seconds() for n in range(1, 8)] == [2, 4, 8, 16, 32, 64, 128]


def test_a_job_that_is_given_back_is_due_at_once_and_its_old_lease_is_worth_nothing(session: Session) -> None:
    job = jobs.enqueue(session, JobKind.FINGERPRINT_WORK, "a")
    lease = leased(session, job)

    assert jobs.release(session, lease, now=LATER) is True

    assert list(jobs.due(session, now=LATER)) == [job.id]
    assert jobs.release(session, lease) is False
    assert jobs.finish(session, lease) is False
    assert leased(session, job).attempt == 2


def test_only_what_was_done_long_ago_is_forgotten(session: Session) -> None:
    done, parked, waiting = (jobs.enqueue(session, JobKind.FINGERPRINT_WORK, f"{n}") for n in range(3))
    jobs.finish(session, leased(session, done), now=LATER)
    jobs.fail(session, leased(session, parked), code="x", sentence="x", retries=Retries(attempts=1), now=LATER)

    jobs.remove_done(session, before=LATER)
    assert session.scalars(select(Job.id).where(Job.id == done.id)).one_or_none() == done.id
    jobs.remove_done(session, before=LATER + timedelta(seconds=1))

    assert set(session.scalars(select(Job.id))) == {parked.id, waiting.id}
