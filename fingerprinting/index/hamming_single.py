"""One query at a time: what each search would prepare anew is prepared once, for an index and for a thread."""

import threading
from functools import cache
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from fingerprinting.index import hamming_order, hamming_plan
from fingerprinting.index.address_kernels import addresses
from fingerprinting.index.hamming_kernels import MODES, NOTHING, ROOM, Pairs
from fingerprinting.index.hamming_plan import RadiusPlan
from fingerprinting.index.hamming_single_kernels import search_single
from fingerprinting.index.kernels_layout import Tables

Found: TypeAlias = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int16]]

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
        try:
            plan_at = self._plans[radius]
        except KeyError:
            plan_at = self._plans[radius] = self._plan(radius)
        if plan_at is None:
            return None
        room = _room
        count = search_single(self._addresses, plan_at, room.addresses, query, radius, MODES.index(mode))
        if count < 0:
            return None
        if mode != "all":
            best = int(room.pairs.best[0])
            if best == NOTHING:
                return _nothing()
            return np.zeros(1, np.int64), np.array([best & 0xFFFFFFFF], np.int64), np.array([best >> 32], np.int16)
        if not count:
            return _nothing()
        row, distance = (room.pairs.keys[:count] & np.uint64(0xFFFFFFFF)).astype(np.int64), room.pairs.distances[:count]
        order = np.lexsort((row, distance))
        return np.zeros(count, np.int64), row[order], distance[order]

    def _plan(self, radius: int) -> NDArray[np.int64] | None:
        count, width = len(self._tables.hashes), self._tables.hashes.shape[1] * 8
        if radius > hamming_plan.largest_radius(width):
            return None
        made = hamming_plan.plan(width, radius)
        return _plan_addresses(width, radius) if hamming_plan.tables_win(made, count) else None


@cache
def _plan_addresses(width: int, radius: int) -> NDArray[np.int64]:
    made: RadiusPlan = hamming_plan.plan(width, radius)  # which is kept for good, as the order of bits is
    return addresses(made.budget, made.limits, made.masks, made.ends, hamming_order.table(width))


def _nothing() -> Found:
    return np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.int16)
