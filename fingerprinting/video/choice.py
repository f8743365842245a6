"""Which frames of a moving picture are kept: those that differ from the one before."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from fingerprinting.image import dct, feature_bytes, features, proposals
from fingerprinting.thresholds import DCT_MIN_QUALITY, DCT_MIN_STRENGTH
from fingerprinting.video import feature_frames, frame_bytes
from fingerprinting.video.decode import Frame
from fingerprinting.video.feature_frames import FeatureFrame

SAME_BITS: Final = 6
SAME_GREY: Final = 2.0
SAME_CELL: Final = 3.0
"""A frame whose hash differs by at most so many bits from the last kept one's, whose grey by at most so much on
average, and each cell of whose 16 by 16 grey by at most so much, is the same: it lengthens that one. By what moves,
cells differ by more; by the noise of a camera and of encoding, hardly ever."""

CUT_BITS: Final = 80
"""So many bits between two frames in a row are a change of scene."""

FEATURE_BITS: Final = 10
"""A frame must differ by so many bits from the last one with features to get some, too."""


class ViewChooser:
    """Takes frames in order of time and keeps the views of those that differ."""

    def __init__(self) -> None:
        self._kept: list[NDArray[np.void]] = []
        self._open: list[int] = []
        self._last: dct.Spectrum | None = None
        self._hash = b""
        self.is_cut = False

    def take(self, frame: Frame) -> None:
        """Look at a frame."""
        spectrum = dct.spectrum(frame.grey)
        now = round(frame.time * 1000)
        hashed = dct.value(spectrum)[dct.THUMBNAIL_BYTES :]
        off = bits_between(hashed, self._hash) if self._hash else 8 * dct.HASH_BYTES
        self.is_cut = off >= CUT_BITS
        if self._last is not None and off <= SAME_BITS and _is_same_grey(spectrum, self._last):
            for view in self._open:
                self._kept[view]["until"] = now
            return
        self._last, self._hash, self._open = spectrum, hashed, []
        self._keep(spectrum, frame_bytes.WHOLE, now)
        inner = proposals.trimmed(frame.grey)
        if inner is not None:
            self._keep(dct.spectrum(frame.grey, inner), frame_bytes.TRIMMED, now)

    def finish(self, end: float) -> list[bytes]:
        """Write all that was kept of a moving picture that ends there; nothing where nothing says anything."""
        many = frame_bytes.VIEWS_A_VALUE
        parts = [self._kept[at : at + many] for at in range(0, len(self._kept), many)]
        ends = [int(after[0]["since"]) for after in parts[1:]] + [round(end * 1000)]
        return [frame_bytes.write(until, part) for until, part in zip(ends, parts, strict=False)]

    def _keep(self, spectrum: dct.Spectrum, kind: int, now: int) -> None:
        if spectrum.quality >= DCT_MIN_QUALITY and spectrum.strength >= DCT_MIN_STRENGTH:
            self._open.append(len(self._kept))
            self._kept.append(frame_bytes.view(spectrum, kind, now))


class FeatureChooser:
    """Takes frames in order of time and describes a few of them by local features.

    Where there would be more than `most`, every other one is left out and they lie twice as far apart from then on.
    """

    def __init__(self, effort: features.Effort, step: float, most: int) -> None:
        self._effort = effort
        self._step = step
        self._most = most
        self._kept: list[FeatureFrame] = []
        self._next = 0.0
        self._hash = b""

    def take(self, frame: Frame, *, is_cut: bool) -> None:
        """Look at a frame."""
        if self._kept:
            last = self._kept[-1]
            self._kept[-1] = FeatureFrame(last.since, frame.time, last.value)
        if frame.time < self._next - (_EARLY * self._step if is_cut else 0.0):
            return
        spectrum = dct.spectrum(frame.grey)
        hashed = dct.value(spectrum)[dct.THUMBNAIL_BYTES :]
        if spectrum.quality < DCT_MIN_QUALITY or (self._hash and bits_between(hashed, self._hash) < FEATURE_BITS):
            return
        self._hash = hashed
        self._next = frame.time + self._step
        described = features.describe(frame.grey, frame.size, self._effort)
        if len(described) < _TELLING:
            return
        self._kept.append(FeatureFrame(frame.time, frame.time, feature_bytes.write(described)))
        if len(self._kept) > self._most:
            self._kept, self._step = self._kept[::2], self._step * 2

    def finish(self) -> list[bytes]:
        """Write all that was kept."""
        return feature_frames.written(self._kept)


_TELLING: Final = 8
_EARLY: Final = 0.5


def bits_between(one: bytes, other: bytes) -> int:
    """Count the bits in which two hashes differ."""
    return (int.from_bytes(one, "big") ^ int.from_bytes(other, "big")).bit_count()


def _is_same_grey(one: dct.Spectrum, other: dct.Spectrum) -> bool:
    apart = one.cells - other.cells
    step = dct.CELLS // dct.THUMBNAIL
    cells = apart.reshape(dct.THUMBNAIL, step, dct.THUMBNAIL, step).mean(axis=(1, 3))
    return float(np.abs(apart).mean()) <= SAME_GREY and float(np.abs(cells).max()) <= SAME_CELL
