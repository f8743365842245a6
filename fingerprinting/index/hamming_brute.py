"""Hamming distance of every query to every hash, in blocks that stay in the processor's cache."""

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Found: TypeAlias = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int16]]

_QUERIES_A_BLOCK = 64
_ROWS_A_BLOCK = 2048


def search(hashes: NDArray[np.uint8], queries: NDArray[np.uint8], radius: int, *, nearest: bool = False) -> Found:
    """Find pairs within the radius, in no particular order.

    Args:
        hashes: shape (N, B), B a multiple of 8.
        queries: shape (Q, B).
        radius: largest distance in bits that counts.
        nearest: of each query, the nearest one alone, of equally near ones the lowest row; else all.

    Returns:
        Query, row and distance of each pair.
    """
    # Words in rows of their own: a block then reads each as one stream.
    bank = np.ascontiguousarray(words(hashes).T)
    asked = np.ascontiguousarray(words(queries).T)
    found: list[Found] = []
    for query in range(0, len(queries), _QUERIES_A_BLOCK):
        some = asked[:, query : query + _QUERIES_A_BLOCK]
        near: list[Found] = []
        for row in range(0, len(hashes), _ROWS_A_BLOCK):
            near_query, near_row, distance = _block(some, bank[:, row : row + _ROWS_A_BLOCK], radius)
            if len(near_query):
                near.append((near_query + query, near_row + row, distance))
        if near:
            found.append(_nearest(_joined(near)) if nearest else _joined(near))
    return _joined(found) if found else nothing()


def nothing() -> Found:
    """Give no pairs."""
    return np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.int16)


def words(hashes: NDArray[np.uint8]) -> NDArray[np.uint64]:
    """See hashes of shape (N, B) as 64-bit words of shape (N, B / 8), in the machine's byte order."""
    return np.ascontiguousarray(hashes).view(np.uint64)


def _block(asked: NDArray[np.uint64], rows: NDArray[np.uint64], radius: int) -> Found:
    """Compare a block. Half of the words rule out nearly every pair; only the rest is counted to the end."""
    screen = (len(rows) + 1) // 2
    partial = np.bitwise_count(asked[0][:, None] ^ rows[0])
    for word in range(1, screen):
        partial += np.bitwise_count(asked[word][:, None] ^ rows[word])  # at most 128 bits: uint8 holds it
    near_query, near_row = np.nonzero(partial <= radius)
    distance = partial[near_query, near_row].astype(np.int16)
    for word in range(screen, len(rows)):
        distance += np.bitwise_count(asked[word][near_query] ^ rows[word][near_row])
    near = distance <= radius
    return near_query[near], near_row[near], distance[near]


def _nearest(found: Found) -> Found:
    query, row, distance = found
    order = np.lexsort((row, distance, query))
    query, row, distance = query[order], row[order], distance[order]
    first = np.ones(len(query), dtype=np.bool_)
    first[1:] = query[1:] != query[:-1]
    return query[first], row[first], distance[first]


def _joined(parts: Sequence[Found]) -> Found:
    query, row, distance = zip(*parts, strict=True)
    return np.concatenate(query), np.concatenate(row), np.concatenate(distance)
