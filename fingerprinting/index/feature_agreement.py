"""Whether two pictures agree where one lies on the other: their grey, in all and by parts, and their features."""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from fingerprinting.image.feature_bytes import MIRRORED, NEGATIVE, Features
from fingerprinting.index import slant
from fingerprinting.index.feature_geometry import Floats, Placement, Spots, Window

_MOST_POINTS: Final = 6
_LEAST_OVERLAP: Final = 30
_LEAST_SPREAD: Final = 3.0

_TILE: Final = 8
_TILE_OVERLAP: Final = 0.7
_TILE_CELLS: Final = 9
_TILE_SPREAD: Final = 4.0
_TILE_PLAIN: Final = 0.5
_TILE_CORRELATION: Final = 0.6

_AROUND: Final = 2
_NO_EDGE: Final = 2.0
_LEAST_DETAIL: Final = 60

_PARTS: Final = 6
_PART_FEATURES: Final = 3
_SMALLEST: Final = 5.0
_TELLING_MIDDLE: Final = 3


@dataclass(frozen=True, slots=True)
class Agreement:
    """How well an asset and a work agree where they overlap.

    Attributes:
        correlation: of the grey of both thumbnails; None where that says nothing.
        tiles: share of the tiles of the work's thumbnail, plain ones aside, whose grey the asset has; None without any.
        cover: share of the parts of the work with features that the asset should show, where it shows one of them.
        middle: how often a feature in the middle of what is shown is found, for each time that one around it is; None
            where that says nothing: with so few features in the middle that the same rate would not find three.
        reach: width times height of what the features that are found stretch over, as a part of what those do that the
            asset should show; a twentieth at each end does not count.
        core: correlation of the grey in the middle half (each way) of the overlap; None where that says nothing.
        detail: correlation of what is left of the grey without broad light and shade; None where the overlap is small.
    """

    correlation: float | None
    tiles: float | None
    cover: float
    middle: float | None
    reach: float = 1.0
    core: float | None = None
    detail: float | None = None


@dataclass(frozen=True, slots=True)
class Grey:
    """Both thumbnails in the cells of the work's, and which cells lie in the overlap as a whole."""

    whole: NDArray[np.bool_]
    asked: Floats
    known: Floats


@dataclass(frozen=True, slots=True)
class Sides:
    """An asset and a picture of a work, as the geometry sees both."""

    asked: Features
    asked_spots: Spots
    thumbnail: NDArray[np.uint8]
    known_spots: Spots
    variant: int


def agreement(
    grey: Grey, placement: Placement, sides: Sides, agreeing: NDArray[np.int64], window: Window | None = None
) -> Agreement:
    """Compare an asset with a work where it lies, or within a window of the work.

    Args:
        grey: of both, from `grey_of`.
        placement: where the work lies in the asset.
        sides: both.
        agreeing: the work's features that agree with the placement.
        window: the part of the work's frame that is looked at, if it is not all of it.
    """
    expected = _expected(placement, sides.asked_spots, sides.known_spots)
    if window is not None:
        low, high = np.array(window[:2]), np.array(window[2:])
        rows, columns = grey.whole.shape
        down, across = np.mgrid[0:rows, 0:columns] + 0.5
        centres = np.stack([across / columns, down / rows], axis=-1) * np.array(sides.known_spots.frame)
        grey = replace(grey, whole=grey.whole & np.all((centres >= low) & (centres <= high), axis=-1))
        places = sides.known_spots.places
        expected &= np.all((places >= low) & (places <= high), axis=1)
    return Agreement(
        correlation=_correlation(grey),
        tiles=_tiles(grey),
        cover=_cover(sides.known_spots, expected, agreeing),
        middle=_middle(sides.known_spots, expected, agreeing),
        reach=_reach(sides.known_spots, expected, agreeing),
        core=_correlation(_core(grey)),
        detail=_detail(grey),
    )


