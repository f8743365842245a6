"""A second look at a picture that an asset may show: now that it is known where, features are paired with those there.

The first look pairs features that are each other's nearest anywhere; under text, in noise, or where the asset shows a
picture small, few are. What lies where it should, as large and turned as it should be, may be farther off.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from fingerprinting.index import feature_geometry as geometry
from fingerprinting.index.feature_geometry import Placement, Spots

_BITS: Final = 50
_RULES: Final = np.array([14.0, 0.5, 0.5], np.float32)
"""How far off the place may be, in the frame that shows it smaller; the logarithm of the size; and the direction."""

_FEWEST: Final = 4

_REPEATED_BITS: Final = 24
_ELSEWHERE: Final = np.float32(24.0)
"""A feature that a picture has again at another place, to within so many bits, is found by chance wherever such
features are: tiles of one ground, sprites in rows."""

Rows = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Both:
    """An asset and a picture.

    Attributes:
        asked: the asset's codes, shape (N, 2).
        known: the picture's, all first halves and then all second ones, shape (2 * M,).
        asked_spots, known_spots: where they lie.
    """

    asked: NDArray[np.uint64]
    known: NDArray[np.uint64]
    asked_spots: Spots
    known_spots: Spots


def mutual(of_asked: Rows, of_known: Rows, most: int) -> tuple[Rows, Rows]:
    """Pair features that are each other's nearest, within so many bits."""
    mine = np.arange(len(of_asked))
    its = of_asked & 0xFFFF
    chosen = (of_asked >> 16 <= most) & (of_known[its] & 0xFFFF == mine)
    return mine[chosen], its[chosen]


def again(both: Both, placement: Placement, mine: Rows, its: Rows) -> tuple[Placement, Rows, Rows]:
    """Look again where a placement says, and give the better placement, with the pairs that it is of.

    Args:
        both: the asset and the picture.
        placement: what the first look found.
        mine: the asset's features that it paired.
        its: those of the picture that they were paired with.
    """
    from fingerprinting.index import feature_kernels  # noqa: PLC0415 - numba takes half a second to load

    shown, known = both.asked_spots, both.known_spots
    of_asked, of_known = np.empty(len(shown.sizes), np.int64), np.empty(len(known.sizes), np.int64)
    feature_kernels.nearest_there(
        np.ascontiguousarray(both.asked),
        both.known,
        np.ascontiguousarray(shown.places),
        np.ascontiguousarray(known.places),
        shown.sizes,
        known.sizes,
        shown.directions,
        known.directions,
        np.ascontiguousarray(placement.matrix).ravel(),
        _RULES,
        of_asked,
        of_known,
    )
    here, there = mutual(of_asked, of_known, _BITS)
    repeated = np.empty(len(known.sizes), np.uint8)
    feature_kernels.repeated(both.known, np.ascontiguousarray(known.places), _REPEATED_BITS, _ELSEWHERE, repeated)
    kept = (repeated[there] == 0) | np.isin(here << 16 | there, mine << 16 | its)
    here, there = here[kept], there[kept]
    found = geometry.place(shown.take(here), known.take(there), _FEWEST)
    if found is None or found.inliers <= placement.inliers:
        return placement, mine, its
    return found, here, there
