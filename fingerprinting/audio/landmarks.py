"""Landmarks: the strongest peaks of a spectrogram, which noise, voices and equalisers leave where they are.

Only peaks are kept, not the pairs of them that an index looks up: that is a sixth of the bytes, and an asset's peaks
can be stretched in time and frequency afterwards, to ask what was played faster or higher.
"""

from typing import Final

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from fingerprinting.audio.print_bytes import LANDMARK_FRAME, LANDMARK_HOP, RATE_HZ, Peaks
from fingerprinting.types import Role

DENSITY: Final = 34
ASSET_DENSITY: Final = 60
STRONGEST: Final = 9
"""Peaks a second of a work and of an asset, and of these the strongest: noise leaves those, but a loud voice has most
of them. An asset has more, since what it holds beside the work has peaks, too."""

_FIRST_BIN: Final = 8
_END_BIN: Final = 400
_NEAR_FRAMES: Final = 6
_NEAR_BINS: Final = 8
_CLEAR_FRAMES: Final = 10
_CLEAR_BINS: Final = 16
"""What is exceeded within the former is no peak, within the latter a faint one: there are some 20 clear ones a second,
which lie far enough apart to be searched by."""

_RANK_FRAMES: Final = RATE_HZ // (2 * LANDMARK_HOP)
_FLOOR: Final = 1e-8
_WINDOW: Final = np.hanning(LANDMARK_FRAME + 1)[:-1].astype(np.float32) / np.float32(32768 * LANDMARK_FRAME / 4)
_AT_ONCE: Final = 64
"""Frames that are transformed together: no more than a processor's own memory holds."""

_MARGIN: Final = _CLEAR_FRAMES + _RANK_FRAMES

Powers = NDArray[np.float32]


