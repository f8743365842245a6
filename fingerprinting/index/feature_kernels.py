"""Compiled loops over codes of 128 bits: which list a code belongs to, which codes lie near, which pairs are mutual."""

import numpy as np
from numba import types
from numpy.typing import NDArray

from fingerprinting.index.kernels import kernel, reads, writes
from fingerprinting.index.lane_kernels import bits_set, lowest_bit

_u8, _u16, _u32, _u64, _i64, _f32 = types.uint8, types.uint16, types.uint32, types.uint64, types.int64, types.float32
_f64 = types.float64

CHILDREN = 256
_DISTANCES = 129
IDLE = 127
_FARTHEST = 126
_TOPS = 0x8080808080808080
_NEAREST = 1e-3


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
def _measure(
    first: np.uint64, second: np.uint64, firsts: NDArray[np.uint64], seconds: NDArray[np.uint64], far: NDArray[np.int64]
) -> None:
    """Count the bits in which a code differs from each of some others, whose halves lie apart: in vectors, that way."""
    for at in range(far.shape[0]):
        far[at] = bits_set(first ^ firsts[at]) + bits_set(second ^ seconds[at])


@kernel(borrows=True)
def _nearest_of(near: NDArray[np.int64], tally: NDArray[np.int64], chosen: NDArray[np.int64]) -> None:
    """Choose the positions of the least of some distances; of those that are as far as the last one, the first."""
    tally[:] = 0
    for at in range(near.shape[0]):
        tally[near[at]] += 1
    limit, taken = _cut(tally, chosen.shape[0]), 0
    for at in range(near.shape[0]):
        if near[at] < limit:
            chosen[taken] = at
            taken += 1
    for at in range(near.shape[0]):
        if near[at] == limit and taken < chosen.shape[0]:
            chosen[taken] = at
            taken += 1


@kernel(borrows=True)
def _measure_children(
    first: np.uint64,
    second: np.uint64,
    fine: NDArray[np.uint64],
    idle: NDArray[np.uint8],
    chosen: NDArray[np.int64],
    below: NDArray[np.uint8],
) -> None:
    """Count the bits from a code to each fine centre below some coarse ones; those of empty lists are out of reach."""
    half = fine.shape[0] // 2
    for at in range(chosen.shape[0]):
        parent = chosen[at] * CHILDREN
        firsts, seconds = fine[parent : parent + CHILDREN], fine[half + parent : half + parent + CHILDREN]
        unused, far = idle[parent : parent + CHILDREN], below[at * CHILDREN : (at + 1) * CHILDREN]
        for child in range(CHILDREN):
            bits = np.uint8(bits_set(first ^ firsts[child]) + bits_set(second ^ seconds[child]))
            far[child] = max(min(bits, np.uint8(_FARTHEST)), unused[child])


@kernel(inline=True)
def _beyond(limit: int) -> np.uint64:
    """What brings each byte of a word to 128 or more if it is beyond the limit."""
    return np.uint64(IDLE - limit) * np.uint64(0x0101010101010101)


@kernel(borrows=True)
def _count_within(words: NDArray[np.uint64], limit: int) -> int:
    """Count the bytes, each below 128, that are within a limit: eight at a time."""
    total, beyond = 0, _beyond(limit)
    for at in range(words.shape[0]):
        total += bits_set(~(words[at] + beyond) & np.uint64(_TOPS))
    return total


@kernel(borrows=True)
def _limit(words: NDArray[np.uint64], wanted: int, limit: int) -> int:
    """Find the least limit within which there are so many bytes, beginning with that of another code: it is near."""
    count = _count_within(words, limit)
    while count < wanted and limit < _FARTHEST:
        limit += 1
        count = _count_within(words, limit)
    while limit > 0 and _count_within(words, limit - 1) >= wanted:
        limit -= 1
    return limit


