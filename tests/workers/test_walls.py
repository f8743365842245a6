"""The walls around a decoder: what seccomp and Landlock take away, what they leave; the probe tells the truth."""

import json
import socket
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from decoder_stand_ins import command

import workers
from workers import isolation
from workers.errors import SandboxUnavailableError
from workers.isolation import Isolation
from workers.nursery import bare_command, readable, wrapped_command

pytestmark = pytest.mark.heavy

linux_only = pytest.mark.skipif(sys.platform != "linux", reason="walls of the Linux kernel")
ROOT = Path(workers.__file__).parent.parent


def behind(wall: str, attempts: dict[str, str]) -> dict[str, str]:
    """In a process of its own: build a wall, then try each line of Python; `ok`, or the error's class."""
    script = f"""
import ctypes, json, os, resource, socket, subprocess, sys, threading, urllib.request
sys.path[:0] = [{str(ROOT)!r}]
from workers import landlock, seccomp
{textwrap.dedent(wall)}
said = {{}}
for name, attempt in {attempts!r}.items():
    try:
        exec(attempt)
        said[name] = "ok"
    except BaseException as error:
        said[name] = type(error).__name__
print(json.dumps(said))
"""
    done = subprocess.run([sys.executable, "-I", "-c", script], capture_output=True, text=True, check=True, timeout=60)
    said: dict[str, str] = json.loads(done.stdout)
    return said


@linux_only
def test_seccomp_takes_connections_programs_processes_signals_and_writing_away(tmp_path: Path) -> None:
    there = tmp_path / "there"
    there.write_text("as it was", encoding="utf-8")
    denied = {
        "socket": "socket.socket()",
        "socket6": "socket.socket(socket.AF_INET6)",
        "socket_unix": "socket.socket(socket.AF_UNIX)",
        "fork": "os.fork()",
        "exec": "os.execv('/bin/true', ['true'])",
        "spawn": "subprocess.run(['/bin/true'])",
        "kill": "os.kill(os.getppid(), 0)",
        "kill_group": "os.killpg(0, 0)",
        "other_limits": "resource.prlimit(os.getppid(), resource.RLIMIT_AS)",
        "create": f"open({str(tmp_path / 'new')!r}, 'w')",
        "append": f"open({str(there)!r}, 'a')",
        "truncate": f"os.truncate({str(there)!r}, 0)",
        "unlink": f"os.unlink({str(there)!r})",
        "rename": f"os.rename({str(there)!r}, {str(there)!r} + '2')",
        "mkdir": f"os.mkdir({str(tmp_path / 'folder')!r})",
        "chmod": f"os.chmod({str(there)!r}, 0)",
        "symlink": f"os.symlink('/', {str(tmp_path / 'link')!r})",
        "setsid": "os.setsid()",
        "chroot": "os.chroot('/')",
    }
    allowed = {
        "read": f"open({str(there)!r}).read()",
        "thread": "t = threading.Thread(target=int); t.start(); t.join()",
        "memory": "bytearray(50_000_000)",
        "limits": "resource.getrlimit(resource.RLIMIT_AS)",
        "import": "import wave, sqlite3",
    }

    said = behind("seccomp.restrict()", {**denied, **allowed})

    assert {name: said[name] for name in allowed} == dict.fromkeys(allowed, "ok")
    assert {name: said[name] for name in denied} == {
        name: "PermissionError" if name != "spawn" else said["spawn"] for name in denied
    }
    assert said["spawn"] != "ok"
    assert there.read_text() == "as it was"
    assert [path.name for path in tmp_path.iterdir()] == ["there"]


@linux_only
def test_landlock_leaves_the_listed_places_and_the_one_file_for_reading(tmp_path: Path) -> None:
    media, secret = tmp_path / "media", tmp_path / "secret"
    media.write_text("picture", encoding="utf-8")
    secret.write_text("key", encoding="utf-8")
    wall = f"media = os.open({str(media)!r}, os.O_RDONLY)\nlandlock.restrict({readable()!r}, media)"

    said = behind(
        wall,
        {
            "media": "assert open(f'/proc/self/fd/{media}').read() == 'picture'",
            "library": "import sqlite3, wave",
            "media_for_writing": "open(f'/proc/self/fd/{media}', 'r+')",
            "secret": f"open({str(secret)!r})",
            "folder": f"os.listdir({str(tmp_path)!r})",
            "passwords": "open('/etc/passwd')",
            "environments": "open(f'/proc/{os.getppid()}/environ')",
            "write": f"open({str(tmp_path / 'new')!r}, 'w')",
        },
    )

    assert [said.pop(name) for name in ("media", "library")] == ["ok", "ok"]
    assert said == dict.fromkeys(said, "PermissionError")


@pytest.mark.parametrize("argv", [wrapped_command(), bare_command()])
def test_a_decoder_on_this_system_reaches_neither_files_nor_network(argv: tuple[str, ...] | None) -> None:
    tried = None if argv is None else isolation._tried(argv, is_wrapped=argv == wrapped_command())
    if tried is None:
        pytest.skip("this system has no such wall")
    way, nursery = tried
    nursery.end()

    assert way.isolation.is_complete
    assert not way.isolation.can_run


def test_the_probe_finds_every_hole() -> None:
    probing = """
    from workers.sandbox_probe import look
    say(json.dumps({**look(request["canary"], request["port"]), "walls": []}))
    """
    tried = isolation._tried(command(probing, walls=False), is_wrapped=False)
    assert tried is not None
    tried[1].end()

    assert tried[0].isolation == Isolation(False, (), can_read=True, can_connect=True, can_run=True)


def test_the_tightest_way_is_taken_and_a_broken_one_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    for wrapper in (("/nonexistent/bwrap",), (sys.executable, "-c", "import time; time.sleep(0.1)")):
        monkeypatch.setattr(isolation, "wrapped_command", lambda argv=wrapper: argv)
        way, nursery = isolation.choose()
        nursery.end()
        assert way.command == bare_command()

    monkeypatch.setattr(isolation, "bare_command", lambda: ("/nonexistent/python",))
    with pytest.raises(SandboxUnavailableError):
        isolation.choose()


def test_an_operator_is_told_what_is_missing() -> None:
    full = Isolation(True, ("landlock", "seccomp"), can_read=False, can_connect=False, can_run=False)
    some = Isolation(False, ("seccomp",), can_read=True, can_connect=False, can_run=False)
    none = Isolation(False, (), can_read=True, can_connect=True, can_run=True)

    assert full.sentence == "media are decoded without network and files, by bubblewrap and landlock and seccomp"
    assert "by seccomp: a decoder that a hostile file takes over reaches files." in some.sentence
    assert "limits on memory and time only" in none.sentence
    assert "files and the network" in none.sentence
    assert "Install bubblewrap" in none.sentence


def test_no_packet_leaves_a_child_even_where_it_may_open_sockets() -> None:
    """Bubblewrap alone, without the other walls: its network holds nobody but itself."""
    wrapper = wrapped_command()
    if wrapper is None:
        pytest.skip("bubblewrap is not installed")
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.3)
        script = f"import socket; socket.create_connection(('127.0.0.1', {server.getsockname()[1]}), 1)"
        done = subprocess.run([*wrapper[: wrapper.index("--") + 1], sys.executable, "-I", "-c", script],
                              capture_output=True, text=True, check=False)  # fmt: skip
        with pytest.raises(TimeoutError):
            server.accept()

    if "setting up uid map" in done.stderr or "No permissions" in done.stderr:
        pytest.skip("this system lets nobody make namespaces")
    assert "refused" in done.stderr.lower() or "unreachable" in done.stderr.lower()
