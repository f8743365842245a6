"""Whether an asset shows a part of a work, whole, on plain ground: a crop that is set on a page.

Where a part of a picture is set on something plain, most of the work is not seen, though nothing else is in its place.
So what is shown is compared by itself, and what surrounds it must be plain: two windows that share a map have words
beside it.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from fingerprinting import thresholds
from fingerprinting.index import slant
from fingerprinting.index.feature_agreement import Agreement, Grey, Sides, agreement, correlated
from fingerprinting.index.feature_geometry import Placement, Window

# The features of a picture don't reach its edges; what is cut out has some there that the work has not.
_MARGIN: Final = 0.1
_NEARLY_ALL: Final = 0.9
_STRIP: Final = 0.8  # correlation of a row or column beside it that is of it, too
_OFF: Final = 6.0  # or so few grey levels off: what is plain correlates with nothing
_FEW_CELLS: Final = 9  # fewer don't tell how bright the asset shows the work
_ASIDE: Final = 0.15  # what is so near to it, in its widths and heights, may be of it still
_LEAST_EDGE: Final = 16


@dataclass(frozen=True, slots=True)
class Part:
    """What an asset shows of a work.

    Attributes:
        window: where it lies in the work's frame, as far as the grey agrees.
        share: the part of the work's area that the features stretch over which agree.
        agreement: how well both agree there.
        surroundings: features of the asset on the rest of the work's place, by area, for each one there.
        ground: how much the asset's grey varies along the edges of the work, away from the part; None where that is
            next to nothing.
    """

    window: Window
    share: float
    agreement: Agreement
    surroundings: float
    ground: float | None = None

    @property
    def is_cut_out(self) -> bool:
        """Whether it is a large part, shown throughout, on plain ground."""
        correlation, tiles = self.agreement.correlation, self.agreement.tiles
        is_on_plain = self.ground is not None and self.ground <= thresholds.FEATURE_CUT_GROUND
        return (
            self.share >= (thresholds.FEATURE_CUT_PLAIN_SHARE if is_on_plain else thresholds.FEATURE_CUT_SHARE)
            and self.surroundings <= thresholds.FEATURE_CUT_SURROUNDINGS
            and correlation is not None
            and correlation >= thresholds.FEATURE_CUT_CORRELATION
            and tiles is not None
            and min(tiles, self.agreement.cover) >= thresholds.FEATURE_CUT_PARTS
        )


def part(grey: Grey, placement: Placement, sides: Sides, agreeing: NDArray[np.int64]) -> Part | None:
    """Look at what lies around the features that agree; None where that is nearly all that the asset shows of the work.

    Args:
        grey: of both, where the work lies.
        placement: where the work lies in the asset.
        sides: both.
        agreeing: the work's features that agree with the placement.
    """
    known, frame = sides.known_spots, np.array(sides.known_spots.frame)
    places = known.places[agreeing]
    low, high = places.min(axis=0), places.max(axis=0)
    hull: Window = (*low.tolist(), *high.tolist())
    share = float(np.prod((high - low) / frame))
    shown = slant.moved(placement.matrix, sides.asked_spots.places)
    shown = shown[np.all((shown >= 0) & (shown < frame), axis=1)]
    margin = _MARGIN * (high - low)
    is_inside = np.all((shown >= low - margin) & (shown <= high + margin), axis=1)
    wide = float(np.prod(np.minimum(high + margin, frame) - np.maximum(low - margin, 0)) / np.prod(frame))
    if wide > _NEARLY_ALL or not is_inside.any():
        return None
    around = (~is_inside).sum() / (1 - wide)
    window = _grown(hull, grey, frame)
    return Part(
        window=window,
        share=share,
        agreement=agreement(grey, placement, sides, agreeing, hull),
        surroundings=float(around / (is_inside.sum() / wide)),
        ground=_ground(window, grey, frame),
    )


def _ground(window: Window, grey: Grey, frame: NDArray[np.float64]) -> float | None:
    """Measure how much the asset's grey varies where the edges of the work should be, and are not."""
    rows, columns = grey.whole.shape
    edge = grey.whole.copy()
    edge[1:-1, 1:-1] = False
    down, across = np.mgrid[0:rows, 0:columns] + 0.5
    x, y = across / columns * frame[0], down / rows * frame[1]
    left, top, right, bottom = window
    wide, high = _ASIDE * (right - left), _ASIDE * (bottom - top)
    edge &= (x < left - wide) | (x > right + wide) | (y < top - high) | (y > bottom + high)
    return float(grey.asked[edge].std()) if edge.sum() >= _LEAST_EDGE else None


def _grown(window: Window, grey: Grey, frame: NDArray[np.float64]) -> Window:
    """Let a window grow over rows and columns of cells whose grey agrees: features don't reach the edges."""
    rows, columns = grey.whole.shape
    cell = frame / (columns, rows)
    left, top = (int(side) for side in np.floor(np.array(window[:2]) / cell))
    right, bottom = (int(side) for side in np.ceil(np.array(window[2:]) / cell))
    seed = (slice(top, bottom), slice(left, right))
    inside = grey.whole[seed]
    if inside.sum() < _FEW_CELLS:
        return window
    gain, offset = np.polyfit(grey.known[seed][inside], grey.asked[seed][inside], 1)
    grows = True
    while grows:
        grows = False
        for strip, moved in (
            ((slice(top, bottom), slice(left - 1, left)), (left - 1, top, right, bottom)),
            ((slice(top, bottom), slice(right, right + 1)), (left, top, right + 1, bottom)),
            ((slice(top - 1, top), slice(left, right)), (left, top - 1, right, bottom)),
            ((slice(bottom, bottom + 1), slice(left, right)), (left, top, right, bottom + 1)),
        ):
            is_there = min(moved[:2]) >= 0 and moved[2] <= columns and moved[3] <= rows
            if is_there and grey.whole[strip].all():
                asked, stored = grey.asked[strip].ravel(), grey.known[strip].ravel()
                off = float(np.sqrt(np.mean((asked - gain * stored - offset) ** 2)))
                if off <= _OFF or correlated(asked, stored) >= _STRIP:
                    left, top, right, bottom = moved
                    grows = True
                    break
    return left * cell[0], top * cell[1], right * cell[0], bottom * cell[1]
