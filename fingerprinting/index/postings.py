"""Where 32-bit hashes stand in many texts laid end to end: 6 bytes for each, found by a bucket and a short search."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from fingerprinting.index import folder as folders
from fingerprinting.index.folder import Array, FolderContents
from fingerprinting.index.keys import ranges

_COMPILED_FROM_POSTINGS = 1 << 20  # below it numpy needs less time than it takes to load what is compiled
_BUCKETS = 1 << 16
_BUCKET_BITS = np.uint32(16)
PLACE_BITS = np.uint64(32)
"""How far a place is shifted where one number holds it and a hash."""

_MOST = (1 << 32) - 1
_SCATTER = 0x9E3779B1  # 2**32 divided by the golden ratio: multiples of it lie evenly
_LEAST_CELL_BITS, _MOST_CELL_BITS, _BAND_BITS, _HALF_BAND = 10, 22, np.uint32(6), 32
_SPARSE = 16  # of fewer than one hash in so many, too few stand together to be evidence
_STRETCH = 64  # neighbouring hashes that are more than a quotation
_SHAPES = {"bucket_starts": ("<i8", 1), "places": ("<u4", 1)}
_LEAST_ROOM = 1 << 16
_CHUNK = 1 << 18

Hashes: TypeAlias = NDArray[np.uint32]
Piece: TypeAlias = tuple[int, Hashes, NDArray[np.uint32]]
"""A text: its first place, hashes, and the position of each in the text, ascending."""


@dataclass(frozen=True, slots=True)
class Found:
    """What was found of hashes asked for: the postings of number i are `begins[i] .. ends[i] - 1`. Both int64."""

    begins: NDArray[np.int64]
    ends: NDArray[np.int64]

    def within(self, budget: int) -> NDArray[np.int64]:
        """Choose which of the hashes asked for to read, ascending: the rarest first, until `budget` postings are read.

        Where that would be few, half of the budget is read in stretches of neighbours. The budget bounds memory and
        time whatever a stranger asks or registers; what it leaves out are the most frequent hashes, which say least.
        The rarest is read in any case.
        """
        present = np.flatnonzero(self.ends > self.begins)
        counts = self.ends[present] - self.begins[present]
        if counts.sum() <= budget:
            return present
        # Of equally frequent ones some from everywhere: neighbours tell less than those far from each other.
        rarest = np.lexsort((_scattered(len(counts)), counts))
        alone = rarest[: max(1, _affordable(counts[rarest], budget))]
        if len(alone) * _SPARSE < len(counts):
            alone = _with_stretches(counts, rarest, budget, alone)
        chosen: NDArray[np.int64] = np.sort(present[alone])
        return chosen


@dataclass(frozen=True, slots=True)
class Postings:
    """P postings, by hash and then by place. Immutable; safe to ask from several threads.

    Attributes:
        starts: int64: where each bucket begins, and P; one is of all hashes, or of those with the same high 16 bits.
        remainders: shape (P,): the bits of the hash that the bucket does not say, uint32 or uint16.
        places: uint32, shape (P,).
    """

    starts: NDArray[np.int64]
    remainders: NDArray[Any]
    places: NDArray[np.uint32]

    def __len__(self) -> int:
        return len(self.places)

    def find(self, asked: Hashes) -> Found:
        """Find the postings of each hash."""
        if self.remainders.dtype == np.uint16:
            from fingerprinting.index import postings_kernels  # noqa: PLC0415 - loads numba

            begins, ends = np.empty(len(asked), dtype=np.int64), np.empty(len(asked), dtype=np.int64)
            postings_kernels.find(self.starts, self.remainders, np.ascontiguousarray(asked), begins, ends)
            return Found(begins, ends)
        return self._find_few(asked)

    def _find_few(self, asked: Hashes) -> Found:
        begins = np.zeros(len(asked), dtype=np.int64)
        if not len(self.remainders):
            return Found(begins, begins)
        order = np.argsort(asked)  # neighbours are then looked for in what the processor has at hand
        wanted = asked[order]
        first = np.searchsorted(self.remainders, wanted)
        last = first.copy()
        held = np.flatnonzero(self.remainders[np.minimum(first, len(self.remainders) - 1)] == wanted)
        last[held] = np.searchsorted(self.remainders, wanted[held], side="right")
        ends = np.empty_like(begins)
        begins[order], ends[order] = first, last
        return Found(begins, ends)

    def agreeing(
        self, found: Found, chosen: NDArray[np.int64], queries: NDArray[np.uint32], needed: int
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Fetch the postings near whose diagonal there are enough others: all of those, and perhaps some more.

        Args:
            found: from `find`.
            chosen: which of the hashes asked for to read, as `Found.within` gave them.
            queries: where in the query each of the hashes asked for stands.
            needed: postings that must lie near one diagonal (place less position in the query), 1 to 255.

        Returns:
            For each posting the number of its hash among those asked for, and its place; in the order of the former.
        """
        begins, ends = found.begins[chosen], found.ends[chosen]
        counts = ends - begins
        if len(chosen) < needed:
            return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
        if self.remainders.dtype != np.uint16:
            which, places = np.repeat(chosen, counts), self.places[ranges(begins, counts)]
            kept = _near_others(places - queries[which], needed)
            return which[kept], places[kept].astype(np.int64)
        from fingerprinting.index import postings_kernels  # noqa: PLC0415 - loads numba

        votes = np.empty((2, postings_kernels.VOTES), dtype=np.uint8)
        room = max(_LEAST_ROOM, int(counts.sum()))  # memory that nothing is written to costs nothing
        hits = np.empty(room, dtype=np.int64), np.empty(room, dtype=np.int64)
        number = postings_kernels.agreeing(
            queries[chosen], begins, ends, self.places, needed, (votes[0], votes[1]), hits
        )
        return chosen[hits[0][:number]], hits[1][:number].copy()

    def by_place(self) -> NDArray[np.uint64]:
        """Give all postings by place: the place, shifted by PLACE_BITS, and the hash there."""
        keys = self.places.astype(np.uint64)
        keys <<= PLACE_BITS
        for first in range(0, len(keys), _CHUNK):
            keys[first : first + _CHUNK] |= self._hashes(first, min(first + _CHUNK, len(keys)))
        keys.sort()
        return keys

    def _hashes(self, first: int, last: int) -> Hashes:
        """Give the hashes of postings from one to before another."""
        low: Hashes = self.remainders[first:last].astype(np.uint32)
        if self.remainders.dtype != np.uint16:
            return low
        buckets = np.searchsorted(self.starts, np.arange(first, last), side="right") - 1
        return buckets.astype(np.uint32) << _BUCKET_BITS | low

    def arrays(self) -> Mapping[str, Array]:
        """Give the arrays to be saved, by name."""
        return {"bucket_starts": self.starts, "remainders": self.remainders, "places": self.places}


