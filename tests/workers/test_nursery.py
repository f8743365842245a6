"""The nursery and its children: who ends when, and that none of them meets, holds or outlives another."""

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from decoder_stand_ins import Instead, program, told
from registry_process import is_gone, wait_for

from fingerprinting.errors import LimitExceededError, UnreadableMediaError
from workers import sandbox
from workers.errors import SandboxUnavailableError
from workers.sandbox import Allowance

pytestmark = pytest.mark.heavy


def test_every_file_meets_a_child_that_saw_no_other(instead: Instead, prose: Path) -> None:
    instead("global seen\nseen = globals().get('seen', 0) + 1\ntell(f'{seen} {os.getpid()}')")

    said = [told(prose).split() for _ in range(3)]

    assert [count for count, _ in said] == ["1", "1", "1"]
    assert len({pid for _, pid in said}) == 3


def test_a_crashed_child_is_replaced_and_its_nursery_goes_on(instead: Instead, prose: Path) -> None:
    instead("os.abort() if request['name'] == 'bad' else tell(os.getppid())")
    first = told(prose)
    with pytest.raises(UnreadableMediaError, match="broke its decoder"):
        sandbox.extract(prose, name="bad")

    assert told(prose) == first


def test_a_dead_nursery_is_replaced(instead: Instead, prose: Path) -> None:
    pool = instead("tell(os.getppid())")
    first = told(prose)
    assert pool._nursery is not None
    pool._nursery._process.send_signal(signal.SIGKILL)
    pool._nursery._process.wait()

    assert told(prose) != first


def test_one_nursery_has_several_children_and_the_end_of_one_disturbs_no_other(instead: Instead, prose: Path) -> None:
    instead("time.sleep(float(request['name']))\ntell(f'{os.getppid()} {os.getpid()}')")
    with ThreadPoolExecutor(2) as both:
        patient = both.submit(told, prose, "2.5")
        with pytest.raises(LimitExceededError, match="too long"):
            sandbox.extract(prose, name="60", allowance=Allowance(wall_seconds=1))
        again = both.submit(told, prose, "0")
        (one_nursery, one), (other_nursery, other) = patient.result().split(), again.result().split()

    assert one_nursery == other_nursery
    assert one != other


def test_a_nursery_that_does_not_kill_when_told_to_is_ended_itself(
    instead: Instead, monkeypatch: pytest.MonkeyPatch, prose: Path
) -> None:
    monkeypatch.setattr("workers.nursery._END_SECONDS", 0.5)
    pool = instead("os.kill(os.getppid(), signal.SIGSTOP)\ntime.sleep(60)", walls=False)
    sandbox.isolation()
    stuck = pool._nursery

    with pytest.raises(LimitExceededError, match="too long"):
        sandbox.extract(prose, allowance=Allowance(wall_seconds=0.5))

    assert stuck is not None
    assert not stuck.is_alive


def test_children_do_not_outlive_their_nursery_and_their_files_are_not_to_blame(instead: Instead, prose: Path) -> None:
    pool = instead("os.write(descriptors[0], b'x' * 9)\ntime.sleep(60)", walls=False)
    sandbox.isolation()
    nursery = pool._nursery
    assert nursery is not None
    with ThreadPoolExecutor(2) as both:
        failures = [both.submit(sandbox.extract, prose, allowance=Allowance(wall_seconds=50)) for _ in range(2)]
        listed = Path(f"/proc/{nursery._process.pid}/task/{nursery._process.pid}/children")
        wait_for(lambda: len(listed.read_text().split()) == 2, 5)
        pids = [int(pid) for pid in listed.read_text().split()]
        nursery._process.kill()

        for each in failures:
            assert isinstance(each.exception(20), SandboxUnavailableError)
    wait_for(lambda: all(is_gone(pid) for pid in pids), 5)


