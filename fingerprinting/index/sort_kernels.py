"""The kernel that sorts: which order puts 64-bit keys in ascending order, equal ones as they were."""

import numpy as np
from numba import types
from numpy.typing import NDArray

from fingerprinting.index.kernels import kernel, reads, writes

_DIGIT_BITS = 8
_DIGITS = 8
_VALUES = 1 << _DIGIT_BITS
_MASK = np.uint64(_VALUES - 1)

_KEYS, _ORDER = writes(types.uint64), writes(types.uint32)


@kernel(types.void(reads(types.uint64), _KEYS, _ORDER, _KEYS, _ORDER))
def sort(
    keys: NDArray[np.uint64],
    sorted_keys: NDArray[np.uint64],
    order: NDArray[np.uint32],
    spare_keys: NDArray[np.uint64],
    spare_order: NDArray[np.uint32],
) -> None:
    """Sort by one digit after the other, the lowest first: as long for any keys, whoever chose them.

    Args:
        keys: shape (N,), N below 2**32.
        sorted_keys: written: the keys in ascending order.
        order: written: where each stood in `keys`.
        spare_keys: shape (N,), room to work in.
        spare_order: shape (N,), room to work in.
    """
    counts = np.zeros((_DIGITS, _VALUES), np.int64)
    for place in range(len(keys)):
        key = keys[place]
        sorted_keys[place] = key
        order[place] = place
        for digit in range(_DIGITS):
            counts[digit, (key >> np.uint64(digit * _DIGIT_BITS)) & _MASK] += 1
    from_keys, from_order, to_keys, to_order = sorted_keys, order, spare_keys, spare_order
    for digit in range(_DIGITS):
        before = np.int64(0)
        for value in range(_VALUES):
            held = counts[digit, value]
            counts[digit, value] = before
            before += held
        shift = np.uint64(digit * _DIGIT_BITS)
        for place in range(len(keys)):
            key = from_keys[place]
            value = (key >> shift) & _MASK
            to = counts[digit, value]
            counts[digit, value] = to + 1
            to_keys[to] = key
            to_order[to] = from_order[place]
        from_keys, from_order, to_keys, to_order = to_keys, to_order, from_keys, from_order
