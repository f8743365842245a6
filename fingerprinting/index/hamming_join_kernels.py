"""Searching Hamming tables for many queries: bucket by bucket, each bucket meets all queries that are near it."""

from typing import NamedTuple

import numpy as np
from numba import types
from numpy.typing import NDArray

from fingerprinting.index.hamming_kernels import (
    ASKED,
    ENOUGH,
    PAIRS,
    PLAN,
    ROOM,
    TABLES,
    Asked,
    Pairs,
    Plan,
    Survivors,
    chunk_of,
    is_done,
    verify,
)
from fingerprinting.index.kernels import kernel
from fingerprinting.index.kernels_layout import LANES, Tables
from fingerprinting.index.lane_kernels import RUN, append_run, bits_set, lowest_bit, meet_values, prefetch

_BUCKETS = 65536
_MET = 4096  # queries that meet a bucket at a time, a power of two
_HITS = 16384  # before they are looked at
_BLOCKS = 1 << 19  # of entries, before their hits are looked at: with _MET they number less than 2^32
_LINE = 32  # entries of a cache line
_BITS_OF_MET = np.uint64(_MET.bit_length() - 1)
_LOW_HALF = np.uint64(0xFFFFFFFF)
_CHUNK = np.uint64(0xFFFF)


class Sorted(NamedTuple):
    """Queries sorted by a chunk.

    Attributes:
        starts: shape (65537,): where the queries with each value begin.
        queries: the queries, in this order.
        values: for each from the lowest 16 bits on: the next chunk, that again, the second, the chunk itself.
    """

    starts: NDArray[np.uint32]
    queries: NDArray[np.uint32]
    values: NDArray[np.uint64]


class Gathered(NamedTuple):
    """The queries near a bucket, nearest first.

    Attributes:
        values: as in `Sorted`.
        positions: of each in `Sorted`.
        ends: where those that differ in 0, 1, 2, … bits begin, and the end.
    """

    values: NDArray[np.uint64]
    positions: NDArray[np.uint32]
    ends: NDArray[np.int64]


class Room(NamedTuple):
    """What a search works in: queries in order, queries near a bucket, entries that they hit, what may be within."""

    ordered: Sorted
    gathered: Gathered
    hits: NDArray[np.uint64]
    survivors: Survivors


@kernel(borrows=True)
def _sort(asked: Asked, pairs: Pairs, table: int, tables: int, spent: int, ordered: Sorted) -> int:
    """Sort the queries that are not done by a chunk; gives their number."""
    one, two = (table + 1) % tables, (table + 2) % tables
    starts = ordered.starts
    starts[:] = 0
    active = 0
    for query in range(asked.hashes.shape[0]):
        if not is_done(asked, pairs, query, spent):
            starts[np.int64(chunk_of(asked.hashes, query, table))] += np.uint32(1)
            active += 1
    total = np.uint32(0)
    for value in range(_BUCKETS):
        size = starts[value]
        starts[value] = total
        total += size
    for query in range(asked.hashes.shape[0]):
        if not is_done(asked, pairs, query, spent):
            own = chunk_of(asked.hashes, query, table)
            following = chunk_of(asked.hashes, query, one)
            second = chunk_of(asked.hashes, query, two)
            at = np.int64(starts[np.int64(own)])
            starts[np.int64(own)] = np.uint32(at + 1)
            ordered.queries[at] = np.uint32(query)
            ordered.values[at] = own << np.uint64(48) | second << np.uint64(32) | following << np.uint64(16) | following
    for value in range(_BUCKETS, 0, -1):
        starts[value] = starts[value - 1]
    starts[0] = 0
    return active


@kernel(inline=True, borrows=True)
def _gather(plan: Plan, ordered: Sorted, gathered: Gathered, bucket: int, bits: int) -> int:
    """Gather the queries near a bucket, in less than so many bits; gives their number."""
    count, mask = 0, 0
    for distance in range(bits):
        gathered.ends[distance] = count
        while mask < plan.ends[distance]:
            value = bucket ^ np.int64(plan.masks[mask])
            first = np.int64(ordered.starts[value])
            size = np.int64(ordered.starts[value + 1]) - first
            count = append_run(ordered.values, first, size, gathered.values, gathered.positions, count)
            mask += 1
    gathered.ends[bits] = count
    return count


