"""The sandbox: whatever a file does to its decoder, the caller gets an answer or a typed error, in bounded time."""

import contextlib
import sys
import threading
import time
from pathlib import Path

import pytest
from decoder_stand_ins import Instead, command, pool_of, told

from fingerprinting.errors import LimitExceededError, UnreadableMediaError, UnsupportedMediaError
from fingerprinting.extract import extract
from fingerprinting.media import Limits
from fingerprinting.types import Role
from workers import sandbox, seats
from workers.errors import SandboxUnavailableError
from workers.sandbox import Allowance

pytestmark = pytest.mark.heavy


def test_the_child_finds_what_decoding_here_finds(prose: Path) -> None:
    found = sandbox.extract(prose, name="prose.txt", role=Role.QUERY)

    assert found == extract(prose, name="prose.txt", role=Role.QUERY)
    assert found.fingerprints[0].algorithm == "sha256"


def test_errors_of_decoding_come_back_with_class_sentence_and_parameters(tmp_path: Path) -> None:
    cases = {
        "empty.png": (b"", UnreadableMediaError),
        "captions.vtt": (bytes(range(256)) * 40, UnreadableMediaError),
        "paper.pdf": (b"%PDF-1.7 ...", UnreadableMediaError),
        "papers.7z": (b"7z\xbc\xaf\x27\x1c", UnsupportedMediaError),
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
