"""Peaks of an asset that lie where a recording has them: evidence beside band energies, against other places."""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from fingerprinting.audio.print_bytes import LANDMARK_BINS, Peaks
from fingerprinting.index import landmark_pairs
from fingerprinting.index.landmark_pairs import FRAMES_A_POSITION

_NEAR: Final = 1
"""Frames and bins by which a peak may lie elsewhere."""

_SLACK: Final = 12
"""Frames (0.28 s) by which a proposal may be wrong."""

_ELSEWHERE: Final = np.array([sign * shift for shift in range(20, 260, 3) for sign in (-1, 1)], dtype=np.int64)
"""Frames by which the recording is moved to see how many peaks meet there: 0.5 to 6 s, since music repeats itself."""

_HIGHEST: Final = 3
"""Of these places so many where most peaks meet are averaged: what a rhythm alone explains."""

_LEAST_RATE: Final = 0.02
"""Share of peaks that meet at least by chance: an asset's cover 1 to 3 % of the places where one may lie."""


@dataclass(frozen=True, slots=True)
class Support:
    """How many peaks of a stretch of a recording an asset has.

    Attributes:
        hits: at the best place near the proposed one.
        count: peaks of the recording there.
        decades: minus the decadic logarithm of the chance that so many meet, if they met as often as where most do when
            the recording is moved.
    """

    hits: int
    count: int
    decades: float


def support(asked: "Grid", known: Peaks, offset: int, first: int, last: int) -> Support | None:
    """Count the peaks that an asset and a recording share in a stretch.

    Args:
        asked: the asset's.
        known: the recording's.
        offset: position p of the asset is position p + offset of the recording.
        first: position in the asset where the stretch begins.
        last: one past its end.

    Returns:
        None where the recording has no other place to compare with.
    """
    begin, end = first * FRAMES_A_POSITION, last * FRAMES_A_POSITION
    near = np.arange(-_SLACK, _SLACK + 1)
    shifts = np.concatenate((near, _ELSEWHERE)) + offset * FRAMES_A_POSITION
    low = np.searchsorted(known.frames, begin + shifts)
    high = np.searchsorted(known.frames, end + shifts)
    hits = np.array([asked.hits(known, *place) for place in zip(low, high, shifts, strict=True)])
    counts = high - low
    best = int(hits[: len(near)].argmax())
    found, count = int(hits[best]), int(counts[best])
    enough = counts[len(near) :] * 2 >= max(count, 1)
    if enough.sum() < _HIGHEST:
        return None
    rates = hits[len(near) :][enough] / counts[len(near) :][enough]
    rate = max(float(np.sort(rates)[-_HIGHEST:].mean()) + 0.5 / (count + 1), _LEAST_RATE)
    return Support(found, count, _decades(found, count, rate))


class Grid:
    """Where an asset's peaks lie, assumed to be changed in tempo and pitch, or near that."""

    def __init__(self, peaks: Peaks, tempo: float, pitch: float) -> None:
        frames, bins, heard = landmark_pairs.moved(peaks, tempo, pitch)
        frames, bins = frames[heard], bins[heard]
        self._origin = int(frames.min(initial=1 << 32)) if len(frames) else 0
        frames = frames - self._origin
        self._is_peak = np.zeros(
            (int(frames.max(initial=0)) + 2 * _NEAR + 1, LANDMARK_BINS + 2 * _NEAR), dtype=np.bool_
        )
        for later in range(2 * _NEAR + 1):
            for higher in range(2 * _NEAR + 1):
                self._is_peak[frames + later, bins + higher] = True

    def hits(self, known: Peaks, low: int, high: int, shift: int) -> int:
        """Count the peaks from `low` to `high` that it has, too, so many frames earlier."""
        frames: NDArray[np.int64] = known.frames[low:high] - (shift + self._origin - _NEAR)
        inside = (frames >= 0) & (frames < len(self._is_peak))
        return int(self._is_peak[frames[inside], known.bins[low:high][inside] + _NEAR].sum())


def _decades(hits: int, count: int, rate: float) -> float:
    """Give minus the logarithm of the chance that at least `hits` of `count` meet, each at a rate: a Chernoff bound."""
    share = hits / count if count else 0.0
    if share <= rate:
        return 0.0
    if rate >= 1 or share >= 1:
        return 0.0 if rate >= 1 else -count * math.log10(rate)
    divergence = share * math.log10(share / rate) + (1 - share) * math.log10((1 - share) / (1 - rate))
    return count * divergence