class LandmarkPrinter:
    """Takes a recording in chunks and gives its peaks; memory grows with the peaks alone."""

    def __init__(self, role: Role) -> None:
        self._is_work = role is Role.WORK
        self._density = DENSITY if self._is_work else ASSET_DENSITY
        skips = (0,) if self._is_work else (0, LANDMARK_HOP // 2)
        self._looks = [_Look(skip, self._density) for skip in skips]

    def feed(self, chunk: NDArray[np.int16]) -> None:
        """Take the next samples, int16, shape (n,), at RATE_HZ."""
        for look in self._looks:
            look.feed(chunk)

    def finish(self) -> Peaks:
        """Give the peaks of everything that was fed."""
        found = [look.finish() for look in self._looks]
        frames, bins, weak, faint = (np.concatenate(each) for each in zip(*found, strict=True))
        shifted = np.repeat(np.arange(len(found)) > 0, [len(each[0]) for each in found])
        order = np.lexsort((bins, shifted, frames))
        marked = weak[order].astype(np.bool_) if self._is_work else None
        return Peaks(frames[order], bins[order], shifted[order], self._density, marked, faint[order].astype(np.bool_))


class _Look:
    """The peaks of one grid of frames."""

    def __init__(self, skip: int, density: int) -> None:
        self._rest = np.empty(0, dtype=np.float32)
        self._skip, self._density = skip, density
        self._rows = np.empty((0, _END_BIN - _FIRST_BIN), dtype=np.float32)
        self._first = 0  # the frame that the first of these rows is
        self._done = 0  # frames whose peaks were decided
        self._frames: list[NDArray[np.int64]] = []
        self._bins: list[NDArray[np.int64]] = []
        self._weak: list[NDArray[np.int64]] = []
        self._faint: list[NDArray[np.int64]] = []

    def feed(self, chunk: NDArray[np.int16]) -> None:
        samples = chunk[self._skip :]
        self._skip -= min(self._skip, len(chunk))
        self._rest = np.concatenate((self._rest, samples.astype(np.float32)))
        if len(self._rest) < LANDMARK_FRAME:
            return
        frames = sliding_window_view(self._rest, LANDMARK_FRAME)[::LANDMARK_HOP]
        steps = range(0, len(frames), _AT_ONCE)
        self._rows = np.concatenate((self._rows, *(_powers(frames[start : start + _AT_ONCE]) for start in steps)))
        self._decide(self._first + len(self._rows) - _MARGIN)
        self._rest = self._rest[len(frames) * LANDMARK_HOP :].copy()

    def finish(self) -> tuple[NDArray[np.int64], ...]:
        """Give frames, bins, which peaks are not among the strongest, which are faint (1): each of shape (P,)."""
        self._decide(self._first + len(self._rows))
        empty = np.empty(0, dtype=np.int64)
        return tuple(np.concatenate([empty, *each]) for each in (self._frames, self._bins, self._weak, self._faint))

    def _decide(self, end: int) -> None:
        """Find the peaks up to a frame around which all is known that they are compared with."""
        if end <= self._done:
            return
        frames, bins, is_weak, is_faint = _strongest(self._rows, self._density)
        frames += self._first
        kept = (frames >= self._done) & (frames < end)
        self._frames.append(frames[kept])
        self._bins.append(bins[kept])
        self._weak.append(is_weak[kept])
        self._faint.append(is_faint[kept])
        self._done = end
        unneeded = max(0, end - _MARGIN - self._first)
        self._rows, self._first = self._rows[unneeded:], self._first + unneeded


def _powers(frames: NDArray[np.float32]) -> Powers:
    spectrum = np.fft.rfft(frames * _WINDOW, axis=1)[:, _FIRST_BIN:_END_BIN]
    power = spectrum.real**2 + spectrum.imag**2
    return power.astype(np.float32, copy=False)


def _strongest(rows: Powers, density: int) -> tuple[NDArray[np.int64], ...]:
    """Find cells that nothing near exceeds, of these the strongest of each second, and which are weak or faint."""
    if not len(rows):
        empty = np.empty(0, dtype=np.int64)
        return empty, empty, empty, empty
    highest = _running_max(_running_max(rows, _NEAR_BINS, 1), _NEAR_FRAMES, 0)
    frames, bins = np.divmod(np.flatnonzero((rows == highest) & (rows > _FLOOR)), rows.shape[1])
    strength = rows[frames, bins]
    is_faint = _around(highest, frames, bins) > strength
    ranks = _ranks(frames, strength)
    clear = np.flatnonzero(~is_faint)
    is_weak = np.ones(len(frames), dtype=np.int64)
    is_weak[clear] = _ranks(frames[clear], strength[clear]) >= STRONGEST
    kept = ranks < density
    found = (frames, bins + _FIRST_BIN, is_weak, is_faint)
    return tuple(each[kept].astype(np.int64) for each in found)


def _around(highest: Powers, frames: NDArray[np.int64], bins: NDArray[np.int64]) -> Powers:
    """Give the highest value around some cells, as far as a clear peak must exceed all: four nearer ones overlap."""
    later, higher = _CLEAR_FRAMES - _NEAR_FRAMES, _CLEAR_BINS - _NEAR_BINS
    ends = np.array(highest.shape) - 1
    corners = [
        highest[np.clip(frames + up * later, 0, ends[0]), np.clip(bins + right * higher, 0, ends[1])]
        for up in (-1, 1)
        for right in (-1, 1)
    ]
    around: Powers = np.maximum.reduce(corners)
    return around


def _running_max(rows: Powers, reach: int, axis: int) -> Powers:
    """Give the highest value within `reach` on both sides, doubling the width as long as that fits."""
    padding = [(0, 0), (0, 0)]
    padding[axis] = (reach, reach)
    padded = np.pad(rows, padding, constant_values=-1.0)
    wanted, width = 2 * reach + 1, 1
    while width * 2 <= wanted:
        padded = np.maximum(_without(padded, axis, 0, width), _without(padded, axis, width, 0))
        width *= 2
    rest = wanted - width
    return np.maximum(_without(padded, axis, 0, rest), _without(padded, axis, rest, 0)) if rest else padded


def _without(rows: Powers, axis: int, first: int, last: int) -> Powers:
    stop = rows.shape[axis] - last
    return rows[first:stop] if axis == 0 else rows[:, first:stop]


def _ranks(frames: NDArray[np.int64], strength: Powers) -> NDArray[np.int64]:
    """Count, for each peak, the stronger ones within half a second."""
    stronger = np.zeros(len(frames), dtype=np.int64)
    for step in range(1, len(frames)):
        near = frames[step:] - frames[:-step] <= _RANK_FRAMES
        if not near.any():
            break
        later_wins = strength[step:] > strength[:-step]
        stronger[:-step] += near & later_wins
        stronger[step:] += near & ~later_wins
    return stronger