@kernel(borrows=True)
def _lists_within(words: NDArray[np.uint64], limit: int, chosen: NDArray[np.int64], children: NDArray[np.int64]) -> int:
    """Write down the lists whose centres are within a limit; how many."""
    met, beyond = 0, _beyond(limit)
    for at in range(words.shape[0]):
        within = ~(words[at] + beyond) & np.uint64(_TOPS)
        while within:
            child = 8 * at + (lowest_bit(within) >> 3)
            children[met] = chosen[child >> 8] * CHILDREN + (child & 255)
            met += 1
            within &= within - np.uint64(1)
    return met


@kernel(
    types.void(
        *(reads(_u64, 2), reads(_u64), reads(_u64), reads(_u8), reads(_i64), reads(_u64, 2), reads(_u32), reads(_u8)),
        *(_i64, _i64, _i64, writes(_i64, 2), writes(_u8, 2)),
    )
)
def find(
    asked: NDArray[np.uint64],
    coarse: NDArray[np.uint64],
    fine: NDArray[np.uint64],
    idle: NDArray[np.uint8],
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
        coarse, fine: the centres, the first halves of all and then their second ones, shape (2 * N,).
        idle: IDLE for each list that holds nothing, and 0 for others.
        starts: where each list begins among `codes`; one list alone means that all codes are scanned.
        rows, passed: the row of each code, and 1 for each row that is passed over; empty: none is.
        parents, probes: how many coarse centres' children are looked at, and how many of those lists are scanned (a few
            more, where several are as near).
        found, distances: get positions among `codes` and distances, nearest first; position -1 where there are fewer.
    """
    wanted = found.shape[1]
    near, chosen = np.empty(coarse.shape[0] // 2, np.int64), np.empty(parents, np.int64)
    words = np.empty(parents * CHILDREN // 8, np.uint64)
    children, tally = np.zeros(parents * CHILDREN + 1, np.int64), np.empty(_DISTANCES, np.int64)
    is_whole = starts.shape[0] == 2  # noqa: PLR2004 - where one list begins and ends
    limit = _FARTHEST // 4
    for query in range(asked.shape[0]):
        first, second = asked[query, 0], asked[query, 1]
        for place in range(wanted):
            found[query, place] = -1
            distances[query, place] = most + 1
        met = 1
        if not is_whole:
            _measure(first, second, coarse[: near.shape[0]], coarse[near.shape[0] :], near)
            _nearest_of(near, tally, chosen)
            _measure_children(first, second, fine, idle, chosen, words.view(np.uint8))
            limit = _limit(words, probes, limit)
            met = _lists_within(words, limit, chosen, children)
        for scan in range(met):
            child = children[scan]
            for at in range(starts[child], starts[child + 1]):
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


@kernel(types.void(reads(_u64, 2), reads(_u64), writes(_i64), writes(_i64)))
def nearest(
    one: NDArray[np.uint64], other: NDArray[np.uint64], of_one: NDArray[np.int64], of_other: NDArray[np.int64]
) -> None:
    """Find the nearest code on the other side of each code: distance (upper bits) and position (lower 16).

    Args:
        one: shape (N, 2).
        other: the first halves of all and then their second ones, shape (2 * M,).
        of_one, of_other: get the nearest, shapes (N,) and (M,).
    """
    of_other[:] = np.int64(1) << 40
    far = np.empty(other.shape[0] // 2, np.int64)
    for row in range(one.shape[0]):
        _measure(one[row, 0], one[row, 1], other[: far.shape[0]], other[far.shape[0] :], far)
        best = np.int64(1) << 40
        for column in range(far.shape[0]):
            best = min(best, far[column] << 16 | column)
        of_one[row] = best
        for column in range(far.shape[0]):
            of_other[column] = min(of_other[column], far[column] << 16 | row)


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


@kernel(
    types.void(
        *(reads(_u64, 2), reads(_u64), reads(_f32, 2), reads(_f32, 2), reads(_f32), reads(_f32), reads(_f32)),
        *(reads(_f32), reads(_f64), reads(_f32), writes(_i64), writes(_i64)),
    )
)
def nearest_there(
    one: NDArray[np.uint64],
    other: NDArray[np.uint64],
    asked: NDArray[np.float32],
    known: NDArray[np.float32],
    asked_sizes: NDArray[np.float32],
    known_sizes: NDArray[np.float32],
    asked_turns: NDArray[np.float32],
    known_turns: NDArray[np.float32],
    matrix: NDArray[np.float64],
    rules: NDArray[np.float32],
    of_one: NDArray[np.int64],
    of_other: NDArray[np.int64],
) -> None:
    """Find the nearest code on the other side among the features that lie where a placement puts them.

    Args:
        one, other, of_one, of_other: as `nearest`.
        asked, known: places in the asset (N, 2) and in the work (M, 2); logarithms of sizes, and directions.
        matrix: from the asset to the work, as `slant` has them, row by row, shape (9,).
        rules: how far off the place may be, in the picture that shows the work smaller; the size; and the direction.
    """
    of_one[:] = np.int64(1) << 40
    of_other[:] = np.int64(1) << 40
    half, pi = other.shape[0] // 2, np.float32(np.pi)
    for row in range(one.shape[0]):
        x, y = np.float64(asked[row, 0]), np.float64(asked[row, 1])
        depth = matrix[6] * x + matrix[7] * y + matrix[8]
        if depth <= _NEAREST:
            continue
        u = (matrix[0] * x + matrix[1] * y + matrix[2]) / depth
        v = (matrix[3] * x + matrix[4] * y + matrix[5]) / depth
        # What the map does close to this place.
        a, b = (matrix[0] - u * matrix[6]) / depth, (matrix[1] - u * matrix[7]) / depth
        c, d = (matrix[3] - v * matrix[6]) / depth, (matrix[4] - v * matrix[7]) / depth
        factor = np.sqrt(abs(a * d - b * c))
        limit = np.float32((rules[0] * min(1.0, factor)) ** 2)
        right, down = np.float32(u), np.float32(v)
        size, angle = (
            asked_sizes[row] + np.float32(np.log(factor)),
            asked_turns[row] + np.float32(np.arctan2(c - b, a + d)),
        )
        for column in range(known.shape[0]):
            across, along = known[column, 0] - right, known[column, 1] - down
            if across * across + along * along > limit or abs(known_sizes[column] - size) > rules[1]:
                continue
            apart = abs(known_turns[column] - angle) % (2 * pi)
            if min(apart, 2 * pi - apart) > rules[2]:
                continue
            bits = bits_set(one[row, 0] ^ other[column]) + bits_set(one[row, 1] ^ other[half + column])
            of_one[row] = min(of_one[row], bits << 16 | column)
            of_other[column] = min(of_other[column], bits << 16 | row)


@kernel(types.void(reads(_u64), reads(_f32, 2), _i64, _f32, writes(_u8)))
def repeated(
    codes: NDArray[np.uint64], places: NDArray[np.float32], most: int, away: np.float32, found: NDArray[np.uint8]
) -> None:
    """Mark the features that a picture has again elsewhere.

    Args:
        codes: the first halves of all and then their second ones, shape (2 * M,).
        places: where each lies, shape (M, 2).
        most: bits up to which two are alike.
        away: how far from each other, across or down, they lie at least.
        found: gets 1 for each of those, 0 for others, shape (M,).
    """
    half = places.shape[0]
    found[:] = 0
    for one in range(half):
        for other in range(one):
            bits = bits_set(codes[one] ^ codes[other]) + bits_set(codes[half + one] ^ codes[half + other])
            if bits > most:
                continue
            across, down = abs(places[one, 0] - places[other, 0]), abs(places[one, 1] - places[other, 1])
            if max(across, down) > away:
                found[one] = found[other] = 1