def grey_of(placement: Placement, sides: Sides) -> Grey:
    """Read the asset's thumbnail where the cells of the work's lie."""
    shown, known = sides.asked.thumbnail, sides.thumbnail
    if sides.variant & MIRRORED:
        shown = shown[:, ::-1]
    if sides.variant & NEGATIVE:
        shown = 255 - shown
    frame, known_frame = sides.asked_spots.frame, sides.known_spots.frame
    inverse = slant.inverse(placement.matrix)
    # Whichever thumbnail shows more of the overlap is averaged until both show as much.
    smaller = float(slant.enlargement(inverse, np.array([known_frame]) / 2)[0])
    step = smaller * known_frame[0] / known.shape[1] / (frame[0] / shown.shape[1])
    stored = _halved(known.astype(np.float32), round(float(np.log2(1 / step))))
    rows, columns = stored.shape
    points = max(1, min(_MOST_POINTS, round(step * known.shape[1] / columns)))
    down, across = np.mgrid[0 : rows * points, 0 : columns * points] + 0.5
    there = np.stack(
        [across.ravel() / points / columns * known_frame[0], down.ravel() / points / rows * known_frame[1]], axis=1
    )
    here = np.nan_to_num(slant.moved(inverse, there), nan=-1.0)  # what lies behind the camera lies outside
    values = _sampled(
        shown.astype(np.float32), here[:, 0] / frame[0] * shown.shape[1], here[:, 1] / frame[1] * shown.shape[0]
    )
    cells = (rows, points, columns, points)
    whole: NDArray[np.bool_] = np.all(_inside(here, frame).reshape(cells), axis=(1, 3))
    return Grey(whole, values.reshape(cells).mean(axis=(1, 3)), stored)


def _inside(places: NDArray[np.float64], frame: tuple[float, float]) -> NDArray[np.bool_]:
    inside: NDArray[np.bool_] = np.all((places >= 0) & (places < np.array(frame)), axis=1)
    return inside


def _correlation(grey: Grey) -> float | None:
    if grey.whole.sum() < _LEAST_OVERLAP:
        return None
    asked, known = grey.asked[grey.whole], grey.known[grey.whole]
    if min(asked.std(), known.std()) < _LEAST_SPREAD:
        return None
    return correlated(asked, known)


def correlated(one: Floats, other: Floats) -> float:
    """Correlate two lines of numbers, 0 where one of them is plain; for a few, in a third of numpy's time."""
    one, other = one - one.mean(), other - other.mean()
    length = float(np.sqrt(float(one @ one) * float(other @ other)))
    return float(one @ other) / length if length else 0.0


