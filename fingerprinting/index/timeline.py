"""Where one moving picture lies on the time of another: the line that most of what looks alike agrees with."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

SPEEDS: Final = (1.0, 0.5, 0.67, 0.75, 0.8, 0.87, 0.91, 0.95, 1.05, 1.1, 1.15, 1.25, 1.33, 1.5, 2.0)
"""How many seconds of a work may pass in one of an asset; between them the line is fitted."""

SLACK: Final = 0.3
"""Seconds by which a frame may lie beside its like: both sides look at their frames at moments of their own."""

_BIN: Final = 0.25
_TRIES: Final = 3
_CHANGED_SHARE: Final = 0.97
_FIT_SECONDS: Final = 2.0
_LONGEST_WAIT: Final = 1.1
_WIDEST: Final = 12

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Line:
    """The work's time is `speed` times the asset's plus `offset` seconds."""

    speed: float
    offset: float

    def __call__(self, seconds: Floats) -> Floats:
        """Give the work's times at some of the asset's."""
        return self.speed * seconds + self.offset


@dataclass(frozen=True, slots=True)
class Known:
    """When the M frames of a work stand, in order of time, float64, shape (M,)."""

    since: Floats
    until: Floats


def best_line(asked: Floats, known: Known, likeness: NDArray[np.float32]) -> tuple[Line, Floats] | None:
    """Find the line along which most frames look alike.

    Args:
        asked: when the N frames of the asset begin, ascending, shape (N,).
        known: the frames of the work.
        likeness: how much each pair looks alike, 0 for not at all, shape (N, M).

    Returns:
        The line, and the likeness of each frame of the asset with what it meets there, shape (N,); None without any.
    """
    mine, its = np.nonzero(likeness)
    if not len(mine):
        return None
    weight = likeness[mine, its]
    best: tuple[float, Line, Floats] | None = None
    for speed in SPEEDS:
        low = known.since[its] - speed * asked[mine] - SLACK
        high = known.until[its] - speed * asked[mine] + SLACK
        for offset in _offsets(low, high, weight):
            line = Line(speed, offset)
            met, _ = along(line, asked, known, likeness)
            score = float(met.sum()) * (1.0 if speed == 1.0 else _CHANGED_SHARE)
            if best is None or score > best[0]:
                best = (score, line, met)
    if best is None:
        return None
    line = _fitted(best[1], asked, known, likeness)
    met, _ = along(line, asked, known, likeness)
    return (line, met) if float(met.sum()) >= float(best[2].sum()) else best[1:]


def along(
    line: Line, asked: Floats, known: Known, likeness: NDArray[np.float32], moved: float = 0.0
) -> tuple[Floats, NDArray[np.int64]]:
    """Give the best likeness of each frame with those it meets, shape (N,), and which it is; -1 where there is none.

    `moved` is by how many seconds of the work the line is moved.
    """
    times = line(asked) + moved
    first = np.searchsorted(known.until, times - SLACK)
    last = np.searchsorted(known.since, times + SLACK, side="right")
    best = np.zeros(len(asked))
    which = np.full(len(asked), -1, np.int64)
    rows = np.arange(len(asked))
    for step in range(min(_WIDEST, int((last - first).max(initial=0)))):
        at = np.minimum(first + step, len(known.since) - 1)
        value = np.where(first + step < last, likeness[rows, at], -1.0)
        better = value > np.where(which < 0, -1.0, best)
        best, which = np.where(better, value, best), np.where(better, at, which)
    return best, which


def stretch(times: Floats, met: Floats, cost: float) -> tuple[int, int] | None:
    """Find the run of frames whose likeness, less `cost` a frame, sums to most: first and last of them.

    What does not agree for more than about a second ends a run.
    """
    best: tuple[float, int, int] | None = None
    total, start, last_good = 0.0, -1, -1
    for at, value in enumerate((met - cost).tolist()):
        if start >= 0 and times[at] - times[last_good] > _LONGEST_WAIT and value <= 0:
            start = -1
        if start < 0 or total <= 0:
            total, start = 0.0, at
        total += value
        if value > 0:
            last_good = at
            if best is None or total > best[0]:
                best = (total, start, at)
        elif start == at:
            start = -1
    return None if best is None else best[1:]


def _offsets(low: Floats, high: Floats, weight: NDArray[np.float32]) -> list[float]:
    """Give the offsets that most weight allows, the best first."""
    base = float(low.min())
    first = ((low - base) / _BIN).astype(np.int64)
    last = ((high - base) / _BIN).astype(np.int64)
    votes = np.zeros(int(last.max()) + 2)
    np.add.at(votes, first, weight)
    np.add.at(votes, last + 1, -weight)
    votes = np.cumsum(votes)
    found: list[float] = []
    for _ in range(_TRIES):
        at = int(votes.argmax())
        if votes[at] <= 1e-3:  # noqa: PLR2004 - nothing but what rounding left
            break
        # The middle of the plateau: all of it is allowed by the same pairs.
        end = at
        while end + 1 < len(votes) and votes[end + 1] >= votes[at] - 1e-3:
            end += 1
        found.append(base + ((at + end) / 2 + 0.5) * _BIN)
        votes[max(0, at - 2) : end + 3] = 0
    return found


def _fitted(line: Line, asked: Floats, known: Known, likeness: NDArray[np.float32]) -> Line:
    """Fit speed and offset to what agrees, where it stretches far enough to tell."""
    for _ in range(2):
        met, which = along(line, asked, known, likeness)
        good = met > 0
        if good.sum() < 4 or np.ptp(asked[good]) < _FIT_SECONDS or len(np.unique(which[good])) < 3:  # noqa: PLR2004
            return line
        here = asked[good]
        there = np.clip(line(here), known.since[which[good]], known.until[which[good]])
        weight = np.sqrt(met[good])
        speed, offset = np.polyfit(here, there, 1, w=weight)
        if not SPEEDS[1] <= speed <= SPEEDS[-1]:
            return line
        line = Line(float(speed), float(offset))
    return line
