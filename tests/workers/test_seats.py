"""Seats hold decoders of all processes back, so that together they never take more memory than a large file does."""

import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from workers import seats
from workers.errors import SandboxUnavailableError
from workers.seats import LARGE, Seats

pytestmark = pytest.mark.heavy


def soon() -> float:
    return time.monotonic() + 0.05


def in_a_while() -> float:
    return time.monotonic() + 20


def test_a_large_file_waits_for_the_ordinary_ones_and_they_for_it(tmp_path: Path) -> None:
    mine, others = Seats(tmp_path, LARGE), Seats(tmp_path, LARGE)

    with mine.taken(1, soon()), pytest.raises(SandboxUnavailableError, match="busy"), others.taken(LARGE, soon()):
        pass
    with mine.taken(LARGE, soon()), pytest.raises(SandboxUnavailableError, match="busy"), others.taken(1, soon()):
        pass
    with mine.taken(1, soon()), others.taken(1, soon()):
        pass


def test_two_large_files_at_once_do_not_wait_for_each_other_for_ever(tmp_path: Path) -> None:
    done: list[int] = []

    def take(number: int) -> None:
        with Seats(tmp_path, LARGE + 1).taken(LARGE, in_a_while()):
            time.sleep(0.01)
            done.append(number)

    threads = [threading.Thread(target=take, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(done) == list(range(8))


def test_a_process_that_dies_leaves_its_seats(tmp_path: Path) -> None:
    program = (
        "import sys, time; from pathlib import Path; from workers.seats import Seats\n"
        f"with Seats(Path({str(tmp_path)!r}), 3).taken(3, time.monotonic() + 9):\n"
        "    print(flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        other.stdout.readline()
        with pytest.raises(SandboxUnavailableError), Seats(tmp_path, 3).taken(1, soon()):
            pass
        other.kill()
        with Seats(tmp_path, 3).taken(3, in_a_while()):
            pass


def test_a_folder_that_others_may_write_to_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    seats.of_this_machine.cache_clear()
    with seats.of_this_machine().taken(1, soon()):
        (folder,) = tmp_path.iterdir()
    assert folder.stat().st_mode & 0o777 == 0o700
    folder.chmod(0o777)
    before = set(folder.iterdir())
    seats.of_this_machine.cache_clear()
    with seats.of_this_machine().taken(LARGE, soon()):
        assert set(folder.iterdir()) == before
    seats.of_this_machine.cache_clear()
