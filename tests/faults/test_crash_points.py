"""Kill -9 between every two durable steps of everything that writes: afterwards all is there, once, and whole."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import crash_flows
import pytest
import pytest_socket
from local_servers import answer, serving
from registry_process import ROOT, clean_environment

pytestmark = pytest.mark.faults

# Two processes at once; what takes longest comes first.
_SHARES = (
    ("publish over the edge of a tile", "register a file", "register fingerprints", "claim", "amend", "withdraw",
     "read what is claimed", "clean", "claim all works", "claim a collection", "confirm a wrong match"),
    ("publish the first entries", "register an address", "register a broken file again", "read a broken file",
     "read a file that is kept", "claim, with an idempotency key", "make a collection", "grant", "revoke"),
)  # fmt: skip


@pytest.fixture(scope="module")
def crashes(quick_folder: Path, figures: list[str]) -> Mapping[str, Sequence[dict[str, Any]]]:
    """Of each flow, what became of it when it was killed at each of its steps."""
    pytest_socket.enable_socket()
    found: dict[str, list[dict[str, Any]]] = {}
    flow: list[dict[str, Any]] = []
    with serving({"/address": answer(crash_flows.prose("address"), content_type="text/plain")}) as media:
        running = [_begin(quick_folder / f"crashes {number}", media.url()[:-1], flows)
                   for number, flows in enumerate(_SHARES)]  # fmt: skip
        for process in running:
            output, errors = process.communicate(timeout=600)
            assert process.returncode == 0, errors
            for line in map(json.loads, output.splitlines()):
                if "flow" in line:
                    flow = found.setdefault(line["flow"], [])
                else:
                    flow.append(line)
    figures.append(f"killed at {sum(map(len, found.values()))} of as many durable steps of {len(found)} ways through")
    return found


def _begin(folder: Path, media_url: str, flows: Sequence[str]) -> "subprocess.Popen[str]":
    folder.mkdir()
    return subprocess.Popen(
        [sys.executable, str(ROOT / "tests" / "support" / "crash_process.py"), str(folder), media_url, *flows],
        env=clean_environment({"PYTHONPATH": os.pathsep.join(sys.path)}),
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_every_way_through_is_crashed(crashes: Mapping[str, Sequence[dict[str, Any]]]) -> None:
    assert set(crashes) == set(crash_flows.FLOWS)
    assert sum(map(len, crashes.values())) >= 100


@pytest.mark.parametrize("flow", crash_flows.FLOWS)
def test_whatever_step_a_kill_follows_nothing_is_lost_or_doubled_or_half_there(
    flow: str, crashes: Mapping[str, Sequence[dict[str, Any]]]
) -> None:
    points = crashes[flow]

    assert [point["number"] for point in points] == list(range(1, len(points) + 1))
    assert all(point["killed"] for point in points), points
    wrong = {f"{point['number']}: {point['step']}": point["error"] for point in points if point["error"]}
    assert not wrong, "\n\n".join(f"{step}\n{error}" for step, error in wrong.items())
