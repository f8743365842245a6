"""The kernels of postings by hash: sort and pack them, find those of a hash, and which agree with others."""

from typing import TypeAlias

import numpy as np
from numba import types
from numpy.typing import NDArray

from fingerprinting.index.kernels import kernel, reads, writes
from fingerprinting.index.packed import MARK_BITS, WORD_BITS
from fingerprinting.index.packed_kernels import HELD, Held, locate
from fingerprinting.index.packed_kernels import read as read_some

_LEAST_CELL_BITS, MOST_CELL_BITS = 12, 23
VOTES = 1 << MOST_CELL_BITS
_CELLS_A_POSTING = 4  # so that few cells are shared by chance
_BAND_BITS = np.uint32(6)
_HALF_BAND = np.uint32(32)
_FACTOR = np.uint32(0x9E3779B1)
REMAINDER_BITS = 8
_BUCKET_SHIFT = np.uint32(REMAINDER_BITS)
_REMAINDER = np.uint32((1 << REMAINDER_BITS) - 1)
_PLACE_BITS = np.uint64(32)

Hashes: TypeAlias = NDArray[np.uint32]
Places: TypeAlias = NDArray[np.uint32]
Remainders: TypeAlias = NDArray[np.uint8]
Numbers: TypeAlias = NDArray[np.int64]
Votes: TypeAlias = NDArray[np.uint8]
Words: TypeAlias = NDArray[np.uint64]

_HASHES, _PLACES, _NUMBERS = reads(types.uint32), reads(types.uint32), reads(types.int64)
_WRITTEN, _KEPT, _LOW = writes(types.int64), writes(types.uint32), writes(types.uint8)
_WORDS = writes(types.uint64)


@kernel(types.void(_HASHES, _WRITTEN))
def count(hashes: Hashes, counts: Numbers) -> None:
    """Add to the number of hashes in each bucket, which their high bits name."""
    for at in range(len(hashes)):
        counts[hashes[at] >> _BUCKET_SHIFT] += 1


@kernel(types.void(_HASHES, _PLACES, types.uint32, _WRITTEN, _LOW, _KEPT))
def put(
    hashes: Hashes, positions: Places, base: np.uint32, next_of: Numbers, remainders: Remainders, places: Places
) -> None:
    """Write postings to where their buckets go on; `base` is added to their positions."""
    for at in range(len(hashes)):
        bucket = hashes[at] >> _BUCKET_SHIFT
        to = next_of[bucket]
        next_of[bucket] = to + 1
        remainders[to] = hashes[at] & _REMAINDER
        places[to] = positions[at] + base


@kernel(types.void(_NUMBERS, _LOW, _KEPT))
def sort(starts: Numbers, remainders: Remainders, places: Places) -> None:
    """Sort each bucket by remainder, and what has one by place."""
    most = np.int64(0)
    for bucket in range(len(starts) - 1):
        most = max(most, starts[bucket + 1] - starts[bucket])
    room = np.empty(most, np.uint64)
    for bucket in range(len(starts) - 1):
        first, number = starts[bucket], starts[bucket + 1] - starts[bucket]
        for at in range(number):
            room[at] = np.uint64(remainders[first + at]) << _PLACE_BITS | np.uint64(places[first + at])
        room[:number].sort()
        for at in range(number):
            remainders[first + at] = room[at] >> _PLACE_BITS
            places[first + at] = room[at] & np.uint64(0xFFFFFFFF)


@kernel(types.int64(_NUMBERS, reads(types.uint8), _KEPT, types.int64, types.int64, types.UniTuple(_WORDS, 2), _KEPT))
def pack(
    starts: Numbers,
    remainders: Remainders,
    places: Places,
    place_bits: int,
    low_bits: int,
    words: tuple[Words, Words],
    marks: Places,
) -> np.int64:
    """Write sorted postings as packed numbers, `hash << place_bits | place`.

    Args:
        starts: of the buckets.
        remainders: of the postings.
        places: of the postings.
        place_bits: see above.
        low_bits: of a number, at most 32.
        words: room for the low bits, which may be the memory of `places`: no word is written before what lies there was
            read; and for the high bits, zeros.
        marks: written, see `packed.Packed`.

    Returns:
        How many words of low bits were written.
    """
    lows, highs = words
    word, filled, written = np.uint64(0), 0, np.int64(0)
    mark = np.int64(0)
    at = np.int64(0)
    for bucket in range(len(starts) - 1):
        for posting in range(starts[bucket], starts[bucket + 1]):
            key = np.uint64(bucket) << np.uint64(REMAINDER_BITS) | np.uint64(remainders[posting])
            number = key << np.uint64(place_bits) | np.uint64(places[posting])
            high = np.int64(number >> np.uint64(low_bits))
            while mark < len(marks) and mark << MARK_BITS <= high:
                marks[mark] = at
                mark += 1
            bit = high + at
            highs[bit >> 6] |= np.uint64(1) << np.uint64(bit & 63)
            low = number & ((np.uint64(1) << np.uint64(low_bits)) - np.uint64(1))
            word |= low << np.uint64(filled)
            filled += low_bits
            if filled >= WORD_BITS:
                lows[written] = word
                written += 1
                filled -= WORD_BITS
                word = low >> np.uint64(low_bits - filled) if filled else np.uint64(0)
            at += 1
    while mark < len(marks):
        marks[mark] = at
        mark += 1
    for _ in range(2):
        if written < len(lows):
            lows[written] = word
            written += 1
            word = np.uint64(0)
    return written


