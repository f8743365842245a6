"""How far strangers' files are shut in on this machine: the ways to start a decoder, tried out, the tightest chosen."""

import json
import os
import socket
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from pydantic import BaseModel, ConfigDict, ValidationError

from workers.errors import SandboxUnavailableError
from workers.nursery import Nursery, bare_command, is_readable, wrapped_command

_PROBE_SECONDS: Final = 10.0
_PROBE_BYTES: Final = 4096
_PROBE_MEMORY_BYTES: Final = 1024**3


@dataclass(frozen=True, slots=True)
class Isolation:
    """What a decoder that was taken over could still do, found out by trying.

    Attributes:
        is_wrapped: in bubblewrap: network, files, processes and users of its own.
        walls: of `landlock` and `seccomp`, what the kernel has, in alphabetical order.
        can_read: files beside its own.
        can_connect: to anything.
        can_run: further programs or processes.
    """

    is_wrapped: bool
    walls: tuple[str, ...]
    can_read: bool
    can_connect: bool
    can_run: bool

    @property
    def is_complete(self) -> bool:
        """Whether it reaches neither files nor the network."""
        return not (self.can_read or self.can_connect)

    @property
    def sentence(self) -> str:
        """What an operator should know."""
        names = [*(["bubblewrap"] if self.is_wrapped else []), *self.walls]
        means = f"by {' and '.join(names)}" if names else "by limits on memory and time only"
        if self.is_complete:
            return f"media are decoded without network and files, {means}"
        ways = (("files", self.can_read), ("the network", self.can_connect))
        open_ways = [word for word, is_open in ways if is_open]
        return (
            f"media are decoded {means}: a decoder that a hostile file takes over reaches {' and '.join(open_ways)}."
            " Install bubblewrap and allow user namespaces, or use a kernel with Landlock and seccomp"
        )


@dataclass(frozen=True, slots=True)
class Way:
    """How nurseries are started here, and how tight that is."""

    command: tuple[str, ...]
    isolation: Isolation


class _Found(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    reads: bool
    connects: bool
    runs: bool
    signals: bool
    walls: list[str]


def choose() -> tuple[Way, Nursery]:
    """Try out every way that there is; the tightest one, with a nursery that was started so.

    Raises:
        SandboxUnavailableError: none of them starts.
    """
    best: tuple[Way, Nursery] | None = None
    wrapped = wrapped_command()
    for command in (wrapped, bare_command()):
        tried = None if command is None else _tried(command, is_wrapped=command is wrapped)
        if tried is None:
            continue
        if best is not None and _openness(best[0].isolation) <= _openness(tried[0].isolation):
            tried[1].end()
            continue
        if best is not None:
            best[1].end()
        best = tried
        if best[0].isolation.is_complete:
            break
    if best is None:
        raise SandboxUnavailableError("the media decoder could not be started; try again later")
    return best


def _openness(isolation: Isolation) -> int:
    return isolation.can_read + isolation.can_connect + isolation.can_run


def _tried(command: Sequence[str], *, is_wrapped: bool) -> tuple[Way, Nursery] | None:
    """Start a nursery and have it look around; None if either fails."""
    try:
        nursery = Nursery(command)
    except SandboxUnavailableError:
        return None
    try:
        found = _look(nursery)
    except (SandboxUnavailableError, ValidationError, OSError):
        nursery.end()
        return None
    isolation = Isolation(is_wrapped, tuple(found.walls), found.reads, found.connects, found.runs)
    return Way(tuple(command), isolation), nursery


def _look(nursery: Nursery) -> _Found:
    """Let a child try to read a file and to reach a port that we made for it."""
    deadline = time.monotonic() + _PROBE_SECONDS
    request = {"task": "probe", "memory_bytes": _PROBE_MEMORY_BYTES, "cpu_seconds": 5, "walls": []}
    with tempfile.NamedTemporaryFile() as canary, socket.create_server(("127.0.0.1", 0)) as server:
        reading, writing = os.pipe()
        try:
            try:
                child = nursery.begin({**request, "canary": canary.name, "port": server.getsockname()[1]}, [writing])
            finally:
                os.close(writing)
            with child:
                said = os.read(reading, _PROBE_BYTES) if is_readable(reading, deadline) else b""
                status = child.status(deadline)
        finally:
            os.close(reading)
    if status != 0:
        raise SandboxUnavailableError("the media decoder could not be tried out")
    return _Found.model_validate(json.loads(said or b"{}"))
