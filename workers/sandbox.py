"""Decoding strangers' media at arm's length, for tasks and for `POST /v1/lookups/media`.

A warm nursery (`workers.sandbox_child`) forks a child for each file. The child has limits on memory, CPU, file size and
processes, an empty environment, one open file, and neither network nor file system where this machine can take them
away (`isolation` says whether). Whatever happens to it, the caller gets an `Extraction` or a typed error in bounded
time, and the next file meets a child that never saw this one.
"""

import atexit
import dataclasses
import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

from fingerprinting import media
from fingerprinting.errors import LimitExceededError
from fingerprinting.media import DEFAULT_LIMITS, Limits
from fingerprinting.text.excerpts import Excerpt
from fingerprinting.types import Depth, Extraction, Role
from workers import sandbox_wire, seats
from workers.isolation import Isolation
from workers.nursery import is_readable
from workers.sandbox_pool import Pool

__all__ = ["Allowance", "Isolation", "excerpts", "extract", "isolation", "run"]

Heard = TypeVar("Heard")

_STEP: Final = 1024 * 1024
_LAST_WORDS_SECONDS: Final = 2.0
_MAX_NAME: Final = 255


@dataclass(frozen=True, slots=True)
class Allowance:
    """What one child may use. Memory is address space: libraries map 710 MiB of it before the first pixel.

    `seats` say how much of the machine's memory that is: see `workers.seats`.
    """

    memory_bytes: int = 860 * 1024**2
    cpu_seconds: int = 300
    wall_seconds: float = 330.0
    answer_bytes: int = 160 * 1024**2
    seats: int = 1


_ORDINARY: Final = {Role.WORK: Allowance(), Role.QUERY: Allowance(cpu_seconds=90, wall_seconds=110.0)}
"""By what a file is read for: behind a query somebody waits, and its thread and decoder are missing to others."""

_ORDINARY_PICTURE_BYTES: Final = 112 * 1024**2
"""A JPEG picture of 13 million pixels, as telephones make them, needs less."""

_LARGEST_PICTURE_BYTES: Final = 320 * 1024**2
"""Of a PNG 42 million pixels, of a WebP 22 million (15 with transparency), of a JPEG 100 million."""

_LONGEST_TEXT_BYTES: Final = 12 * 1024**2
"""Six long novels. What is made of a text takes many times its length of memory until it is compared."""

_LARGE: Final = Allowance(memory_bytes=1120 * 1024**2, cpu_seconds=60, wall_seconds=75.0, seats=seats.LARGE)
"""For a picture or text that needs more memory. All others may have to wait for it, so it gets less time."""

_pool = Pool(max(2, os.cpu_count() or 2))
atexit.register(lambda: _pool.close())  # noqa: PLW0108 - the pool of that moment
os.register_at_fork(after_in_child=lambda: _pool.forget())  # noqa: PLW0108


def isolation() -> Isolation:
    """How far decoders are shut in on this machine; tried out once, which takes a second.

    Raises:
        SandboxUnavailableError: no decoder can be started.
    """
    return _pool.isolation


def extract(
    path: Path,
    *,
    name: str | None = None,
    limits: Limits = DEFAULT_LIMITS,
    role: Role = Role.WORK,
    depth: Depth = Depth.STANDARD,
    allowance: Allowance | None = None,
) -> Extraction:
    """Compute every fingerprint of a file, as `fingerprinting.extract` does, at arm's length.

    Raises:
        UnsupportedMediaError, UnreadableMediaError, LimitExceededError: as decoding says. Crashing the decoder makes
            a file unreadable; using more memory or time than `allowance` exceeds a limit.
        SandboxUnavailableError: no decoder could be started, or all are busy; the file was not judged.
    """
    media.read_head(path)  # says in its own words when there is nothing to open
    limits = dataclasses.replace(limits, max_text_bytes=min(limits.max_text_bytes, _LONGEST_TEXT_BYTES))
    if allowance is not None:
        return _extract(path, name, limits, role, depth, allowance)
    picture_bytes = min(limits.max_picture_bytes, _ORDINARY_PICTURE_BYTES)
    ordinary = dataclasses.replace(limits, max_picture_bytes=picture_bytes)
    try:
        return _extract(path, name, ordinary, role, depth, _ORDINARY[role])
    except LimitExceededError as error:
        if error.parameters.get("limit") != "memory":
            raise
    largest = dataclasses.replace(limits, max_picture_bytes=min(limits.max_picture_bytes, _LARGEST_PICTURE_BYTES))
    return _extract(path, name, largest, role, depth, _LARGE)


