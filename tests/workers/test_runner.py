"""Running jobs: whatever ends a job, its row says so; what is not finished is given back; the log says for whom."""

import logging
import threading
from collections.abc import Callable
from datetime import timedelta
from types import MappingProxyType
from uuid import UUID, uuid4

import pytest

from optout.store import job_lists, jobs, tracing
from optout.store.db import reading, transaction
from optout.store.jobs import Lease
from optout.store.models.base import utc_now
from optout.store.models.jobs import Job, JobKind, JobState
from workers import runner, stopping
from workers.resources import Resources

Body = Callable[[Resources, Lease], None]


@pytest.fixture
def does(monkeypatch: pytest.MonkeyPatch) -> Callable[[Body], None]:
    """What jobs do in this test."""

    def put(body: Body) -> None:
        monkeypatch.setattr(runner, "BODIES", MappingProxyType({JobKind.FINGERPRINT_WORK: body}))

    return put


def promised(resources: Resources) -> UUID:
    with transaction(resources.sessions) as session:
        return jobs.enqueue(session, JobKind.FINGERPRINT_WORK, str(uuid4())).id


def job(resources: Resources, job_id: UUID) -> Job:
    with reading(resources.sessions) as session:
        return job_lists.get(session, job_id)


def due_now(resources: Resources, job_id: UUID) -> None:
    with transaction(resources.sessions) as session:
        session.get_one(Job, job_id).due_at = utc_now() - timedelta(seconds=1)


def test_a_job_that_always_fails_is_tried_eight_times_then_parked_and_replayed(
    resources: Resources, does: Callable[[Body], None], caplog: pytest.LogCaptureFixture
) -> None:
    tried: list[int] = []

    def fails(_resources: Resources, lease: Lease) -> None:
        tried.append(lease.attempt)
        raise ValueError("a bug")

    does(fails)
    job_id = promised(resources)
    for _more in range(10):
        due_now(resources, job_id)
        runner.run(resources, job_id)

    stands = job(resources, job_id)
    assert tried == [1, 2, 3, 4, 5, 6, 7, 8]
    assert (stands.state, stands.error_code) == (JobState.PARKED, "internal-error")
    assert [record.levelno for record in caplog.records if "parked" in record.message] == [logging.ERROR]

    with transaction(resources.sessions) as session:
        jobs.replay(session, job_id)
    assert runner.run(resources, job_id)
    assert len(tried) == 9


def test_a_job_in_flight_is_given_back_at_once_when_time_is_up(
    resources: Resources, does: Callable[[Body], None]
) -> None:
    begun, go_on, settled = threading.Event(), threading.Event(), []

    def slow(resources: Resources, lease: Lease) -> None:
        begun.set()
        go_on.wait(10)
        with transaction(resources.sessions) as session:
            settled.append(jobs.finish(session, lease))

    does(slow)
    job_id = promised(resources)
    working = threading.Thread(target=runner.run, args=(resources, job_id))
    working.start()
    begun.wait(10)

    assert runner.release_all(resources) == 1

    with reading(resources.sessions) as session:
        assert list(jobs.due(session)) == [job_id]
    go_on.set()
    working.join(10)
    assert settled == [False]
    assert job(resources, job_id).state is JobState.WAITING
    assert runner.release_all(resources) == 0


def test_a_worker_out_of_patience_gives_back_its_jobs_and_ends(
    resources: Resources, monkeypatch: pytest.MonkeyPatch
) -> None:
    order: list[object] = []
    monkeypatch.setattr(runner, "release_all", lambda _resources: order.append("released") or 1)
    monkeypatch.setattr(stopping.os, "_exit", order.append)
    hasty = Resources(**{
        **{name: getattr(resources, name) for name in Resources.__slots__},
        "settings": resources.settings.model_copy(update={"stop_seconds": 0}),
    })  # fmt: skip

    stopping._end(hasty, lambda: order.append("taken back"))

    assert order == ["released", "taken back", 0]


def test_what_a_job_logs_and_promises_belongs_to_the_request_that_promised_it(
    resources: Resources, does: Callable[[Body], None], caplog: pytest.LogCaptureFixture
) -> None:
    seen: list[str | None] = []
    follow_up: list[UUID] = []

    def works(resources: Resources, lease: Lease) -> None:
        seen.append(tracing.current())
        with transaction(resources.sessions) as session:
            jobs.finish(session, lease)
            follow_up.append(jobs.enqueue(session, JobKind.PUBLISH_LOG).id)

    does(works)
    with tracing.working_for("request-77"):
        job_id = promised(resources)

    assert runner.run(resources, job_id)

    assert seen == ["request-77"]
    assert job(resources, follow_up[0]).request_id == "request-77"
    assert tracing.current() is None
