"""Two rows of Chromaprint codes laid on each other: over which stretch do they agree, and how well."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from fingerprinting import thresholds

Curve: TypeAlias = Sequence[tuple[int, float]]

_SHIFTS = tuple(sign * shift for shift in (6, 12, 18, 24, 30) for sign in (-1, 1))
_BRIDGE = 24  # codes (3 s): a stretch that agrees goes on over a gap of at most this

_EDGE_BITS = 9.0  # differing bits half-way between a copy (about 2) and another recording (16)


@dataclass(frozen=True, slots=True)
class Alignment:
    """A stretch over which two recordings agree.

    Attributes:
        query_start: its first code in the asset.
        work_start: its first code in the work.
        codes: its length.
        bits: mean differing bits (of 32) a code.
        limit: the mean up to which a stretch of this length counts.
        sharpness: how much worse the mean gets when the alignment is shifted.
        is_match: whether it identifies the recording; else it is only worth a look.
    """

    query_start: int
    work_start: int
    codes: int
    bits: float
    limit: float
    sharpness: float
    is_match: bool


class Recording:
    """The codes of one recording, and what is asked of them again for each recording and place they are laid on.

    Attributes:
        codes: uint32, shape (n,).
        sounding: bool, shape (n,): which are not silence.
    """

    def __init__(self, codes: NDArray[np.uint32]) -> None:
        self.codes = codes
        self.sounding = codes != np.uint32(thresholds.CHROMAPRINT_SILENCE)
        self._variety: dict[int, NDArray[np.int64]] = {}

    def variety(self, window: int) -> NDArray[np.int64]:
        """Count the different codes in each window of `window` codes, shape (n - window + 1,)."""
        if window not in self._variety:
            self._variety[window] = _different(self._before, window)
        return self._variety[window]

    @cached_property
    def _before(self) -> NDArray[np.int64]:
        """Say where each code's like stands last before it; -1 for the first."""
        order = np.argsort(self.codes, kind="stable")
        before = np.full(len(self.codes), -1, dtype=np.int64)
        same = self.codes[order][1:] == self.codes[order][:-1]
        before[order[1:][same]] = order[:-1][same]
        return before


class _Overlap:
    """The codes of the asset and of the work that lie on each other."""

    def __init__(self, query: Recording, work: Recording, offset: int, start: int, stop: int) -> None:
        self._query, self._work, self._offset, self._start = query, work, offset, start
        asked, known = slice(start, stop), slice(start + offset, stop + offset)
        # Silence agrees with silence in every recording: only codes count of which one is something else.
        self.sounding = query.sounding[asked] | work.sounding[known]
        self.errors = np.bitwise_count(query.codes[asked] ^ work.codes[known]) * self.sounding
        self._heard, self._wrong = _sums(self.sounding), _sums(self.errors)
        self._sharpness: dict[tuple[int, int], float] = {}

    def agreeing(self, tests: Iterable[tuple[int, float]]) -> NDArray[np.bool_]:
        """Say which codes lie in a window that agrees well enough, given window lengths each with its limit."""
        edges = np.zeros(len(self.errors) + 1, dtype=np.int32)
        for window, limit in tests:
            heard = self._heard[window:] - self._heard[:-window]
            wrong = self._wrong[window:] - self._wrong[:-window]
            # A window that is silent for more than half of it has too little to compare.
            passing = np.flatnonzero((heard * 2 >= window) & (wrong <= limit * heard))
            passing = self._varied(passing, window)
            edges[passing] += 1
            edges[passing + window] -= 1
        inside: NDArray[np.bool_] = np.cumsum(edges[:-1]) > 0
        return inside

    def mean(self, first: int, last: int) -> float:
        """Give the mean differing bits of the codes that are not silent in both."""
        return float(self._wrong[last] - self._wrong[first]) / float(self._heard[last] - self._heard[first])

    def sharpness(self, first: int, last: int) -> float:
        """Say how much worse a stretch gets when it is laid on the work a little earlier or later."""
        if (first, last) not in self._sharpness:
            place = (self._start + first, self._start + last)
            shifted = _misaligned(self._query.codes, self._work.codes, self._offset, *place)
            self._sharpness[first, last] = shifted - self.mean(first, last)
        return self._sharpness[first, last]

    def _varied(self, starts: NDArray[np.int64], window: int) -> NDArray[np.int64]:
        """Keep those windows in which both have enough different codes to identify a recording."""
        if not len(starts):
            return starts
        asked = self._query.variety(window)[starts + self._start]
        known = self._work.variety(window)[starts + self._start + self._offset]
        return starts[np.minimum(asked, known) >= thresholds.CHROMAPRINT_MIN_DISTINCT]


