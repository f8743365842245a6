"""Searching Hamming tables: the quickest way is chosen, and a flood of pairs is met in parts."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from fingerprinting.index import hamming_plan
from fingerprinting.index.hamming_brute import Found
from fingerprinting.index.hamming_join_kernels import join
from fingerprinting.index.hamming_kernels import MODES, NOTHING, ROOM, Asked, Pairs, Plan, order_pairs
from fingerprinting.index.hamming_order import permute
from fingerprinting.index.hamming_probe_kernels import probe
from fingerprinting.index.hamming_scan_kernels import scan
from fingerprinting.index.kernels_layout import Tables

_PAIRS_A_QUERY = 256  # there is room for, on average; when that is too little, the batch is split
_MOST_PAIRS = 1 << 25
_GROWTH = 8


def search(tables: Tables, queries: NDArray[np.uint8], reach: NDArray[np.int16], radius: int, mode: str) -> Found:
    """Find pairs: sorted by query, distance, row.

    Args:
        tables: N hashes.
        queries: Q hashes, shape (Q, B).
        reach: the radius of each.
        radius: the largest of them, or more.
        mode: `all`, `best` or `any`.
    """
    asked = permute(queries)
    reach.flags.writeable = False
    if mode != "all":
        best = _search_once(tables, asked, reach, radius, mode, 0)
        assert best is not None  # noqa: S101 - for the type checker: there is always room for one pair a query
        return best
    most = min(_PAIRS_A_QUERY * len(queries) + 1024, _MOST_PAIRS)
    found = _search_once(tables, asked, reach, radius, mode, most)
    if found is not None:
        return found
    parts = [found for _, _, found in _blocks(tables, asked, reach, radius, most, np.arange(len(queries) + 1))]
    return _joined(parts)


def blocks(
    tables: Tables,
    queries: NDArray[np.uint8],
    reach: NDArray[np.int16],
    radius: int,
    most: int,
    cuts: NDArray[np.int64],
) -> Iterator[Found]:
    """Find all pairs, some queries at a time.

    Args:
        tables: as in `search`.
        queries: as in `search`.
        reach: as in `search`.
        radius: as in `search`.
        most: pairs at a time, if queries that belong together have no more.
        cuts: where the queries may be divided, from 0 to their number.
    """
    reach.flags.writeable = False
    for _, _, found in _blocks(tables, permute(queries), reach, radius, most, cuts):
        yield found


def _blocks(
    tables: Tables,
    asked: NDArray[np.uint64],
    reach: NDArray[np.int16],
    radius: int,
    most: int,
    cuts: NDArray[np.int64],
) -> Iterator[tuple[int, int, Found]]:
    waiting = [(0, len(cuts) - 1, most)]
    while waiting:
        first, last, room = waiting.pop()
        start, stop = int(cuts[first]), int(cuts[last])
        found = _search_once(tables, asked[start:stop], reach[start:stop], radius, "all", room)
        if found is None and last - first > 1:
            middle = (first + last) // 2
            waiting += [(middle, last, most), (first, middle, most)]
            continue
        if found is None:
            # Queries that can't be parted may have as many pairs as there are hashes, and mostly have far fewer.
            waiting.append((first, last, min(_GROWTH * room, len(tables.hashes) * (stop - start))))
            continue
        query, row, distance = found
        yield start, stop, (query + start if start else query, row, distance)


def _search_once(
    tables: Tables, asked: NDArray[np.uint64], reach: NDArray[np.int16], radius: int, mode: str, most: int
) -> Found | None:
    """Search the way that is quickest; None if there are more pairs than there is room for."""
    everything = mode == "all"
    pairs = Pairs(
        np.empty(0, np.uint64) if everything else np.full(len(asked), NOTHING, np.uint64),
        np.empty(most + ROOM, np.uint64),
        np.empty(most + ROOM, np.int16),
        np.zeros(2, np.int64),
    )
    if not _run(tables, Asked(asked, reach, MODES.index(mode)), radius, pairs):
        return None
    if not everything:
        query = np.flatnonzero(pairs.best != NOTHING)
        best = pairs.best[query]
        return query, (best & 0xFFFFFFFF).astype(np.int64), (best >> 32).astype(np.int16)
    count = int(pairs.counts[1])
    query, row, distance = np.empty(count, np.int64), np.empty(count, np.int64), np.empty(count, np.int16)
    if count:
        order_pairs(pairs.keys[:count], pairs.distances[:count], len(asked), query, row, distance)
    return query, row, distance


def _run(tables: Tables, asked: Asked, radius: int, pairs: Pairs) -> bool:
    count, width = len(tables.hashes), tables.hashes.shape[1] * 8
    if radius <= hamming_plan.largest_radius(width):
        made = hamming_plan.plan(width, radius)
        if hamming_plan.tables_win(made, count):
            plan = Plan(made.budget, made.limits, made.masks, made.ends)
            if hamming_plan.join_wins(len(asked.hashes), count):
                return join(tables, plan, asked, pairs)
            return probe(tables, plan, asked, pairs)
    return scan(tables, asked, pairs)


def _joined(parts: list[Found]) -> Found:
    return (
        np.concatenate([part[0] for part in parts]),
        np.concatenate([part[1] for part in parts]),
        np.concatenate([part[2] for part in parts]),
    )
