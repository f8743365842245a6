"""From SIFT descriptors to codes of 128 bits: root, centre, rotate, sign.

The rotation comes from principal components and iterative quantisation (Gong and Lazebnik, "Iterative Quantization: A
Procrustean Approach to Learning Binary Codes", CVPR 2011) over descriptors of pictures that no benchmark uses; it is
part of the definition of `sift-itq-128` version 1. The root is that of Arandjelovic and Zisserman, "Three things
everyone should know to improve object retrieval", CVPR 2012.
"""

from functools import cache
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

BITS: Final = 128
ROTATION: Final = Path(__file__).parent / "sift-itq-128.v1.npy"

_CELLS: Final = 4
_DIRECTIONS: Final = 8


def root(descriptors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Bring descriptors, shape (N, 128), to the root of their share of the whole: unit length, fewer extremes."""
    sums = np.maximum(descriptors.sum(axis=1, keepdims=True), np.float32(1e-9))
    rooted: NDArray[np.float32] = np.sqrt(descriptors / sums)
    return rooted


def codes(rooted: NDArray[np.float32]) -> NDArray[np.uint64]:
    """Round rooted descriptors, shape (N, 128), to codes, shape (N, 2)."""
    centre, axes = rotation()
    signs = (rooted - centre) @ axes > 0
    return np.packbits(signs, axis=1).view("<u8").astype(np.uint64, copy=False)


@cache
def rotation() -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Load the centre, shape (128,), and the axes, shape (128, 128)."""
    stored = np.load(ROTATION, allow_pickle=False)
    return stored[0], np.ascontiguousarray(stored[1:])


def _permutation(*, mirrored: bool) -> NDArray[np.intp]:
    """Where each number of a descriptor is found in that of the mirrored (upside down), or the negative, picture."""
    rows, columns, directions = np.meshgrid(np.arange(_CELLS), np.arange(_CELLS), np.arange(_DIRECTIONS), indexing="ij")
    if mirrored:
        rows, directions = _CELLS - 1 - rows, (_DIRECTIONS - directions) % _DIRECTIONS
    else:
        rows, columns = _CELLS - 1 - rows, _CELLS - 1 - columns
    found: NDArray[np.intp] = ((rows * _CELLS + columns) * _DIRECTIONS + directions).ravel()
    return found


AS_MIRRORED: Final = _permutation(mirrored=True)
"""`descriptor[AS_MIRRORED]` is the descriptor of the same spot in the mirror image: SIFT turns each spot upright by its
own direction, so a mirror image only runs the other way across that direction."""

AS_NEGATIVE: Final = _permutation(mirrored=False)
"""`descriptor[AS_NEGATIVE]` is that of the same spot in the negative, whose direction is the opposite one."""
