"""Decoding strangers' media in a child process that may do little, for tasks and for `POST /v1/lookups/media`.

The child gets limits on memory, CPU, file size and processes, an empty environment, a session of its own and a wall
clock; whatever happens to it, the caller gets an `Extraction` or a typed error in bounded time. A seam is left in
`_COMMAND` for a wrapper that takes network and file system away as well.
"""

import contextlib
import dataclasses
import json
import logging
import os
import selectors
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pydantic import Base64Bytes, BaseModel, ConfigDict

from fingerprinting import errors as fingerprinting_errors
from fingerprinting.errors import FingerprintingError, LimitExceededError, UnreadableMediaError
from fingerprinting.media import DEFAULT_LIMITS, Limits
from fingerprinting.types import Extraction, Fingerprint, Modality, Role, SpanUnit
from workers.errors import SandboxUnavailableError

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Allowance:
    """What one child may use. Memory is address space: numpy, Pillow and PyAV map 0.4 GB before the first pixel."""

    memory_bytes: int = 2 * 1024**3
    cpu_seconds: int = 300
    wall_seconds: float = 330.0
    answer_bytes: int = 160 * 1024**2


_ROOT: Final = Path(__file__).resolve().parent.parent
_START: Final = f"import sys; sys.path.insert(0, {str(_ROOT)!r}); from workers.sandbox_child import main; main()"
_COMMAND: Final = (sys.executable, "-I", "-c", _START)
# One thread for linear algebra: more would only reserve address space. Nothing of our own environment is passed on.
_ENVIRONMENT: Final = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
_STEP: Final = 1024 * 1024
_LAST_WORDS_SECONDS: Final = 2.0

# Many requests at once may bring media; more decoders than this would only fight for cores and memory.
_slots = threading.BoundedSemaphore(max(2, os.cpu_count() or 2))


def extract(
    path: Path,
    *,
    name: str | None = None,
    limits: Limits = DEFAULT_LIMITS,
    role: Role = Role.WORK,
    allowance: Allowance = Allowance(),
) -> Extraction:
    """Compute every fingerprint of a file, as `fingerprinting.extract` does, at arm's length.

    Raises:
        UnsupportedMediaError, UnreadableMediaError, LimitExceededError: as decoding says. Crashing the decoder makes
            a file unreadable; using more memory or time than `allowance` exceeds a limit.
        SandboxUnavailableError: the child did not start, or all are busy; the file was not judged.
    """
    request = {
        "path": str(path.absolute()),
        "name": name,
        "limits": dataclasses.asdict(limits),
        "role": role,
        "memory_bytes": allowance.memory_bytes,
        "cpu_seconds": allowance.cpu_seconds,
    }
    deadline = time.monotonic() + allowance.wall_seconds
    if not _slots.acquire(timeout=allowance.wall_seconds):
        raise SandboxUnavailableError("all media decoders are busy; try again in a moment")
    try:
        printed, status = _run(json.dumps(request).encode(), deadline, allowance)
    finally:
        _slots.release()
    return _read(printed, status)


def _run(request: bytes, deadline: float, allowance: Allowance) -> tuple[bytes, int]:
    """Start the child, hand it the request, take what it prints; in the end nothing of its session lives."""
    try:
        child = subprocess.Popen(  # noqa: S603 - our own interpreter and module
            _COMMAND,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd="/",
            env=_ENVIRONMENT,
            start_new_session=True,
        )
    except OSError as error:
        raise SandboxUnavailableError("the media decoder could not be started; try again later") from error
    with child:
        try:
            printed = _converse(child, request, deadline, allowance.answer_bytes)
            _await_exit(child, min(deadline, time.monotonic() + _LAST_WORDS_SECONDS))
        finally:
            # Not yet reaped, so the number still means this child and whatever it started.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)
    return printed, child.returncode


