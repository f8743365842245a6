"""Rectangles of a picture that may be a whole other picture: inside plain borders, or between long straight edges."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Box = tuple[float, float, float, float]
Ints = NDArray[np.int64]

MAX_RECTANGLES: Final = 10

_SIDE: Final = 256
_FINE_SIDE: Final = 1024
_EARLIER: Final = 2.0
_LATER: Final = 0.75
_PLAIN: Final = 12.0
_EDGE: Final = 10.0
_LINES: Final = 20
_MIN_RUN: Final = 0.1
_STRAIGHT: Final = 0.8
_MIN_AREA: Final = 0.02
_MAX_AREA: Final = 0.97
_MIN_SUPPORT: Final = 0.6
_AT_RIM: Final = 0.75
_SAME: Final = 0.85
_LEAST_SIDE: Final = 16


def trimmed(grey: Image.Image) -> Box | None:
    """Find what lies inside plain borders of a picture of mode L, in its pixels; None where there are none."""
    return _trimmed(*_small(grey))


def boxes(grey: Image.Image) -> list[Box]:
    """Give all of both, what lies inside plain borders first: they look at the same small picture."""
    small = _small(grey)
    inner = _trimmed(*small)
    return [*([] if inner is None else [inner]), *_placed(grey, *small)]


def _trimmed(small: NDArray[np.float32], across: float, down: float) -> Box | None:
    left, right = _content(small.T)
    top, bottom = _content(small)
    whole = (0, 0, small.shape[1], small.shape[0])
    if (left, top, right, bottom) == whole or min(right - left, bottom - top) < _LEAST_SIDE:
        return None
    return (left * across, top * down, right * across, bottom * down)


def rectangles(grey: Image.Image) -> list[Box]:
    """Find rectangles between long straight edges of a picture of mode L, in its pixels, the best edged first."""
    return _placed(grey, *_small(grey))


def area(box: Sequence[float] | Ints) -> float:
    """How large a rectangle is."""
    return float((box[2] - box[0]) * (box[3] - box[1]))


def common(one: Sequence[float] | Ints, other: Sequence[float] | Ints) -> float:
    """How large the part is that two rectangles share."""
    across = min(one[2], other[2]) - max(one[0], other[0])
    down = min(one[3], other[3]) - max(one[1], other[1])
    return float(across * down) if across > 0 and down > 0 else 0.0


def _rectangles(small: NDArray[np.float32]) -> list[Ints]:
    """Give left, top, right and bottom of each."""
    if min(small.shape) < _LEAST_SIDE:
        return []
    columns, upright = _lines(np.abs(np.diff(small, axis=1)))
    rows, level = _lines(np.abs(np.diff(small, axis=0)).T)
    height, width = small.shape
    left, right = _pairs(columns, width)
    top, bottom = _pairs(rows, height)
    sides = np.stack(
        [*(np.repeat(each, len(top)) for each in (left, right)), *(np.tile(each, len(left)) for each in (top, bottom))]
    )
    share = (columns[sides[1]] - columns[sides[0]]) * (rows[sides[3]] - rows[sides[2]]) / (width * height)
    sides = sides[:, (share >= _MIN_AREA) & (share <= _MAX_AREA)]
    support = np.ones(sides.shape[1])
    for side in range(4):
        x1, x2, y1, y2 = sides
        if side < 2:  # noqa: PLR2004 - the two upright ones
            there = _support(upright, sides[side], rows[y1], rows[y2])
        else:
            there = _support(level, sides[side], columns[x1], columns[x2])
        kept = there >= _MIN_SUPPORT  # few are: what is left is looked at only
        sides, support = sides[:, kept], np.minimum(support, there)[kept]
    found: list[Ints] = []
    for at in np.argsort(-support, kind="stable").tolist():
        if len(found) == MAX_RECTANGLES:
            break
        x1, x2, y1, y2 = sides[:, at]
        box = np.array([columns[x1], rows[y1], columns[x2], rows[y2]], np.int64)
        if all(_overlap(box, other) < _SAME for other in found):
            found.append(box)
    return found


def _pairs(places: Ints, length: int) -> tuple[Ints, Ints]:
    """Choose two lines each that lie far enough apart."""
    one, other = np.triu_indices(len(places), 1)
    kept = places[other] - places[one] >= _MIN_RUN * length
    return one[kept], other[kept]


def _placed(grey: Image.Image, small: NDArray[np.float32], *unit: float) -> list[Box]:
    """Find rectangles in the small picture, and bring them to where edges are in a larger one, in the whole's pixels.

    Args:
        grey: the whole.
        small: it, made small.
        unit: pixels of the whole for one of that, across and down.
    """
    found = _rectangles(small)
    if not found:
        return []
    factor = min(1.0, _FINE_SIDE / max(grey.size))
    size = round(grey.width * factor), round(grey.height * factor)
    fine = np.asarray(grey if factor == 1.0 else grey.resize(size, Image.Resampling.BOX), np.float32)
    placed = []
    for box in found:
        sides = np.array([side * unit[at % 2] * factor for at, side in enumerate(box.tolist())])
        nearer = [_nearest_edge(fine if at % 2 else fine.T, sides, at, unit[at % 2] * factor) for at in range(4)]
        if nearer[2] - nearer[0] < 1 or nearer[3] - nearer[1] < 1:  # of a long strip, two sides may take the same edge
            nearer = sides.tolist()
        placed.append(tuple(side / factor for side in nearer))
    return [(left, top, right, bottom) for left, top, right, bottom in placed]


def _nearest_edge(lines: NDArray[np.float32], sides: NDArray[np.float64], at: int, pixel: float) -> float:
    """Move one side of a rectangle to where most changes across it.

    An edge that lies between two pixels of the small picture may be taken for the later of them.

    Args:
        lines: the picture, with the lines that are parallel to the side one after the other.
        sides: left, top, right and bottom, in pixels of it.
        at: which of them.
        pixel: how many pixels of it one of the small picture is wide.
    """
    side, last = float(sides[at]), len(lines)
    if side <= 0 or side >= last:
        return min(max(side, 0.0), float(last))
    begin, end = (int(sides[other]) for other in ((1, 3) if at in (0, 2) else (0, 2)))
    low, high = max(1, round(side - _EARLIER * pixel)), min(last - 1, round(side + _LATER * pixel))
    strip = lines[low - 1 : high + 1, begin : max(end, begin + 1)]
    if len(strip) < 2:  # noqa: PLR2004 - no edge fits between
        return side
    return low + float(np.abs(np.diff(strip, axis=0)).mean(axis=1).argmax())


def _small(grey: Image.Image) -> tuple[NDArray[np.float32], float, float]:
    factor = min(1.0, _SIDE / max(grey.size))
    size = max(2, round(grey.width * factor)), max(2, round(grey.height * factor))
    small = np.asarray(grey.resize(size, Image.Resampling.BOX), np.float32)
    return small, grey.width / size[0], grey.height / size[1]


def _content(lines: NDArray[np.float32]) -> tuple[int, int]:
    """Find the first and the last but one of the lines between plain ones of the same grey at either end."""

    def plain(ordered: NDArray[np.float32]) -> int:
        grey = np.median(ordered[0])
        off = np.abs(ordered - grey).max(axis=1) > _PLAIN
        return int(off.argmax()) if off.any() else len(ordered)

    first = plain(lines)
    return (first, len(lines) - plain(lines[::-1])) if first < len(lines) else (0, len(lines))


def _lines(steps: NDArray[np.float32]) -> tuple[Ints, Ints]:
    """Choose where the longest straight edges run; with running sums of edge points along each, the rims among them.

    Args:
        steps: how much the grey changes across each possible line, shape (along, lines).
    """
    edge = (
        (steps > _EDGE)
        & (steps >= np.pad(steps, ((0, 0), (1, 1)))[:, 2:])
        & (steps >= np.pad(steps, ((0, 0), (1, 1)))[:, :-2])
    )
    # An edge that lies between two pixels counts for both lines.
    near = edge.copy()
    near[:, 1:] |= edge[:, :-1]
    sums = np.concatenate([np.zeros((1, near.shape[1]), np.int64), np.cumsum(near, axis=0)])
    window = max(4, int(_MIN_RUN * len(steps)))
    strength = (sums[window:] - sums[:-window] >= _STRAIGHT * window).sum(axis=0)  # how long its straight parts are
    chosen: list[int] = []
    for line in np.argsort(-strength, kind="stable").tolist():
        if strength[line] == 0 or len(chosen) == _LINES:
            break
        if all(abs(line - other) > 1 for other in chosen):  # an edge may lie between two
            chosen.append(line)
    at = np.array(sorted(chosen), np.int64)
    rim = np.full((len(sums), 1), -1, np.int64)
    places = np.concatenate([[0], at + 1, [steps.shape[1] + 1]])
    return places, np.concatenate([rim, sums[:, at], rim], axis=1)


def _support(sums: Ints, line: Ints, first: Ints, last: Ints) -> NDArray[np.float64]:
    """Say how much of a side is edge; the picture's own rim counts as most of one."""
    share = (sums[last, line] - sums[first, line]) / np.maximum(last - first, 1)
    return np.where(sums[0, line] < 0, _AT_RIM, share)


def _overlap(one: Ints, other: Ints) -> float:
    both = common(one, other)
    return both / (area(one) + area(other) - both)
