"""Whether what moves in an asset moves so in a work: that tells the moments of a scene before a fixed camera apart.

Of every frame the mean of its shot is taken away. What is left is what moves, without the scene, bars, logos and
subtitles that stand still. In a copy it agrees with the work's at one place in time; in another recording of the same
scene, nowhere.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from fingerprinting import thresholds
from fingerprinting.index.timeline import SPEEDS, Floats, Line

GRID: Final = 0.25
"""Seconds between the moments that are compared at first, the work's time."""

_LONGEST: Final = 60.0
_KNOWN_SECONDS: Final = 20.0
_NEAR_SPEED: Final = 0.12
_CUT_GREY: Final = 25.0
_SHORTEST_SHOT: Final = 3
_LEAST_MOMENTS: Final = 6
_FINE: Final = np.arange(-0.24, 0.241, 0.08)
_ELSEWHERE: Final = 1.0
_SAME_PLACE: Final = 0.4
_PLACES: Final = 2
_REPEATED: Final = 0.5
_MOST_BEYOND: Final = 0.3

Greys = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Film:
    """N grey frames in order of time.

    Attributes:
        since: from when each stands, in seconds, shape (N,).
        until: until when.
        greys: shape (N, 256).
    """

    since: Floats
    until: Floats
    greys: Greys

    def at(self, times: Floats) -> Greys:
        """Give the grey at some times, shape (M, 256): between two frames, in between."""
        after = np.searchsorted(self.since, times, side="right")
        one, other = np.maximum(after - 1, 0), np.minimum(after, len(self.since) - 1)
        start, end = self.until[one], self.since[other]
        share = np.clip((times - start) / np.maximum(end - start, 1e-3), 0, 1).astype(np.float32)[:, None]
        mixed: Greys = self.greys[one] * (1 - share) + self.greys[other] * share
        return mixed


@dataclass(frozen=True, slots=True)
class Agreement:
    """How well what moves agrees, and where.

    Attributes:
        line: the best place in time, of the asset's on the work's.
        here: correlation there, -1 to 1.
        elsewhere: the best anywhere else in the work, but where the work repeats itself.
    """

    line: Line
    here: float
    elsewhere: float

    @property
    def is_sure(self) -> bool:
        """Whether it proves a copy."""
        return self.here >= thresholds.VIDEO_MOTION and self.here - self.elsewhere >= thresholds.VIDEO_MOTION_LEAD


def agreement(asset: Film, work: Film, line: Line, within: tuple[float, float]) -> Agreement | None:
    """Find where in a work most moves as in a stretch of an asset; None where too little moves to tell.

    Args:
        asset: in the form in which it is compared.
        work: what it may be a part of.
        line: where it lies by what it looks like, to take the speed from.
        within: the stretch of the asset, in its seconds.
    """
    start, end = within[0], min(within[1], within[0] + _LONGEST)
    tried = [_placed(asset, work, speed, (start, end)) for speed in _speeds(line.speed, end - start)]
    return max((each for each in tried if each is not None), key=lambda each: each.here, default=None)


def _speeds(speed: float, seconds: float) -> list[float]:
    """Give the speeds to try: by what few frames look like it is known roughly, and not at all where little changes."""
    if seconds > _KNOWN_SECONDS:
        return [speed]
    return [speed, *(each for each in SPEEDS if each == 1 or abs(each / speed - 1) <= _NEAR_SPEED)]