def test_a_child_holds_nothing_by_which_its_nursery_is_spoken_to(instead: Instead, prose: Path) -> None:
    instead(
        """
        time.sleep(float(request["name"]))
        held = [f"/proc/self/fd/{number}" for number in os.listdir("/proc/self/fd")]
        held = [os.readlink(place).partition(":")[0] for place in held if os.path.lexists(place)]
        tell(sorted(kind for kind in held if kind in ("socket", "pipe")))
        """,
        walls=False,
    )
    with ThreadPoolExecutor(2) as both:
        said = list(both.map(lambda name: told(prose, name), ("1", "0.5")))

    assert said == ["['pipe']", "['pipe']"]  # on which it answers


def test_after_the_time_out_nothing_of_the_child_lives(instead: Instead, prose: Path, tmp_path: Path) -> None:
    instead(
        """
        grandchild = os.fork()
        if not grandchild:
            os.setsid()
            time.sleep(60)
        os.write(descriptors[0], b"%d %d %d" % (os.getpid(), grandchild, os.getppid()))
        time.sleep(60)
        """,
        walls=False,
    )
    said: list[bytes] = []
    started = time.monotonic()

    with pytest.raises(LimitExceededError, match="too long"):
        _listening(prose, said, Allowance(wall_seconds=1.5))

    assert time.monotonic() - started < 8
    *pids, nursery = [int(pid) for pid in said[0].split()]
    wait_for(lambda: all(is_gone(pid) for pid in pids), 5)
    assert not is_gone(nursery)


def _listening(path: Path, said: list[bytes], allowance: Allowance) -> None:
    """As `extract`, but remember what the child said even when it is too late."""
    whole = sandbox._answer

    def answer(reading: int, deadline: float, max_bytes: int) -> bytes:
        said.append(os.read(reading, 1000))
        return whole(reading, deadline, max_bytes)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sandbox, "_answer", answer)
        sandbox.extract(path, allowance=allowance)


def test_what_a_child_leaves_running_is_gone_before_the_next_file(instead: Instead, prose: Path) -> None:
    instead(
        """
        if os.path.exists(request["name"]):
            tell(request["name"])
        else:
            left = os.fork()
            if not left:
                os.setsid()
                os.close(descriptors[0])
                time.sleep(60)
            tell(left)
        """,
        walls=False,
    )
    left = int(told(prose))

    wait_for(lambda: is_gone(left), 1)


def test_the_child_dies_with_the_process_that_asked(prose: Path, tmp_path: Path) -> None:
    root = Path(sandbox.__file__).parent.parent
    asking = f"""
import sys
sys.path[:0] = [{str(root)!r}, {str(root / "tests" / "support")!r}]
from pathlib import Path
from decoder_stand_ins import UNKNOWN
from workers import sandbox
from workers.isolation import Way
from workers.nursery import Nursery
from workers.sandbox_pool import Pool
argv = (sys.executable, "-I", "-c", Path({str(tmp_path / "program")!r}).read_text())
sandbox._pool = Pool(1, lambda: (Way(argv, UNKNOWN), Nursery(argv)))
sandbox._answer = lambda reading, deadline, max_bytes: (
    Path({str(tmp_path / "pids")!r}).write_bytes(sandbox.os.read(reading, 99)), sandbox.time.sleep(60))
sandbox.extract(Path({str(prose)!r}))
"""
    (tmp_path / "program").write_text(
        program("os.write(descriptors[0], b'%d %d' % (os.getpid(), os.getppid()))\ntime.sleep(60)"), encoding="utf-8"
    )
    asker = subprocess.Popen([sys.executable, "-c", asking], cwd=root)
    wait_for(lambda: (tmp_path / "pids").exists() and (tmp_path / "pids").read_text() != "", 15)
    pids = [int(pid) for pid in (tmp_path / "pids").read_text().split()]
    asker.send_signal(signal.SIGKILL)
    asker.wait()

    wait_for(lambda: all(is_gone(pid) for pid in pids), 5)
