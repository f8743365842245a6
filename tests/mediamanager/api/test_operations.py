"""Probes and numbers."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from starlette.testclient import TestClient

from mediamanager.api.meter import Metric, render
from optout.errors import StorageUnavailableError
from optout.store.models.accounts import Role
from optout.store.storage import FolderStore

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


def test_probes_answer(client: TestClient) -> None:
    assert [client.get(path).json() for path in ("/healthz", "/readyz")] == [{"status": "ok"}] * 2


def test_a_process_without_storage_is_alive_and_not_ready(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(self: FolderStore, key: str) -> bool:
        raise StorageUnavailableError("gone")

    monkeypatch.setattr(FolderStore, "exists", fail)

    assert client.get("/healthz").status_code == 200
    assert client.get("/readyz").status_code == 503


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


def test_every_state_has_a_number_even_if_it_is_none(
    client: TestClient, creator: Any, numbers: Callable[[], dict[str, float]]
) -> None:
    client.post("/v1/works", headers=creator.headers, json={"url": "https://example.org/fox.png"})

    found = numbers()

    assert found['mediamanager_works{state="pending"}'] == 1
    assert found['mediamanager_works{state="failed"}'] == 0
    assert found['mediamanager_jobs{state="parked"}'] == 0
    assert found["mediamanager_log_entries"] == 0


def test_labels_can_not_break_out_of_their_quotes() -> None:
    metric = Metric("x_total", "counter", "Help.", {(("route", 'a"\\\n'),): 2.0})

    assert render([metric]) == '# HELP x_total Help.\n# TYPE x_total counter\nx_total{route="a\\"\\\\\\n"} 2\n'
