"""Two rows of band-energy codes laid on each other: over which stretches do they agree, and how unlikely is that."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from fingerprinting import thresholds
from fingerprinting.audio.print_bytes import NOTHING
from fingerprinting.index import band_limits

_SLACK: Final = 6
"""Codes (0.28 s) by which a proposal may be wrong."""

_BRIDGE: Final = 43
"""Codes (2 s) of disagreement over which a stretch goes on."""

_SMOOTHED: Final = 16
"""Codes on both sides by which the shift of one is chosen."""

_PREFERENCE: Final = 1.0
"""Mean bits by which another shift must be better than that of the whole."""

_GOES_ON: Final = 14.3
"""Mean bits below which a stretch goes on, once it is known to be one: a part under a loud voice has 12 to 14, and by
chance it goes on for another 0.2 s."""

_HOPELESS: Final = 14.0
"""Mean bits of the best window of the shortest length above which no longer one can be worth a look."""

_SHIFTS: Final = tuple(sign * shift for shift in (9, 15, 22, 31, 43) for sign in (-1, 1))
_LIMITS: Final = {window: band_limits.limits(window) for window in thresholds.BAND_WINDOWS}
_WORTH: Final = {window: limits[1] for window, limits in _LIMITS.items()}
_FAINT: Final = {window: band_limits.faint_limit(window) for window in thresholds.BAND_WINDOWS}
"""Mean bits up to which each window is worth a look, and up to which it is where landmarks say the same."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """A part of an asset that agrees with a part of a recording. All in codes, BAND_SECONDS of the work apart.

    Attributes:
        first: where it begins in the asset, under the change that was assumed.
        last: one past its end.
        work_first: where it begins in the recording.
        work_last: one past its end.
        bits: mean differing bits (of 32) of its best window.
        mean: of the whole stretch.
        limit: up to which a window of that length is a match.
        window: the length of that window.
        z: by how many standard deviations that is below chance.
        sharpness: how much worse it is when the recording is moved.
    """

    first: int
    last: int
    work_first: int
    work_last: int
    bits: float
    mean: float
    limit: float
    window: int
    z: float
    sharpness: float

    @property
    def weight(self) -> float:
        """More is surer: the evidence of the best window, for as long as it goes on."""
        return self.z * math.sqrt((self.last - self.first) / self.window)

    @property
    def is_faint(self) -> bool:
        """Whether it is not even worth a look by itself."""
        return self.bits > _WORTH[self.window]

    @property
    def offset(self) -> int:
        """How much later it begins in the recording."""
        return self.work_first - self.first

    def within(self, first: int, last: int) -> "Stretch":
        """Give so much of it, at the same offset."""
        return replace(self, first=first, last=last, work_first=first + self.offset, work_last=last + self.offset)


def stretches(asked: NDArray[np.uint32], known: NDArray[np.uint32], offset: int, begin: int, end: int) -> list[Stretch]:
    """Lay codes of an asset on those of a recording, code i on code i + offset or near that, and find what agrees.

    Args:
        asked: the asset's codes.
        known: the recording's.
        offset: as proposed.
        begin: first code of the asset to look at.
        end: one past the last.

    Returns:
        Stretches whose best window is worth a look, in order; where there are none, the one that is nearest to it, if
        it is near enough to count where other evidence says the same.
    """
    laid = _Laid.of(asked[begin:end], known, offset + begin)
    count = laid.wrong.shape[-1]
    shortest = thresholds.BAND_WINDOWS[0]
    if count < shortest or laid.means(shortest).min() > _HOPELESS:
        return []
    limits = _WORTH
    agreeing = _agreeing(laid)
    if not agreeing.any():
        limits = _FAINT
        agreeing = _faintly_agreeing(laid)
    found = []
    runs = _runs(np.asarray(agreeing.any(axis=0), dtype=np.bool_))
    lows, highs = [0, *(last for _, last in runs)], [*(first for first, _ in runs[1:]), count]
    for run, low, high in zip(runs, lows, highs, strict=False):
        stretch = _stretch(laid, agreeing, run, (low, high), limits)
        start, work_start = begin, begin + offset - _SLACK
        moved = _misaligned(asked, known, start + stretch.first, start + stretch.last, work_start + stretch.work_first)
        found.append(
            replace(
                stretch,
                first=stretch.first + start,
                last=stretch.last + start,
                work_first=stretch.work_first + work_start,
                work_last=stretch.work_last + work_start,
                sharpness=moved - stretch.mean,
            )
        )
    return found


def between(asked: NDArray[np.uint32], known: NDArray[np.uint32], offset: int, begin: int, end: int) -> Stretch | None:
    """Weigh a part at a place that other evidence chose by its window that lies most deviations below chance."""
    laid = _Laid.of(asked[begin:end], known, offset + begin)
    best = (-math.inf, 0, 0.0)
    for window in thresholds.BAND_WINDOWS:
        if window <= end - begin:
            bits = float(laid.means(window).min())
            best = max(best, (band_limits.deviations_below_chance(bits, window), window, bits))
    z, window, bits = best
    if not window:
        return None
    mean = float(laid.total[_SLACK, -1] / (end - begin))
    limit = _LIMITS[window][0]
    return Stretch(begin, end, begin + offset, end + offset, bits, mean, limit, window, z, sharpness=0.0)


@dataclass(frozen=True, slots=True)
class _Laid:
    """Differing bits of n codes at each of S shifts: shape (S, n), and their sums from the left, shape (S, n + 1)."""

    wrong: NDArray[np.uint8]
    total: NDArray[np.int32]

    @classmethod
    def of(cls, asked: NDArray[np.uint32], known: NDArray[np.uint32], start: int) -> "_Laid":
        """Lay codes on a recording around a start. A code that says nothing differs by what chance gives."""
        count = len(asked)
        low, high = start - _SLACK, start + _SLACK + count
        part = known[max(0, low) : max(0, min(len(known), high))]
        padded = np.full(high - low, NOTHING, dtype=np.uint32)
        at = max(0, -low)
        padded[at : at + len(part)] = part
        view = sliding_window_view(padded, count)
        wrong = np.bitwise_count(view ^ asked)
        wrong[(view == NOTHING) | (asked == NOTHING)] = thresholds.BAND_CHANCE_BITS
        total = np.zeros((len(wrong), count + 1), dtype=np.int32)
        np.cumsum(wrong, axis=1, dtype=np.int32, out=total[:, 1:])
        return cls(wrong, total)

    def means(self, window: int, first: int = 0, last: int | None = None) -> NDArray[np.float64]:
        """Give the mean of each window that begins at or after `first` and ends by `last`."""
        total = self.total[:, first : None if last is None else last + 1]
        means: NDArray[np.float64] = (total[:, window:] - total[:, :-window]) / window
        return means


def _agreeing(laid: _Laid) -> NDArray[np.bool_]:
    """Say which codes, at which shift, lie in a window that is worth a look."""
    agreeing: NDArray[np.bool_] = np.zeros(laid.wrong.shape, dtype=np.bool_)
    for window in thresholds.BAND_WINDOWS:
        if window <= laid.wrong.shape[-1]:
            for shift, first in np.argwhere(laid.means(window) <= _WORTH[window]).tolist():
                agreeing[shift, first : first + window] = True
    return agreeing


def _faintly_agreeing(laid: _Laid) -> NDArray[np.bool_]:
    """Say which codes, at which shift, make the window that lies most deviations below chance, if these are enough."""
    agreeing: NDArray[np.bool_] = np.zeros(laid.wrong.shape, dtype=np.bool_)
    best = (thresholds.BAND_FAINT_DEVIATIONS, 0, 0, 0)
    for window in thresholds.BAND_WINDOWS:
        if window <= laid.wrong.shape[-1]:
            means = laid.means(window)
            shift, first = divmod(int(means.argmin()), means.shape[1])
            best = max(
                best, (band_limits.deviations_below_chance(float(means[shift, first]), window), shift, first, window)
            )
    _, shift, first, window = best
    agreeing[shift, first : first + window] = True
    return agreeing


def _runs(agreeing: NDArray[np.bool_]) -> list[tuple[int, int]]:
    at = np.flatnonzero(agreeing)
    if not len(at):
        return []
    breaks = np.flatnonzero(np.diff(at) > _BRIDGE)
    firsts = at[np.concatenate(([0], breaks + 1)).astype(np.int64)]
    lasts = at[np.concatenate((breaks, [len(at) - 1])).astype(np.int64)] + 1
    return list(zip(firsts.tolist(), lasts.tolist(), strict=True))


def _stretch(
    laid: _Laid,
    agreeing: NDArray[np.bool_],
    run: tuple[int, int],
    room: tuple[int, int],
    limits: Mapping[int, float],
) -> Stretch:
    """Weigh a run by its best window within limits, and let it go on as far as codes agree, within some room."""
    best_z, window, best_shift, bits = -math.inf, 0, 0, float(thresholds.BAND_CHANCE_BITS)
    first, last = run
    for length in thresholds.BAND_WINDOWS:
        if length <= last - first:
            means = laid.means(length, first, last)
            shift, at = divmod(int(means.argmin()), means.shape[1])
            z = band_limits.deviations_below_chance(float(means[shift, at]), length)
            if means[shift, at] <= limits[length] and z > best_z:
                best_z, window, best_shift, bits = z, length, shift, float(means[shift, at])
    low, high = room
    shifts = _path(laid, agreeing, run, best_shift)[low:high]
    wrong = laid.wrong[shifts, np.arange(low, high)]
    gain = np.concatenate(([0.0], np.cumsum(_GOES_ON - wrong)))
    stop = int(np.argmax(gain - np.minimum.accumulate(gain)))
    start = int(np.argmin(gain[: stop + 1]))
    return Stretch(
        first=low + start,
        last=low + stop,
        work_first=low + start + int(shifts[start]),
        work_last=low + stop + int(shifts[stop - 1]),
        bits=bits,
        mean=float(wrong[start:stop].mean()),
        limit=_LIMITS[window][0],
        window=window,
        z=best_z,
        sharpness=0.0,
    )


def _path(laid: _Laid, agreeing: NDArray[np.bool_], run: tuple[int, int], best_shift: int) -> NDArray[np.intp]:
    """Choose a shift for each code: what was played a little faster drifts from one to the next."""
    first, last = run
    count = laid.wrong.shape[1]
    at = np.arange(first, last)
    low, high = np.maximum(at - _SMOOTHED, 0), np.minimum(at + _SMOOTHED + 1, count)
    means = (laid.total[:, high] - laid.total[:, low]) / (high - low)
    # A shift in which no window agrees there is not taken, however well a few codes do.
    inside = agreeing[:, first:last]
    means[~inside] = np.inf
    means[best_shift] -= _PREFERENCE
    path = np.where(inside.any(axis=0), means.argmin(axis=0), best_shift)
    whole = np.empty(count, dtype=np.intp)
    whole[:first], whole[first:last], whole[last:] = path[0], path, path[-1]
    return whole


def _misaligned(asked: NDArray[np.uint32], known: NDArray[np.uint32], first: int, last: int, work_first: int) -> float:
    """Give the mean differing bits when a stretch is laid on the recording a little earlier or later."""
    means = []
    for shift in _SHIFTS:
        start = work_first + shift
        low, high = max(0, -start), min(last - first, len(known) - start)
        if (high - low) * 2 < last - first:
            continue  # most of it would lie beyond the recording's ends
        mine, its = asked[first + low : first + high], known[start + low : start + high]
        wrong = np.bitwise_count(mine ^ its).astype(np.float64)
        wrong[(mine == NOTHING) | (its == NOTHING)] = thresholds.BAND_CHANCE_BITS
        means.append(float(wrong.mean()))
    return sum(means) / len(means) if means else float(thresholds.BAND_CHANCE_BITS)
