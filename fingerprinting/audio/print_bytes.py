"""How the two prints of sound beside Chromaprint are written: a header with their parameters, then 32-bit numbers.

Pure numpy: an index reads and checks prints without loading a decoder.
"""

import struct
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

RATE_HZ: Final = 11025

LANDMARK_ALGORITHM: Final = "landmark-1024"
LANDMARK_VERSION: Final = 3
LANDMARK_FRAME: Final = 1024
LANDMARK_HOP: Final = 256
LANDMARK_BINS: Final = 512
LANDMARK_SECONDS: Final = LANDMARK_HOP / RATE_HZ

BAND_ALGORITHM: Final = "bandenergy-32"
BAND_VERSION: Final = 1
BAND_FRAME: Final = 4096
BAND_HOP: Final = 512
BAND_SECONDS: Final = BAND_HOP / RATE_HZ
"""How far one code of band energies is from the next, in the time of an unchanged recording."""

BAND_REACH_SECONDS: Final = BAND_FRAME / RATE_HZ
"""How much more of the sound N codes see than N steps."""

NOTHING: Final = 0
"""The code of a moment that is silent or steady: it says nothing."""

MAX_CHANGE: Final = 500
"""Largest change of tempo or pitch that a print may assume, in thousandths."""

_LANDMARK: Final = struct.Struct("<HHHH")
_BAND: Final = struct.Struct("<HHhh")
HEADER_BYTES: Final = 8
_LAST_FRAME: Final = (1 << 21) - 1


@dataclass(frozen=True, slots=True)
class Peaks:
    """Peaks of a spectrogram, in order of time.

    Attributes:
        frames: int64, shape (P,): frame of each, LANDMARK_SECONDS apart.
        bins: int64, shape (P,): its frequency, in steps of RATE_HZ / LANDMARK_FRAME.
        shifted: bool, shape (P,): it is from a second look, half a hop later, as assets are given.
        density: most peaks a second that were kept.
        weak: bool, shape (P,): it is not among the strongest of its second; None where no such difference is made.
        faint: bool, shape (P,): a stronger one is near, so that it is counted, but not searched by at first; None where
            none is.
    """

    frames: NDArray[np.int64]
    bins: NDArray[np.int64]
    shifted: NDArray[np.bool_]
    density: int
    weak: NDArray[np.bool_] | None = None
    faint: NDArray[np.bool_] | None = None

    def take(self, kept: NDArray[np.bool_] | slice) -> "Peaks":
        """Give some of them."""
        weak, faint = (None if each is None else each[kept] for each in (self.weak, self.faint))
        return Peaks(self.frames[kept], self.bins[kept], self.shifted[kept], self.density, weak, faint)

    def clear(self) -> "Peaks":
        """Give those that nothing near exceeds."""
        return self if self.faint is None else self.take(~self.faint)


@dataclass(frozen=True, slots=True)
class BandCodes:
    """Codes of band energies, in order of time.

    Attributes:
        codes: uint32, shape (N,).
        tempo: by how much the sound was assumed to be too fast, in thousandths; 0 in prints of works.
        pitch: the same of its pitch.
    """

    codes: NDArray[np.uint32]
    tempo: int = 0
    pitch: int = 0


def write_peaks(peaks: Peaks) -> bytes:
    """Write peaks; `read_peaks` is the inverse. The first 13 hours have room.

    One bit of each says that it is weak, and the header so; in others it says that it is shifted. The highest bit says
    that it is faint.
    """
    marked = peaks.shifted if peaks.weak is None else peaks.weak
    packed = peaks.frames << 10 | marked.astype(np.int64) << 9 | peaks.bins
    if peaks.faint is not None:
        packed |= peaks.faint.astype(np.int64) << 31
    header = _LANDMARK.pack(LANDMARK_FRAME, LANDMARK_HOP, peaks.density, peaks.weak is not None)
    return header + packed.astype("<u4").tobytes()


def read_peaks(value: bytes) -> Peaks:
    """Read what `write_peaks` wrote and `check_peaks` accepted."""
    _, _, density, has_weak = _LANDMARK.unpack_from(value)
    return unpacked(np.frombuffer(value, dtype="<u4", offset=HEADER_BYTES), density, has_weak=bool(has_weak))


def unpacked(packed: NDArray[np.uint32], density: int = 0, *, has_weak: bool) -> Peaks:
    """Give peaks that stand one after the other without their header, shape (P,)."""
    wide = packed.astype(np.int64)
    marked = (wide >> 9 & 1).astype(np.bool_)
    shifted = np.zeros_like(marked) if has_weak else marked
    faint = (wide >> 31).astype(np.bool_)
    return Peaks(wide >> 10 & _LAST_FRAME, wide & 511, shifted, density, marked if has_weak else None, faint)


def check_peaks(value: bytes) -> str | None:
    """Say what is wrong with written peaks, or None."""
    if len(value) <= HEADER_BYTES or len(value) % 4:
        return "the value must be a header of 8 bytes and one or more peaks of 4 bytes"
    frame, hop, _, has_weak = _LANDMARK.unpack_from(value)
    if (frame, hop) != (LANDMARK_FRAME, LANDMARK_HOP):
        return f"its windows must be {LANDMARK_FRAME} samples, {LANDMARK_HOP} apart, not {frame} and {hop}"
    if has_weak > 1:
        return f"whether it has weak peaks must be 0 or 1, not {has_weak}"
    frames = np.frombuffer(value, dtype="<u4", offset=HEADER_BYTES) >> 10 & _LAST_FRAME
    return None if bool((frames[1:] >= frames[:-1]).all()) else "the peaks must be in order of time"


def write_codes(print_: BandCodes) -> bytes:
    """Write codes of band energies; `read_codes` is the inverse."""
    return _BAND.pack(BAND_FRAME, BAND_HOP, print_.tempo, print_.pitch) + print_.codes.astype("<u4").tobytes()


def read_codes(value: bytes) -> BandCodes:
    """Read what `write_codes` wrote and `check_codes` accepted."""
    _, _, tempo, pitch = _BAND.unpack_from(value)
    codes = np.frombuffer(value, dtype="<u4", offset=HEADER_BYTES).astype(np.uint32, copy=False)
    return BandCodes(codes, tempo, pitch)


def check_codes(value: bytes) -> str | None:
    """Say what is wrong with written codes, or None."""
    if len(value) <= HEADER_BYTES or len(value) % 4:
        return "the value must be a header of 8 bytes and one or more codes of 4 bytes"
    frame, hop, tempo, pitch = _BAND.unpack_from(value)
    if (frame, hop) != (BAND_FRAME, BAND_HOP):
        return f"its windows must be {BAND_FRAME} samples, {BAND_HOP} apart, not {frame} and {hop}"
    if max(abs(tempo), abs(pitch)) > MAX_CHANGE:
        return f"tempo and pitch may be assumed to be changed by at most {MAX_CHANGE} thousandths"
    return None
