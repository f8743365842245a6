"""The sandbox: whatever a file does to its decoder, the caller gets an answer or a typed error, in bounded time."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from decoder_stand_ins import command, pool_of, program

from fingerprinting.errors import LimitExceededError, UnreadableMediaError, UnsupportedMediaError
from fingerprinting.extract import extract
from fingerprinting.media import Limits
from fingerprinting.types import Role
from workers import sandbox, seats
from workers.errors import SandboxUnavailableError
from workers.sandbox import Allowance
from workers.sandbox_pool import Pool

pytestmark = pytest.mark.heavy

WORDS = "the quick brown fox jumps over a lazy dog while seven wizards brew strange potions in copper kettles "


@pytest.fixture
def prose(tmp_path: Path) -> Path:
    path = tmp_path / "prose.txt"
    path.write_text("\n".join(f"{n} {WORDS} {n * 7}" for n in range(30)), encoding="utf-8")
    return path


Instead = Callable[..., Pool]


@pytest.fixture
def instead(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instead]:
    """Have other children: a decoder that was taken over can do anything that it is let.

    They have seats of their own: tests beside these take those of the machine.
    """
    own = seats.Seats(tmp_path_factory.mktemp("seats"), 2)
    monkeypatch.setattr(seats, "of_this_machine", lambda: own)
    with contextlib.ExitStack() as stack:

        def use(act: str, *, walls: bool = True, size: int = 2) -> Pool:
            pool = stack.enter_context(pool_of(*command(act, walls=walls), size=size))
            monkeypatch.setattr(sandbox, "_pool", pool)
            return pool

        yield use


def told(path: Path, name: str | None = None) -> str:
    """What a stand-in tells, by way of an error's sentence."""
    with pytest.raises(UnreadableMediaError) as caught:
        sandbox.extract(path, name=name)
    return str(caught.value)


def test_the_child_finds_what_decoding_here_finds(prose: Path) -> None:
    found = sandbox.extract(prose, name="prose.txt", role=Role.QUERY)

    assert found == extract(prose, name="prose.txt", role=Role.QUERY)
    assert found.fingerprints[0].algorithm == "sha256"


def test_errors_of_decoding_come_back_with_class_sentence_and_parameters(tmp_path: Path) -> None:
    cases = {
        "empty.png": (b"", UnreadableMediaError),
        "captions.vtt": (bytes(range(256)) * 40, UnreadableMediaError),
        "paper.pdf": (b"%PDF-1.7 ...", UnsupportedMediaError),
    }
    for name, (data, kind) in cases.items():
        path = tmp_path / name
        path.write_bytes(data)
        with pytest.raises(kind) as here:
            extract(path)
        with pytest.raises(kind) as there:
            sandbox.extract(path)

        assert (str(there.value), dict(there.value.parameters)) == (str(here.value), dict(here.value.parameters))


def test_a_file_that_is_not_there_is_said_to_be_unreadable(tmp_path: Path) -> None:
    with pytest.raises(UnreadableMediaError, match="cannot be opened"):
        sandbox.extract(tmp_path / "nowhere.png")


def test_the_limits_of_the_caller_reach_the_child(prose: Path) -> None:
    with pytest.raises(LimitExceededError):
        sandbox.extract(prose, limits=Limits(max_bytes=100))


@pytest.mark.parametrize(
    ("act", "kind"),
    [
        ("ctypes.string_at(0)", UnreadableMediaError),
        ("os.abort()", UnreadableMediaError),
        ("resource.setrlimit(resource.RLIMIT_CPU, (1, 9))\nwhile True: pass", LimitExceededError),
        ("signal.raise_signal(9)", LimitExceededError),
        ("""say('{"crash": "ValueError"}')""", UnreadableMediaError),
        ("say('not json')", UnreadableMediaError),
        ("say('{}')", UnreadableMediaError),
        ("""say('{"extraction": {"modality": "image"}}')""", UnreadableMediaError),
        ("""say('{"error": {"code": "no-such", "message": "m", "parameters": {}}}')""", UnreadableMediaError),
        ("""say('{"out_of_memory": true}')""", LimitExceededError),
        ("raise MemoryError", SandboxUnavailableError),
        ("while True: say('x' * 60_000)", LimitExceededError),
    ],
)  # fmt: skip
def test_a_child_that_misbehaves_is_told_apart(instead: Instead, prose: Path, act: str, kind: type[Exception]) -> None:
    instead(act, walls="RLIMIT_CPU" not in act)

    with pytest.raises(kind):
        sandbox.extract(prose, allowance=Allowance(wall_seconds=20, answer_bytes=1_000_000))


def test_a_nursery_that_can_not_be_started_is_no_fault_of_the_file(
    monkeypatch: pytest.MonkeyPatch, prose: Path
) -> None:
    for argv in (("/nonexistent/python",), (sys.executable, "-c", "pass")):
        with pool_of(*argv) as pool:
            monkeypatch.setattr(sandbox, "_pool", pool)
            with pytest.raises(SandboxUnavailableError):
                sandbox.extract(prose)


