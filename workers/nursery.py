"""One running nursery of `workers.sandbox_child`, as its parent sees it: started, asked, and ended whatever it does.

It is wrapped in bubblewrap where that works: no network, no file but Python and its libraries (read-only), no process
but its own, no privilege. It ends with us, however we end, because its standard input is a socket whose other end only
we hold; and ending it ends all that it started.
"""

import contextlib
import json
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final, Self

import fingerprinting
import optout
import workers
from workers.errors import SandboxUnavailableError

_PACKAGES: Final = tuple(str(Path(folder).resolve()) for each in (fingerprinting, optout, workers)
                         for folder in each.__path__)  # fmt: skip
_LIBRARIES: Final = ("/lib", "/lib32", "/lib64")
_SYSTEM: Final = ("/usr", "/etc/alternatives", "/etc/ld.so.cache")
# Nothing of our own environment is passed on. One thread for linear algebra: more would only reserve address space.
# And glibc should keep what is freed for what comes next: a child's every fresh page costs a fault, 20 ms a picture.
_ENVIRONMENT: Final = {
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "GLIBC_TUNABLES": "glibc.malloc.mmap_threshold=33554432:glibc.malloc.trim_threshold=268435456",
}
_START_SECONDS: Final = 30.0
_OWN_END_SECONDS: Final = 1.0
_END_SECONDS: Final = 5.0
_MAX_STATUS_BYTES: Final = 200
MAX_REQUEST_BYTES: Final = 32 * 1024  # what Linux keeps in one piece: two pieces could be mixed with the next request


def readable() -> list[str]:
    """Where Python, its libraries and our own code lie, and nothing else."""
    places = (*_SYSTEM, *_LIBRARIES, sys.base_prefix, sys.base_exec_prefix, sys.prefix, sys.exec_prefix, *_PACKAGES)
    return [place for place in dict.fromkeys(places) if Path(place).exists()]


def bare_command() -> tuple[str, ...]:
    """What starts a nursery without a wrapper."""
    roots = list(dict.fromkeys(str(Path(package).parent) for package in _PACKAGES))
    start = f"import sys; sys.path[:0] = {roots!r}; from workers.sandbox_child import main; main({readable()!r})"
    return (sys.executable, "-I", "-c", start)


def wrapped_command() -> tuple[str, ...] | None:
    """What starts a nursery in bubblewrap; None where that is not installed."""
    bwrap = shutil.which("bwrap") if sys.platform == "linux" else None
    if bwrap is None:
        return None
    return (bwrap, *_wrapping(), "--", *bare_command())


def _wrapping() -> Iterator[str]:
    yield from ("--unshare-all", "--unshare-user", "--uid", "65534", "--gid", "65534", "--hostname", "sandbox")
    yield from ("--cap-drop", "ALL", "--clearenv")
    for name, value in _ENVIRONMENT.items():
        yield from ("--setenv", name, value)
    for place in readable():
        if place in _LIBRARIES and Path(place).is_symlink():
            yield from ("--symlink", str(Path(place).readlink()), place)
        else:
            yield from ("--ro-bind", place, place)
    yield from ("--proc", "/proc", "--dev", "/dev", "--chdir", "/", "--remount-ro", "/")


class Child:
    """One child of a nursery, as long as the block lasts; then nothing of it runs any more."""

    def __init__(self, nursery: "Nursery", lane: socket.socket) -> None:
        """Know a child that was just asked for by the lane on which its nursery tells of it."""
        self._nursery = nursery
        self._lane = lane
        self._is_told = False

    def __enter__(self) -> Self:
        """Nothing happens: it works already."""
        return self

    def __exit__(self, *_: object) -> None:
        """Have it killed if it still runs; should that not happen in time, its nursery and all others go with it."""
        with self._lane:
            with contextlib.suppress(OSError):
                self._lane.shutdown(socket.SHUT_WR)
            deadline = time.monotonic() + _END_SECONDS
            while is_readable(self._lane, deadline):
                piece = _received(self._lane)
                self._is_told |= bool(piece)
                if not piece and self._is_told:
                    return
                if not piece:  # the nursery broke off, and its child may live on
                    break
        self._nursery.end()

    def status(self, deadline: float) -> int | None:
        """The exit status, negative for a signal; None if the nursery did not tell in time, or is gone."""
        line = _line(self._lane, deadline)
        self._is_told = bool(line)
        try:
            told = json.loads(line)
        except ValueError:
            return None
        status = told.get("status") if isinstance(told, dict) else None
        return status if isinstance(status, int) else None


class Nursery:
    """A process that forks a limited child for each request, several at once. Safe to use from several threads."""

    def __init__(self, command: Sequence[str]) -> None:
        """Start it and wait until its decoders are loaded, half a second.

        Raises:
            SandboxUnavailableError: it did not start.
        """
        self._sending = threading.Lock()
        self._control, theirs = socket.socketpair()
        with theirs:
            try:
                self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
                    list(command),
                    stdin=theirs.fileno(),
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    cwd="/",
                    env=_ENVIRONMENT,
                    start_new_session=True,
                )
            except OSError as error:
                self._control.close()
                raise _not_started() from error
        if _line(self._control, time.monotonic() + _START_SECONDS) != b"ready":
            self.end()
            raise _not_started()

    @property
    def is_alive(self) -> bool:
        """Whether it can be asked: it runs, and has not closed its end."""
        try:
            return self._process.poll() is None and not is_readable(self._control, 0.0)
        except ValueError:  # another thread has ended it, perhaps just now
            return False

    def begin(self, request: Mapping[str, object], descriptors: Sequence[int]) -> Child:
        """Have a child do something. It gets copies of the descriptors, the first of which it answers on.

        Raises:
            SandboxUnavailableError: the nursery is gone.
        """
        line = json.dumps(request).encode() + b"\n"
        if len(line) > MAX_REQUEST_BYTES:
            raise SandboxUnavailableError("the media decoder can't be asked for this: its name is too long")
        lane, theirs = socket.socketpair()
        with theirs:
            try:
                with self._sending:
                    socket.send_fds(self._control, [line], [theirs.fileno(), *descriptors])
            except OSError as error:
                lane.close()
                raise SandboxUnavailableError("the media decoder has ended; try again in a moment") from error
        return Child(self, lane)

    def forget(self) -> None:
        """Let go of it without ending it: in a fork of our process it belongs to somebody else."""
        self._control.close()
        self._process.returncode = 0

    def end(self) -> None:
        """Kill it and all that it started: first by its own hand, which knows its children, then by ours."""
        self._control.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(_OWN_END_SECONDS)
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(_END_SECONDS)


def _line(source: socket.socket, deadline: float) -> bytes:
    """What is said next, without the line's end; nothing if it ended or said nothing in time."""
    said = b""
    while not said.endswith(b"\n") and len(said) < _MAX_STATUS_BYTES:
        piece = _received(source) if is_readable(source, deadline) else b""
        if not piece:
            return b""
        said += piece
    return said[:-1]


def _received(source: socket.socket) -> bytes:
    try:
        return source.recv(_MAX_STATUS_BYTES)
    except OSError:
        return b""


def is_readable(source: socket.socket | int, deadline: float) -> bool:
    """Wait until there is something to read, or the end of it; False at the deadline (`time.monotonic()`)."""
    poll = select.poll()  # unlike `select`, it knows descriptors above 1023
    poll.register(source, select.POLLIN)
    return bool(poll.poll(max(0.0, deadline - time.monotonic()) * 1000))


def _not_started() -> SandboxUnavailableError:
    return SandboxUnavailableError("the media decoder could not be started; try again later")