def excerpts(path: Path, media_type: str, tokens: Sequence[tuple[int, int]]) -> list[Excerpt | None]:
    """Read the words of a text between some of its tokens, as `fingerprinting.text.excerpts` does, at arm's length.

    Raises:
        UnreadableMediaError, LimitExceededError, SandboxUnavailableError: as `extract` does.
    """
    limits = dataclasses.replace(DEFAULT_LIMITS, max_text_bytes=_LONGEST_TEXT_BYTES)
    task = {"task": "excerpts", "media_type": media_type, "tokens": [list(each) for each in tokens]}
    said, status = _read(path, {**task, "limits": dataclasses.asdict(limits)}, _ORDINARY[Role.QUERY])
    return sandbox_wire.read_excerpts(said, status, len(tokens))


def _extract(path: Path, name: str | None, limits: Limits, role: Role, depth: Depth, allowed: Allowance) -> Extraction:
    task: dict[str, object] = {
        "task": "decode",
        "name": (path.name if name is None else name)[-_MAX_NAME:],
        "limits": dataclasses.asdict(limits),
        "role": role,
        "depth": depth,
    }
    return sandbox_wire.read(*_read(path, task, allowed))


def _read(path: Path, task: Mapping[str, object], allowed: Allowance) -> tuple[bytes, int | None]:
    """Have a child look at a file; what it said, and how it ended."""
    file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    reading, writing = os.pipe()
    try:
        return run(
            {**task, "path": str(path.absolute())},
            [writing, file],
            allowed,
            lambda deadline: _answer(reading, deadline, allowed.answer_bytes),
        )
    finally:
        os.close(reading)
        os.close(file)


def run(
    task: Mapping[str, object], descriptors: Sequence[int], allowance: Allowance, listen: Callable[[float], Heard]
) -> tuple[Heard, int | None]:
    """Have a child do something.

    Args:
        task: what `workers.sandbox_child` should do.
        descriptors: what the child gets copies of. It answers on the first, which is closed here in any case, so that
            the other end of it sees the child's end.
        allowance: what the child may use.
        listen: takes what the child says until a deadline (`time.monotonic()`). If it raises, the child is killed.

    Returns:
        What `listen` returns, and the child's exit status: negative for a signal, None if the child had to be killed.

    Raises:
        SandboxUnavailableError: no child could be started, or all are busy.
    """
    answering = descriptors[0]
    try:
        limits = {"memory_bytes": allowance.memory_bytes, "cpu_seconds": allowance.cpu_seconds}
        request = {**task, **limits, "walls": isolation().walls}
        patience = time.monotonic() + allowance.wall_seconds
        with _pool.lend(patience, allowance.seats) as nursery:
            deadline = time.monotonic() + allowance.wall_seconds
            try:
                child = nursery.begin(request, descriptors)
            finally:
                os.close(answering)
                answering = -1
            with child:
                heard = listen(deadline)
                status = child.status(min(deadline, time.monotonic() + _LAST_WORDS_SECONDS))
    finally:
        if answering >= 0:
            os.close(answering)
    return heard, status


def _answer(reading: int, deadline: float, max_bytes: int) -> bytes:
    """All that a child answers."""
    said = bytearray()
    while len(said) <= max_bytes:
        if not is_readable(reading, deadline):
            raise sandbox_wire.too_long()
        piece = os.read(reading, _STEP)
        if not piece:
            return bytes(said)
        said += piece
    raise sandbox_wire.too_much()
