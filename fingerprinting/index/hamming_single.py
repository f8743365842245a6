"""One query at a time: what each search would prepare anew is prepared once, for an index and for a thread."""

import threading
from functools import cache

import numpy as np
from numpy.typing import NDArray

from fingerprinting.index import hamming_order, hamming_plan
from fingerprinting.index.address_kernels import addresses
from fingerprinting.index.hamming_brute import Found, nothing
from fingerprinting.index.hamming_kernels import MODES, NOTHING, ROOM, Pairs
from fingerprinting.index.hamming_plan import RadiusPlan
from fingerprinting.index.hamming_single_kernels import search_single
from fingerprinting.index.kernels_layout import Tables

_PAIRS = 1280  # there is room for; a query with more is searched as a batch


class _Room(threading.local):
    """What a search writes. Each thread has its own."""

    def __init__(self) -> None:
        self.pairs = Pairs(
            np.empty(1, np.uint64),
            np.empty(_PAIRS + ROOM, np.uint64),
            np.empty(_PAIRS + ROOM, np.int16),
            np.empty(2, np.int64),
        )
        self._query, self._reach = np.empty(4, np.uint64), np.empty(1, np.int16)
        self.addresses = addresses(self._query, self._reach, *self.pairs)


_room = _Room()


class SingleSearch:
    """Searches some tables for one query at a time. Several threads may use it at once."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self._addresses = addresses(*tables)
        self._largest = hamming_plan.largest_radius(tables.hashes.shape[1] * 8)
        self._plans: dict[int, NDArray[np.int64] | None] = {}

    def __reduce__(self) -> tuple[type["SingleSearch"], tuple[Tables]]:
        return SingleSearch, (self._tables,)  # in a copy, and in another process, arrays lie elsewhere

    def search(self, query: NDArray[np.uint8], radius: int, mode: str) -> Found | None:
        """Find pairs: sorted by distance and row. None if that is quicker, or only possible, the way batches go.

        Args:
            query: shape (1, B).
            radius: in bits, not negative.
            mode: `all`, `best` or `any`.
        """
        plan_at = self._plan(radius)
        if plan_at is None:
            return None
        count = search_single(self._addresses, plan_at, _room.addresses, query, radius, MODES.index(mode))
        if count < 0:
            return None
        if mode != "all":
            best = int(_room.pairs.best[0])
            if best == NOTHING:
                return nothing()
            return np.zeros(1, np.int64), np.array([best & 0xFFFFFFFF], np.int64), np.array([best >> 32], np.int16)
        if not count:
            return nothing()
        row = (_room.pairs.keys[:count] & np.uint64(0xFFFFFFFF)).astype(np.int64)
        distance = _room.pairs.distances[:count]
        order = np.lexsort((row, distance))
        return np.zeros(count, np.int64), row[order], distance[order]

    def _plan(self, radius: int) -> NDArray[np.int64] | None:
        if radius > self._largest:
            return None
        if radius not in self._plans:
            count, width = len(self._tables.hashes), self._tables.hashes.shape[1] * 8
            is_quicker = hamming_plan.tables_win(hamming_plan.plan(width, radius), count)
            self._plans[radius] = _plan_addresses(width, radius) if is_quicker else None
        return self._plans[radius]


@cache
def _plan_addresses(width: int, radius: int) -> NDArray[np.int64]:
    made: RadiusPlan = hamming_plan.plan(width, radius)  # which is kept for good, as the order of bits is
    return addresses(made.budget, made.limits, made.masks, made.ends, hamming_order.table(width))
