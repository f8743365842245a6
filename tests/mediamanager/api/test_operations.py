"""Probes and numbers."""

import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import factories
import pytest
from sqlalchemy import select
from starlette.testclient import TestClient

from mediamanager import readiness
from mediamanager.api.meter import Histogram, Metric, Spread, render
from optout.errors import StorageUnavailableError
from optout.registry.live_index import IndexStatus
from optout.registry.lookups import Lookups
from optout.store import db, heartbeats
from optout.store.models import Heartbeat, Job, LogEntry
from optout.store.models.accounts import Role
from optout.store.models.base import utc_now
from optout.store.storage import FolderStore
from workers import dispatch, sandbox, tally
from workers.errors import SandboxUnavailableError
from workers.isolation import Isolation

SAMPLE = re.compile(r'[a-z_]+(\{[a-z]+="[^"]*"(,[a-z]+="[^"]*")*\})? [0-9.e+-]+')


@pytest.fixture
def numbers(client: TestClient, call_as: Callable[..., Any]) -> Callable[[], dict[str, float]]:
    admin = call_as(Role.ADMIN)

    def read() -> dict[str, float]:
        lines = client.get("/metrics", headers=admin.headers).text.splitlines()
        samples = [line for line in lines if not line.startswith("#")]
        assert all(SAMPLE.fullmatch(line) for line in samples), samples
        return {name: float(value) for name, _, value in (line.rpartition(" ") for line in samples)}

    return read


@pytest.fixture
def worker(resources: Any) -> Iterator[None]:
    """A worker that was just seen, and a sweep that just came by."""
    with db.transaction(resources.sessions) as session:
        heartbeats.beat(session, "a-worker", heartbeats.WORKER)
        heartbeats.beat(session, heartbeats.SWEEP, heartbeats.SWEEP)
    yield
    with db.transaction(resources.sessions) as session:
        heartbeats.remove_old(session, before=utc_now() + timedelta(days=1))


@pytest.fixture(autouse=True)
def isolated(monkeypatch: pytest.MonkeyPatch) -> Callable[[bool], None]:
    """Whatever the machine of the test allows: decoders that reach nothing, or files."""

    def found(can_read: bool) -> None:  # noqa: FBT001 - of this fixture only
        made = Isolation(is_wrapped=True, walls=(), can_read=can_read, can_connect=False, can_run=False)
        monkeypatch.setattr(sandbox, "isolation", lambda: made)

    found(False)
    return found


def parts(client: TestClient) -> tuple[int, str, dict[str, tuple[str, str | None]]]:
    answer = client.get("/readyz")
    body = answer.json()
    return answer.status_code, body["status"], {one["name"]: (one["state"], one["reason"]) for one in body["parts"]}


def test_a_process_that_lives_says_so(client: TestClient) -> None:
    assert client.get("/healthz").json() == {"status": "ok"}


def test_every_part_that_does_well_says_so(client: TestClient, worker: None) -> None:
    status, state, found = parts(client)

    assert (status, state) == (200, "ok")
    assert {"database", "storage", "index", "broker", "worker", "log", "sandbox"} <= set(found)
    assert set(found.values()) == {("ok", None)}


