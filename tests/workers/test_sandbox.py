"""The sandbox: whatever a file does to its decoder, the caller gets an answer or a typed error, in bounded time."""

import signal
import struct
import subprocess
import sys
import time
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from fingerprinting.errors import LimitExceededError, UnreadableMediaError, UnsupportedMediaError
from fingerprinting.extract import extract
from fingerprinting.media import Limits
from fingerprinting.types import Role
from workers import sandbox
from workers.errors import SandboxUnavailableError
from workers.sandbox import Allowance

WORDS = "the quick brown fox jumps over a lazy dog while seven wizards brew strange potions in copper kettles "


@pytest.fixture
def prose(tmp_path: Path) -> Path:
    path = tmp_path / "prose.txt"
    path.write_text("\n".join(f"{n} {WORDS} {n * 7}" for n in range(30)), encoding="utf-8")
    return path


def instead(monkeypatch: pytest.MonkeyPatch, program: str) -> None:
    """Run another program as the child: a decoder that was taken over can do anything."""
    monkeypatch.setattr(sandbox, "_COMMAND", (sys.executable, "-I", "-c", program))


def png(width: int, height: int) -> bytes:
    """A valid black-and-white PNG of any size; its rows pack to almost nothing."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    packer = zlib.compressobj(9)
    row = bytes(1 + (width + 7) // 8)
    rows = b"".join(packer.compress(row) for _ in range(height if height < 20_000 else 10)) + packer.flush()
    head = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def test_the_child_finds_what_decoding_here_finds(prose: Path) -> None:
    found = sandbox.extract(prose, name="prose.txt", role=Role.QUERY)

    assert found == extract(prose, name="prose.txt", role=Role.QUERY)
    assert found.fingerprints[0].algorithm == "sha256"


def test_errors_of_decoding_come_back_with_class_sentence_and_parameters(tmp_path: Path) -> None:
    cases = {
        "empty.png": (b"", UnreadableMediaError),
        "captions.vtt": (bytes(range(256)) * 40, UnreadableMediaError),
        "paper.pdf": (b"%PDF-1.7 ...", UnsupportedMediaError),
        "huge.png": (png(100_000, 100_000), LimitExceededError),
    }
    for name, (data, kind) in cases.items():
        path = tmp_path / name
        path.write_bytes(data)
        with pytest.raises(kind) as here:
            extract(path)
        with pytest.raises(kind) as there:
            sandbox.extract(path)

        assert (str(there.value), dict(there.value.parameters)) == (str(here.value), dict(here.value.parameters))


def test_the_limits_of_the_caller_reach_the_child(prose: Path) -> None:
    with pytest.raises(LimitExceededError):
        sandbox.extract(prose, limits=Limits(max_bytes=100))


def test_a_picture_that_needs_more_memory_than_allowed_exceeds_a_limit(tmp_path: Path) -> None:
    path = tmp_path / "bomb.png"
    path.write_bytes(png(12_000, 8_000))

    with pytest.raises(LimitExceededError, match="memory"):
        sandbox.extract(path, allowance=Allowance(memory_bytes=500 * 1024**2, wall_seconds=30))


@pytest.mark.parametrize(
    ("program", "kind"),
    [
        ("import os; os.kill(os.getpid(), 11)", UnreadableMediaError),
        ("import os; os.abort()", UnreadableMediaError),
        ("import resource as r; r.setrlimit(r.RLIMIT_CPU, (1, 9))\nwhile True: pass", LimitExceededError),
        ("import os; os.kill(os.getpid(), 9)", LimitExceededError),
        ("""print('{"crash": "ValueError"}')""", UnreadableMediaError),
        ("print('not json')", UnreadableMediaError),
        ("print('{}')", UnreadableMediaError),
        ("""print('{"extraction": {"modality": "image"}}')""", UnreadableMediaError),
        ("""print('{"error": {"code": "no-such", "message": "m", "parameters": {}}}')""", UnreadableMediaError),
        ("""print('{"out_of_memory": true}')""", LimitExceededError),
        ("import sys; sys.exit(3)", SandboxUnavailableError),
        ("while True: print('x' * 100_000)", LimitExceededError),
    ],
)  # fmt: skip
def test_a_child_that_misbehaves_is_told_apart(
    monkeypatch: pytest.MonkeyPatch, prose: Path, program: str, kind: type[Exception]
) -> None:
    instead(monkeypatch, program)

    with pytest.raises(kind):
        sandbox.extract(prose, allowance=Allowance(wall_seconds=20, answer_bytes=1_000_000))


def test_a_child_that_can_not_be_started_is_no_fault_of_the_file(monkeypatch: pytest.MonkeyPatch, prose: Path) -> None:
    monkeypatch.setattr(sandbox, "_COMMAND", ("/nonexistent/python",))

    with pytest.raises(SandboxUnavailableError):
        sandbox.extract(prose)


def test_after_the_time_out_nothing_of_the_child_lives(
    monkeypatch: pytest.MonkeyPatch, prose: Path, tmp_path: Path
) -> None:
    instead(
        monkeypatch,
        f"""
