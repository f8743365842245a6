"""Compiled loops over codes of 128 bits: which list a code belongs to, which codes lie near, which pairs are mutual."""

from typing import Any

import numpy as np
from numba import types
from numba.extending import intrinsic

from fingerprinting.index.kernels import kernel, reads, writes

_u8, _u16, _u64, _i64, _f32 = types.uint8, types.uint16, types.uint64, types.int64, types.float32

CHILDREN = 256
_MOST = 129


@intrinsic
def _bits_set(_context: Any, value: Any) -> Any:
    """Count the bits of a uint64: one instruction."""

    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.ctpop(arguments[0])

    return value(value), generate


@kernel(types.void(reads(_u64, 2), reads(_u64, 2), reads(_u64, 2), _i64, writes(_u16)))
def assign(codes, coarse, fine, parents, lists):  # type: ignore[no-untyped-def]
    """Give each code the nearest fine centre among the children of its `parents` nearest coarse ones."""
    near = np.empty(coarse.shape[0], np.int64)
    for at in range(codes.shape[0]):
        first, second = codes[at, 0], codes[at, 1]
        for parent in range(coarse.shape[0]):
            bits = _bits_set(first ^ coarse[parent, 0]) + _bits_set(second ^ coarse[parent, 1])
            near[parent] = np.int64(bits) << 16 | parent
        best = np.int64(1) << 40
        for _ in range(parents):
            chosen = near.argmin()
            parent = near[chosen] & 0xFFFF
            near[chosen] = np.int64(1) << 40
            for child in range(parent * CHILDREN, parent * CHILDREN + CHILDREN):
                bits = _bits_set(first ^ fine[child, 0]) + _bits_set(second ^ fine[child, 1])
                best = min(best, np.int64(bits) << 16 | child)
        lists[at] = best & 0xFFFF


@kernel(
    types.void(
        *(reads(_u64, 2), reads(_u64, 2), reads(_u64, 2), reads(_i64), reads(_u64, 2), _i64, _i64, _i64),
        *(writes(_i64, 2), writes(_u8, 2)),
    )
)
def find(asked, coarse, fine, starts, codes, parents, probes, most, found, distances):  # type: ignore[no-untyped-def]
    """Find the nearest indexed codes of each code asked for, within `most` bits.

    Args:
        starts: where each list begins among `codes`; one list alone means that all codes are scanned.
        parents, probes: how many coarse centres' children are looked at, and how many of those lists are scanned.
        found, distances: get positions among `codes` and distances, nearest first; position -1 where there are fewer.
    """
    wanted = found.shape[1]
    near = np.empty(coarse.shape[0], np.int64)
    children = np.empty(parents * CHILDREN, np.int64)
    for query in range(asked.shape[0]):
        first, second = asked[query, 0], asked[query, 1]
        for place in range(wanted):
            found[query, place] = -1
            distances[query, place] = most + 1
        scans = 1
        if starts.shape[0] > 2:
            for parent in range(coarse.shape[0]):
                bits = _bits_set(first ^ coarse[parent, 0]) + _bits_set(second ^ coarse[parent, 1])
                near[parent] = np.int64(bits) << 16 | parent
            met = 0
            for _ in range(parents):
                chosen = near.argmin()
                parent = near[chosen] & 0xFFFF
                near[chosen] = np.int64(1) << 40
                for child in range(parent * CHILDREN, parent * CHILDREN + CHILDREN):
                    if starts[child + 1] > starts[child]:
                        bits = _bits_set(first ^ fine[child, 0]) + _bits_set(second ^ fine[child, 1])
                        children[met] = np.int64(bits) << 16 | child
                        met += 1
            scans = min(probes, met)
            if met > scans:
                children[:met] = np.partition(children[:met], scans)
        for scan in range(scans):
            chosen = children[scan] & 0xFFFF if starts.shape[0] > 2 else 0
            for at in range(starts[chosen], starts[chosen + 1]):
                bits = np.int64(_bits_set(first ^ codes[at, 0]) + _bits_set(second ^ codes[at, 1]))
                if bits >= distances[query, wanted - 1]:
                    continue
                place = wanted - 1
                while place > 0 and distances[query, place - 1] > bits:
                    distances[query, place] = distances[query, place - 1]
                    found[query, place] = found[query, place - 1]
                    place -= 1
                distances[query, place] = bits
                found[query, place] = at


@kernel(types.void(reads(_u64, 2), reads(_u64, 2), writes(_i64), writes(_i64)))
def nearest(one, other, of_one, of_other):  # type: ignore[no-untyped-def]
    """Find the nearest code on the other side of each code: distance (upper bits) and position (lower 16)."""
    of_one[:] = np.int64(1) << 40
    of_other[:] = np.int64(1) << 40
    for row in range(one.shape[0]):
        for column in range(other.shape[0]):
            bits = np.int64(_bits_set(one[row, 0] ^ other[column, 0]) + _bits_set(one[row, 1] ^ other[column, 1]))
            of_one[row] = min(of_one[row], bits << 16 | column)
            of_other[column] = min(of_other[column], bits << 16 | row)


@kernel(
    types.void(
        *(reads(_f32, 2), reads(_f32, 2), reads(_f32), reads(_f32), _f32, _f32, _f32, writes(_i64)),
    )
)
def supporters(asked, known, growth, turn, tolerance, most_growth, most_turn, counts):  # type: ignore[no-untyped-def]
    """Count, for the placement that each pair of features suggests by itself, the pairs that agree with it.

    Args:
        asked, known: places in the asset and in the work, float32, shape (M, 2).
        growth, turn: logarithm of the ratio of sizes, and the angle between directions, of each pair, shape (M,).
        tolerance: how far from where it should be, in either picture, a feature may lie.
        most_growth, most_turn: how far another pair's growth and turn may be off.
        counts: gets the numbers, shape (M,).
    """
    pi = np.float32(np.pi)
    for one in range(asked.shape[0]):
        factor = np.exp(growth[one])
        cosine, sine = factor * np.cos(turn[one]), factor * np.sin(turn[one])
        limit = tolerance * min(np.float32(1), factor) if factor < 1 else tolerance
        limit = limit * limit
        total = 0
        for other in range(asked.shape[0]):
            if abs(growth[other] - growth[one]) > most_growth:
                continue
            apart = abs(turn[other] - turn[one])
            if min(apart, 2 * pi - apart) > most_turn:
                continue
            x, y = asked[other, 0] - asked[one, 0], asked[other, 1] - asked[one, 1]
            right = known[one, 0] + cosine * x - sine * y - known[other, 0]
            down = known[one, 1] + sine * x + cosine * y - known[other, 1]
            if right * right + down * down <= limit:
                total += 1
        counts[one] = total