# Long on purpose, and what it calls for each bucket is written into it: to call another function with all these arrays
# costs more than the bucket does.
@kernel(borrows=True)
def _search(tables: Tables, plan: Plan, asked: Asked, pairs: Pairs, room: Room, table: int) -> bool:  # noqa: C901
    """Let the buckets of a table meet the queries near them; says whether there is room for more pairs."""
    chunks, base, bits = tables.starts.shape[0], table * tables.hashes.shape[0], plan.budget[table]
    over_two, over_three = np.int64(plan.limits[chunks + table]), np.int64(plan.limits[2 * chunks + table])
    starts, following, second = tables.starts[table], tables.following, tables.second
    hits, gathered = room.hits, room.gathered
    values, positions, ends = gathered.values, gathered.positions, gathered.ends
    queries, places, found_by, counts = (
        room.ordered.queries,
        room.survivors.places,
        room.survivors.queries,
        pairs.counts,
    )
    for bucket in range(_BUCKETS):
        entry, end = base + np.int64(starts[bucket]), base + np.int64(starts[bucket + 1])
        if entry == end:
            continue
        for ahead in range(end, base + np.int64(starts[min(bucket + 2, _BUCKETS)]), _LINE):
            prefetch(following, ahead)
            prefetch(second, ahead)
        count = _gather(plan, room.ordered, gathered, bucket, bits)
        for slice_start in range(0, count, _MET):
            slice_end = min(slice_start + _MET, count)
            hit_count, looked_from = 0, entry
            for block in range(entry, end, LANES):
                left = end - block
                lanes = _LOW_HALF if left >= LANES else (np.uint64(1) << np.uint64(left)) - np.uint64(1)
                tag = (block - looked_from) // LANES * _MET - slice_start
                for distance in range(bits):
                    first, limit = max(ends[distance], slice_start), over_two - distance
                    size = min(ends[distance + 1], slice_end) - first
                    hit_count = meet_values(
                        following, block, lanes, values, first, size, limit, tag + first, hits, hit_count
                    )
                if hit_count < _HITS and left > LANES and block - looked_from < (_BLOCKS - 1) * LANES:
                    continue
                for hit in range(hit_count):
                    number, lanes = hits[hit] >> np.uint64(LANES), hits[hit] & _LOW_HALF
                    met = slice_start + np.int64(number & np.uint64(_MET - 1))
                    value, from_place = values[met], looked_from + np.int64(number >> _BITS_OF_MET) * LANES
                    one, two = value & _CHUNK, value >> np.uint64(32) & _CHUNK
                    left_over = over_three - bits_set(value >> np.uint64(48) ^ np.uint64(bucket))
                    while lanes:
                        place = from_place + lowest_bit(lanes)
                        lanes &= lanes - np.uint64(1)
                        more = bits_set(np.uint64(following[place]) ^ one) + bits_set(np.uint64(second[place]) ^ two)
                        if more <= left_over:
                            places[counts[0]] = place
                            found_by[counts[0]] = queries[np.int64(positions[met])]
                            counts[0] += 1
                            prefetch(tables.rows, place)
                    if counts[0] >= ENOUGH and not verify(tables, plan, asked, room.survivors, pairs):
                        return False
                hit_count, looked_from = 0, block + LANES
    return verify(tables, plan, asked, room.survivors, pairs)


@kernel(types.boolean(TABLES, PLAN, ASKED, PAIRS))
def join(tables: Tables, plan: Plan, asked: Asked, pairs: Pairs) -> bool:
    """Find the hashes within the radius of each query; says whether there was room for all pairs."""
    count, chunks, spent = asked.hashes.shape[0], tables.starts.shape[0], 0
    ordered = Sorted(np.empty(_BUCKETS + 1, np.uint32), np.empty(count, np.uint32), np.empty(count + RUN, np.uint64))
    near = count + 2 * RUN
    gathered = Gathered(np.empty(near, np.uint64), np.empty(near, np.uint32), np.empty(18, np.int64))
    survivors = Survivors(np.empty(ROOM, np.int64), np.empty(ROOM, np.uint32))
    room = Room(ordered, gathered, np.empty(_HITS + _MET + 1, np.uint64), survivors)
    for table in range(chunks):
        if plan.budget[table] > 0 and _sort(asked, pairs, table, chunks, spent, ordered) > 0:
            if not _search(tables, plan, asked, pairs, room, table):
                return False
            spent += plan.budget[table]
    return True
