"""Real processes, killed: no half catalogue, and a filter run that goes on as if nothing had happened."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from optout.catalogue import folder

FILES = 30
KILLS = 4

pytestmark = pytest.mark.faults


def start(*words: object) -> subprocess.Popen[bytes]:
    code = "from mediamanager.cli import main; main()"
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, words)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )


def finish(*words: object) -> int:
    process = start(*words)
    _, errors = process.communicate(timeout=120)
    assert b"Traceback" not in errors
    return process.returncode


def kill_after(seconds: float, *words: object) -> None:
    process = start(*words)
    time.sleep(seconds)
    process.send_signal(signal.SIGKILL)
    process.communicate()


@pytest.fixture
def texts(tmp_path: Path, make_text: Callable[..., str]) -> Path:
    (tmp_path / "texts").mkdir()
    for number in range(FILES):
        (tmp_path / "texts" / f"{number:02}.txt").write_text(make_text(f"text {number}", 2000))
    return tmp_path / "texts"


def test_a_killed_build_leaves_no_half_catalogue(texts: Path, tmp_path: Path) -> None:
    when = random.Random(7)
    words = ("catalogue", "build", texts, "--output", tmp_path / "c", "--prefer", "all=disallowed")

    for _ in range(KILLS):
        kill_after(when.uniform(0.5, 2.5), *words)
        if (tmp_path / "c").exists():
            assert folder.verify(tmp_path / "c").works == FILES

    assert finish(*words) == 0
    assert folder.verify(tmp_path / "c").works == FILES
    assert sorted(path.name for path in tmp_path.iterdir()) == ["c", "texts"]


def test_a_killed_filter_goes_on_and_ends_as_one_that_was_not(texts: Path, tmp_path: Path) -> None:
    when = random.Random(11)
    assert finish("catalogue", "build", texts, "-o", tmp_path / "c", "--prefer", "search=disallowed") == 0

    def words(name: str) -> tuple[object, ...]:
        return ("filter", texts, "--output", tmp_path / name, "--catalogue", tmp_path / "c", "--workers", 1)

    for _ in range(KILLS):
        kill_after(when.uniform(0.5, 2.5), *words("killed"))
    assert finish(*words("killed")) == finish(*words("whole")) == 0

    for name in ("kept.sha256", "excluded.jsonl", "review.jsonl"):
        assert (tmp_path / "killed" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()
    killed, whole = (json.loads((tmp_path / name / "receipt.json").read_text()) for name in ("killed", "whole"))
    assert killed["counts"] == whole["counts"]
    assert killed["counts"]["kept"] == FILES