def test_a_process_without_storage_is_alive_and_not_ready(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(self: FolderStore, key: str) -> bool:
        raise StorageUnavailableError("gone from /srv/secret")

    monkeypatch.setattr(FolderStore, "exists", fail)

    status, state, found = parts(client)

    assert client.get("/healthz").status_code == 200
    assert (status, state) == (503, "failed")
    assert found["storage"] == ("failed", "the storage does not answer")
    assert found["database"][0] == "ok"


def test_a_process_without_database_names_it_and_guesses_nothing_else(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_given: object) -> None:
        raise StorageUnavailableError("could not connect to db.internal:5432")

    monkeypatch.setattr(readiness, "reading", fail)

    status, state, found = parts(client)

    assert (status, state) == (503, "failed")
    assert found["database"][0] == "failed"
    assert "db.internal" not in str(found)
    assert not {"index", "worker", "log"} & set(found)


def test_an_index_that_can_not_be_built_fails(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_given: object) -> None:
        raise StorageUnavailableError("gone")

    monkeypatch.setattr(Lookups, "warm", fail)

    assert parts(client)[2]["index"] == ("failed", "the index can't be built")


def test_without_workers_requests_are_answered_and_the_reason_is_told(
    client: TestClient, worker: None, resources: Any
) -> None:
    with db.transaction(resources.sessions) as session:
        session.get_one(Heartbeat, "a-worker").seen_at = utc_now() - timedelta(minutes=10)

    status, state, found = parts(client)

    assert (status, state) == (200, "degraded")
    assert found["worker"][0] == "degraded"
    assert "no worker" in str(found["worker"][1])


def test_a_scheduler_that_stands_still_is_told(client: TestClient, worker: None, resources: Any) -> None:
    with db.transaction(resources.sessions) as session:
        session.get_one(Heartbeat, heartbeats.SWEEP).seen_at = utc_now() - timedelta(minutes=10)

    assert "scheduler" in str(parts(client)[2]["worker"][1])


def test_what_a_worker_notes_about_its_machine_is_told(client: TestClient, worker: None, resources: Any) -> None:
    with db.transaction(resources.sessions) as session:
        heartbeats.beat(session, "a-worker", heartbeats.WORKER, note="no namespaces here")

    assert parts(client)[2]["worker"] == ("degraded", "a worker says: no namespaces here")


def test_a_sandbox_that_is_not_tight_is_told(
    client: TestClient, worker: None, isolated: Callable[[bool], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    isolated(True)
    assert parts(client)[2]["sandbox"][0] == "degraded"
    assert "files" in str(parts(client)[2]["sandbox"][1])

    def fail() -> None:
        raise SandboxUnavailableError("the media decoder could not be started")

    monkeypatch.setattr(sandbox, "isolation", fail)
    assert parts(client)[:2] == (200, "degraded")


def test_a_broker_that_does_not_answer_is_told_and_asked_only_now_and_then(
    client: TestClient, worker: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[object] = []

    def fail(app: object) -> None:
        asked.append(app)
        raise OSError("refused")

    monkeypatch.setattr(dispatch, "reach", fail)
    monkeypatch.setattr(dispatch, "_last_look", (float("-inf"), True))

    found = [parts(client) for _ in range(3)]

    assert {(status, state, one["broker"][0]) for status, state, one in found} == {(200, "degraded", "degraded")}
    assert len(asked) == 1


def test_a_log_that_breaks_its_promise_is_told(
    client: TestClient, worker: None, resources: Any, publish_log: Callable[[], None], numbers: Callable[[], Any]
) -> None:
    newest = select(LogEntry).order_by(LogEntry.number.desc()).limit(1)
    with db.transaction(resources.sessions) as session:
        factories.make_claim(session, factories.make_work(session, factories.make_account(session)))
        entry = session.scalars(newest).one()
        recorded_at, entry.recorded_at = entry.recorded_at, utc_now() - timedelta(seconds=300)

    found, counted = parts(client)[2]["log"], numbers()

    assert found[0] == "degraded"
    assert "60 s" in str(found[1])
    assert counted["mediamanager_log_lag_seconds"] >= 300
    assert counted["mediamanager_log_waiting"] >= 1
    with db.transaction(resources.sessions) as session:
        session.scalars(newest).one().recorded_at = recorded_at
    publish_log()
    assert parts(client)[2]["log"] == ("ok", None)
    assert numbers()["mediamanager_log_lag_seconds"] == 0


def test_requests_are_counted_under_their_route_and_never_under_their_path(
    client: TestClient, creator: Any, numbers: Callable[[], dict[str, float]]
) -> None:
    series = 'mediamanager_requests_total{method="GET",route="/v1/works/{work_id}",status="422"}'
    before = numbers().get(series, 0)

    for name in ("fox", "hare"):
        client.get(f"/v1/works/{name}", headers=creator.headers)
    client.get("/nowhere/at/all")

    after = numbers()
    assert after[series] == before + 2
    assert after['mediamanager_requests_total{method="GET",route="unmatched",status="404"}'] >= 1
    assert not any("fox" in name or "nowhere" in name for name in after)


def test_their_durations_are_a_histogram(client: TestClient, numbers: Callable[[], dict[str, float]]) -> None:
    client.get("/healthz")

    found = numbers()

    where = 'method="GET",route="/healthz"'
    series = f"mediamanager_request_seconds_bucket{{{where},le="
    buckets = [value for name, value in found.items() if name.startswith(series)]
    assert buckets == sorted(buckets)
    assert found[f'{series}"+Inf"}}'] == found[f"mediamanager_request_seconds_count{{{where}}}"] >= 1
    assert found[f"mediamanager_request_seconds_sum{{{where}}}"] > 0


def test_every_state_has_a_number_even_if_it_is_none(
    client: TestClient, creator: Any, numbers: Callable[[], dict[str, float]], resources: Any
) -> None:
    client.post("/v1/works", headers=creator.headers, json={"url": "https://example.org/fox.png"})
    with db.transaction(resources.sessions) as session:
        job = session.query(Job).filter_by(kind="fingerprint_work").one()
        job.created_at = job.due_at = utc_now() - timedelta(seconds=100)

    found = numbers()

    assert found['mediamanager_works{state="pending"}'] == 1
    assert found['mediamanager_works{state="failed"}'] == 0
    assert found['mediamanager_jobs{state="parked"}'] == 0
    assert found['mediamanager_jobs_oldest_seconds{state="waiting"}'] >= 100
    assert found['mediamanager_jobs_oldest_seconds{state="parked"}'] == 0
    assert found["mediamanager_jobs_overdue_seconds"] >= 100


def test_workers_and_what_went_wrong_in_sandboxes_are_counted(
    client: TestClient, worker: None, resources: Any, numbers: Callable[[], dict[str, float]]
) -> None:
    tally.take()
    tally.count(tally.SANDBOX_FAILURES, "unreadable-media")
    with db.transaction(resources.sessions) as session:
        heartbeats.add(session, tally.SANDBOX_FAILURES, "limit-exceeded", 7)

    found = numbers()
    tally.take()

    assert found["mediamanager_workers"] == 1
    assert found["mediamanager_sweep_age_seconds"] < 60
    assert found['mediamanager_sandbox_failures_total{code="unreadable-media",where="api"}'] == 1
    assert found['mediamanager_sandbox_failures_total{code="limit-exceeded",where="worker"}'] == 7


def test_an_index_that_can_not_be_written_to_its_disk_is_degraded(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    status = IndexStatus(1, 1, 1, 1, problem="/srv/secret/index can't be written to")
    monkeypatch.setattr(Lookups, "status", lambda _self: status)

    _, _, found = parts(client)

    state, reason = found["index"]
    assert state == "degraded"
    assert "/srv" not in str(reason)


def test_the_index_says_how_large_and_how_old_it_is(
    client: TestClient, resources: Any, numbers: Callable[[], dict[str, float]]
) -> None:
    client.get("/readyz")
    before = numbers()
    with db.transaction(resources.sessions) as session:
        factories.make_work(session, factories.make_account(session))

    behind = numbers()
    client.get("/readyz")
    after = numbers()

    assert before["mediamanager_index_age_seconds"] == after["mediamanager_index_age_seconds"] == 0
    assert behind["mediamanager_index_age_seconds"] > 0
    assert after["mediamanager_index_works"] == before["mediamanager_index_works"] + 1


def test_labels_can_not_break_out_of_their_quotes() -> None:
    metric = Metric("x_total", "counter", "Help.", {(("route", 'a"\\\n'),): 2.0})

    assert render([metric]) == '# HELP x_total Help.\n# TYPE x_total counter\nx_total{route="a\\"\\\\\\n"} 2\n'


def test_buckets_are_cumulative_and_a_bound_belongs_to_its_bucket() -> None:
    spread = Spread()
    for seconds in (0.005, 0.006, 0.5, 31.0):
        spread.add(seconds)

    lines = render([Histogram("x_seconds", "Help.", {(("route", "/"),): spread})]).splitlines()

    assert lines[1:3] == ["# TYPE x_seconds histogram", 'x_seconds_bucket{route="/",le="0.005"} 1']
    assert 'x_seconds_bucket{route="/",le="0.01"} 2' in lines
    assert 'x_seconds_bucket{route="/",le="30"} 3' in lines
    assert lines[-3:] == [
        'x_seconds_bucket{route="/",le="+Inf"} 4', 'x_seconds_sum{route="/"} 31.511', 'x_seconds_count{route="/"} 4'
    ]  # fmt: skip
