"""Rectangles of a picture that may be a whole other picture: inside plain borders, or between long straight edges."""

from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Box = tuple[float, float, float, float]

MAX_RECTANGLES: Final = 6

_SIDE: Final = 256
_PLAIN: Final = 12.0
_EDGE: Final = 14.0
_LINES: Final = 7
_MIN_RUN: Final = 0.12
_STRAIGHT: Final = 0.8
_MIN_AREA: Final = 0.04
_MAX_AREA: Final = 0.97
_MIN_SUPPORT: Final = 0.55
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
    return [*([] if inner is None else [inner]), *_rectangles(*small)]


def _trimmed(small: NDArray[np.float32], across: float, down: float) -> Box | None:
    left, right = _content(small.T)
    top, bottom = _content(small)
    whole = (0, 0, small.shape[1], small.shape[0])
    if (left, top, right, bottom) == whole or min(right - left, bottom - top) < _LEAST_SIDE:
        return None
    return (left * across, top * down, right * across, bottom * down)


def rectangles(grey: Image.Image) -> list[Box]:
    """Find rectangles between long straight edges of a picture of mode L, in its pixels, the best edged first."""
    return _rectangles(*_small(grey))


def _rectangles(small: NDArray[np.float32], across: float, down: float) -> list[Box]:
    if min(small.shape) < _LEAST_SIDE:
        return []
    columns, upright = _lines(np.abs(np.diff(small, axis=1)))
    rows, level = _lines(np.abs(np.diff(small, axis=0)).T)
    height, width = small.shape
    x1, x2, y1, y2 = (
        each.ravel() for each in np.meshgrid(*(np.arange(len(columns)),) * 2, *(np.arange(len(rows)),) * 2)
    )
    share = (columns[x2] - columns[x1]) * (rows[y2] - rows[y1]) / (width * height)
    wide = (columns[x2] - columns[x1] >= _MIN_RUN * width) & (rows[y2] - rows[y1] >= _MIN_RUN * height)
    kept = wide & (share >= _MIN_AREA) & (share <= _MAX_AREA)
    x1, x2, y1, y2 = x1[kept], x2[kept], y1[kept], y2[kept]
    support = np.minimum.reduce(
        [
            _support(upright, x1, rows[y1], rows[y2]),
            _support(upright, x2, rows[y1], rows[y2]),
            _support(level, y1, columns[x1], columns[x2]),
            _support(level, y2, columns[x1], columns[x2]),
        ]
    )
    found: list[NDArray[np.float64]] = []
    for at in np.argsort(-support, kind="stable").tolist():
        if support[at] < _MIN_SUPPORT or len(found) == MAX_RECTANGLES:
            break
        box = np.array([columns[x1[at]], rows[y1[at]], columns[x2[at]], rows[y2[at]]], np.float64)
        if all(_overlap(box, other) < _SAME for other in found):
            found.append(box)
    return [
        (left * across, top * down, right * across, bottom * down)
        for left, top, right, bottom in map(np.ndarray.tolist, found)
    ]


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


def _lines(steps: NDArray[np.float32]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
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
    longest = (sums[window:] - sums[:-window]).max(axis=0) / window
    strength = near.sum(axis=0) * (longest >= _STRAIGHT)
    chosen: list[int] = []
    for line in np.argsort(-strength, kind="stable").tolist():
        if strength[line] == 0 or len(chosen) == _LINES:
            break
        if all(abs(line - other) > 2 for other in chosen):  # noqa: PLR2004 - an edge is up to two pixels wide
            chosen.append(line)
    at = np.array(sorted(chosen), np.int64)
    rim = np.full((len(sums), 1), -1, np.int64)
    places = np.concatenate([[0], at + 1, [steps.shape[1] + 1]])
    return places, np.concatenate([rim, sums[:, at], rim], axis=1)


def _support(
    sums: NDArray[np.int64], line: NDArray[np.int64], first: NDArray[np.int64], last: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Say how much of a side is edge; the picture's own rim counts as most of one."""
    share = (sums[last, line] - sums[first, line]) / np.maximum(last - first, 1)
    return np.where(sums[0, line] < 0, _AT_RIM, share)


def _overlap(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    across = min(one[2], other[2]) - max(one[0], other[0])
    down = min(one[3], other[3]) - max(one[1], other[1])
    if across <= 0 or down <= 0:
        return 0.0
    both = across * down
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (one, other)]
    return float(both / (sum(areas) - both))
