"""Kernels of blocked keys: filling the blocks, finding keys in them, counting equal ones.

A key is first mixed, by a bijection, so that keys of any distribution spread evenly. Mixed keys are sorted. A block is
64 bytes and stands for an equal share of the 2**64 values: the position of its first key (4 bytes), how many it has
(1 byte, `OVERFULL` for more than `TAGS`), and the last byte of each (its tag). All but the first byte of each mixed key
lie apart (7 bytes): the block implies the first. A key that is not there costs one cache line in nearly all cases.
"""

from typing import TypeAlias

import numpy as np
from numba import types
from numpy.typing import NDArray

from fingerprinting.index.block_kernels import equal_bytes, read_word
from fingerprinting.index.kernels import kernel, reads, writes
from fingerprinting.index.kernels_layout import BLOCK_BYTES, KEY_BYTES, MULTIPLIER, OVERFULL, TAGS
from fingerprinting.index.lane_kernels import lowest_bit, prefetch

_HEADER_BYTES = BLOCK_BYTES - TAGS
_BATCH = 1024  # queries that go through each step together: their mixed keys and candidates stay in the L1 and L2 cache
_AHEAD = 32  # measured among 10 million keys: with 8 keys ahead 18 ns a lookup, with 16 12, with 32 10, with 48 11

_HALF, _COUNT_AT = np.uint64(32), np.uint64(32)
_LOW_HALF, _LOW_BYTE = np.uint64(0xFFFFFFFF), np.uint64(0xFF)
_LOW = np.uint64((1 << 56) - 1)
_ZERO, _ONE, _LAST_BIT = np.uint64(0), np.uint64(1), np.uint64(1 << 63)
_FULL, _HEADER = np.uint64(OVERFULL), np.uint64(_HEADER_BYTES)
_MULTIPLIER = np.uint64(MULTIPLIER)

Bytes: TypeAlias = NDArray[np.uint8]
Keys: TypeAlias = NDArray[np.uint64]
Positions: TypeAlias = NDArray[np.int64]
Room: TypeAlias = tuple[Keys, Positions, Positions]

_BYTES, _WORDS, _POSITIONS = reads(types.uint8), reads(types.uint64), writes(types.int64)


@kernel()
def mix(key: np.uint64) -> np.uint64:
    """Mix one key as `keys_places.mixed` does."""
    key = (key ^ (key >> _HALF)) * _MULTIPLIER
    key = (key ^ (key >> _HALF)) * _MULTIPLIER
    return key ^ (key >> _HALF)


@kernel()
def _block_of(mixed: np.uint64, blocks: np.uint64) -> np.int64:
    return np.int64(((mixed >> _HALF) * blocks) >> _HALF)


@kernel(types.void(_WORDS, types.uint64, writes(types.uint8), writes(types.uint8)))
def fill(mixed: Keys, blocks: np.uint64, table: Bytes, rest: Bytes) -> None:
    """Write the blocks and the rest of N sorted mixed keys.

    Args:
        mixed: shape (N,), ascending.
        blocks: how many there are.
        table: shape ((blocks + 1) * 64,), zeros. The last block only says where the one before it ends.
        rest: shape (N * 7 + 1,).
    """
    position = np.int64(0)
    for block in range(np.int64(blocks) + 1):
        at = block * BLOCK_BYTES
        start = position
        for byte in range(4):
            table[at + byte] = (start >> (8 * byte)) & 0xFF
        while position < len(mixed) and _block_of(mixed[position], blocks) == block:
            if position - start < TAGS:
                table[at + _HEADER_BYTES + position - start] = mixed[position] & _LOW_BYTE
            for byte in range(KEY_BYTES):
                rest[position * KEY_BYTES + byte] = (mixed[position] >> np.uint64(8 * byte)) & _LOW_BYTE
            position += 1
        table[at + 4] = min(position - start, np.int64(OVERFULL))