def _core(grey: Grey) -> Grey:
    """The middle half, each way, of what both show."""
    down, across = np.flatnonzero(grey.whole.any(axis=1)), np.flatnonzero(grey.whole.any(axis=0))
    whole = np.zeros_like(grey.whole)
    if len(down):
        rows, columns = (slice(each[0] + len(each) // 4, each[-1] + 1 - len(each) // 4) for each in (down, across))
        whole[rows, columns] = grey.whole[rows, columns]
    return replace(grey, whole=whole)


def _detail(grey: Grey) -> float | None:
    """Correlate edges, as if all were of much the same contrast: light and shade agree by chance, edges don't."""
    if grey.whole.sum() < _LEAST_DETAIL:
        return None
    return correlated(*(_edges(each)[grey.whole] for each in (grey.asked, grey.known)))


def _edges(grey: Floats) -> Floats:
    rest = grey - _around(grey)
    edges: Floats = (rest / (np.sqrt(_around(rest * rest)) + _NO_EDGE)).astype(np.float32)
    return edges


def _around(grey: Floats) -> Floats:
    """The mean of five by five cells around each."""
    side = 2 * _AROUND + 1
    sums = np.pad(np.pad(grey, _AROUND, mode="edge").astype(np.float64), ((1, 0), (1, 0))).cumsum(axis=0).cumsum(axis=1)
    found = sums[side:, side:] - sums[:-side, side:] - sums[side:, :-side] + sums[:-side, :-side]
    around: Floats = np.maximum(found / side**2, 0).astype(np.float32)
    return around


def _tiles(grey: Grey) -> float | None:
    """Correlate tile by tile: what a frame or a window shares with another fills few tiles, a text hides few."""
    rows, columns = grey.whole.shape
    down, across = max(1, rows // _TILE), max(1, columns // _TILE)
    row = np.repeat(np.arange(down), np.diff(np.arange(down + 1) * rows // down))
    column = np.repeat(np.arange(across), np.diff(np.arange(across + 1) * columns // across))
    tile = row[:, None] * across + column[None]
    cells = np.bincount(tile.ravel(), minlength=down * across)
    mine = tile[grey.whole]
    counts = np.bincount(mine, minlength=down * across)
    asked, known = grey.asked[grey.whole].astype(np.float64), grey.known[grey.whole].astype(np.float64)

    def mean(values: NDArray[np.float64]) -> NDArray[np.float64]:
        sums: NDArray[np.float64] = np.bincount(mine, values, minlength=down * across) / np.maximum(counts, 1)
        return sums

    asked, known = asked - mean(asked)[mine], known - mean(known)[mine]
    asked_spread, known_spread = np.sqrt(mean(asked * asked)), np.sqrt(mean(known * known))
    told = (counts >= _TILE_OVERLAP * cells) & (counts >= _TILE_CELLS) & (known_spread >= _TILE_SPREAD)
    if not told.any():
        return None
    is_same = mean(asked * known) >= _TILE_CORRELATION * asked_spread * known_spread
    return float((is_same & (asked_spread > _TILE_PLAIN))[told].mean())


def _expected(placement: Placement, asked: Spots, known: Spots) -> NDArray[np.bool_]:
    """Say which of the work's features the asset should show: inside it, and not too small there."""
    inverse = slant.inverse(placement.matrix)
    here = slant.moved(inverse, known.places)
    shown = known.sizes + np.log(slant.enlargement(inverse, known.places))
    expected: NDArray[np.bool_] = _inside(here, asked.frame) & (shown >= np.percentile(asked.sizes, _SMALLEST))
    return expected


def _cover(known: Spots, expected: NDArray[np.bool_], agreeing: NDArray[np.int64]) -> float:
    """Count the parts of the work, cut into 6 by 6, where the asset should show features, and does."""
    cells = np.minimum((known.places / np.array(known.frame) * _PARTS).astype(int), _PARTS - 1)
    part = cells[:, 0] * _PARTS + cells[:, 1]
    counts = np.bincount(part[expected], minlength=_PARTS**2)
    counted = counts >= max(1, min(_PART_FEATURES, int(counts.max())))
    found = np.bincount(part[agreeing], minlength=_PARTS**2) > 0
    return float(found[counted].mean()) if counted.any() else 0.0


def _middle(known: Spots, expected: NDArray[np.bool_], agreeing: NDArray[np.int64]) -> float | None:
    """Compare how often features are found in the middle half (each way) of what is shown, and around it."""
    found = np.zeros(len(expected), np.bool_)
    found[agreeing] = True
    counted = expected | found
    low, high = known.places[counted].min(axis=0), known.places[counted].max(axis=0)
    margin = (high - low) / 4
    inner = np.all((known.places > low + margin) & (known.places < high - margin), axis=1)
    here, around = counted & inner, counted & ~inner
    rate = float(found[around].mean()) if around.any() else 0.0
    if rate * here.sum() < _TELLING_MIDDLE:
        return None
    return float(found[here].mean()) / rate


def _reach(known: Spots, expected: NDArray[np.bool_], agreeing: NDArray[np.int64]) -> float:
    """Compare what the features that are found stretch over with what all of them do that should be."""
    counted = expected.copy()
    counted[agreeing] = True
    found, whole = (
        float(np.prod(np.subtract(*np.percentile(known.places[rows], (95, 5), axis=0))))
        for rows in (agreeing, np.flatnonzero(counted))
    )
    return found / whole if whole > 0 else 1.0


def _halved(grey: Floats, times: int) -> Floats:
    for _ in range(times):
        rows, columns = grey.shape[0] // 2 * 2, grey.shape[1] // 2 * 2
        if min(rows, columns) < 2:  # noqa: PLR2004 - there is nothing to halve
            break
        grey = grey[:rows, :columns].reshape(rows // 2, 2, columns // 2, 2).mean(axis=(1, 3))
    return grey


def _sampled(grey: Floats, x: NDArray[np.float64], y: NDArray[np.float64]) -> Floats:
    """Read between pixels, whose centres lie at halves."""
    x = (x - 0.5).clip(0, grey.shape[1] - 1)
    y = (y - 0.5).clip(0, grey.shape[0] - 1)
    left, top = x.astype(int), y.astype(int)
    right, below = np.minimum(left + 1, grey.shape[1] - 1), np.minimum(top + 1, grey.shape[0] - 1)
    fx, fy = x - left, y - top
    upper = grey[top, left] * (1 - fx) + grey[top, right] * fx
    lower = grey[below, left] * (1 - fx) + grey[below, right] * fx
    found: Floats = (upper * (1 - fy) + lower * fy).astype(np.float32)
    return found
