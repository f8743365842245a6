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
    Tables,
    chunk_of,
    is_done,
    verify,
)
from fingerprinting.index.kernels import kernel
from fingerprinting.index.lane_kernels import LANES, bits_set, lowest_bit, meet_entries, prefetch

_PROBES = 8192  # planned at a time
_PIECE = 1 << 14  # entries of a probe; a larger bucket is several
_PIECE_BITS = np.uint64((_PIECE // LANES).bit_length() - 1)
_AHEAD = 12  # probes between asking for a bucket and scanning it
_HITS = 4096  # before they are looked at
_HITS_AHEAD = 8
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

    places: NDArray[np.int64]
    sizes: NDArray[np.int64]
    queries: NDArray[np.uint32]
    values: NDArray[np.uint64]


class Room(NamedTuple):
    """What a search works in: hits of the probes under way, and survivors."""

    hits: NDArray[np.uint64]
    survivors: Survivors


@kernel(inline=True)
def _sift(
    tables: Tables,
    plan: Plan,
    probes: Probes,
    hits: NDArray[np.uint64],
    done: int,
    hit_count: int,
    survivors: Survivors,
    pairs: Pairs,
) -> int:
    """Look at the second chunk of what was hit, until there are enough survivors; gives the number of hits looked at."""
    waiting = pairs.counts[0]
    count, chunks = tables.hashes.shape[0], tables.starts.shape[0]
    in_piece = (np.uint64(1) << _PIECE_BITS) - np.uint64(1)
    for hit in range(done, min(done + _HITS_AHEAD, hit_count)):
        number = hits[hit] >> np.uint64(LANES)
        prefetch(tables.second, probes.places[np.int64(number >> _PIECE_BITS)] + np.int64(number & in_piece) * LANES)
    for hit in range(done, hit_count):
        if hit + _HITS_AHEAD < hit_count:
            number = hits[hit + _HITS_AHEAD] >> np.uint64(LANES)
            place = probes.places[np.int64(number >> _PIECE_BITS)] + np.int64(number & in_piece) * LANES
            prefetch(tables.second, place + lowest_bit(hits[hit + _HITS_AHEAD]))
        number, lanes = hits[hit] >> np.uint64(LANES), hits[hit] & _LOW_HALF
        probe = np.int64(number >> _PIECE_BITS)
        block = probes.places[probe] + np.int64(number & in_piece) * LANES
        value = probes.values[probe]
        bits = np.int64(value >> np.uint64(32) & _CHUNK)
        limit = np.int64(plan.limits[2 * chunks + block // count])
        while lanes:
            place = block + lowest_bit(lanes)
            lanes &= lanes - np.uint64(1)
            more = bits_set(np.uint64(tables.following[place]) ^ (value & _CHUNK))
            more += bits_set(np.uint64(tables.second[place]) ^ (value >> np.uint64(16) & _CHUNK))
            if bits + more <= limit:
                survivors.places[waiting] = place
                survivors.queries[waiting] = probes.queries[probe]
                waiting += 1
                prefetch(tables.rows, place)
        if waiting >= ENOUGH:
            pairs.counts[0] = waiting
            return hit + 1
    pairs.counts[0] = waiting
    return hit_count


@kernel(inline=True)
def _ask_for(tables: Tables, probes: Probes, probe: int) -> None:
    place = probes.places[probe]
    for entry in range(place, place + probes.sizes[probe], _LINE):
        prefetch(tables.following, entry)
    prefetch(tables.following, place + probes.sizes[probe] - 1)


@kernel()
def _look(
    tables: Tables,
    plan: Plan,
    asked: Asked,
    probes: Probes,
    planned: int,
    room: Room,
    pairs: Pairs,
) -> bool:
    """Make all probes that are planned; says whether there is room for more pairs."""
    for probe in range(min(_AHEAD, planned)):
        _ask_for(tables, probes, probe)
    hit_count = 0
    for probe in range(planned):
        if probe + _AHEAD < planned:
            _ask_for(tables, probes, probe + _AHEAD)
        value = probes.values[probe]
        hit_count = meet_entries(
            tables.following,
            probes.places[probe],
            probes.sizes[probe],
            np.int64(value & _CHUNK),
            np.int64(value >> np.uint64(48)),
            np.int64(np.uint64(probe) << _PIECE_BITS),
            room.hits,
            hit_count,
        )
        if hit_count < _HITS and probe + 1 < planned:
            continue
        done = 0
        while done < hit_count:
            done = _sift(tables, plan, probes, room.hits, done, hit_count, room.survivors, pairs)
            if pairs.counts[0] >= ENOUGH and not verify(tables, plan, asked, room.survivors, pairs):
                return False
        hit_count = 0
    return True


@kernel(inline=True)
def _plan(
    tables: Tables, plan: Plan, asked: Asked, query: int, table: int, probes: Probes, planned: int, room: Room, pairs: Pairs
) -> int:
    """Plan a query's probes of one table, and make them when there are many; gives how many are left, -1: no room."""
    count, chunks = tables.hashes.shape[0], tables.starts.shape[0]
    own = np.int64(chunk_of(asked.hashes, query, table))
    value = chunk_of(asked.hashes, query, (table + 1) % chunks)
    value |= chunk_of(asked.hashes, query, (table + 2) % chunks) << np.uint64(16)
    mask = 0
    for distance in range(plan.budget[table]):
        limit = np.uint64(np.int64(plan.limits[chunks + table]) - distance)
        full = value | np.uint64(distance) << np.uint64(32) | limit << np.uint64(48)
        while mask < plan.ends[distance]:
            bucket = own ^ np.int64(plan.masks[mask])
            entry, end = np.int64(tables.starts[table, bucket]), np.int64(tables.starts[table, bucket + 1])
            while entry < end:
                if planned == _PROBES:
                    if not _look(tables, plan, asked, probes, planned, room, pairs):
                        return -1
                    planned = 0
                probes.places[planned] = table * count + entry
                probes.sizes[planned] = min(end - entry, _PIECE)
                probes.queries[planned] = np.uint32(query)
                probes.values[planned] = full
                planned += 1
                entry += _PIECE
            mask += 1
    return planned


@kernel(inline=True)
def _ask_for_starts(tables: Tables, plan: Plan, asked: Asked) -> None:
    starts = tables.starts.reshape(tables.starts.size)
    width = tables.starts.shape[1]
    for query in range(asked.hashes.shape[0]):
        for table in range(tables.starts.shape[0]):
            if plan.budget[table] > 0:
                own = np.int64(chunk_of(asked.hashes, query, table))
                for mask in range(plan.ends[plan.budget[table] - 1]):
                    prefetch(starts, table * width + (own ^ np.int64(plan.masks[mask])))


@kernel(types.boolean(TABLES, PLAN, ASKED, PAIRS))
def probe(tables: Tables, plan: Plan, asked: Asked, pairs: Pairs) -> bool:
    """Find the hashes within the radius of each query; says whether there was room for all pairs."""
    probes = Probes(
        np.empty(_PROBES, np.int64),
        np.empty(_PROBES, np.int64),
        np.empty(_PROBES, np.uint32),
        np.empty(_PROBES, np.uint64),
    )
    hits = np.empty(_HITS + _PIECE // LANES + 1, np.uint64)
    room = Room(hits, Survivors(np.empty(ROOM, np.int64), np.empty(ROOM, np.uint32)))
    count, chunks = asked.hashes.shape[0], tables.starts.shape[0]
    a_query = 0
    for table in range(chunks):
        if plan.budget[table] > 0:
            a_query += plan.ends[plan.budget[table] - 1]
    together = a_query * count <= _PROBES
    if together:
        _ask_for_starts(tables, plan, asked)
    planned, spent = 0, 0
    for table in range(chunks):
        if plan.budget[table] == 0:
            continue
        for query in range(count):
            if not is_done(asked, pairs, query, spent):
                planned = _plan(tables, plan, asked, query, table, probes, planned, room, pairs)
                if planned < 0:
                    return False
        if not together:
            if not _look(tables, plan, asked, probes, planned, room, pairs):
                return False
            if not verify(tables, plan, asked, room.survivors, pairs):
                return False
            planned = 0
            spent += plan.budget[table]
    if not _look(tables, plan, asked, probes, planned, room, pairs):
        return False
    return verify(tables, plan, asked, room.survivors, pairs)