def _placed(asset: Film, work: Film, speed: float, within: tuple[float, float]) -> Agreement | None:
    start, end = within
    moments = np.arange(start, end + 1e-6, GRID / speed)
    if len(moments) < _LEAST_MOMENTS:
        return None
    shown = asset.at(moments)
    shots = _shots(shown)
    moving = _less_means(shown, shots)
    if float(np.sqrt((moving**2).mean())) < thresholds.VIDEO_MOTION_GREY:
        return None
    places = np.arange(float(work.since[0]) - _MOST_BEYOND, float(work.until.max()) + _MOST_BEYOND, GRID)
    if len(places) < len(moments):
        return None
    known = work.at(places)
    found = _correlations(moving, shots, known)
    best: tuple[float, Line, int] | None = None
    for place in _peaks(found):
        offset = float(places[place]) - speed * start
        for fine in _FINE:
            tried = Line(speed, offset + float(fine))
            value = _exact(asset, work, tried, within)
            if best is None or value > best[0]:
                best = (value, tried, place)
    if best is None:
        return None
    here, there, place = best
    again = _correlations(_less_means(known[place : place + len(moments)], shots), shots, known)
    other = (np.abs(np.arange(len(found)) - place) * GRID >= _ELSEWHERE) & (again < _REPEATED)
    return Agreement(there, here, float(found[other].max(initial=0.0)))


def _exact(asset: Film, work: Film, line: Line, within: tuple[float, float]) -> float:
    """Correlate at the work's own moments, which the asset is looked at more often than."""
    low, high = line(np.array(within)).tolist()
    chosen = (work.since >= low - 0.02) & (work.since <= high + 0.02)
    if chosen.sum() >= _LEAST_MOMENTS:
        times, known = work.since[chosen], work.greys[chosen]
    else:
        times = np.arange(max(low, work.since[0]), min(high, work.until.max()) + 1e-6, GRID)
        if len(times) < _LEAST_MOMENTS:
            return 0.0
        known = work.at(times)
    shown = asset.at((times - line.offset) / line.speed)
    shots = _shots(shown)
    one, other = _less_means(shown, shots), _less_means(known, shots)
    length = float(np.sqrt((one**2).sum() * (other**2).sum()))
    return float((one * other).sum()) / length if length else 0.0


def _correlations(moving: Greys, shots: NDArray[np.int64], known: Greys) -> Floats:
    """Correlate a stretch with every place of a work, shape (places,)."""
    count = len(moving)
    each = (known @ moving.T).astype(np.float64)
    places = len(known) - count + 1
    dots = np.zeros(places)
    for nth in range(count):
        dots += each[nth : nth + places, nth]
    sums = np.concatenate([np.zeros((1, known.shape[1])), np.cumsum(known, axis=0, dtype=np.float64)])
    squares = np.concatenate([[0.0], np.cumsum((known.astype(np.float64) ** 2).sum(axis=1))])
    spread = np.zeros(places)
    for first, last in zip(shots[:-1].tolist(), shots[1:].tolist(), strict=True):
        total = sums[last : last + places] - sums[first : first + places]
        spread += squares[last : last + places] - squares[first : first + places]
        spread -= (total**2).sum(axis=1) / (last - first)
    # What does not move at all must not agree with rounding noise.
    least = count * known.shape[1] * thresholds.VIDEO_MOTION_GREY**2 / 4
    length = np.sqrt(np.maximum(spread, least) * float((moving.astype(np.float64) ** 2).sum()))
    correlations: Floats = dots / length
    return correlations


def _peaks(found: Floats) -> list[int]:
    """Give the best places, none beside a better one."""
    left, peaks = found.copy(), []
    reach = int(_SAME_PLACE / GRID)
    for _ in range(_PLACES):
        at = int(left.argmax())
        if left[at] <= 0:
            break
        peaks.append(at)
        left[max(0, at - reach) : at + reach + 1] = 0
    return peaks


def _shots(shown: Greys) -> NDArray[np.int64]:
    """Give where shots begin, and the end: a cut changes most of the picture at once."""
    cuts = np.flatnonzero(np.abs(np.diff(shown, axis=0)).mean(axis=1) > _CUT_GREY) + 1
    if len(cuts) * _SHORTEST_SHOT > len(shown):  # it flashes
        cuts = cuts[:0]
    return np.concatenate([[0], cuts, [len(shown)]]).astype(np.int64)


def _less_means(shown: Greys, shots: NDArray[np.int64]) -> Greys:
    means = np.add.reduceat(shown, shots[:-1], axis=0) / np.diff(shots)[:, None]
    left: Greys = (shown - np.repeat(means, np.diff(shots), axis=0)).astype(np.float32)
    return left