@kernel()
def _bound(
    rest: Bytes, block: np.int64, blocks: np.uint64, first: np.int64, last: np.int64, low: np.uint64, more: np.uint64
) -> np.int64:
    """Find the first key of a block, from `first` to `last` - 1, that is not below `low` + `more`."""
    # Keys of one block differ by less than 2**56, so seen from where the block begins their low bytes keep the order.
    begin = (((np.uint64(block) << _HALF) + blocks - _ONE) // blocks) << _HALF
    wanted = ((low - begin) & _LOW) + more
    while first < last:
        middle = (first + last) // 2
        held = (read_word(rest, middle * KEY_BYTES) - begin) & _LOW
        if held < wanted:
            first = middle + 1
        else:
            last = middle
    return first


@kernel()
def _candidates(table: Bytes, rest: Bytes, blocks: np.uint64, count: int, room: Room) -> np.int64:
    """Find the keys that have the right block and tag. For each: whose of the `count` queries, and its position."""
    mixed, whose, where = room
    found = np.int64(0)
    keys = np.int64(len(rest) // KEY_BYTES)  # whatever a stranger's blocks say, nothing is read beyond the last key
    for ahead in range(count + _AHEAD):
        if ahead < count:
            prefetch(table, _block_of(mixed[ahead], blocks) * BLOCK_BYTES)
        query = ahead - _AHEAD
        if query < 0:
            continue
        key = mixed[query]
        block = _block_of(key, blocks)
        at = block * BLOCK_BYTES
        header = read_word(table, at)
        start = np.int64(header & _LOW_HALF)
        held = (header >> _COUNT_AT) & _LOW_BYTE
        if held >= _FULL:
            end = min(np.int64(read_word(table, at + BLOCK_BYTES) & _LOW_HALF), keys)
            place = _bound(rest, block, blocks, start, end, key & _LOW, _ZERO)
            if place < end:
                whose[found], where[found] = query, place
                found += 1
            continue
        mask = (equal_bytes(table, at, np.uint8(key & _LOW_BYTE)) >> _HEADER) & ((_ONE << held) - _ONE)
        # The first one is written in any case and counted only if it is one: no branch that could be guessed wrong.
        whose[found], where[found] = query, min(start + lowest_bit(mask | _LAST_BIT), keys - 1)
        found += np.int64(mask != _ZERO)
        mask &= mask - np.uint64(mask != _ZERO)
        while mask != _ZERO:
            whose[found], where[found] = query, min(start + lowest_bit(mask), keys - 1)
            found += 1
            mask &= mask - _ONE
    return found


@kernel()
def _locate_batch(
    table: Bytes, rest: Bytes, blocks: np.uint64, asked: Keys, begin: int, room: Room, places: Positions
) -> int:
    """Locate up to `_BATCH` of the keys asked for, from `begin` on. Returns how many."""
    mixed, whose, where = room
    count = min(_BATCH, len(asked) - begin)
    for query in range(count):
        mixed[query] = mix(asked[begin + query])
        places[query] = -1
    found = _candidates(table, rest, blocks, count, room)
    for ahead in range(found + _AHEAD):
        if ahead < found:
            prefetch(rest, where[ahead] * KEY_BYTES)
        candidate = ahead - _AHEAD
        if candidate < 0:
            continue
        place, query = where[candidate], whose[candidate]
        differing = (read_word(rest, place * KEY_BYTES) ^ mixed[query]) & _LOW
        if differing == _ZERO and places[query] < 0:
            places[query] = place
    return count


@kernel()
def _room() -> Room:
    most = _BATCH * TAGS + 1
    return np.empty(_BATCH, np.uint64), np.empty(most, np.int64), np.empty(most, np.int64)


@kernel(types.void(_BYTES, _BYTES, types.uint64, _WORDS, _POSITIONS))
def locate(table: Bytes, rest: Bytes, blocks: np.uint64, asked: Keys, places: Positions) -> None:
    """Find the first position of each key asked for; -1 where it is not there.

    Args:
        table: as `fill` wrote it.
        rest: as `fill` wrote it.
        blocks: how many there are.
        asked: keys, not mixed, shape (Q,).
        places: written, shape (Q,).
    """
    room = _room()
    for begin in range(0, len(asked), _BATCH):
        _locate_batch(table, rest, blocks, asked, begin, room, places[begin:])


@kernel(types.void(_BYTES, _BYTES, types.uint64, _WORDS, writes(types.boolean)))
def contains(table: Bytes, rest: Bytes, blocks: np.uint64, asked: Keys, held: NDArray[np.bool_]) -> None:
    """Say of each key asked for whether it is there, as `locate` does: without 8 bytes to write for each."""
    room = _room()
    places = np.empty(_BATCH, np.int64)
    for begin in range(0, len(asked), _BATCH):
        count = _locate_batch(table, rest, blocks, asked, begin, room, places)
        for query in range(count):
            held[begin + query] = places[query] >= 0


@kernel(types.void(_BYTES, _BYTES, types.uint64, _WORDS, reads(types.int64), _POSITIONS))
def runs(table: Bytes, rest: Bytes, blocks: np.uint64, asked: Keys, places: Positions, counts: Positions) -> None:
    """Count the keys equal to each of those asked for, whose first positions are known. 0 where it is not there."""
    for query in range(len(asked)):
        place = places[query]
        if place < 0:
            counts[query] = 0
            continue
        key = mix(asked[query])
        block = _block_of(key, blocks)
        end = min(np.int64(read_word(table, (block + 1) * BLOCK_BYTES) & _LOW_HALF), np.int64(len(rest) // KEY_BYTES))
        after = place + 1
        if after < end and (read_word(rest, after * KEY_BYTES) ^ key) & _LOW == _ZERO:
            after = _bound(rest, block, blocks, after, end, key & _LOW, _ONE)
        counts[query] = after - place
