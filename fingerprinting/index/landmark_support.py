"""Peaks of an asset that lie where a recording has them: evidence beside band energies, against other places."""

import math
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from fingerprinting import thresholds
from fingerprinting.audio.print_bytes import LANDMARK_BINS, Peaks
from fingerprinting.index import landmark_pairs
from fingerprinting.index.landmark_pairs import FRAMES_A_POSITION

_NEAR: Final = 1
"""Frames and bins by which a peak may lie elsewhere."""

_SLACK: Final = 12
"""Frames (0.28 s) by which a proposal may be wrong."""

_CLOSE_SLACK: Final = 4
"""Frames by which a proposal of landmarks may be wrong, which counts positions of two."""

_ELSEWHERE: Final = np.array([sign * shift for shift in range(20, 260, 3) for sign in (-1, 1)], dtype=np.int64)
"""Frames by which the recording is moved to see how many peaks meet there: 0.5 to 6 s, since music repeats itself."""

_LEAST_PLACES: Final = 170
"""Places (4 s) that a recording must have for that elsewhere."""

_HIGHEST: Final = 3
"""Of these places so many where most peaks meet are averaged: what a rhythm alone explains."""

_WORD: Final = 64
"""Frames (1.5 s): as long as a word or two that a speaker says in the same way again."""

_USUAL_SHARE: Final = 0.8
_TELLING: Final = 1.5
"""As many meet elsewhere as chance allows, or nearly: where that alone leaves less than so many powers of ten, the
other places, where most meet, need not be looked at to know that it is too little."""

_APART: Final = 20
"""Frames (0.5 s) from which on another place is another one."""

_LOWEST, _HIGHEST_BIN = 8, 400

_LEAST_RATE: Final = 0.02
"""Share of peaks that meet at least by chance: an asset's cover 1 to 5 % of the places where one may lie, with its own
bin alone a third of that."""


@dataclass(frozen=True, slots=True)
class Support:
    """How many peaks of a stretch of a recording an asset has.

    Attributes:
        hits: at the best place near the proposed one.
        count: peaks of the recording there.
        decades: minus the decadic logarithm of the chance that so many meet, if they met as often as where most do when
            the recording is moved.
        rest: the same without the second and a half in which most of them lie.
        shift: frames by which that place is later in the recording.
        rate: how often peaks meet elsewhere.
    """

    hits: int
    count: int
    decades: float
    rest: float = 0.0
    shift: int = 0
    rate: float = _LEAST_RATE


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
    places = list(zip(low, high, shifts, strict=True))
    hits = np.array([asked.hits(known, *place) for place in places[: len(near)]])
    counts = high - low
    best = int(hits.argmax())
    found, count = int(hits[best]), int(counts[best])
    enough = np.flatnonzero(counts[len(near) :] * 2 >= max(count, 1)) + len(near)
    if len(enough) < _HIGHEST:
        return None
    most = _decades(found, count, max(_USUAL_SHARE * asked.share, _LEAST_RATE))
    if most < _TELLING:
        return Support(found, count, most)
    rates = np.array([asked.hits(known, *places[place]) for place in enough.tolist()]) / counts[enough]
    rate = max(float(np.sort(rates)[-_HIGHEST:].mean()) + 0.5 / (count + 1), _LEAST_RATE)
    place = int(low[best]), int(high[best]), int(shifts[best])
    rest_hits, rest_count = _rest(asked.met(known, *place), known.frames[place[0] : place[1]])
    decades = _decades(found, count, rate)
    return Support(found, count, decades, _decades(rest_hits, rest_count, rate), int(shifts[best]), rate)


