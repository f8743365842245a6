"""What a decoder answers, checked before it is believed: a hostile file may have taken the decoder over."""

import logging
import signal
from collections.abc import Mapping
from typing import Final

from pydantic import Base64Bytes, BaseModel, ConfigDict

from fingerprinting import errors as fingerprinting_errors
from fingerprinting.errors import FingerprintingError, LimitExceededError, UnreadableMediaError
from fingerprinting.text.excerpts import MOST_CHARACTERS, Excerpt
from fingerprinting.types import Extraction, Fingerprint, Modality, SpanUnit
from workers.errors import SandboxUnavailableError

logger = logging.getLogger(__name__)

_ENDS: Final = 2
_MOST_CHARACTERS: Final = 2 * MOST_CHARACTERS


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


class _WireExcerpt(_Wire):
    span: list[float]
    words: str
    timed: bool


class _WireError(_Wire):
    code: str
    message: str
    parameters: dict[str, str | int | float]


class _Answer(_Wire):
    extraction: _WireExtraction | None = None
    excerpts: list[_WireExcerpt | None] | None = None
    error: _WireError | None = None
    out_of_memory: bool = False
    crash: str | None = None


_ERRORS: Final[Mapping[str, type[FingerprintingError]]] = {
    kind.code: kind for kind in vars(fingerprinting_errors).values() if isinstance(kind, type)
    and issubclass(kind, FingerprintingError)
}  # fmt: skip


def read(said: bytes, status: int | None) -> Extraction:
    """What a decoder said, checked; or what its silence means.

    Args:
        said: everything that it answered.
        status: its exit status, negative for a signal; None where even that is not known.

    Raises:
        UnsupportedMediaError, UnreadableMediaError, LimitExceededError: as decoding says. Crashing the decoder makes
            a file unreadable; using more memory or time than allowed exceeds a limit.
        SandboxUnavailableError: the file was not judged.
    """
    answer = _answer(said, status)
    if answer.extraction is None:
        raise _problem(answer)
    try:
        return _extraction(answer.extraction)
    except ValueError as error:  # a word that is none of ours
        raise _unusable(status) from error


def read_excerpts(said: bytes, status: int | None, wanted: int) -> list[Excerpt | None]:
    """The excerpts that a child read, as many as were wanted, checked; or what its silence means.

    Raises:
        UnreadableMediaError, LimitExceededError, SandboxUnavailableError: as `read` does.
    """
    answer = _answer(said, status)
    if answer.excerpts is None:
        raise _problem(answer)
    if len(answer.excerpts) != wanted or any(one is not None and len(one.span) != _ENDS for one in answer.excerpts):
        raise _unusable(status)
    return [
        None if one is None else Excerpt((one.span[0], one.span[1]), one.words[:_MOST_CHARACTERS], one.timed)
        for one in answer.excerpts
    ]


def _answer(said: bytes, status: int | None) -> _Answer:
    if not said:
        raise silence(status)
    try:
        return _Answer.model_validate_json(said)
    except ValueError as error:  # not JSON, or not of this form
        raise _unusable(status) from error


def _unusable(status: int | None) -> FingerprintingError | SandboxUnavailableError:
    return silence(None) if status is None else _broken()


def _problem(answer: _Answer) -> FingerprintingError:
    """What an answer without a result says."""
    if answer.error is not None:
        kind = _ERRORS.get(answer.error.code, UnreadableMediaError)
        return kind(answer.error.message, **answer.error.parameters)
    if answer.out_of_memory:
        return _out_of_memory()
    logger.warning("a decoder crashed", extra={"crash": answer.crash})
    return _broken()


def silence(status: int | None) -> FingerprintingError | SandboxUnavailableError:
    """Why a child ended without a word."""
    if status == -signal.SIGXCPU:
        return LimitExceededError("Reading this file takes too much computing. Use a shorter or smaller version of it.")
    if status == -signal.SIGKILL:  # not by us, as we read to the end first: the system was short of memory
        return _out_of_memory()
    if status is not None and status <= 0:
        logger.warning("a decoder crashed", extra={"signal": -status})
        return _broken()
    return SandboxUnavailableError("the media decoder broke off; try again later")


def too_long() -> LimitExceededError:
    """The wall clock ran out."""
    return LimitExceededError(
        "Reading this file takes too long. Use a shorter or smaller version of it.", limit="seconds"
    )


def too_much() -> LimitExceededError:
    """The answer is longer than we take."""
    return LimitExceededError("This file yields more fingerprints than we keep. Use a shorter part of it.")


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