import os, subprocess, sys, time
grandchild = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
open({str(tmp_path / "pids")!r}, "w").write(f"{{os.getpid()}} {{grandchild.pid}}")
time.sleep(60)
""",
    )
    started = time.monotonic()

    with pytest.raises(LimitExceededError, match="too long"):
        sandbox.extract(prose, allowance=Allowance(wall_seconds=2.5))

    assert time.monotonic() - started < 8
    pids = [int(pid) for pid in (tmp_path / "pids").read_text().split()]
    wait_for(lambda: all(gone(pid) for pid in pids))


def test_nothing_of_our_environment_reaches_the_child(monkeypatch: pytest.MonkeyPatch, prose: Path) -> None:
    monkeypatch.setenv("MEDIAMANAGER_CANARY", "s3cr3t-canary")
    instead(
        monkeypatch,
        """
import json, os
message = json.dumps([dict(os.environ), os.getcwd(), len(os.listdir("/proc/self/fd"))])
print(json.dumps({"error": {"code": "unreadable-media", "message": message, "parameters": {}}}))
""",
    )

    with Path(__file__).open("rb"), pytest.raises(UnreadableMediaError) as caught:
        sandbox.extract(prose)

    assert "canary" not in str(caught.value)
    assert "HOME" not in str(caught.value)


def test_the_child_can_neither_write_nor_dump_and_its_memory_is_limited(
    monkeypatch: pytest.MonkeyPatch, prose: Path, tmp_path: Path
) -> None:
    root = Path(sandbox.__file__).parent.parent
    instead(
        monkeypatch,
        f"""
import json, resource, sys
sys.path.insert(0, {str(root)!r})
from workers import sandbox_child
sandbox_child._limit(1 << 30, 9)
said = []
try:
    with open({str(tmp_path / "written")!r}, "wb", buffering=0) as file:
        file.write(b"x")
except OSError as error:
    said.append(error.strerror)
said += [resource.getrlimit(which) for which in (resource.RLIMIT_AS, resource.RLIMIT_CPU, resource.RLIMIT_CORE)]
print(json.dumps({{"error": {{"code": "unreadable-media", "message": repr(said), "parameters": {{}}}}}}))
""",
    )

    with pytest.raises(UnreadableMediaError) as caught:
        sandbox.extract(prose)

    assert str(caught.value) == repr(["File too large", (1 << 30, 1 << 30), (9, 14), (0, 0)])


def test_the_child_dies_with_the_process_that_asked(prose: Path, tmp_path: Path) -> None:
    asking = f"""
import sys
from collections.abc import Callable
from pathlib import Path
from workers import sandbox
child = '''
import json, os, sys, time
sys.path.insert(0, {str(Path(sandbox.__file__).parent.parent)!r})
open({str(tmp_path / "pid")!r}, "w").write(str(os.getpid()))
from workers import sandbox_child
sandbox_child._limit(1 << 31, 60)
time.sleep(60)
'''
sandbox._COMMAND = (sys.executable, "-I", "-c", child)
sandbox.extract(Path({str(prose)!r}))
"""
    asker = subprocess.Popen([sys.executable, "-c", asking], cwd=Path(sandbox.__file__).parent.parent)
    wait_for(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text() != "")
    child = int((tmp_path / "pid").read_text())
    time.sleep(0.3)  # past its own limits by now
    asker.send_signal(signal.SIGKILL)
    asker.wait()

    wait_for(lambda: gone(child))


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
