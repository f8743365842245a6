"""A work whose job is parked says so to its owner, and is read after all once the job is replayed."""

import hashlib
import io
from datetime import timedelta
from uuid import UUID, uuid4

import factories
import pytest
from sqlalchemy import select

from optout.errors import ConflictError, NotFoundError
from optout.registry import abandoned, works
from optout.store import jobs
from optout.store.db import reading, transaction
from optout.store.models.base import utc_now
from optout.store.models.jobs import Job, JobKind, JobState
from optout.store.models.works import Work, WorkState
from workers import runner, sandbox
from workers.errors import SandboxUnavailableError
from workers.resources import Resources

PROSE = "\n".join(f"{n} wizards brew {n * 7} strange potions beside the harbour wall" for n in range(40)).encode()


def upload(resources: Resources, account_id: UUID | None = None) -> tuple[UUID, UUID, UUID]:
    """Register a file; the ids of account, work and job."""
    with transaction(resources.sessions) as session:
        owner = account_id or factories.make_account(session).id
        work = works.register_upload(
            session, account_id=owner, sha256=hashlib.sha256(PROSE).digest(), size_bytes=len(PROSE), name="prose.txt"
        ).work
        resources.storage.put(works.media_key(work.id), io.BytesIO(PROSE))
        return owner, work.id, jobs.enqueued(session)[0]


def run_until_parked(resources: Resources, job_id: UUID) -> None:
    for _attempt in range(resources.settings.job_attempts):
        with transaction(resources.sessions) as session:
            session.get_one(Job, job_id).due_at = utc_now() - timedelta(seconds=1)
        runner.run(resources, job_id)


def work_of(resources: Resources, work_id: UUID) -> Work:
    with reading(resources.sessions) as session:
        return session.get_one(Work, work_id)


def parked(resources: Resources) -> list[UUID]:
    with reading(resources.sessions) as session:
        return [job.id for job in jobs.parked(session)]


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch, in_process: None) -> pytest.MonkeyPatch:
    """A sandbox that does not start until the patch is undone."""

    def fails(*_path: object, **_given: object) -> None:
        raise SandboxUnavailableError("no bubblewrap")

    monkeypatch.setattr(sandbox, "extract", fails)
    return monkeypatch


def test_a_work_whose_job_is_parked_fails_and_its_media_stays(resources: Resources, broken: pytest.MonkeyPatch) -> None:
    _owner, work_id, job_id = upload(resources)

    run_until_parked(resources, job_id)

    work = work_of(resources, work_id)
    assert parked(resources) == [job_id]
    assert (work.state, work.failure_code) == (WorkState.FAILED, "reading-abandoned")
    assert "try again" in (work.failure_sentence or "")
    assert resources.storage.get(work.media_key or "") == PROSE


def test_a_work_is_read_after_all_once_its_job_is_replayed(resources: Resources, broken: pytest.MonkeyPatch) -> None:
    _owner, work_id, job_id = upload(resources)
    run_until_parked(resources, job_id)
    broken.undo()

    with transaction(resources.sessions) as session:
        abandoned.replay(session, job_id)
    waits = work_of(resources, work_id)
    assert runner.run(resources, job_id)

    assert (waits.state, waits.failure_code) == (WorkState.PENDING, None)
    assert work_of(resources, work_id).state is WorkState.READY


def test_a_work_whose_worker_died_at_each_attempt_fails_as_well(resources: Resources) -> None:
    _owner, work_id, job_id = upload(resources)
    with transaction(resources.sessions) as session:
        job = session.get_one(Job, job_id)
        job.state, job.attempts = JobState.RUNNING, resources.settings.job_attempts
        job.lease_until = utc_now() - timedelta(seconds=1)

    assert not runner.run(resources, job_id)

    assert work_of(resources, work_id).failure_code == "reading-abandoned"
    assert parked(resources) == [job_id]


def test_who_registers_it_again_needs_no_operator(resources: Resources, broken: pytest.MonkeyPatch) -> None:
    owner, work_id, job_id = upload(resources)
    run_until_parked(resources, job_id)
    broken.undo()

    _owner, same_work, new_job = upload(resources, owner)

    assert (same_work, work_of(resources, work_id).state) == (work_id, WorkState.PENDING)
    assert parked(resources) == []
    assert not runner.run(resources, job_id)
    assert runner.run(resources, new_job)
    assert work_of(resources, work_id).state is WorkState.READY


def test_a_replay_leaves_alone_what_failed_for_its_own_reason(resources: Resources) -> None:
    _owner, work_id, job_id = upload(resources)
    with transaction(resources.sessions) as session:
        works.record_failure(session, work_id, ConflictError("another file"))
        session.get_one(Job, job_id).state = JobState.PARKED

    with transaction(resources.sessions) as session:
        abandoned.replay(session, job_id)

    assert work_of(resources, work_id).failure_code == "conflict"


def test_only_a_parked_job_is_replayed(resources: Resources) -> None:
    _owner, work_id, job_id = upload(resources)

    with transaction(resources.sessions) as session, pytest.raises(ConflictError, match="only a parked job"):
        abandoned.replay(session, job_id)
    with transaction(resources.sessions) as session, pytest.raises(NotFoundError):
        abandoned.replay(session, uuid4())

    assert work_of(resources, work_id).state is WorkState.PENDING


def test_jobs_about_no_work_are_parked_and_replayed_as_well(resources: Resources) -> None:
    with transaction(resources.sessions) as session:
        job = jobs.enqueue(session, JobKind.PUBLISH_LOG)
        job.state = JobState.PARKED
        abandoned.tell_works(session)
        assert abandoned.replay(session, job.id).state is JobState.WAITING
        assert session.scalars(select(Work)).all() == []
