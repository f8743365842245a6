"""From a recording to its fingerprints, and the word on whether sound can identify it at all."""

from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from fingerprinting import thresholds
from fingerprinting.audio import chromaprint
from fingerprinting.audio.decode import Recording
from fingerprinting.media import DEFAULT_LIMITS, Limits
from fingerprinting.types import Fingerprint, Prints, SpanUnit

ALGORITHM: Final = "chromaprint-2"
VERSION: Final = 1

_MIN_SPREAD_BITS: Final = 6.0
"""Mean bits (of 32) in which two codes of one recording differ, below which it is a steady sound. White noise has at
most 5.8, whichever noise it is. Of 48 whole recordings (5 s to 6 min of game music and effects) the least had 6.8, and
30 s out of the middle of a drone 6.3."""


def fingerprint_audio(path: Path, limits: Limits = DEFAULT_LIMITS) -> Prints:
    """Fingerprint the sound of a recording, or of the first track of sound in a video.

    Where sound identifies nothing there is no fingerprint and a note says why: `audio-too-short`, `audio-silent`
    or `audio-monotonous`. `audio-damaged` is a remark only: parts could not be decoded, the rest counts.

    Returns:
        Prints with at most one fingerprint, whose value is the whole recording's Chromaprint codes as little-endian
        uint32, and whose quality is the share of them that are not silence, in per cent.

    Raises:
        UnreadableMediaError: empty, damaged beyond reading, or without sound.
        UnsupportedMediaError: not a kind of recording that we open.
        LimitExceededError: longer or larger than `limits`.
    """
    recording = Recording(path, limits)
    codes = chromaprint.codes(recording)
    notes = ("audio-damaged",) if recording.is_damaged else ()
    reason = unidentifiable_because(codes)
    if reason is not None:
        return Prints(fingerprints=(), identifiable=False, notes=(*notes, reason))
    audible = float(np.mean(codes != thresholds.CHROMAPRINT_SILENCE))
    fingerprint = Fingerprint(
        algorithm=ALGORITHM,
        version=VERSION,
        value=codes.astype("<u4").tobytes(),
        quality=round(100.0 * audible, 1),
        unit=SpanUnit.SECONDS,
    )
    return Prints(fingerprints=(fingerprint,), notes=notes)


def unidentifiable_because(codes: NDArray[np.uint32]) -> str | None:
    """Say why a recording's codes would fit too many other recordings, as a note's code; None if they are telling.

    Args:
        codes: Chromaprint codes in order, shape (c,).
    """
    if len(codes) < thresholds.CHROMAPRINT_LIKELY_CODES:
        return "audio-too-short"
    audible = codes[codes != thresholds.CHROMAPRINT_SILENCE]
    if audible.size == 0:
        return "audio-silent"
    if np.unique(audible).size < thresholds.CHROMAPRINT_MIN_DISTINCT or _spread_bits(audible) < _MIN_SPREAD_BITS:
        return "audio-monotonous"
    return None


def _spread_bits(codes: NDArray[np.uint32]) -> float:
    """Compute in how many bits two codes drawn from these differ on average."""
    bits = np.unpackbits(codes.astype("<u4").view(np.uint8).reshape(-1, 4), axis=1)
    ones = bits.mean(axis=0)
    return float((2.0 * ones * (1.0 - ones)).sum())
