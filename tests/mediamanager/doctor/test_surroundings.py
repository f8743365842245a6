"""Broker, workers, clock, libraries and address are broken in turn, and the doctor says so, with a remedy."""

import fcntl
import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from local_servers import answer, serving
from sqlalchemy import update

from fingerprinting.audio import chromaprint
from mediamanager.doctor import surroundings
from mediamanager.doctor.findings import Deployment, Finding, Grade
from optout.ledger.keys import open_keys
from optout.store import db, heartbeats, jobs
from optout.store.jobs import Retries
from optout.store.models import Heartbeat, JobKind, LogEntry
from optout.store.models.base import utc_now
from optout.store.settings import Settings
from workers.errors import SandboxUnavailableError
from workers.isolation import Isolation


def graded(finding: Finding, grade: Grade, *words: str) -> None:
    assert finding.grade is grade, finding
    assert (finding.remedy is None) == (grade is Grade.OK)
    assert [word for word in words if word not in finding.sentence] == [], finding.sentence


def with_settings(deployment: Deployment, **changes: object) -> Deployment:
    return Deployment(Settings(data_folder=deployment.settings.data_folder, **changes))  # type: ignore[arg-type]


@contextmanager
def running(deployment: Deployment, url: str) -> Iterator[None]:
    """As `mediamanager serve` holds the lock."""
    with deployment.lock_file.open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        lock.write(f"{url}\n")
        lock.flush()
        yield


def test_a_broker_that_takes_messages_is_well_and_one_that_does_not_is_told(healthy: Deployment) -> None:
    graded(surroundings.broker(healthy), Grade.OK)
    (healthy.settings.data_folder / "broker" / "mediamanager").rmdir()
    (healthy.settings.data_folder / "broker").rmdir()
    (healthy.settings.data_folder / "broker").write_text("not a folder")

    graded(surroundings.broker(healthy), Grade.FAILED)


@pytest.mark.parametrize("url", ["redis://127.0.0.1:9/0", "amqp://me:s3cr3t@127.0.0.1:9//"])
def test_a_broker_on_a_server_that_is_away_is_told(healthy: Deployment, url: str) -> None:
    graded(surroundings.broker(with_settings(healthy, broker_url=url)), Grade.FAILED)


def test_workers_and_sweeps_that_were_not_seen_are_told(healthy: Deployment) -> None:
    graded(surroundings.workers(healthy), Grade.OK)

    with db.transaction(healthy.sessions) as session:
        heartbeats.beat(session, "a-worker", heartbeats.WORKER, note="no namespaces here")
    graded(surroundings.workers(healthy), Grade.WARNING, "no namespaces here")

    with db.transaction(healthy.sessions) as session:
        session.get_one(Heartbeat, heartbeats.SWEEP).seen_at = utc_now() - timedelta(hours=1)
    graded(surroundings.workers(healthy), Grade.FAILED, "due jobs")

    with db.transaction(healthy.sessions) as session:
        session.get_one(Heartbeat, "a-worker").seen_at = utc_now() - timedelta(hours=1)
    graded(surroundings.workers(healthy), Grade.WARNING, "does not run")
    with running(healthy, "http://127.0.0.1:1"):
        graded(surroundings.workers(healthy), Grade.FAILED, "no worker")


def test_jobs_that_failed_or_wait_for_long_are_told(healthy: Deployment) -> None:
    graded(surroundings.jobs(healthy), Grade.OK)

    with db.transaction(healthy.sessions) as session:
        late = jobs.enqueue(session, JobKind.FINGERPRINT_WORK, "late")
        late.due_at = utc_now() - timedelta(hours=1)
    graded(surroundings.jobs(healthy), Grade.WARNING, "3600 s")

    with db.transaction(healthy.sessions) as session:
        lease = jobs.claim_due(session, late.id)
        assert lease is not None
        jobs.fail(session, lease, code="x", sentence="x", retries=Retries(attempts=1))
    graded(surroundings.jobs(healthy), Grade.WARNING, "failed too often")


