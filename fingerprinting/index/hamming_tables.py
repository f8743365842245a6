"""Hamming search by the pigeonhole principle: hashes that are near agree almost exactly in some 16-bit chunk."""

from dataclasses import dataclass
from functools import cache
from itertools import combinations, pairwise

import numpy as np
from numpy.typing import NDArray

from fingerprinting.index.hamming_brute import words
from fingerprinting.index.keys import ranges

_CHUNK_BITS = 16
_BUCKETS = 1 << _CHUNK_BITS
_MAX_SHARE = 0.015  # measured at 200,000 rows: with 0.4 % of them (radius 31) 8 times a scan, with 4 % (48) slower
_CANDIDATES_A_BLOCK = 1 << 21


@dataclass(frozen=True, slots=True)
class ChunkTables:
    """For each chunk of C, the rows grouped by the chunk's value.

    Attributes:
        starts: int64, shape (C, 65537): rows with value v in chunk c are `rows[c, starts[c, v] : starts[c, v + 1]]`.
        rows: uint32, shape (C, N).
    """

    starts: NDArray[np.int64]
    rows: NDArray[np.uint32]


def build(hashes: NDArray[np.uint8]) -> ChunkTables:
    """Group N hashes (shape (N, B)) by each of their B / 2 chunks."""
    chunks = _chunks(hashes)
    starts = np.zeros((chunks.shape[1], _BUCKETS + 1), dtype=np.int64)
    rows = np.empty((chunks.shape[1], len(hashes)), dtype=np.uint32)
    for chunk in range(chunks.shape[1]):
        values = chunks[:, chunk]
        np.cumsum(np.bincount(values, minlength=_BUCKETS), out=starts[chunk, 1:])
        rows[chunk] = np.argsort(values, kind="stable")
    return ChunkTables(starts, rows)


def pays(width: int, radius: int) -> bool:
    """Say whether the tables look at so few rows that they beat a scan."""
    probes = sum(len(_ball(limit)) for limit in _limits(width, radius) if limit >= 0)
    return probes / _BUCKETS <= _MAX_SHARE


def search(
    tables: ChunkTables, hashes: NDArray[np.uint8], queries: NDArray[np.uint8], radius: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int16]]:
    """Find all pairs within the radius, in no particular order. Shapes as in `hamming_brute.search`."""
    asked_chunks = _chunks(queries)
    bank, asked = words(hashes), words(queries)
    found: list[NDArray[np.int64]] = []
    for chunk, limit in enumerate(_limits(hashes.shape[1], radius)):
        if limit < 0:
            continue
        starts, rows = tables.starts[chunk], tables.rows[chunk]
        probes = asked_chunks[:, chunk, None] ^ _ball(limit)
        first = starts[probes]
        counts = starts[probes.astype(np.int64) + 1] - first
        for block in _blocks(counts.sum(axis=1)):
            query = np.repeat(np.arange(block.start, block.stop, dtype=np.int64), counts[block].sum(axis=1))
            row = rows[ranges(first[block].ravel(), counts[block].ravel())].astype(np.int64)
            distance = np.bitwise_count(asked[query] ^ bank[row]).sum(axis=1, dtype=np.int16)
            near = distance <= radius
            found.append(np.stack([query[near], row[near], distance[near].astype(np.int64)]))
    return _distinct(found, len(hashes))


def _distinct(
    found: list[NDArray[np.int64]], count: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int16]]:
    """Join what the chunks found: a near pair usually agrees in several of them."""
    query, row, distance = np.concatenate(found, axis=1)
    _, first = np.unique(query * count + row, return_index=True)
    return query[first], row[first], distance[first].astype(np.int16)


def _blocks(candidates: NDArray[np.int64]) -> list[slice]:
    """Cut the queries into runs that have a bounded number of candidates, at least one query each."""
    before = np.cumsum(candidates) - candidates
    edges = np.flatnonzero(np.diff(before // _CANDIDATES_A_BLOCK)) + 1
    cuts = [0, *edges.tolist(), len(candidates)]
    return [slice(start, stop) for start, stop in pairwise(cuts) if stop > start]


def _chunks(hashes: NDArray[np.uint8]) -> NDArray[np.uint16]:
    return np.ascontiguousarray(hashes).view(np.uint16)


@cache
def _limits(width: int, radius: int) -> tuple[int, ...]:
    """Give each chunk the bits it may differ in; -1 leaves it out.

    If every chunk c differed in more than t_c bits, the distance would be at least sum(t_c + 1). So with
    sum(t_c + 1) = radius + 1 some chunk of any pair within the radius is inside its limit: nothing is missed.
    """
    chunks = width * 8 // _CHUNK_BITS
    each, more = divmod(radius + 1, chunks)
    return tuple(each if chunk < more else each - 1 for chunk in range(chunks))


@cache
def _ball(limit: int) -> NDArray[np.uint16]:
    """List all 16-bit masks with at most `limit` bits set."""
    masks = [
        sum(1 << bit for bit in bits)
        for size in range(min(limit, _CHUNK_BITS) + 1)
        for bits in combinations(range(_CHUNK_BITS), size)
    ]
    return np.array(masks, dtype=np.uint16)
