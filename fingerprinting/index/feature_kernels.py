"""Compiled loops over codes of 128 bits: which list a code belongs to, which codes lie near, which pairs are mutual."""
# A loop that is compiled as one is one function.
# ruff: noqa: C901

import numpy as np
from numba import types
from numpy.typing import NDArray

from fingerprinting.index.kernels import kernel, reads, writes
from fingerprinting.index.lane_kernels import bits_set

_u8, _u16, _u32, _u64, _i64, _f32 = types.uint8, types.uint16, types.uint32, types.uint64, types.int64, types.float32

CHILDREN = 256
_DISTANCES = 129


@kernel()
def _cut(tally: NDArray[np.int64], wanted: int) -> int:
    """Find the distance up to which there are at least so many."""
    total = 0
    for bits in range(_DISTANCES):
        total += tally[bits]
        if total >= wanted:
            return bits
    return _DISTANCES


@kernel(types.void(reads(_u64, 2), reads(_u64, 2), reads(_u64, 2), _i64, writes(_u16)))
def assign(
    codes: NDArray[np.uint64],
    coarse: NDArray[np.uint64],
    fine: NDArray[np.uint64],
    parents: int,
    lists: NDArray[np.uint16],
) -> None:
    """Give each code the nearest fine centre among the children of its `parents` nearest coarse ones."""
    near = np.empty(coarse.shape[0], np.int64)
    for at in range(codes.shape[0]):
        first, second = codes[at, 0], codes[at, 1]
        for parent in range(coarse.shape[0]):
            bits = bits_set(first ^ coarse[parent, 0]) + bits_set(second ^ coarse[parent, 1])
            near[parent] = bits << 16 | parent
        best = np.int64(1) << 40
        for _ in range(parents):
            chosen = near.argmin()
            parent = near[chosen] & 0xFFFF
            near[chosen] = np.int64(1) << 40
            for child in range(parent * CHILDREN, parent * CHILDREN + CHILDREN):
                bits = bits_set(first ^ fine[child, 0]) + bits_set(second ^ fine[child, 1])
                best = min(best, bits << 16 | child)
        lists[at] = best & 0xFFFF


@kernel(borrows=True)
def _lists_near(
    first: np.uint64,
    second: np.uint64,
    coarse: NDArray[np.uint64],
    fine: NDArray[np.uint64],
    starts: NDArray[np.int64],
    parents: int,
    near: NDArray[np.int64],
    tally: NDArray[np.int64],
    children: NDArray[np.int64],
    far: NDArray[np.int64],
) -> int:
    """Give the lists that hold something below the coarse centres nearest to a code, and how far their centres are."""
    tally[:] = 0
    for parent in range(coarse.shape[0]):
        bits = bits_set(first ^ coarse[parent, 0]) + bits_set(second ^ coarse[parent, 1])
        near[parent] = bits
        tally[bits] += 1
    limit, taken, met = _cut(tally, parents), 0, 0
    for parent in range(coarse.shape[0]):
        if near[parent] > limit or taken == parents:
            continue
        taken += 1
        for child in range(parent * CHILDREN, parent * CHILDREN + CHILDREN):
            if starts[child + 1] > starts[child]:
                children[met] = child
                far[met] = bits_set(first ^ fine[child, 0]) + bits_set(second ^ fine[child, 1])
                met += 1
    return met


@kernel(
    types.void(
        *(reads(_u64, 2), reads(_u64, 2), reads(_u64, 2), reads(_i64), reads(_u64, 2), reads(_u32), reads(_u8)),
        *(_i64, _i64, _i64, writes(_i64, 2), writes(_u8, 2)),
    )
)
def find(
    asked: NDArray[np.uint64],
    coarse: NDArray[np.uint64],
    fine: NDArray[np.uint64],
    starts: NDArray[np.int64],
    codes: NDArray[np.uint64],
    rows: NDArray[np.uint32],
    passed: NDArray[np.uint8],
    parents: int,
    probes: int,
    most: int,
    found: NDArray[np.int64],
    distances: NDArray[np.uint8],
) -> None:
    """Find the nearest indexed codes of each code asked for, within `most` bits.

    Args:
        starts: where each list begins among `codes`; one list alone means that all codes are scanned.
        rows, passed: the row of each code, and 1 for each row that is passed over; empty: none is.
        parents, probes: how many coarse centres' children are looked at, and how many of those lists are scanned.
        found, distances: get positions among `codes` and distances, nearest first; position -1 where there are fewer.
    """
    wanted = found.shape[1]
    near = np.empty(coarse.shape[0], np.int64)
    children = np.empty(parents * CHILDREN, np.int64)
    far = np.empty(parents * CHILDREN, np.int64)
    tally = np.empty(_DISTANCES, np.int64)
    is_whole = starts.shape[0] < coarse.shape[0]
    for query in range(asked.shape[0]):
        first, second = asked[query, 0], asked[query, 1]
        for place in range(wanted):
            found[query, place] = -1
            distances[query, place] = most + 1
        met = 1
        if is_whole:
            children[0] = far[0] = 0
        else:
            met = _lists_near(first, second, coarse, fine, starts, parents, near, tally, children, far)
        limit = _DISTANCES
        if met > probes:
            tally[:] = 0
            for at in range(met):
                tally[far[at]] += 1
            limit = _cut(tally, probes)
        for scan in range(met):
            if far[scan] > limit:
                continue
            chosen = children[scan]
            for at in range(starts[chosen], starts[chosen + 1]):
                bits = bits_set(first ^ codes[at, 0]) + bits_set(second ^ codes[at, 1])
                if bits >= distances[query, wanted - 1] or (passed.size and passed[rows[at]]):
                    continue
                place = wanted - 1
                while place > 0 and distances[query, place - 1] > bits:
                    distances[query, place] = distances[query, place - 1]
                    found[query, place] = found[query, place - 1]
                    place -= 1
                distances[query, place] = bits
                found[query, place] = at


@kernel(types.void(reads(_u64, 2), reads(_u64, 2), writes(_i64), writes(_i64)))
def nearest(
    one: NDArray[np.uint64], other: NDArray[np.uint64], of_one: NDArray[np.int64], of_other: NDArray[np.int64]
) -> None:
    """Find the nearest code on the other side of each code: distance (upper bits) and position (lower 16)."""
    of_one[:] = np.int64(1) << 40
    of_other[:] = np.int64(1) << 40
    for row in range(one.shape[0]):
        for column in range(other.shape[0]):
            bits = bits_set(one[row, 0] ^ other[column, 0]) + bits_set(one[row, 1] ^ other[column, 1])
            of_one[row] = min(of_one[row], bits << 16 | column)
            of_other[column] = min(of_other[column], bits << 16 | row)


@kernel(
    types.void(
        *(reads(_f32, 2), reads(_f32, 2), reads(_f32), reads(_f32), _f32, _f32, _f32, writes(_i64)),
    )
)
def supporters(
    asked: NDArray[np.float32],
    known: NDArray[np.float32],
    growth: NDArray[np.float32],
    turn: NDArray[np.float32],
    tolerance: np.float32,
    most_growth: np.float32,
    most_turn: np.float32,
    counts: NDArray[np.int64],
) -> None:
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
