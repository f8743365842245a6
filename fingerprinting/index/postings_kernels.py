"""The kernels of postings by hash: sort them into buckets, find those of a hash, and which agree with others."""

from typing import TypeAlias

import numpy as np
from numba import types
from numpy.typing import NDArray

from fingerprinting.index.kernels import kernel, reads, writes

_LEAST_CELL_BITS, MOST_CELL_BITS = 12, 23
VOTES = 1 << MOST_CELL_BITS
_CELLS_A_POSTING = 4  # so that few cells are shared by chance
_BAND_BITS = np.uint32(6)
_HALF_BAND = np.uint32(32)
_FACTOR = np.uint32(0x9E3779B1)
_BUCKET_SHIFT = np.uint32(16)
_REMAINDER = np.uint32(0xFFFF)
_PLACE_BITS = np.uint64(32)

Hashes: TypeAlias = NDArray[np.uint32]
Places: TypeAlias = NDArray[np.uint32]
Remainders: TypeAlias = NDArray[np.uint16]
Numbers: TypeAlias = NDArray[np.int64]
Votes: TypeAlias = NDArray[np.uint8]

_HASHES, _PLACES, _NUMBERS = reads(types.uint32), reads(types.uint32), reads(types.int64)
_WRITTEN, _KEPT, _LOW = writes(types.int64), writes(types.uint32), writes(types.uint16)


@kernel(types.void(_HASHES, _WRITTEN))
def count(hashes: Hashes, counts: Numbers) -> None:
    """Add to the number of hashes in each of 65,536 buckets, which their high 16 bits name."""
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


@kernel()
def _first(remainders: Remainders, begin: int, end: int, wanted: int) -> int:
    """Give the first of the postings `begin .. end` whose remainder is not below that wanted."""
    while begin < end:
        middle = (begin + end) // 2
        if remainders[middle] < wanted:
            begin = middle + 1
        else:
            end = middle
    return begin


@kernel(types.void(_NUMBERS, reads(types.uint16), _HASHES, _WRITTEN, _WRITTEN))
def find(starts: Numbers, remainders: Remainders, asked: Hashes, begins: Numbers, ends: Numbers) -> None:
    """Write for each hash asked for its first posting and one past its last, inside the arrays whatever a file says."""
    held = len(remainders)
    for at in range(len(asked)):
        bucket = np.int64(asked[at] >> _BUCKET_SHIFT)
        wanted = np.int64(asked[at] & _REMAINDER)
        begin = min(max(starts[bucket], 0), held)
        end = min(max(starts[bucket + 1], begin), held)
        first = _first(remainders, begin, end, wanted)  # type: ignore[arg-type] # numba's integers
        last = first
        while last < end and remainders[last] == wanted:
            last += 1
        begins[at], ends[at] = first, last


@kernel()
def _cell(diagonal: np.uint32, bits: int) -> np.uint32:
    return np.uint32(np.uint32(diagonal >> _BAND_BITS) * _FACTOR) >> np.uint32(32 - bits)


@kernel(
    types.int64(
        reads(types.uint32),
        _NUMBERS,
        _NUMBERS,
        _PLACES,
        types.uint8,
        types.UniTuple(writes(types.uint8), 2),
        types.UniTuple(_WRITTEN, 2),
    )
)
def agreeing(
    queries: Places,
    begins: Numbers,
    ends: Numbers,
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
        begins: the first posting of each.
        ends: one past its last.
        places: of the postings.
        needed: votes, 1 to 255.
        votes: shape (VOTES,) each, room to work in.
        hits: which of the T, and place, written as far as there is room.

    Returns:
        How many were found, also if there is no room for all.
    """
    total = np.int64(0)
    for term in range(len(begins)):
        total += ends[term] - begins[term]
    bits = _LEAST_CELL_BITS
    while bits < MOST_CELL_BITS and (1 << bits) < _CELLS_A_POSTING * total:
        bits += 1
    first, second = votes
    first[: 1 << bits] = 0
    second[: 1 << bits] = 0
    for term in range(len(begins)):
        for posting in range(begins[term], ends[term]):
            diagonal = np.uint32(places[posting] - queries[term])
            one, other = _cell(diagonal, bits), _cell(np.uint32(diagonal + _HALF_BAND), bits)
            first[one] += first[one] < needed
            second[other] += second[other] < needed
    found = np.int64(0)
    for term in range(len(begins)):
        for posting in range(begins[term], ends[term]):
            diagonal = np.uint32(places[posting] - queries[term])
            one, other = _cell(diagonal, bits), _cell(np.uint32(diagonal + _HALF_BAND), bits)
            if first[one] >= needed or second[other] >= needed:
                if found < len(hits[0]):
                    hits[0][found] = term
                    hits[1][found] = places[posting]
                found += 1
    return found
