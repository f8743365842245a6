"""Searching Hamming tables for a single query, with as little as can be around it."""

import numpy as np
from numba import carray, types
from numpy.typing import NDArray

from fingerprinting.index.address_kernels import frozen, pointer
from fingerprinting.index.hamming_kernels import NOTHING, Asked, Pairs, Plan
from fingerprinting.index.hamming_probe_kernels import probe
from fingerprinting.index.kernels import kernel, reads
from fingerprinting.index.kernels_layout import Tables
from fingerprinting.index.lane_kernels import permuted, short_permuted

_u8, _i64 = types.uint8, types.int64
_WORDS = 4  # of a 256-bit hash


@kernel(_i64(reads(_i64), reads(_i64), reads(_i64), reads(_u8, 2), _i64, _i64))
def search_single(
    tables_at: NDArray[np.int64],
    plan_at: NDArray[np.int64],
    room_at: NDArray[np.int64],
    query: NDArray[np.uint8],
    radius: int,
    mode: int,
) -> int:
    """Find the hashes within the radius of one query.

    Args:
        tables_at: addresses of the arrays of `Tables`.
        plan_at: addresses of the arrays of `Plan`, and of the order of bits as `hamming_build_kernels.permute` wants.
        room_at: addresses of what is written: the query in the order of the tables (uint64), its radius (int16), and
            the arrays of `Pairs`.
        query: shape (1, B).
        radius: in bits.
        mode: ALL, BEST or ANY.

    Returns:
        How many pairs were noted; -1 if there was no room for all.
    """
    at = tables_at
    width = at[2]
    tables = Tables(
        frozen(carray(pointer(at[0]), (at[1], width), np.uint64)),
        frozen(carray(pointer(at[3]), (at[4], at[5]), np.uint32)),
        frozen(carray(pointer(at[6]), (at[7],), np.uint32)),
        frozen(carray(pointer(at[8]), (at[9],), np.uint16)),
        frozen(carray(pointer(at[10]), (at[11],), np.uint16)),
    )
    at = plan_at
    plan = Plan(
        frozen(carray(pointer(at[0]), (at[1],), np.int64)),
        frozen(carray(pointer(at[2]), (at[3],), np.int16)),
        frozen(carray(pointer(at[4]), (at[5],), np.uint16)),
        frozen(carray(pointer(at[6]), (at[7],), np.int64)),
    )
    order = frozen(carray(pointer(at[8]), (at[9],), np.uint64))
    at = room_at
    hashes, reach = carray(pointer(at[0]), (width,), np.uint64), carray(pointer(at[2]), (1,), np.int16)
    pairs = Pairs(
        carray(pointer(at[4]), (at[5],), np.uint64),
        carray(pointer(at[6]), (at[7],), np.uint64),
        carray(pointer(at[8]), (at[9],), np.int16),
        carray(pointer(at[10]), (at[11],), np.int64),
    )
    source = query.reshape(query.size)
    if width == _WORDS:
        permuted(source, 0, order, hashes, 0)
    else:
        short_permuted(source, 0, order, hashes, 0)
    reach[0] = radius
    pairs.best[0] = np.uint64(NOTHING)
    pairs.counts[0] = pairs.counts[1] = 0
    asked = Asked(frozen(hashes.reshape((1, width))), frozen(reach), mode)
    return pairs.counts[1] if probe(tables, plan, asked, pairs) else -1
