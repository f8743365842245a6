"""Two rows of Chromaprint codes laid on each other: over which stretch do they agree, and how well."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
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


@dataclass(frozen=True, slots=True)
class _Overlap:
    """The codes of the asset and of the work that lie on each other, equally many."""

    asked: NDArray[np.uint32]
    known: NDArray[np.uint32]

    def errors(self) -> NDArray[np.float64]:
        """Count the bits that differ, code by code."""
        errors: NDArray[np.float64] = np.bitwise_count(self.asked ^ self.known).astype(np.float64)
        return errors

    def sounding(self) -> NDArray[np.bool_]:
        """Say where at least one of them is not silent: silence agrees with silence in every recording."""
        silence = np.uint32(thresholds.CHROMAPRINT_SILENCE)
        sounding: NDArray[np.bool_] = (self.asked != silence) | (self.known != silence)
        return sounding

    def varied(self, starts: NDArray[np.int64], window: int) -> NDArray[np.int64]:
        """Keep those windows in which both have enough different codes to identify a recording."""
        fewest = np.minimum(_distinct(self.asked, window, starts), _distinct(self.known, window, starts))
        return starts[fewest >= thresholds.CHROMAPRINT_MIN_DISTINCT]


def align(query: NDArray[np.uint32], work: NDArray[np.uint32], offset: int) -> Alignment | None:
    """Lay code i of the query on code i + offset of the work, and find the longest stretch that agrees.

    A stretch that identifies the recording goes before a longer one that is only worth a look.

    Source: windows, limits and sharpness as measured, see `thresholds`.
    """
    start, stop = max(0, -offset), min(len(query), len(work) - offset)
    if stop - start < thresholds.CHROMAPRINT_LIKELY_CODES:
        return None
    overlap = _Overlap(query[start:stop], work[start + offset : stop + offset])
    found: Alignment | None = None
    for curve in (thresholds.CHROMAPRINT_LIKELY_CURVE, thresholds.CHROMAPRINT_MATCH_CURVE):
        stretch = _longest(overlap, curve, query, work, offset)
        if stretch is None:
            break
        found = stretch
    return found


def _longest(
    overlap: "_Overlap", curve: Curve, query: NDArray[np.uint32], work: NDArray[np.uint32], offset: int
) -> Alignment | None:
    """Find the longest stretch within the limits of a curve that is sharp."""
    start = max(0, -offset)
    errors, sounding = overlap.errors(), overlap.sounding()
    agreeing = np.zeros(len(errors), dtype=np.bool_)
    for window, limit in _tests(curve, len(errors)):
        heard = _moving_sum(sounding.astype(np.float64), window)
        wrong = _moving_sum(errors * sounding, window)
        # A window that is silent for more than half of it has too little to compare.
        passing = np.flatnonzero((heard * 2 >= window) & (wrong <= limit * heard))
        for first in overlap.varied(passing, window).tolist():
            agreeing[first : first + window] = True
    for stretch in _stretches(agreeing):
        first, last = _trimmed(curve, errors, sounding, stretch)
        bits = _mean(errors, sounding, first, last)
        sharpness = _misaligned(query, work, offset, start + first, start + last) - bits
        length_limit = thresholds.chromaprint_limit(curve, last - first)
        if sharpness >= thresholds.CHROMAPRINT_MIN_SHARPNESS and length_limit is not None:
            return Alignment(
                query_start=start + first,
                work_start=start + first + offset,
                codes=last - first,
                bits=bits,
                limit=length_limit,
                sharpness=sharpness,
                is_match=curve is thresholds.CHROMAPRINT_MATCH_CURVE,
            )
    return None


def _tests(curve: Curve, codes: int) -> list[tuple[int, float]]:
    """Give the window lengths to try on an overlap of `codes` codes, each with its limit.

    Stretches too short to be a match are worth a look in a short asset only: in long ones chance finds too many.
    """
    shortest, _ = thresholds.CHROMAPRINT_MATCH_CURVE[0]
    tests = [(window, limit) for window, limit in curve if shortest <= window < codes]
    whole = thresholds.chromaprint_limit(curve, codes)
    return [*tests, (codes, whole)] if whole is not None and codes <= curve[-1][0] else tests


def _moving_sum(values: NDArray[np.float64], window: int) -> NDArray[np.float64]:
    total = np.concatenate(([0.0], np.cumsum(values)))
    difference: NDArray[np.float64] = total[window:] - total[:-window]
    return difference


def _distinct(codes: NDArray[np.uint32], window: int, starts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Count the different codes in the windows that begin at `starts`: those whose like does not come before."""
    order = np.argsort(codes, kind="stable")
    before = np.full(len(codes), -1, dtype=np.int64)
    same = codes[order][1:] == codes[order][:-1]
    before[order[1:][same]] = order[:-1][same]
    counts: NDArray[np.int64] = (sliding_window_view(before, window)[starts] < starts[:, None]).sum(axis=1)
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


def _trimmed(
    curve: Curve, errors: NDArray[np.float64], sounding: NDArray[np.bool_], stretch: tuple[int, int]
) -> tuple[int, int]:
    """Cut off the ends of a stretch that passed only because its windows also held the part that agrees.

    What is left is the part whose codes are, in sum, furthest on the side of agreement.
    """
    first, last = stretch
    gain = np.concatenate(([0.0], np.cumsum((_EDGE_BITS - errors[first:last]) * sounding[first:last])))
    stop = int(np.argmax(gain - np.minimum.accumulate(gain)))
    start = int(np.argmin(gain[: stop + 1]))
    limit = thresholds.chromaprint_limit(curve, stop - start)
    if limit is None or _mean(errors, sounding, first + start, first + stop) > limit:
        return first, last  # the whole stretch was measured to be enough, a part of it is not
    return first + start, first + stop


def _mean(errors: NDArray[np.float64], sounding: NDArray[np.bool_], first: int, last: int) -> float:
    return float(errors[first:last][sounding[first:last]].mean())


def _misaligned(query: NDArray[np.uint32], work: NDArray[np.uint32], offset: int, start: int, stop: int) -> float:
    """Give the mean differing bits of the stretch when it is laid on the work a little earlier or later."""
    means: list[float] = []
    for shift in _SHIFTS:
        first, last = max(start, -offset - shift), min(stop, len(work) - offset - shift)
        if (last - first) * 2 < stop - start:
            continue  # most of the stretch would lie beyond the work's ends
        known = work[first + offset + shift : last + offset + shift]
        means.append(float(np.bitwise_count(query[first:last] ^ known).mean()))
    return sum(means) / len(means) if means else 0.0
