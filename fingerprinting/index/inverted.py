"""An inverted index with positions: which rows hold a term, where in them, and which rows hold several in one order."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fingerprinting.index import folder as folders
from fingerprinting.index import keys_places
from fingerprinting.index.folder import Array, FolderContents
from fingerprinting.index.keys import ranges
from fingerprinting.index.keys_places import Places

_SHAPES = {"starts": ("<i8", 1), "rows": ("<u4", 1), "positions": ("<u4", 1)}
_COMPILED_FROM_POSTINGS = 200_000  # below it numpy needs less time than it takes to load what is compiled
_SCATTER = 0x9E3779B1  # 2**32 divided by the golden ratio: multiples of it lie evenly
_MOST_CELLS = 1 << 22  # a flood may have put more postings under one term than there is room for


@dataclass(frozen=True, slots=True)
class Hits:
    """Terms asked for that were found: position among the terms asked, row, and position in the row. All int64."""

    query: NDArray[np.int64]
    row: NDArray[np.int64]
    position: NDArray[np.int64]

    def take(self, kept: NDArray[np.bool_]) -> "Hits":
        """Keep some of them."""
        return Hits(self.query[kept], self.row[kept], self.position[kept])


@dataclass(frozen=True, slots=True)
class InvertedIndex:
    """T distinct terms with P postings. Immutable; safe to ask from several threads.

    Attributes:
        terms: finds the number of a term, 0 .. T - 1.
        starts: int64, shape (T + 1,): the postings of term t are `starts[t] .. starts[t + 1] - 1`.
        rows: uint32, shape (P,); of one term ascending.
        positions: uint32, shape (P,); of one term and row ascending.
    """

    terms: Places
    starts: NDArray[np.int64]
    rows: NDArray[np.uint32]
    positions: NDArray[np.uint32]

    def find(self, asked: NDArray[np.uint64]) -> NDArray[np.int64]:
        """Give the number of each term asked for; -1 where it is not there."""
        return self.terms.locate(asked)

    def gather(self, found: NDArray[np.int64], budget: int) -> Hits:
        """Fetch the postings of terms, rarest first, until about `budget` postings are read.

        The budget bounds memory and time whatever a stranger asks or registers; what it leaves out are the most
        frequent terms, which say least.

        Args:
            found: numbers of terms as `find` gave them; -1 is passed over.
            budget: postings to read at most; the rarest term is read in any case.
        """
        present, first, counts = self._within(found, budget)
        at = ranges(first, counts)
        return Hits(
            query=np.repeat(present, counts),
            row=self.rows[at].astype(np.int64),
            position=self.positions[at].astype(np.int64),
        )

    def agreeing(
        self,
        found: NDArray[np.int64],
        budget: int,
        needed: int,
        *,
        by_offset: bool,
        at: NDArray[np.int64] | None = None,
    ) -> Hits:
        """Fetch, of what `gather` gives, the hits that agree with enough others: all of those, and perhaps some more.

        Hits agree that are of different terms asked for, in one row and, with `by_offset`, have the same position minus
        query position. Voting them out here, where they are read, is what makes a large index fast: hardly any posting
        is ever copied.

        Args:
            found: numbers of terms as `find` gave them; -1 is passed over.
            budget: postings to read at most, as for `gather`.
            needed: terms asked for whose hits must agree, 1 to 255.
            by_offset: whether they must agree in the offset, too.
            at: where each term stands, ascending, where that is not its number among those asked. Hits then have that
                for `query`.
        """
        chosen = self._within(found, budget)
        if len(chosen[0]) < needed:
            none = np.empty(0, dtype=np.int64)  # so that no term is read beyond the budget for nothing
            return Hits(none, none, none)
        if len(self.rows) < _COMPILED_FROM_POSTINGS:
            hits = self.gather(found, budget)
            if at is not None:
                return Hits(at[hits.query], hits.row, hits.position)
            return hits
        if at is not None:
            chosen = (at[chosen[0]], *chosen[1:])
        return self._vote(chosen, needed, by_offset)

    def _vote(
        self,
        chosen: tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]],
        needed: int,
        by_offset: bool,  # noqa: FBT001 - passed on
    ) -> Hits:
        from fingerprinting.index import inverted_kernels  # noqa: PLC0415 - loads numba

        present, first, counts = chosen
        asked = (present, first, first + counts, by_offset)
        votes = np.empty(inverted_kernels.VOTES, dtype=np.uint8)
        cells = np.empty(min(int(counts.sum()), _MOST_CELLS), dtype=np.uint32)
        room = int(counts.sum())  # memory that nothing is written to costs nothing
        hits = (np.empty(room, np.int64), np.empty(room, np.int64), np.empty(room, np.int64))
        number = int(inverted_kernels.agreeing(asked, (self.rows, self.positions), needed, votes, cells, hits))
        return Hits(hits[0][:number].copy(), hits[1][:number].copy(), hits[2][:number].copy())

    def unread(self, found: NDArray[np.int64], budget: int) -> NDArray[np.int64]:
        """Say which of the terms asked for are there, but left out for want of budget: positions among them."""
        return np.setdiff1d(np.flatnonzero(found >= 0), self._within(found, budget)[0], assume_unique=True)

    def _within(
        self, found: NDArray[np.int64], budget: int
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        """Choose the terms to read: which of those asked for, their first postings, and how many each has."""
        present = np.flatnonzero(found >= 0)
        numbers = found[present]
        first = self.starts[numbers]
        counts = self.starts[numbers + 1] - first
        if counts.sum() > budget:
            # Of equally frequent ones some from everywhere: neighbours tell less than terms far from each other.
            scattered = np.arange(len(counts), dtype=np.uint32) * np.uint32(_SCATTER)
            rarest = np.lexsort((scattered, counts))
            within = np.cumsum(counts[rarest]) <= budget
            within[:1] = True
            kept = np.sort(rarest[within])
            present, first, counts = present[kept], first[kept], counts[kept]
        return present, first, counts

    def arrays(self) -> Mapping[str, Array]:
        """Give the arrays to be saved, by name."""
        return {**self.terms.arrays(), "starts": self.starts, "rows": self.rows, "positions": self.positions}


def build(
    terms: NDArray[np.uint64],
    rows: NDArray[np.uint32],
    positions: NDArray[np.uint32],
    most: NDArray[np.int64] | None = None,
) -> InvertedIndex:
    """Index P postings, P below 2**32, given as arrays of shape (P,): the term, its row, its position in the row.

    Args:
        terms: any 64 bits.
        rows: the row of each.
        positions: where in it.
        most: postings of one term to keep of each row, shape (R,), each at least 1: of more, so many spread evenly over
            the row. A row that says one thing over and over would else use up what a question may read, and hide other
            rows that hold the term. None keeps all.

    Raises:
        ValueError: there are too many.
    """
    keys_places.check_number(len(terms))
    if not _in_order(rows, positions):
        order = np.lexsort((positions, rows))
        terms, rows, positions = terms[order], rows[order], positions[order]
    sorted_terms, by_term = keys_places.ascending(keys_places.mixed(terms))
    rows, positions = rows[by_term], positions[by_term]
    if most is not None and len(rows):
        kept = _thinned(sorted_terms, rows, most)
        sorted_terms, rows, positions = sorted_terms[kept], rows[kept], positions[kept]
    is_first = np.append(True, sorted_terms[1:] != sorted_terms[:-1])[: len(sorted_terms)]
    starts = np.append(np.flatnonzero(is_first), len(rows)).astype(np.int64)
    return InvertedIndex(keys_places.build(sorted_terms[is_first]), starts, rows, positions)


def read(folder: Path, contents: FolderContents, count: int) -> InvertedIndex:
    """Make what `InvertedIndex.arrays` gave, of an index over `count` rows, searchable again.

    Raises:
        CorruptIndexError: arrays are missing or do not belong together.
    """
    folders.require(folder, contents, _SHAPES)
    arrays = contents.arrays
    terms, starts = keys_places.read(folder, contents), arrays["starts"]
    rows, positions = arrays["rows"], arrays["positions"]
    fits = len(starts) == len(terms) + 1 and len(positions) == len(rows) and (not len(rows) or count > 0)
    if not fits or starts[0] != 0 or starts[-1] != len(rows):
        raise folders.corrupt(folder, "its arrays do not belong together")
    return InvertedIndex(terms, starts, rows, positions)


def _thinned(terms: NDArray[np.uint64], rows: NDArray[np.uint32], most: NDArray[np.int64]) -> NDArray[np.bool_] | slice:
    """Say which postings stay, given in order of terms and rows: of too many of one term and row, some of each part."""
    fewest = int(most.min())
    if not ((terms[fewest:] == terms[:-fewest]) & (rows[fewest:] == rows[:-fewest])).any():
        return slice(None)
    is_first = np.append(True, (terms[1:] != terms[:-1]) | (rows[1:] != rows[:-1]))
    starts = np.flatnonzero(is_first)
    counts = np.diff(np.append(starts, len(rows)))
    limits = np.minimum(most[rows[starts]], counts)
    rank = np.arange(len(rows)) - np.repeat(starts, counts)
    counts, limits = np.repeat(counts, counts), np.repeat(limits, counts)
    kept: NDArray[np.bool_] = is_first | (rank * limits // counts != (rank - 1) * limits // counts)
    return kept


def _in_order(rows: NDArray[np.uint32], positions: NDArray[np.uint32]) -> bool:
    """Say whether postings come by row, and of one row by position."""
    later = rows[1:] > rows[:-1]
    return bool((later | ((rows[1:] == rows[:-1]) & (positions[1:] >= positions[:-1]))).all())