def test_a_clock_that_is_wrong_is_told(healthy: Deployment, monkeypatch: pytest.MonkeyPatch) -> None:
    graded(surroundings.clock(healthy), Grade.OK)

    def at(moment: datetime) -> None:
        monkeypatch.setattr(surroundings, "utc_now", lambda: moment)

    at(datetime(1970, 1, 1, tzinfo=UTC))
    graded(surroundings.clock(healthy), Grade.FAILED, "1970-01-01")
    at(datetime.now(UTC) + timedelta(minutes=5))
    graded(surroundings.clock(healthy), Grade.FAILED, "storage")
    monkeypatch.undo()
    with db.transaction(healthy.sessions) as session:
        session.execute(update(LogEntry).values(recorded_at=utc_now() + timedelta(hours=1)))
    graded(surroundings.clock(healthy), Grade.FAILED, "last entry of the log")


def test_libraries_that_are_missing_are_told(healthy: Deployment, monkeypatch: pytest.MonkeyPatch) -> None:
    graded(surroundings.libraries(healthy), Grade.OK)

    monkeypatch.setattr(chromaprint, "_library", None)
    graded(surroundings.libraries(healthy), Grade.WARNING, "libchromaprint")

    def fail(name: str) -> Any:
        if name == "av":
            raise ImportError(name)

    monkeypatch.setattr(importlib, "import_module", fail)
    graded(surroundings.libraries(healthy), Grade.FAILED, "av")


def test_a_sandbox_that_is_open_or_does_not_start_is_told(healthy: Deployment, monkeypatch: pytest.MonkeyPatch) -> None:
    def found(*, can_read: bool) -> None:
        made = Isolation(is_wrapped=True, walls=(), can_read=can_read, can_connect=False, can_run=False)
        monkeypatch.setattr(surroundings, "isolation", lambda: made)

    def fail() -> None:
        raise SandboxUnavailableError("the media decoder could not be started")

    found(can_read=False)
    graded(surroundings.sandbox(healthy), Grade.OK)
    found(can_read=True)
    graded(surroundings.sandbox(healthy), Grade.WARNING, "files")
    monkeypatch.setattr(surroundings, "isolation", fail)
    graded(surroundings.sandbox(healthy), Grade.FAILED, "could not be started")


def test_the_address_leads_to_this_registry_or_it_is_told(healthy: Deployment) -> None:
    ours = open_keys(healthy.settings).published.encode()
    with serving({"/v1/log/key": answer(ours)}) as server:
        graded(surroundings.public_address(with_settings(healthy, public_url=server.url(""))), Grade.OK)
    with serving({"/v1/log/key": answer(b"another+1234+key\n")}) as server:
        finding = surroundings.public_address(with_settings(healthy, public_url=server.url("")))
        graded(finding, Grade.FAILED, "another registry")
    with serving({}) as server:
        graded(surroundings.public_address(with_settings(healthy, public_url=server.url(""))), Grade.FAILED, "404")


def test_an_address_that_redirects_is_told_with_where_to(healthy: Deployment) -> None:
    moved = answer(b"", status=308, location="https://registry.example/")
    with serving({"/v1/log/key": moved}) as server:
        finding = surroundings.public_address(with_settings(healthy, public_url=server.url("")))

    graded(finding, Grade.FAILED, "https://registry.example/")


def test_an_address_that_does_not_answer_is_an_error_only_if_the_registry_runs(healthy: Deployment) -> None:
    away = with_settings(healthy, public_url="http://127.0.0.1:9")

    graded(surroundings.public_address(away), Grade.WARNING, "does not run")
    with running(healthy, "http://127.0.0.1:9"):
        graded(surroundings.public_address(away), Grade.FAILED, "does not answer")


def test_the_address_of_the_process_that_runs_is_tried_if_none_was_set(healthy: Deployment) -> None:
    ours = open_keys(healthy.settings).published.encode()
    with serving({"/v1/log/key": answer(ours)}) as server, running(healthy, server.url("")):
        graded(surroundings.public_address(healthy), Grade.OK, server.url(""))


def test_an_address_without_encryption_is_told(healthy: Deployment, monkeypatch: pytest.MonkeyPatch) -> None:
    ours = open_keys(healthy.settings).published.encode()
    monkeypatch.setattr(surroundings, "_LOCAL", frozenset())
    with serving({"/v1/log/key": answer(ours)}) as server:
        finding = surroundings.public_address(with_settings(healthy, public_url=server.url("")))

    graded(finding, Grade.WARNING, "not encrypted")