def align(query: Recording, work: Recording, offset: int) -> Alignment | None:
    """Lay code i of the query on code i + offset of the work, and find the longest stretch that agrees.

    A stretch that identifies the recording goes before a longer one that is only worth a look.

    Source: windows, limits and sharpness as measured, see `thresholds`.
    """
    start, stop = max(0, -offset), min(len(query.codes), len(work.codes) - offset)
    if stop - start < thresholds.CHROMAPRINT_LIKELY_CODES:
        return None
    overlap = _Overlap(query, work, offset, start, stop)
    found: Alignment | None = None
    for curve in (thresholds.CHROMAPRINT_LIKELY_CURVE, thresholds.CHROMAPRINT_MATCH_CURVE):
        stretch = _longest(overlap, curve)
        if stretch is None:
            break
        first, last, limit, sharpness = stretch
        found = Alignment(
            query_start=start + first,
            work_start=start + first + offset,
            codes=last - first,
            bits=overlap.mean(first, last),
            limit=limit,
            sharpness=sharpness,
            is_match=curve is thresholds.CHROMAPRINT_MATCH_CURVE,
        )
    return found


def _longest(overlap: _Overlap, curve: Curve) -> tuple[int, int, float, float] | None:
    """Find the longest stretch within the limits of a curve that is sharp: first, last, limit, sharpness."""
    for stretch in _stretches(overlap.agreeing(_tests(curve, len(overlap.errors)))):
        first, last = _trimmed(curve, overlap, stretch)
        sharpness = overlap.sharpness(first, last)
        limit = thresholds.chromaprint_limit(curve, last - first)
        if sharpness >= thresholds.CHROMAPRINT_MIN_SHARPNESS and limit is not None:
            return first, last, limit, sharpness
    return None


def _tests(curve: Curve, codes: int) -> list[tuple[int, float]]:
    """Give the window lengths to try on an overlap of `codes` codes, each with its limit.

    Stretches too short to be a match are worth a look in a short asset only: in long ones chance finds too many.
    """
    shortest, _ = thresholds.CHROMAPRINT_MATCH_CURVE[0]
    tests = [(window, limit) for window, limit in curve if shortest <= window < codes]
    whole = thresholds.chromaprint_limit(curve, codes)
    return [*tests, (codes, whole)] if whole is not None and codes <= curve[-1][0] else tests


def _sums(values: NDArray[np.uint8] | NDArray[np.bool_]) -> NDArray[np.int64]:
    """Add up the values before each place, shape (n + 1,)."""
    total = np.zeros(len(values) + 1, dtype=np.int64)
    np.cumsum(values, out=total[1:])
    return total


def _different(before: NDArray[np.int64], window: int) -> NDArray[np.int64]:
    """Count the different codes in each window: those whose like does not come before within it.

    A code counts for all windows that hold it and begin after its like: a range of windows, so one pass suffices.
    """
    windows = len(before) - window + 1
    place = np.arange(len(before))
    first = np.maximum(before + 1, place - window + 1)
    last = np.minimum(place + 1, windows)
    counting = first < last
    edges = np.bincount(first[counting], minlength=windows + 1) - np.bincount(last[counting], minlength=windows + 1)
    counts: NDArray[np.int64] = np.cumsum(edges[:windows])
    return counts


def _stretches(agreeing: NDArray[np.bool_]) -> Iterator[tuple[int, int]]:
    """Give the runs that agree as (first, one past the last), longest first, joined over short gaps."""
    at = np.flatnonzero(agreeing)
    if not len(at):
        return
    breaks = np.flatnonzero(np.diff(at) > _BRIDGE)
    firsts = at[np.concatenate(([0], breaks + 1))]
    lasts = at[np.concatenate((breaks, [len(at) - 1]))] + 1
    for run in np.argsort(firsts - lasts, kind="stable").tolist():
        yield int(firsts[run]), int(lasts[run])


def _trimmed(curve: Curve, overlap: _Overlap, stretch: tuple[int, int]) -> tuple[int, int]:
    """Cut off the ends of a stretch that passed only because its windows also held the part that agrees.

    What is left is the part whose codes are, in sum, furthest on the side of agreement.
    """
    first, last = stretch
    gain = np.concatenate(([0.0], np.cumsum((_EDGE_BITS - overlap.errors[first:last]) * overlap.sounding[first:last])))
    stop = int(np.argmax(gain - np.minimum.accumulate(gain)))
    start = int(np.argmin(gain[: stop + 1]))
    limit = thresholds.chromaprint_limit(curve, stop - start)
    if limit is None or overlap.mean(first + start, first + stop) > limit:
        return first, last  # the whole stretch was measured to be enough, a part of it is not
    return first + start, first + stop


def _misaligned(query: NDArray[np.uint32], work: NDArray[np.uint32], offset: int, start: int, stop: int) -> float:
    """Give the mean differing bits of the stretch when it is laid on the work a little earlier or later."""
    means: list[float] = []
    for shift in _SHIFTS:
        first, last = max(start, -offset - shift), min(stop, len(work) - offset - shift)
        if (last - first) * 2 < stop - start:
            continue  # most of the stretch would lie beyond the work's ends
        known = work[first + offset + shift : last + offset + shift]
        means.append(int(np.bitwise_count(query[first:last] ^ known).sum()) / (last - first))
    return sum(means) / len(means) if means else 0.0
