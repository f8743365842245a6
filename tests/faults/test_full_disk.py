"""A full disk: what was acknowledged stays, all else is refused with a 503, and it goes on when there is room."""

import time
from collections.abc import Iterator
from pathlib import Path

import full_disk
import httpx2
import pytest
import pytest_socket
from full_disk import Disk
from insistent_client import Insistent, content
from registry_process import wait_for

pytestmark = pytest.mark.faults

QUICK = {
    "MEDIAMANAGER_SWEEP_SECONDS": "1",
    "MEDIAMANAGER_JOB_LEASE_SECONDS": "2",
    "MEDIAMANAGER_JOB_BACKOFF_SECONDS": "0.5",
    "MEDIAMANAGER_JOB_ATTEMPTS": "30",
}
ROUNDS = {"short": 2, "long": 50}
EACH = 10
RECOVERY_SECONDS = 15


@pytest.fixture(params=full_disk.kinds())
def disk(request: pytest.FixtureRequest, quick_folder: Path) -> Iterator[Disk]:
    pytest_socket.enable_socket()
    with getattr(full_disk, request.param)(quick_folder / request.param, **QUICK) as made:
        yield made


def test_a_full_disk_costs_refusals_and_never_what_was_acknowledged(
    disk: Disk, length: str, figures: list[str], request: pytest.FixtureRequest
) -> None:
    rounds = ROUNDS[length]
    client = Insistent(lambda: disk.served.url, disk.key)
    client.work_through(range(EACH))
    slowest = 0.0

    for turn in range(1, rounds + 1):
        disk.fill()
        client.begin(range(turn * EACH, (turn + 1) * EACH))
        refused = client.refusals.total()
        wait_for(lambda refused=refused: client.refusals.total() >= refused + 20)  # type: ignore[misc]
        with client.http as http:
            assert reads(http) == [200, 200, 200]
            files = {"file": ("a.txt", content(0) * 10_000)}
            assert http.post("/v1/works", files=files).status_code == 503
        disk.empty()
        emptied = time.monotonic()
        client.end()
        slowest = max(slowest, time.monotonic() - emptied)

    assert slowest < RECOVERY_SECONDS
    client.check((rounds + 1) * EACH)
    with client.http as http:
        wait_for(lambda: http.get("/readyz").status_code == 200, 30)
    figures.append(
        f"disk full {rounds} times ({request.node.callspec.id}): {client.refusals.total()} refusals, all of"
        f" {client.count} acknowledgements there, everything answered {slowest:.1f} s after there was room"
    )


def reads(http: httpx2.Client) -> list[int]:
    asset = {"assets": [{"sha256": "00" * 32}], "use": "train-genai"}
    return [
        http.get("/v1/works").status_code,
        http.get("/v1/log/key").status_code,
        http.post("/v1/lookups", json=asset).status_code,
    ]
