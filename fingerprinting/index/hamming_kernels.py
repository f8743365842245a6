"""What both ways of searching Hamming tables share: plans, comparing what is left whole, ordering pairs."""

from typing import NamedTuple

import numpy as np
from numba import types
from numpy.typing import NDArray

from fingerprinting.index.kernels import kernel, reads, writes
from fingerprinting.index.kernels_layout import LANES, Tables
from fingerprinting.index.lane_kernels import bits_set, chains, lowest_bit, prefetch, short_chains

ALL, BEST, ANY = 0, 1, 2
MODES = ("all", "best", "any")  # their names, in that order
NOTHING = 2**64 - 1  # found nothing yet
ENOUGH = 4096  # survivors before they are compared whole
ROOM = ENOUGH + LANES  # what arrays of survivors have room for, and what pairs need beyond those asked for
_NOTHING = np.uint64(NOTHING)
_HALF = np.uint64(32)
_LOW_HALF = np.uint64(0xFFFFFFFF)
_WORDS = 4  # of a 256-bit hash


class Plan(NamedTuple):
    """Where hashes within a radius must lie.

    Attributes:
        budget: for each chunk one more than the bits it may differ in; 0: it need not be looked at.
        limits: shape (3 * C,): most bits over the 1, 2 and 3 chunks from each one on.
        masks: all 16-bit masks that are needed, those with fewer bits first.
        ends: how many of them have at most 0, 1, 2, … bits.
    """

    budget: NDArray[np.int64]
    limits: NDArray[np.int16]
    masks: NDArray[np.uint16]
    ends: NDArray[np.int64]


class Asked(NamedTuple):
    """Q queries: hashes, shape (Q, W), bits in the order of the tables; the radius of each; ALL, BEST or ANY."""

    hashes: NDArray[np.uint64]
    reach: NDArray[np.int16]
    mode: int


class Pairs(NamedTuple):
    """Where pairs are noted.

    Attributes:
        best: shape (Q,), for BEST and ANY: distance (upper half) and row (lower half) of each query's pair, or NOTHING.
        keys: for ALL: query (upper half) and row (lower half) of each pair; it has room for ROOM more than are wanted.
        distances: for ALL: the distance of each.
        counts: survivors waiting, pairs noted.
    """

    best: NDArray[np.uint64]
    keys: NDArray[np.uint64]
    distances: NDArray[np.int16]
    counts: NDArray[np.int64]


class Survivors(NamedTuple):
    """Entries that may belong to a hash within the radius, and the query of each; room for ROOM."""

    places: NDArray[np.int64]
    queries: NDArray[np.uint32]


_u16, _u32, _u64, _i16, _i64 = types.uint16, types.uint32, types.uint64, types.int16, types.int64
TABLES = types.NamedTuple([reads(_u64, 2), reads(_u32, 2), reads(_u32), reads(_u16), reads(_u16)], Tables)
PLAN = types.NamedTuple([reads(_i64), reads(_i16), reads(_u16), reads(_i64)], Plan)
ASKED = types.NamedTuple([reads(_u64, 2), reads(_i16), _i64], Asked)
PAIRS = types.NamedTuple([writes(_u64), writes(_u64), writes(_i16), writes(_i64)], Pairs)


@kernel(inline=True, borrows=True)
def chunk_of(hashes: NDArray[np.uint64], row: int, chunk: int) -> np.uint64:
    """Give a 16-bit chunk of a hash."""
    return hashes[row, chunk >> 2] >> np.uint64(16 * (chunk & 3)) & np.uint64(0xFFFF)


@kernel(inline=True, borrows=True)
def is_done(asked: Asked, pairs: Pairs, query: int, spent: int) -> bool:
    """Say whether later tables can add nothing for a query.

    Args:
        spent: the sum of the budgets of the tables that have been searched: a hash that was met in none of them
            differs in at least as many bits.
    """
    if asked.mode == ALL:
        return False
    if asked.mode == ANY:
        return pairs.best[query] != _NOTHING
    return pairs.best[query] >> _HALF < np.uint64(spent)


@kernel(borrows=True)
def verify(tables: Tables, plan: Plan, asked: Asked, survivors: Survivors, pairs: Pairs) -> bool:
    """Compare all survivors whole, and note the pairs within the radius; says whether there is room for more."""
    count, width = tables.hashes.shape
    hashes, queries = tables.hashes.reshape(count * width), asked.hashes.reshape(asked.hashes.size)
    waiting, noted = pairs.counts[0], pairs.counts[1]
    for at in range(waiting):
        prefetch(hashes, np.int64(tables.rows[survivors.places[at]]) * width)  # only a hint: any address will do
        prefetch(queries, np.int64(survivors.queries[at]) * width)
    for at in range(waiting):
        query, place = np.int64(survivors.queries[at]), survivors.places[at]
        if asked.mode == ANY and pairs.best[query] != _NOTHING:
            continue
        row = min(np.int64(tables.rows[place]), count - 1)  # a file that lies must not lead out of the array
        one, other = row * width, query * width
        distance = bits_set(hashes[one] ^ queries[other])
        if width == _WORDS:
            distance += bits_set(hashes[one + 1] ^ queries[other + 1])
            distance += bits_set(hashes[one + 2] ^ queries[other + 2])
            distance += bits_set(hashes[one + 3] ^ queries[other + 3])
        if distance > asked.reach[query]:
            continue
        if asked.mode != ALL:
            pairs.best[query] = min(pairs.best[query], np.uint64(distance) << _HALF | np.uint64(row))
            continue
        # A pair may be met in several tables: the first of all those in which it is met reports it.
        if width == _WORDS:
            met_in = chains(hashes, one, queries, other, plan.limits)
        else:
            met_in = short_chains(hashes, one, queries, other, plan.limits)
        if lowest_bit(met_in) == place // count:
            pairs.keys[noted] = np.uint64(query) << _HALF | np.uint64(row)
            pairs.distances[noted] = np.int16(distance)
            noted += 1
    pairs.counts[0], pairs.counts[1] = 0, noted
    return noted + ROOM <= pairs.keys.size


@kernel(types.void(reads(_u64), reads(_i16), _i64, writes(_i64), writes(_i64), writes(_i16)))
def order_pairs(
    keys: NDArray[np.uint64],
    distances: NDArray[np.int16],
    query_count: int,
    query: NDArray[np.int64],
    row: NDArray[np.int64],
    distance: NDArray[np.int16],
) -> None:
    """Sort pairs by query, distance and row.

    Args:
        keys, distances: as in `Pairs`, shape (P,).
        query_count: how many queries there are.
        query, row, distance: shape (P,): get the pairs.
    """
    ends = np.zeros(query_count + 1, np.int64)
    for key in keys:
        ends[np.int64(key >> _HALF) + 1] += 1
    for at in range(query_count):
        ends[at + 1] += ends[at]
    ranks = np.empty(keys.size, np.uint64)
    for at in range(keys.size):
        asked = np.int64(keys[at] >> _HALF)
        ranks[ends[asked]] = np.uint64(distances[at]) << _HALF | keys[at] & _LOW_HALF
        ends[asked] += 1
    start = 0
    for asked in range(query_count):
        end = ends[asked]
        if end - start > 1:
            ranks[start:end].sort()
        for at in range(start, end):
            query[at] = asked
            row[at] = np.int64(ranks[at] & _LOW_HALF)
            distance[at] = np.int16(ranks[at] >> _HALF)
        start = end
