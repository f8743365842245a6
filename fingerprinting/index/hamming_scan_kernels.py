"""Comparing every query with every hash, for radiuses at which tables would look at most hashes anyway."""

import numpy as np
from numba import types

from fingerprinting.index.hamming_kernels import ALL, ASKED, PAIRS, ROOM, TABLES, Asked, Pairs
from fingerprinting.index.kernels import kernel
from fingerprinting.index.kernels_layout import Tables
from fingerprinting.index.lane_kernels import bits_set

_ROWS = 1024  # at a time: they stay in the processor's first cache while all queries pass
_HALF = np.uint64(32)
_WORDS = 4  # of a 256-bit hash


@kernel(types.boolean(TABLES, ASKED, PAIRS))
def scan(tables: Tables, asked: Asked, pairs: Pairs) -> bool:
    """Find the hashes within the radius of each query; says whether there was room for all pairs."""
    count, width = tables.hashes.shape
    hashes, queries = tables.hashes.reshape(count * width), asked.hashes.reshape(asked.hashes.size)
    reach, keys, distances, best = asked.reach, pairs.keys, pairs.distances, pairs.best
    noted, mode, most = 0, asked.mode, pairs.keys.size - ROOM
    for first in range(0, count, _ROWS):
        for query in range(asked.hashes.shape[0]):
            at, radius = query * width, np.int64(reach[query])
            for row in range(first, min(first + _ROWS, count)):
                place = row * width
                distance = bits_set(hashes[place] ^ queries[at])
                if width == _WORDS:
                    distance += bits_set(hashes[place + 1] ^ queries[at + 1])
                    distance += bits_set(hashes[place + 2] ^ queries[at + 2])
                    distance += bits_set(hashes[place + 3] ^ queries[at + 3])
                if distance > radius:
                    continue
                if mode != ALL:
                    best[query] = min(best[query], np.uint64(distance) << _HALF | np.uint64(row))
                    continue
                if noted == most:
                    return False
                keys[noted] = np.uint64(query) << _HALF | np.uint64(row)
                distances[noted] = np.int16(distance)
                noted += 1
    pairs.counts[1] = noted
    return True