def test_a_child_that_can_not_be_shut_in_as_it_should_reads_nothing(
    monkeypatch: pytest.MonkeyPatch, prose: Path
) -> None:
    with pool_of(*command("tell('read it')", walls=False)) as pool:
        monkeypatch.setattr(sandbox, "_pool", pool)
        assert told(prose) == "read it"
        monkeypatch.setattr(sandbox, "isolation", lambda: sandbox.Isolation(False, ("seccomp",), True, False, False))
        with pytest.raises(SandboxUnavailableError):
            sandbox.extract(prose)


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
        wait_for(lambda: len(listed.read_text().split()) == 2)
        pids = [int(pid) for pid in listed.read_text().split()]
        nursery._process.kill()

        for each in failures:
            assert isinstance(each.exception(20), SandboxUnavailableError)
    wait_for(lambda: all(gone(pid) for pid in pids))


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


def test_more_files_than_decoders_wait_their_turn_and_not_for_ever(instead: Instead, prose: Path) -> None:
    instead("time.sleep(float(request['name']))\ntell('done')", size=1)
    first = threading.Thread(target=_ignoring, args=(prose, "0.8"))
    first.start()
    time.sleep(0.3)
    with pytest.raises(SandboxUnavailableError, match="busy"):
        sandbox.extract(prose, name="0", allowance=Allowance(wall_seconds=0.1))
    _ignoring(prose, "0")
    first.join()


def test_a_crowd_is_sent_away_at_once_and_holds_no_threads(
    instead: Instead, prose: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workers.turns._MAX_WAITING", 1)
    instead("time.sleep(float(request['name']))\ntell('done')", size=1)
    busy = [threading.Thread(target=_ignoring, args=(prose, "1.5")) for _ in range(2)]
    for thread in busy:
        thread.start()
    time.sleep(0.5)
    started = time.monotonic()

    with pytest.raises(SandboxUnavailableError, match="busy"):
        sandbox.extract(prose, name="0")

    assert time.monotonic() - started < 0.5
    for thread in busy:
        thread.join()
    _ignoring(prose, "0")


def test_what_needs_more_memory_gets_it_and_what_does_not_leaves_it_to_others(
    instead: Instead, prose: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken: list[int] = []
    take = seats.Seats.taken

    def noted(self: seats.Seats, wanted: int, deadline: float) -> contextlib.AbstractContextManager[None]:
        taken.append(wanted)
        return take(self, wanted, deadline)

    monkeypatch.setattr(seats.Seats, "taken", noted)
    instead(
        """
        if request["name"] == "large" and resource.getrlimit(resource.RLIMIT_AS)[0] < 1000 << 20:
            say(json.dumps({"out_of_memory": True}))
        else:
            tell(request["limits"]["max_picture_bytes"] >> 20)
        """
    )

    assert (told(prose, "small"), taken) == ("112", [1])
    assert (told(prose, "large"), taken) == ("320", [1, 1, seats.LARGE])


def test_a_text_may_not_be_as_long_here_as_where_it_is_read_for_oneself(tmp_path: Path) -> None:
    path = tmp_path / "long.txt"
    path.write_bytes(b"word " * (13 << 20 >> 2))

    with pytest.raises(LimitExceededError, match="Split it into parts"):
        sandbox.extract(path)


def _ignoring(path: Path, name: str) -> None:
    with contextlib.suppress(UnreadableMediaError):
        sandbox.extract(path, name=name)


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
    wait_for(lambda: all(gone(pid) for pid in pids))
    assert not gone(nursery)


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

    wait_for(lambda: gone(left), 1)


def test_nothing_of_our_environment_or_open_files_reaches_the_child(
    monkeypatch: pytest.MonkeyPatch, instead: Instead, prose: Path
) -> None:
    monkeypatch.setenv("MEDIAMANAGER_CANARY", "s3cr3t-canary")
    instead(
        "tell([dict(os.environ), os.getcwd(), sorted(os.readlink(f'/proc/self/fd/{n}') for n in"
        " os.listdir('/proc/self/fd') if os.path.lexists(f'/proc/self/fd/{n}'))])",
        walls=False,
    )

    with Path(__file__).open("rb"):
        said = told(prose)

    assert "canary" not in said
    assert "HOME" not in said
    assert Path(__file__).name not in said
    assert prose.name in said


def test_the_child_can_neither_write_nor_dump_and_its_memory_is_limited(
    instead: Instead, prose: Path, tmp_path: Path
) -> None:
    instead(
        f"""
        said = []
        try:
            with open({str(tmp_path / "written")!r}, "wb", buffering=0) as file:
                file.write(b"x")
        except OSError as error:
            said.append(error.strerror)
        said += [resource.getrlimit(which) for which in (resource.RLIMIT_AS, resource.RLIMIT_CPU, resource.RLIMIT_CORE)]
        tell(said)
        """,
        walls=False,
    )

    assert told(prose) == str(["File too large", (860 << 20, 860 << 20), (300, 305), (0, 0)])


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

    wait_for(lambda: all(gone(pid) for pid in pids))


def gone(pid: int) -> bool:
    """Whether a process has ended; a zombie that nobody reaped yet has."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return True
    return state == "Z"


def wait_for(condition: Callable[[], bool], seconds: float = 5.0) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "it did not come in time"
        time.sleep(0.02)