def barely_heard(asked: "Grid", known: Peaks, offset: int, first: int, last: int) -> Support | None:
    """Give what peaks alone say of a place, if it is much, against every other place of the recording.

    Music that is made of the same parts again and again has those parts elsewhere, a phrase or more away; so has other
    music that is made of some of them.
    """
    begin, end = first * FRAMES_A_POSITION, last * FRAMES_A_POSITION
    shifts = np.arange(-_CLOSE_SLACK, _CLOSE_SLACK + 1) + offset * FRAMES_A_POSITION
    low, high = np.searchsorted(known.frames, begin + shifts), np.searchsorted(known.frames, end + shifts)
    hits = [asked.hits(known, *place) for place in zip(low.tolist(), high.tolist(), shifts.tolist(), strict=True)]
    best = int(np.argmax(hits))
    found, count, shift = hits[best], int(high[best] - low[best]), int(shifts[best])
    if _decades(found, count, max(_USUAL_SHARE * asked.share, _LEAST_RATE)) < thresholds.LANDMARK_ALONE_DECADES:
        return None
    rates = asked.rates_elsewhere(known, (begin, end), shift, (count + 1) // 2)
    if len(rates) < _LEAST_PLACES:
        return None
    rate = max(float(np.sort(rates)[-_HIGHEST:].mean()) + 0.5 / (count + 1), _LEAST_RATE)
    return Support(found, count, _decades(found, count, rate), shift=shift, rate=rate)


def heard_positions(asked: "Grid", known: Peaks, told: Support, first: int, last: int) -> tuple[int, int]:
    """Say between which positions of the asset peaks meet more often than elsewhere, the surest such stretch."""
    begin, end = first * FRAMES_A_POSITION, last * FRAMES_A_POSITION
    low, high = np.searchsorted(known.frames, [begin + told.shift, end + told.shift])
    share = min(told.hits / max(told.count, 1), 0.99)
    is_met = asked.met(known, int(low), int(high), told.shift)
    if not len(is_met) or share <= told.rate:
        return first, last
    gain = np.where(is_met, math.log(share / told.rate), math.log((1 - share) / (1 - told.rate)))
    total = np.concatenate(([0.0], np.cumsum(gain)))
    stop = int(np.argmax(total - np.minimum.accumulate(total)))
    start = int(np.argmin(total[: stop + 1]))
    frames = known.frames[low:high] - told.shift
    return int(frames[start]) // FRAMES_A_POSITION, int(frames[stop - 1]) // FRAMES_A_POSITION + 1


def _rest(is_met: NDArray[np.bool_], frames: NDArray[np.int64]) -> tuple[int, int]:
    """Count hits and peaks outside of the stretch of a word's length in which most hits lie."""
    if not len(frames):
        return 0, 0
    totals = np.concatenate(([0], np.cumsum(is_met)))
    ends = np.searchsorted(frames, frames + _WORD)
    inside = totals[ends] - totals[:-1]
    most = int(inside.argmax())
    return int(totals[-1] - inside[most]), int(len(frames) - (ends[most] - most))


def surer(whole: Support | None, there: Support | None) -> Support | None:
    """Choose what counts of a part that was asked: all of it, or a stretch that band energies chose, at a discount."""
    if there is None:
        return whole
    there = replace(there, decades=max(0.0, there.decades - thresholds.LANDMARK_CHOSEN_DECADES))
    return there if whole is None or there.decades > whole.decades else whole


class Grid:
    """Where an asset's peaks lie, assumed to be changed in tempo and pitch, or near that.

    Attributes:
        share: of all places that works have peaks at, those at which it has one.
    """

    def __init__(self, peaks: Peaks, tempo: float, pitch: float, *, bins: int = _NEAR) -> None:
        """Lay out peaks.

        Args:
            peaks: the asset's.
            tempo: how much faster than the work it is assumed to be.
            pitch: how much higher.
            bins: by how many a peak of the work may be higher or lower. A voice leaves the others where they are.
        """
        frames, at, heard = landmark_pairs.moved(peaks, tempo, pitch)
        frames, at = frames[heard], at[heard]
        self._higher = bins
        self._origin = int(frames.min(initial=1 << 32)) if len(frames) else 0
        frames = frames - self._origin
        self._is_peak = np.zeros((int(frames.max(initial=0)) + 2 * _NEAR + 1, LANDMARK_BINS + 2 * bins), dtype=np.bool_)
        for later in range(2 * _NEAR + 1):
            for higher in range(2 * bins + 1):
                self._is_peak[frames + later, at + higher] = True
        self.share = float(self._is_peak[:, _LOWEST:_HIGHEST_BIN].mean())

    def hits(self, known: Peaks, low: int, high: int, shift: int) -> int:
        """Count the peaks from `low` to `high` that it has, too, so many frames earlier."""
        return int(self.met(known, low, high, shift).sum())

    def met(self, known: Peaks, low: int, high: int, shift: int) -> NDArray[np.bool_]:
        """Say which of the peaks from `low` to `high` it has, too, so many frames earlier."""
        frames: NDArray[np.int64] = known.frames[low:high] - (shift + self._origin - _NEAR)
        inside = (frames >= 0) & (frames < len(self._is_peak))
        at = np.where(inside, frames, 0)
        return inside & self._is_peak[at, known.bins[low:high] + self._higher]

    def rates_elsewhere(self, known: Peaks, part: tuple[int, int], shift: int, least_count: int) -> NDArray[np.float64]:
        """Give the share of a recording's peaks that it has, too, at each place where the recording has enough.

        Args:
            known: the recording's.
            part: frames of the asset that are laid on it.
            shift: where it is found: what is near does not count.
            least_count: so many peaks must a place have.
        """
        rows, columns = np.nonzero(self._is_peak)
        rows, columns = rows + self._origin - _NEAR, columns - self._higher
        inside = (rows >= part[0]) & (rows < part[1])
        rows, columns = rows[inside], columns[inside]
        order = np.argsort(known.bins, kind="stable")
        low, high = (np.searchsorted(known.bins[order], columns, side=side) for side in ("left", "right"))
        number = high - low
        which = np.arange(int(number.sum())) - np.repeat(np.cumsum(number) - number, number) + np.repeat(low, number)
        shifts = known.frames[order][which] - np.repeat(rows, number) + part[1]
        hits = np.bincount(shifts, minlength=1)
        at = np.arange(len(hits)) - part[1]
        counts = np.searchsorted(known.frames, part[1] + at) - np.searchsorted(known.frames, part[0] + at)
        kept = (np.abs(at - shift) >= _APART) & (counts >= max(least_count, 1))
        rates: NDArray[np.float64] = hits[kept] / counts[kept]
        return rates


def _decades(hits: int, count: int, rate: float) -> float:
    """Give minus the logarithm of the chance that at least `hits` of `count` meet, each at a rate: a Chernoff bound."""
    share = hits / count if count else 0.0
    if share <= rate:
        return 0.0
    if rate >= 1 or share >= 1:
        return 0.0 if rate >= 1 else -count * math.log10(rate)
    divergence = share * math.log10(share / rate) + (1 - share) * math.log10((1 - share) / (1 - rate))
    return count * divergence
