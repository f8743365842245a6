"""Kernels of the fuse filter: peeling many keys, and asking for many.

Source: T. M. Graf and D. Lemire, "Binary Fuse Filters: Fast and Smaller Than Xor Filters", 2022: three places a key,
in three segments that follow each other.
"""

from typing import Any, TypeAlias

import numpy as np
from numba import types
from numpy.typing import NDArray

from fingerprinting.index.kernels import kernel, reads, writes
from fingerprinting.index.keys_kernels import mix
from fingerprinting.index.lane_kernels import prefetch

_BATCH = 1024  # queries whose places are all asked for before the first is looked at
_AHEAD = 24

_HALF, _LOW_HALF, _SECOND = np.uint64(32), np.uint64(0xFFFFFFFF), np.uint64(18)
_ZERO, _ONE, _TWO = np.uint64(0), np.uint64(1), np.uint64(2)

Keys: TypeAlias = NDArray[np.uint64]

_WORDS = reads(types.uint64)
_BYTES, _PAIRS = types.uint8, types.uint16


@kernel()
def _places(key: np.uint64, segment: np.uint64, segments: np.uint64) -> tuple[np.int64, np.int64, np.int64]:
    """Give the three places of a mixed key."""
    length = segments * segment
    first = ((key >> _HALF) * length + (((key & _LOW_HALF) * length) >> _HALF)) >> _HALF
    mask = segment - _ONE
    second = (first + segment) ^ ((key >> _SECOND) & mask)
    third = (first + _TWO * segment) ^ (key & mask)
    return np.int64(first), np.int64(second), np.int64(third)


@kernel(types.boolean(_WORDS, types.uint64, types.uint64, writes(types.uint64), writes(types.uint8)))
def peel(mixed: Keys, segment: np.uint64, segments: np.uint64, order: Keys, which: NDArray[np.uint8]) -> bool:
    """Find an order in which each key has a place that no earlier one has.

    Args:
        mixed: distinct mixed keys, shape (N,). In ascending order, neighbours have places near each other.
        segment: its length.
        segments: how many of them a key can begin in.
        order: written, shape (N,): the keys, those that must be given their value last first.
        which: written, shape (N,): which of its three places is the key's own.

    Returns:
        Whether there is such an order.
    """
    size = np.int64((segments + _TWO) * segment)
    counts = np.zeros(size, np.uint32)  # four times the number of keys at a place, and which place of theirs it is
    keys = np.zeros(size, np.uint64)  # all keys at a place, xor-ed: the one that is left shows itself
    for key in mixed:
        first, second, third = _places(key, segment, segments)
        counts[first] += 4
        counts[second] = (counts[second] + 4) ^ 1
        counts[third] = (counts[third] + 4) ^ 2
        keys[first] ^= key
        keys[second] ^= key
        keys[third] ^= key
    waiting = np.empty(size, np.int64)
    last = np.int64(0)
    for place in range(size):
        waiting[last] = place
        last += np.int64(counts[place] >> 2 == 1)
    done = 0
    while last > 0:
        last -= 1
        place = waiting[last]
        if counts[place] >> 2 != 1:
            continue
        key, own = keys[place], np.int64(counts[place] & 3)
        order[done], which[done] = key, own
        done += 1
        places = _places(key, segment, segments)
        for other in range(3):
            at = places[other]
            counts[at] = (counts[at] - 4) ^ other
            keys[at] ^= key
            waiting[last] = at
            last += np.int64(other != own and counts[at] >> 2 == 1)
    return done == len(mixed)


def _assign(
    order: Keys, which: NDArray[np.uint8], segment: np.uint64, segments: np.uint64, fingerprints: NDArray[Any]
) -> None:
    for position in range(len(order) - 1, -1, -1):
        key, own = order[position], which[position]
        first, second, third = _places(key, segment, segments)
        value = (key ^ (key >> _HALF)) ^ fingerprints[first] ^ fingerprints[second] ^ fingerprints[third]
        at = first if own == 0 else (second if own == 1 else third)
        fingerprints[at] = value


assign = kernel(
    *(types.void(_WORDS, reads(types.uint8), types.uint64, types.uint64, writes(width)) for width in (_BYTES, _PAIRS))
)(_assign)
"""Give each key's own place the value that makes its three places agree with it, the last of the order first."""


def _contains(
    fingerprints: NDArray[Any],
    kept: np.uint64,
    segment: np.uint64,
    segments: np.uint64,
    seed: np.uint64,
    asked: Keys,
    found: NDArray[np.bool_],
) -> None:
    mixed = np.empty(_BATCH, np.uint64)
    for begin in range(0, len(asked), _BATCH):
        count = min(_BATCH, len(asked) - begin)
        for ahead in range(count + _AHEAD):
            if ahead < count:
                key = mix(asked[begin + ahead] + seed)
                mixed[ahead] = key
                first, second, third = _places(key, segment, segments)
                prefetch(fingerprints, first)
                prefetch(fingerprints, second)
                prefetch(fingerprints, third)
            query = ahead - _AHEAD
            if query >= 0:
                key = mixed[query]
                first, second, third = _places(key, segment, segments)
                wanted = fingerprints[first] ^ fingerprints[second] ^ fingerprints[third]
                found[begin + query] = (key ^ (key >> _HALF) ^ np.uint64(wanted)) & kept == _ZERO


contains = kernel(
    *(
        types.void(reads(width), types.uint64, types.uint64, types.uint64, types.uint64, _WORDS, writes(types.boolean))
        for width in (_BYTES, _PAIRS)
    )
)(_contains)
"""Say of each key asked for whether its three places agree with it."""