def _converse(child: subprocess.Popen[bytes], request: bytes, deadline: float, max_bytes: int) -> bytes:
    if child.stdin is None or child.stdout is None:
        raise SandboxUnavailableError("the media decoder has no pipes")
    # A request is smaller than a pipe's buffer, so writing can't block on a child that does not read.
    with contextlib.suppress(BrokenPipeError), child.stdin:
        child.stdin.write(request)
    printed = bytearray()
    with selectors.DefaultSelector() as selector:
        selector.register(child.stdout, selectors.EVENT_READ)
        while len(printed) <= max_bytes:
            if not selector.select(max(0.0, deadline - time.monotonic())):
                raise LimitExceededError(
                    "Reading this file takes too long. Use a shorter or smaller version of it.", limit="seconds"
                )
            piece = os.read(child.stdout.fileno(), _STEP)
            if not piece:
                return bytes(printed)
            printed += piece
    raise LimitExceededError("This file yields more fingerprints than we keep. Use a shorter part of it.")


def _await_exit(child: subprocess.Popen[bytes], until: float) -> None:
    """Wait for the child's end without reaping it, so that its status is its own and not our SIGKILL."""
    while time.monotonic() < until:
        if os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT | os.WNOHANG) is not None:
            return
        time.sleep(0.002)


class _Wire(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class _WireFingerprint(_Wire):
    algorithm: str
    version: int
    value: Base64Bytes
    quality: float
    span: list[float] | None
    unit: str | None


class _WireExtraction(_Wire):
    modality: str
    media_type: str
    identifiable: bool
    notes: list[str]
    fingerprints: list[_WireFingerprint]


class _WireError(_Wire):
    code: str
    message: str
    parameters: dict[str, str | int | float]


class _Answer(_Wire):
    extraction: _WireExtraction | None = None
    error: _WireError | None = None
    out_of_memory: bool = False
    crash: str | None = None


_ERRORS: Final[Mapping[str, type[FingerprintingError]]] = {
    kind.code: kind for kind in vars(fingerprinting_errors).values() if isinstance(kind, type)
    and issubclass(kind, FingerprintingError)
}  # fmt: skip


def _read(printed: bytes, status: int) -> Extraction:
    """What the child said, checked; or what its silence means."""
    if not printed:
        raise _silence(status)
    try:
        answer = _Answer.model_validate_json(printed)
        if answer.extraction is not None:
            return _extraction(answer.extraction)
    except ValueError as error:  # not JSON, not of this form, or with a word that is none of ours
        raise _broken() from error
    if answer.error is not None:
        kind = _ERRORS.get(answer.error.code, UnreadableMediaError)
        raise kind(answer.error.message, **answer.error.parameters)
    if answer.out_of_memory:
        raise _out_of_memory()
    logger.warning("a decoder crashed", extra={"crash": answer.crash})
    raise _broken()


def _silence(status: int) -> FingerprintingError | SandboxUnavailableError:
    if status == -signal.SIGXCPU:
        return LimitExceededError("Reading this file takes too much computing. Use a shorter or smaller version of it.")
    if status == -signal.SIGKILL:  # not by us, as we read to the end first: the system was short of memory
        return _out_of_memory()
    if status < 0:
        logger.warning("a decoder crashed", extra={"signal": -status})
        return _broken()
    return SandboxUnavailableError("the media decoder did not start properly; try again later", status=status)


def _broken() -> UnreadableMediaError:
    return UnreadableMediaError("This file broke its decoder. Export it again and use the new file.")


def _out_of_memory() -> LimitExceededError:
    return LimitExceededError("Reading this file takes too much memory. Use a smaller version of it.", limit="memory")


def _extraction(wire: _WireExtraction) -> Extraction:
    return Extraction(
        modality=Modality(wire.modality),
        media_type=wire.media_type,
        identifiable=wire.identifiable,
        notes=tuple(wire.notes),
        fingerprints=tuple(
            Fingerprint(
                algorithm=each.algorithm,
                version=each.version,
                value=each.value,
                quality=each.quality,
                span=None if each.span is None else tuple(each.span),
                unit=None if each.unit is None else SpanUnit(each.unit),
            )
            for each in wire.fingerprints
        ),
    )