def _affordable(counts: NDArray[np.int64], budget: int) -> int:
    """Tell how many of the first counts are no more than the budget together."""
    return int(np.searchsorted(np.cumsum(counts), budget, side="right"))


def _with_stretches(
    counts: NDArray[np.int64], rarest: NDArray[np.int64], budget: int, alone: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Choose the rarest for half of the budget, and for the rest whole stretches of neighbours, the rarest first.

    A few from everywhere tell nothing at all: of a long text that thousands registered, none would be found.

    Args:
        counts: postings of each hash, in the order of the text.
        rarest: all of them, the rarest first.
        budget: postings to read.
        alone: those that are read if no stretch can be.
    """
    first = _affordable(counts[rarest], budget // 2)
    left = np.sort(rarest[first:])
    totals = np.add.reduceat(counts[left], np.arange(0, len(left), _STRETCH))
    order = np.lexsort((_scattered(len(totals)), totals))
    whole = order[: _affordable(totals[order], budget - int(counts[rarest[:first]].sum()))]
    if not len(whole):
        return alone
    return np.concatenate([rarest[:first], left[np.isin(np.arange(len(left)) // _STRETCH, whole)]])


def _scattered(number: int) -> NDArray[np.uint32]:
    """Give numbers by which to sort things so that any first few of them are from everywhere."""
    scattered: NDArray[np.uint32] = np.arange(number, dtype=np.uint32) * np.uint32(_SCATTER)
    return scattered


def build(pieces: Callable[[], Iterator[Piece]], number: int) -> Postings:
    """Index the hashes of texts, in about as much memory as what comes of it.

    Args:
        pieces: gives the texts, each time the same; called twice at most.
        number: how many hashes they have in all.

    Raises:
        ValueError: there are too many.
    """
    if number > _MOST:
        raise ValueError(f"an index of texts holds at most {_MOST:,} shingles, not {number:,}: make several of them")
    if number < _COMPILED_FROM_POSTINGS:
        return _few(pieces(), number)
    from fingerprinting.index import postings_kernels  # noqa: PLC0415 - loads numba

    counts = np.zeros(_BUCKETS, dtype=np.int64)
    for _, hashes, _ in pieces():
        postings_kernels.count(hashes, counts)
    starts = np.append(0, np.cumsum(counts)).astype(np.int64)
    next_of = starts[:-1].copy()
    remainders, places = np.empty(number, dtype=np.uint16), np.empty(number, dtype=np.uint32)
    for base, hashes, positions in pieces():
        postings_kernels.put(hashes, positions, np.uint32(base), next_of, remainders, places)
    postings_kernels.sort(starts, remainders, places)
    return Postings(starts, remainders, places)


def _near_others(diagonals: NDArray[np.uint32], needed: int) -> NDArray[np.int64]:
    """Choose the diagonals in whose band there are enough: as the kernel does, for few."""
    bits = max(_LEAST_CELL_BITS, min(_MOST_CELL_BITS, len(diagonals).bit_length() + 2))
    kept = np.zeros(len(diagonals), dtype=np.bool_)
    for shift in (0, _HALF_BAND):
        cells = ((diagonals + np.uint32(shift)) >> _BAND_BITS) * np.uint32(_SCATTER) >> np.uint32(32 - bits)
        kept |= np.bincount(cells, minlength=1 << bits)[cells] >= needed
    return np.flatnonzero(kept)


def _few(pieces: Iterator[Piece], number: int) -> Postings:
    keys = np.empty(number, dtype=np.uint64)
    end = 0
    for base, hashes, positions in pieces:
        keys[end : end + len(hashes)] = hashes.astype(np.uint64) << PLACE_BITS | (positions + np.uint32(base))
        end += len(hashes)
    keys.sort()
    starts = np.array([0, number], dtype=np.int64)
    return Postings(starts, (keys >> PLACE_BITS).astype(np.uint32), keys.astype(np.uint32))


def read(folder: Path, contents: FolderContents, places: int) -> Postings:
    """Make what `Postings.arrays` gave, of texts that take so many places, searchable again.

    Raises:
        CorruptIndexError: arrays are missing or do not belong together.
    """
    few = len(contents.arrays.get("bucket_starts", ())) != _BUCKETS + 1
    folders.require(folder, contents, {**_SHAPES, "remainders": ("<u4" if few else "<u2", 1)})
    starts, remainders, held = (contents.arrays[name] for name in ("bucket_starts", "remainders", "places"))
    fits = len(remainders) == len(held) and (not few or len(starts) == 2)  # noqa: PLR2004 - begin and end of all
    if not fits or starts[0] != 0 or starts[-1] != len(held) or (len(held) and not places):
        raise folders.corrupt(folder, "its arrays do not belong together")
    return Postings(starts, remainders, held)
