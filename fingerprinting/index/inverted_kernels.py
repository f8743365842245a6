"""The kernel of the inverted index: which postings agree with enough others, without holding all of them."""

from typing import TypeAlias

import numpy as np
from numba import types
from numpy.typing import NDArray

from fingerprinting.index.kernels import kernel, reads, writes
from fingerprinting.index.lane_kernels import prefetch

LEAST_CELL_BITS, MOST_CELL_BITS = 12, 23
VOTES = 1 << MOST_CELL_BITS
_CELLS_A_POSTING = 4  # so that few cells are shared by chance
_CHUNK = 4096  # postings whose cells are named, then counted: two short loops, each as fast as memory
_LINES, _LINE = 8, 16  # of the next term's postings, asked for ahead of time
_ROW_FACTOR, _OFFSET_FACTOR = np.uint32(0x9E3779B1), np.uint32(0x85EBCA77)

Numbers: TypeAlias = NDArray[np.int64]
Cells: TypeAlias = NDArray[np.uint32]
Votes: TypeAlias = NDArray[np.uint8]
Asked: TypeAlias = tuple[Numbers, Numbers, Numbers, bool]
Postings: TypeAlias = tuple[NDArray[np.uint32], NDArray[np.uint32]]
Found: TypeAlias = tuple[Numbers, Numbers, Numbers]

_NUMBERS, _WRITTEN = reads(types.int64), writes(types.int64)
_POSTINGS = reads(types.uint32)


@kernel()
def _name_cells(
    postings: Postings,
    query: np.uint32,
    by_offset: bool,  # noqa: FBT001 - kernels take no keywords
    bits: int,
    cells: Cells,
) -> None:
    """Give the cell of each posting: a hash of its row (and of its position less the query's)."""
    rows, positions = postings
    shift = np.uint32(32 - bits)
    if by_offset:
        for posting in range(len(rows)):
            offset = np.uint32(positions[posting] - query)
            name = np.uint32(rows[posting] * _ROW_FACTOR) + np.uint32(offset * _OFFSET_FACTOR)
            cells[posting] = np.uint32(name) >> shift
    else:
        for posting in range(len(rows)):
            cells[posting] = np.uint32(rows[posting] * _ROW_FACTOR) >> shift


@kernel()
def _cell_bits(postings: np.int64) -> int:
    bits = LEAST_CELL_BITS
    while bits < MOST_CELL_BITS and (1 << bits) < _CELLS_A_POSTING * postings:
        bits += 1
    return bits


@kernel()
def _cells_of(
    chunk: Postings,
    term: int,
    done: np.int64,
    asked: Asked,
    bits: int,
    cells: Cells,
    scratch: Cells,
    counting: bool,  # noqa: FBT001
) -> Cells:
    """Give the cells of a chunk: named now while votes are counted, and kept for later where there is room."""
    queries, _, _, by_offset = asked
    count = len(chunk[0])
    is_kept = done + count <= len(cells)
    named = cells[done : done + count] if is_kept else scratch[:count]
    if counting or not is_kept:
        _name_cells(chunk, np.uint32(queries[term]), by_offset, bits, named)
    return named


@kernel()
def _bounds(term: int, asked: Asked, postings: Postings) -> tuple[int, int]:
    """Give the first posting of a term and one past its last, inside the arrays whatever a stranger's file says."""
    _, begins, ends, _ = asked
    return max(begins[term], 0), min(ends[term], len(postings[0]))


@kernel()
def _count_votes(
    asked: Asked, postings: Postings, needed: int, bits: int, votes: Votes, cells: Cells, scratch: Cells
) -> None:
    _, begins, _, _ = asked
    rows, positions = postings
    done = np.int64(0)
    for term in range(len(begins)):
        if term + 1 < len(begins):
            for line in range(_LINES):
                prefetch(rows, begins[term + 1] + line * _LINE)
                prefetch(positions, begins[term + 1] + line * _LINE)
        first, last = _bounds(term, asked, postings)
        for begin in range(first, last, _CHUNK):
            count = min(_CHUNK, last - begin)
            chunk = (rows[begin : begin + count], positions[begin : begin + count])
            named = _cells_of(chunk, term, done, asked, bits, cells, scratch, True)
            done += count
            for posting in range(count):
                cell = named[posting]
                held = votes[cell]
                votes[cell] = held + (held < needed)


@kernel()
def _collect(
    asked: Asked,
    postings: Postings,
    needed: int,
    bits: int,
    votes: Votes,
    cells: Cells,
    scratch: Cells,
    hits: Found,
) -> np.int64:
    queries, begins, _, _ = asked
    rows, positions = postings
    found_query, found_row, found_position = hits
    found, done = np.int64(0), np.int64(0)
    for term in range(len(begins)):
        first, last = _bounds(term, asked, postings)
        for begin in range(first, last, _CHUNK):
            count = min(_CHUNK, last - begin)
            chunk = (rows[begin : begin + count], positions[begin : begin + count])
            named = _cells_of(chunk, term, done, asked, bits, cells, scratch, False)
            done += count
            for posting in range(count):
                if votes[named[posting]] < needed:
                    continue
                if found < len(found_query):
                    found_query[found] = queries[term]
                    found_row[found] = rows[begin + posting]
                    found_position[found] = positions[begin + posting]
                found += 1
    return found


@kernel(
    types.int64(
        types.Tuple((_NUMBERS, _NUMBERS, _NUMBERS, types.boolean)),
        types.UniTuple(_POSTINGS, 2),
        types.uint8,
        writes(types.uint8),
        writes(types.uint32),
        types.UniTuple(_WRITTEN, 3),
    )
)
def agreeing(asked: Asked, postings: Postings, needed: int, votes: Votes, cells: Cells, hits: Found) -> np.int64:
    """Find postings whose row (and offset) has at least `needed` of them, and few others.

    All postings vote for a cell, named by a hash of the row (and offset); then those are given whose cell has enough
    votes. Cells that are shared by chance have more votes, never fewer, so none is missed.

    Args:
        asked: of each of T terms asked for, int64: its position in the query, its first posting, one past its last; and
            whether postings must agree in position less query position, too.
        postings: uint32: rows and positions.
        needed: votes, 1 to 255.
        votes: uint8, shape (VOTES,), room to work in.
        cells: uint32, room for the cells of as many postings as the caller likes: they need not be named again.
        hits: int64: query positions, rows and positions that were found, written as far as there is room.

    Returns:
        How many were found, also if there is no room for all.
    """
    _, begins, ends, _ = asked
    total = np.int64(0)
    for term in range(len(begins)):
        total += max(ends[term] - begins[term], 0)
    bits = _cell_bits(total)
    votes[: 1 << bits] = 0
    scratch = np.empty(_CHUNK, np.uint32)
    _count_votes(asked, postings, needed, bits, votes, cells, scratch)
    return _collect(asked, postings, needed, bits, votes, cells, scratch, hits)
