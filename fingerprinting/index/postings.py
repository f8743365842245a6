"""Where hashes stand in many texts laid end to end: some 27 bits for each, all in one order of hashes and places."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from fingerprinting.index import folder as folders
from fingerprinting.index import packed
from fingerprinting.index.folder import Array, FolderContents
from fingerprinting.index.keys import ranges
from fingerprinting.index.packed import Packed
from fingerprinting.text.shingle_bytes import HASH_BITS

_COMPILED_FROM_POSTINGS = 1 << 20  # below it numpy needs less time than it takes to load what is compiled
PLACE_BITS = np.uint64(32)
"""How far a place is shifted where one number holds it and a hash."""

_MOST = (1 << 32) - 1
_SCATTER = 0x9E3779B1  # 2**32 divided by the golden ratio: multiples of it lie evenly
_LEAST_CELL_BITS, _MOST_CELL_BITS, _BAND_BITS, _HALF_BAND = 10, 22, np.uint32(6), 32
_SPARSE = 16  # of fewer than one hash in so many, too few stand together to be evidence
_STRETCH = 64  # neighbouring hashes that are more than a quotation
_LEAST_ROOM = 1 << 16
_CHUNK = 1 << 18

Hashes: TypeAlias = NDArray[np.uint32]
Piece: TypeAlias = tuple[int, Hashes, NDArray[np.uint32]]
"""A text: its first place, hashes, and the position of each in the text, ascending."""


@dataclass(frozen=True, slots=True)
class Found:
    """What was found of hashes asked for: the postings of number i are `begins[i] .. ends[i] - 1`.

    All int64, of one shape; `bits` says where postings that are packed are told of, where compiled code has found them.
    """

    begins: NDArray[np.int64]
    ends: NDArray[np.int64]
    bits: NDArray[np.int64]
    is_compiled: bool

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


class Postings:
    """P postings, by hash and then by place. Immutable; safe to ask from several threads."""

    def __init__(self, held: Packed, place_bits: int) -> None:
        self._held = held
        self._place_bits = place_bits
        self._few: tuple[Hashes, NDArray[np.uint32]] | None = None

    def __len__(self) -> int:
        return self._held.sizes.number

    def find(self, asked: Hashes, *, is_compiled: bool = False) -> Found:
        """Find the postings of each hash; many, and on request any, by compiled code, which then reads them, too."""
        if self.is_compiled or is_compiled:
            from fingerprinting.index import postings_kernels  # noqa: PLC0415 - loads numba

            begins, ends, bits = (np.empty(len(asked), dtype=np.int64) for _ in range(3))
            postings_kernels.find(self._words, self._place_bits, np.ascontiguousarray(asked), begins, ends, bits)
            return Found(begins, ends, bits, is_compiled=True)
        hashes, _ = self._unpacked()
        begins = np.zeros(len(asked), dtype=np.int64)
        if not len(hashes):
            return Found(begins, begins, begins, is_compiled=False)
        order = np.argsort(asked)  # neighbours are then looked for in what the processor has at hand
        wanted = asked[order]
        first = np.searchsorted(hashes, wanted)
        last = first.copy()
        held = np.flatnonzero(hashes[np.minimum(first, len(hashes) - 1)] == wanted)
        last[held] = np.searchsorted(hashes, wanted[held], side="right")
        ends = np.empty_like(begins)
        begins[order], ends[order] = first, last
        return Found(begins, ends, begins, is_compiled=False)

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
        if len(chosen) < needed:
            return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
        starts, places = self.places(found, chosen)
        if not found.is_compiled:
            which = np.repeat(chosen, np.diff(starts))
            kept = _near_others(places - queries[which], needed)
            return which[kept], places[kept].astype(np.int64)
        from fingerprinting.index import postings_kernels  # noqa: PLC0415 - loads numba

        votes = np.empty((2, postings_kernels.VOTES), dtype=np.uint8)
        room = max(_LEAST_ROOM, len(places))  # memory that nothing is written to costs nothing
        hits = np.empty(room, dtype=np.int64), np.empty(room, dtype=np.int64)
        number = postings_kernels.agreeing(queries[chosen], starts, places, needed, (votes[0], votes[1]), hits)
        return chosen[hits[0][:number]], hits[1][:number].copy()

    def places(self, found: Found, chosen: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.uint32]]:
        """Read the places of some of the hashes that were found: where those of each begin, and all of them."""
        begins, ends = found.begins[chosen], found.ends[chosen]
        counts = ends - begins
        if not found.is_compiled:
            return np.append(0, np.cumsum(counts)), self._unpacked()[1][ranges(begins, counts)]
        from fingerprinting.index import postings_kernels  # noqa: PLC0415 - loads numba

        starts = np.empty(len(chosen) + 1, dtype=np.int64)
        places = np.empty(int(counts.sum()), dtype=np.uint32)
        number = postings_kernels.read(self._words, self._place_bits, begins, ends, found.bits[chosen], starts, places)
        return starts, places[:number]

    def by_place(self) -> NDArray[np.uint64]:
        """Give all postings by place: the place, shifted by PLACE_BITS, and the hash there.

        Raises:
            ValueError: what was read from a disk does not belong together.
        """
        numbers = self._numbers()
        shift = np.uint64(self._place_bits)
        for first in range(0, len(numbers), _CHUNK):
            some = numbers[first : first + _CHUNK]
            places = some & ((np.uint64(1) << shift) - np.uint64(1))
            some >>= shift
            some |= places << PLACE_BITS
        numbers.sort()
        return numbers

    @property
    def is_compiled(self) -> bool:
        """Whether there are so many that compiled code searches them."""
        return len(self) >= _COMPILED_FROM_POSTINGS

    @property
    def _words(self) -> tuple[NDArray[np.uint64], NDArray[np.uint64], NDArray[np.uint32], int, int]:
        """All that kernels read of it."""
        held = self._held
        return held.lows, held.highs, held.marks, held.sizes.number, held.sizes.low_bits

    def _numbers(self) -> NDArray[np.uint64]:
        if not self.is_compiled:
            return self._held.numbers()
        from fingerprinting.index import packed_kernels  # noqa: PLC0415 - loads numba

        numbers = np.empty(len(self), dtype=np.uint64)
        if packed_kernels.read_all(self._words, numbers) != len(self):
            raise ValueError("there are not as many high as low parts")
        return numbers

    def _unpacked(self) -> tuple[Hashes, NDArray[np.uint32]]:
        """Give hashes and places of few postings, unpacked when they are first asked for."""
        if self._few is None:
            numbers = self._held.numbers()
            places = (numbers & ((np.uint64(1) << np.uint64(self._place_bits)) - np.uint64(1))).astype(np.uint32)
            self._few = (numbers >> np.uint64(self._place_bits)).astype(np.uint32), places
        return self._few

    def arrays(self) -> Mapping[str, Array]:
        """Give the arrays to be saved, by name."""
        return self._held.arrays()


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


def build(pieces: Callable[[], Iterator[Piece]], number: int, places: int) -> Postings:
    """Index the hashes of texts, in less than twice the memory that comes of it.

    Args:
        pieces: gives the texts, each time the same; called twice at most.
        number: how many hashes they have in all.
        places: how many tokens they have in all.

    Raises:
        ValueError: there are too many.
    """
    if number > _MOST:
        raise ValueError(f"an index of texts holds at most {_MOST:,} shingles, not {number:,}: make several of them")
    place_bits = max(places, 1).bit_length()
    if number < _COMPILED_FROM_POSTINGS:
        return Postings(packed.pack(_sorted(pieces(), number, place_bits), HASH_BITS + place_bits), place_bits)
    from fingerprinting.index import postings_kernels  # noqa: PLC0415 - loads numba

    counts = np.zeros(1 << HASH_BITS - postings_kernels.REMAINDER_BITS, dtype=np.int64)
    for _, hashes, _ in pieces():
        postings_kernels.count(hashes, counts)
    starts = np.append(0, np.cumsum(counts)).astype(np.int64)
    next_of = starts[:-1].copy()
    sizes = packed.sizes_of(number, HASH_BITS + place_bits)
    # What is packed takes the place of what it is packed from, while that is read.
    room = np.empty(max(number // 2 + 1, sizes.low_words), dtype=np.uint64)
    remainders, held = np.empty(number, dtype=np.uint8), room.view(np.uint32)[:number]
    for base, hashes, positions in pieces():
        postings_kernels.put(hashes, positions, np.uint32(base), next_of, remainders, held)
    postings_kernels.sort(starts, remainders, held)
    highs, marks = np.zeros(sizes.high_words, dtype=np.uint64), np.empty(sizes.marks, dtype=np.uint32)
    postings_kernels.pack(starts, remainders, held, place_bits, sizes.low_bits, (room, highs), marks)
    return Postings(Packed(sizes, room[: sizes.low_words], highs, marks), place_bits)


def _near_others(diagonals: NDArray[np.uint32], needed: int) -> NDArray[np.int64]:
    """Choose the diagonals in whose band there are enough: as the kernel does, for few."""
    bits = max(_LEAST_CELL_BITS, min(_MOST_CELL_BITS, len(diagonals).bit_length() + 2))
    kept = np.zeros(len(diagonals), dtype=np.bool_)
    for shift in (0, _HALF_BAND):
        cells = ((diagonals + np.uint32(shift)) >> _BAND_BITS) * np.uint32(_SCATTER) >> np.uint32(32 - bits)
        kept |= np.bincount(cells, minlength=1 << bits)[cells] >= needed
    return np.flatnonzero(kept)


def _sorted(pieces: Iterator[Piece], number: int, place_bits: int) -> NDArray[np.uint64]:
    keys = np.empty(number, dtype=np.uint64)
    end = 0
    for base, hashes, positions in pieces:
        keys[end : end + len(hashes)] = hashes.astype(np.uint64) << np.uint64(place_bits) | (
            positions + np.uint32(base)
        )
        end += len(hashes)
    keys.sort()
    return keys


def read(folder: Path, contents: FolderContents, number: int, places: int) -> Postings:
    """Make what `Postings.arrays` gave, of so many hashes of texts that take so many places, searchable again.

    Raises:
        CorruptIndexError: arrays are missing or do not belong together.
    """
    folders.require(folder, contents, packed.SHAPES)
    place_bits = max(places, 1).bit_length()
    lows, highs, marks = (contents.arrays[name] for name in packed.SHAPES)
    held = Packed(packed.sizes_of(number, HASH_BITS + place_bits), lows, highs, marks)
    if number > places or not held.fits():
        raise folders.corrupt(folder, "its arrays do not belong together")
    return Postings(held, place_bits)
