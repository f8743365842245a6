"""Compiled: where pairs of like features would place pictures in an asset, and how many features say the same."""

import numpy as np
from numba import types
from numpy.typing import NDArray

from fingerprinting.index.kernels import kernel, reads, writes

_i64, _u64, _f64, _u8 = types.int64, types.uint64, types.float64, types.uint8

TURNS = 8
FEATURE_BITS = 11
_PLACE_BITS = 11
_SIZE_BITS = 6
_TURN_BITS = 3
_MOST_PLACES = 512
"""Farther out all is one place: so a place takes eleven bits, with those left of and above the asset."""


@kernel(
    types.void(
        *(reads(_i64), reads(_i64), reads(_f64, 2), reads(_f64, 2), reads(_f64, 2)),
        *(_f64, _f64, writes(_u64, 2)),
    )
)
def place(
    rank: NDArray[np.int64],
    feature: NDArray[np.int64],
    asked: NDArray[np.float64],
    known: NDArray[np.float64],
    frame: NDArray[np.float64],
    side: float,
    share: float,
    keys: NDArray[np.uint64],
) -> None:
    """Write one number for each vote: of which picture, for which placement, by which feature.

    Args:
        rank: which picture (in one variant) each pair is of, shape (P,).
        feature: which feature of the asset, shape (P,), below 2 ** FEATURE_BITS.
        asked: that feature's x and y in the asset's frame, logarithm of its size to the base 2, and its direction in
            radians, shape (P, 4).
        known: the like feature's x and y from the middle of its picture, in its frame; size and direction; (P, 4).
        frame: width and height of the picture's frame, shape (P, 2).
        side: the longer side of a frame.
        share: how wide a cell is, in longer sides of the picture as the asset shows it.
        keys: gets the numbers, of two grids of cells, the second half a cell off; shape (2, P).
    """
    for at in range(rank.shape[0]):
        growth = known[at, 2] - asked[at, 2]
        turn = known[at, 3] - asked[at, 3]
        shrink = 2.0**-growth
        cosine, sine = np.cos(turn), np.sin(turn)
        x = asked[at, 0] + shrink * (cosine * -known[at, 0] + sine * -known[at, 1])
        y = asked[at, 1] + shrink * (cosine * -known[at, 1] - sine * -known[at, 0])
        step = max(share * side * 2.0 ** -np.rint(growth), side / _MOST_PLACES)
        right = min(max(x / step, -_MOST_PLACES), _MOST_PLACES)
        down = min(max(y / step, -_MOST_PLACES), _MOST_PLACES)
        around = turn / (2 * np.pi) * TURNS
        for grid in range(2):
            shift = 0.5 * grid
            key = np.uint64(rank[at])
            key = key << np.uint64(_SIZE_BITS) | np.uint64(np.int64(np.floor(growth + shift)) & 63)
            key = key << np.uint64(_TURN_BITS) | np.uint64(np.int64(np.floor(around + shift)) & (TURNS - 1))
            key = key << np.uint64(_PLACE_BITS) | np.uint64(np.int64(np.floor(right + shift)) & 2047)
            key = key << np.uint64(_PLACE_BITS) | np.uint64(np.int64(np.floor(down + shift)) & 2047)
            keys[grid, at] = key << np.uint64(FEATURE_BITS) | np.uint64(feature[at])


@kernel(types.void(reads(_u64), writes(_i64)))
def count(keys: NDArray[np.uint64], best: NDArray[np.int64]) -> None:
    """Count the features that vote for the same, each once; of each picture the most in one cell.

    Args:
        keys: from `place`, sorted.
        best: gets the larger of what it holds and that number, by picture.
    """
    of_picture = np.uint64(FEATURE_BITS + _SIZE_BITS + _TURN_BITS + 2 * _PLACE_BITS)
    votes = 0
    for at in range(keys.shape[0]):
        key = keys[at]
        is_new_cell = at == 0 or key >> np.uint64(FEATURE_BITS) != keys[at - 1] >> np.uint64(FEATURE_BITS)
        if is_new_cell:
            votes = 1
        elif key != keys[at - 1]:
            votes += 1
        picture = np.int64(key >> of_picture)
        best[picture] = max(best[picture], votes)
