"""Searching Hamming tables for few queries: each looks into the buckets near it, which are asked for ahead of time."""

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
from fingerprinting.index.lane_kernels import bits_set, lowest_bit, meet_entries, prefetch

_PROBES = 8192  # planned at a time
_PIECE = 1 << 14  # entries of a probe; a larger bucket is several
_PIECE_BITS = np.uint64((_PIECE // LANES).bit_length() - 1)
_IN_PIECE = np.uint64(_PIECE // LANES - 1)
_AHEAD = 12  # probes between asking for a bucket and scanning it
_HITS = 512  # before they are looked at
_LINE = 32  # entries of a cache line
_LOW_HALF = np.uint64(0xFFFFFFFF)
_CHUNK = np.uint64(0xFFFF)


class Probes(NamedTuple):
    """Parts of buckets to look into.

    Attributes:
        places: the first entry of each.
        sizes: how many entries.
        queries: who looks.
        values: for each from the lowest 16 bits on: the query's next chunk, its second, the distance of the bucket,
            and in how many bits the next chunk may differ.
    """

    places: NDArray[np.uint64]
    sizes: NDArray[np.uint32]
    queries: NDArray[np.uint32]
    values: NDArray[np.uint64]


class Room(NamedTuple):
    """What a search works in: hits of the probes under way, and survivors."""

    hits: NDArray[np.uint64]
    survivors: Survivors


@kernel(borrows=True)
def _plan(
    tables: Tables,
    plan: Plan,
    asked: Asked,
    pairs: Pairs,
    probes: Probes,
    table: int,
    spent: int,
    first: int,
    planned: int,
) -> tuple[int, int]:
    """Plan probes of one table for queries from the first one on; gives the next query, and how many are planned."""
    count, chunks, bits = tables.hashes.shape[0], tables.starts.shape[0], plan.budget[table]
    base, over_two = np.uint64(table * count), np.int64(plan.limits[chunks + table])
    starts, masks, ends = tables.starts[table], plan.masks, plan.ends
    places, sizes, queries, values = probes.places, probes.sizes, probes.queries, probes.values
    one, two, most = (table + 1) % chunks, (table + 2) % chunks, ends[bits - 1] + count // _PIECE
    for query in range(first, asked.hashes.shape[0]):
        if planned + most > places.size:
            return query, planned
        if is_done(asked, pairs, query, spent):
            continue
        own = np.int64(chunk_of(asked.hashes, query, table))
        value = chunk_of(asked.hashes, query, one) | chunk_of(asked.hashes, query, two) << np.uint64(16)
        mask = 0
        for distance in range(bits):
            full = value | np.uint64(distance) << np.uint64(32) | np.uint64(over_two - distance) << np.uint64(48)
            while mask < ends[distance]:
                bucket = own ^ np.int64(masks[mask])
                entry, end = np.int64(starts[bucket]), np.int64(starts[bucket + 1])
                while entry < end:
                    places[planned] = base + np.uint64(entry)
                    sizes[planned] = np.uint32(min(end - entry, _PIECE))
                    queries[planned] = np.uint32(query)
                    values[planned] = full
                    planned += 1
                    entry += _PIECE
                mask += 1
    return asked.hashes.shape[0], planned


# Long on purpose: to call a function with all these arrays for each probe costs more than the probe does, because each
# array's references are counted.
@kernel(borrows=True)
def _look(tables: Tables, plan: Plan, asked: Asked, pairs: Pairs, probes: Probes, planned: int, room: Room) -> bool:
    """Make all probes that are planned; says whether there is room for more pairs."""
    places, sizes, queries, values = probes.places, probes.sizes, probes.queries, probes.values
    following, second, rows, hits = tables.following, tables.second, tables.rows, room.hits
    survivors, found_by, counts = room.survivors.places, room.survivors.queries, pairs.counts
    count, chunks = tables.hashes.shape[0], tables.starts.shape[0]
    hit_count, asked_for = 0, 0
    for probe in range(planned):
        while asked_for < min(probe + _AHEAD, planned):
            place = np.int64(places[asked_for])
            end = place + np.int64(sizes[asked_for])
            for entry in range(place, end, _LINE):
                prefetch(following, entry)
            prefetch(following, end - 1)
            asked_for += 1
        value = values[probe]
        hit_count = meet_entries(
            following,
            np.int64(places[probe]),
            np.int64(sizes[probe]),
            np.int64(value & _CHUNK),
            np.int64(value >> np.uint64(48)),
            np.int64(np.uint64(probe) << _PIECE_BITS),
            hits,
            hit_count,
        )
        if hit_count < _HITS and probe + 1 < planned:
            continue
        for hit in range(hit_count):
            number = hits[hit] >> np.uint64(LANES)
            block = np.int64(places[np.int64(number >> _PIECE_BITS)]) + np.int64(number & _IN_PIECE) * LANES
            prefetch(second, block + lowest_bit(hits[hit]))
        for hit in range(hit_count):
            number, lanes = hits[hit] >> np.uint64(LANES), hits[hit] & _LOW_HALF
            met = np.int64(number >> _PIECE_BITS)
            value, block = values[met], np.int64(places[met]) + np.int64(number & _IN_PIECE) * LANES
            one, two = value & _CHUNK, value >> np.uint64(16) & _CHUNK
            left = np.int64(plan.limits[2 * chunks + block // count]) - np.int64(value >> np.uint64(32) & _CHUNK)
            while lanes:
                place = block + lowest_bit(lanes)
                lanes &= lanes - np.uint64(1)
                if bits_set(np.uint64(following[place]) ^ one) + bits_set(np.uint64(second[place]) ^ two) <= left:
                    survivors[counts[0]] = place
                    found_by[counts[0]] = queries[met]
                    counts[0] += 1
                    prefetch(rows, place)
            if counts[0] >= ENOUGH and not verify(tables, plan, asked, room.survivors, pairs):
                return False
        hit_count = 0
    return True


@kernel(borrows=True)
def _ask_for_starts(tables: Tables, plan: Plan, asked: Asked) -> None:
    """Ask for where the buckets near all queries begin."""
    starts = tables.starts.reshape(tables.starts.size)
    masks, ends, budget, hashes, width = plan.masks, plan.ends, plan.budget, asked.hashes, tables.starts.shape[1]
    for query in range(hashes.shape[0]):
        for table in range(tables.starts.shape[0]):
            if budget[table] > 0:
                own = np.int64(chunk_of(hashes, query, table))
                for mask in range(ends[budget[table] - 1]):
                    if masks[mask] & 15 == 0:  # others are in a line that is asked for already, or next to one
                        prefetch(starts, table * width + (own ^ np.int64(masks[mask])))


@kernel(types.boolean(TABLES, PLAN, ASKED, PAIRS))
def probe(tables: Tables, plan: Plan, asked: Asked, pairs: Pairs) -> bool:  # noqa: C901 - see `_look`
    """Find the hashes within the radius of each query; says whether there was room for all pairs."""
    count, chunks = asked.hashes.shape[0], tables.starts.shape[0]
    a_query, most = 0, 0
    for table in range(chunks):
        if plan.budget[table] > 0:
            in_table = plan.ends[plan.budget[table] - 1] + tables.hashes.shape[0] // _PIECE
            a_query, most = a_query + in_table, max(most, in_table)
    together = a_query * count <= _PROBES
    size = a_query * count if together else max(_PROBES, most)
    probes = Probes(
        np.empty(size, np.uint64), np.empty(size, np.uint32), np.empty(size, np.uint32), np.empty(size, np.uint64)
    )
    survivors = Survivors(np.empty(ROOM, np.int64), np.empty(ROOM, np.uint32))
    room = Room(np.empty(_HITS + _PIECE // LANES + 1, np.uint64), survivors)
    if together:
        _ask_for_starts(tables, plan, asked)
    planned, spent = 0, 0
    for table in range(chunks):
        query = 0
        while query < count and plan.budget[table] > 0:
            query, planned = _plan(tables, plan, asked, pairs, probes, table, spent, query, planned)
            if not together:
                if not _look(tables, plan, asked, pairs, probes, planned, room):
                    return False
                planned = 0
        if not together:
            if not verify(tables, plan, asked, survivors, pairs):
                return False
            spent += plan.budget[table]
    if not _look(tables, plan, asked, pairs, probes, planned, room):
        return False
    return verify(tables, plan, asked, survivors, pairs)