@kernel(types.void(HELD, types.int64, _HASHES, _WRITTEN, _WRITTEN, _WRITTEN))
def find(held: Held, place_bits: int, asked: Hashes, begins: Numbers, ends: Numbers, bits: Numbers) -> None:
    """Write for each hash asked for its first posting, one past its last, and the bit that tells of the first."""
    found = np.empty(3, np.int64)
    shift = np.uint64(place_bits)
    for at in range(len(asked)):
        least = np.uint64(asked[at]) << shift
        locate(held, least, least | ((np.uint64(1) << shift) - np.uint64(1)), found)
        begins[at], ends[at], bits[at] = found[0], found[1], found[2]


@kernel(types.int64(HELD, types.int64, _NUMBERS, _NUMBERS, _NUMBERS, _WRITTEN, _KEPT))
def read(
    held: Held, place_bits: int, begins: Numbers, ends: Numbers, bits: Numbers, starts: Numbers, places: Places
) -> np.int64:
    """Read the places of postings, as `find` names them, one after the other; where those of each begin; how many."""
    wanted = (np.uint64(1) << np.uint64(place_bits)) - np.uint64(1)
    done = np.int64(0)
    for at in range(len(begins)):
        starts[at] = done
        done += read_some(held, begins[at], ends[at], bits[at], wanted, places[done:])
    starts[len(begins)] = done
    return done


@kernel()
def _cell(diagonal: np.uint32, bits: int) -> np.uint32:
    return np.uint32(np.uint32(diagonal >> _BAND_BITS) * _FACTOR) >> np.uint32(32 - bits)


@kernel(
    types.int64(
        reads(types.uint32),
        _NUMBERS,
        _PLACES,
        types.uint8,
        types.UniTuple(writes(types.uint8), 2),
        types.UniTuple(_WRITTEN, 2),
    )
)
def agreeing(
    queries: Places,
    starts: Numbers,
    places: Places,
    needed: int,
    votes: tuple[Votes, Votes],
    hits: tuple[Numbers, Numbers],
) -> np.int64:
    """Find postings with at least `needed` of them near their diagonal (place less query position), and few others.

    All vote for a band of 64 diagonals, in two ways that overlap by half; then those are given whose band has enough
    votes. Cells that bands share by chance have more votes, never fewer, so none is missed.

    Args:
        queries: position in the query of each of T hashes asked for.
        starts: where the postings of each begin, and where those of the last end, shape (T + 1,).
        places: of the postings.
        needed: votes, 1 to 255.
        votes: shape (VOTES,) each, room to work in.
        hits: which of the T, and place, written as far as there is room.

    Returns:
        How many were found, also if there is no room for all.
    """
    total = starts[-1]
    bits = _LEAST_CELL_BITS
    while bits < MOST_CELL_BITS and (1 << bits) < _CELLS_A_POSTING * total:
        bits += 1
    first, second = votes
    first[: 1 << bits] = 0
    second[: 1 << bits] = 0
    for term in range(len(queries)):
        for posting in range(starts[term], starts[term + 1]):
            diagonal = np.uint32(places[posting] - queries[term])
            one, other = _cell(diagonal, bits), _cell(np.uint32(diagonal + _HALF_BAND), bits)
            first[one] += first[one] < needed
            second[other] += second[other] < needed
    found = np.int64(0)
    for term in range(len(queries)):
        for posting in range(starts[term], starts[term + 1]):
            diagonal = np.uint32(places[posting] - queries[term])
            one, other = _cell(diagonal, bits), _cell(np.uint32(diagonal + _HALF_BAND), bits)
            if first[one] >= needed or second[other] >= needed:
                if found < len(hits[0]):
                    hits[0][found] = term
                    hits[1][found] = places[posting]
                found += 1
    return found
