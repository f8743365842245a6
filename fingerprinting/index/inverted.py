"""An inverted index with positions: which rows hold a term, and where in them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fingerprinting.index.folder import Array
from fingerprinting.index.keys import ranges

SHAPES = {"terms": ("<u8", 1), "starts": ("<i8", 1), "rows": ("<u4", 1), "positions": ("<u4", 1)}
"""The arrays that `InvertedIndex.arrays` gives to be saved."""


@dataclass(frozen=True, slots=True)
class Hits:
    """Terms asked for that were found: position among the terms asked, row, and position in the row. All int64."""

    query: NDArray[np.int64]
    row: NDArray[np.int64]
    position: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class InvertedIndex:
    """T distinct terms with P postings.

    Attributes:
        terms: uint64, shape (T,), ascending.
        starts: int64, shape (T + 1,): the postings of term t are `starts[t] .. starts[t + 1] - 1`.
        rows: uint32, shape (P,).
        positions: uint32, shape (P,).
    """

    terms: NDArray[np.uint64]
    starts: NDArray[np.int64]
    rows: NDArray[np.uint32]
    positions: NDArray[np.uint32]

    def find(self, asked: NDArray[np.uint64]) -> NDArray[np.int64]:
        """Give the position of each term asked for among `terms`; -1 where it is not there."""
        if not len(self.terms):
            return np.full(len(asked), -1, dtype=np.int64)
        at = np.minimum(np.searchsorted(self.terms, asked), len(self.terms) - 1)
        return np.where(self.terms[at] == asked, at, -1).astype(np.int64)

    def gather(self, found: NDArray[np.int64], budget: int) -> Hits:
        """Fetch the postings of terms, rarest first, until about `budget` postings are read.

        The budget bounds memory and time whatever a stranger asks or registers; what it leaves out are the most
        frequent terms, which say least.

        Args:
            found: positions of terms as `find` gave them; -1 is passed over.
            budget: postings to read at most; the rarest term is read in any case.
        """
        present = np.flatnonzero(found >= 0)
        first = self.starts[found[present]]
        counts = self.starts[found[present] + 1] - first
        if counts.sum() > budget:
            rarest = np.argsort(counts, kind="stable")
            within = np.cumsum(counts[rarest]) <= budget
            within[:1] = True
            kept = np.sort(rarest[within])
            present, first, counts = present[kept], first[kept], counts[kept]
        at = ranges(first, counts)
        return Hits(
            query=np.repeat(present, counts),
            row=self.rows[at].astype(np.int64),
            position=self.positions[at].astype(np.int64),
        )

    def arrays(self) -> dict[str, Array]:
        """Give the arrays to be saved, by name."""
        return {"terms": self.terms, "starts": self.starts, "rows": self.rows, "positions": self.positions}

    def fits(self, rows: int) -> bool:
        """Say whether the arrays belong together, for an index over `rows` rows. For what was read from a disk."""
        ends_well = len(self.starts) == len(self.terms) + 1 and int(self.starts[-1]) == len(self.rows)
        return ends_well and len(self.positions) == len(self.rows) and (not len(self.rows) or rows > 0)


def build(terms: NDArray[np.uint64], rows: NDArray[np.uint32], positions: NDArray[np.uint32]) -> InvertedIndex:
    """Index P postings, given as three arrays of shape (P,): the term, its row, its position in the row."""
    order = np.lexsort((positions, rows, terms))
    distinct, first = np.unique(terms[order], return_index=True)
    starts = np.append(first, len(terms)).astype(np.int64)
    return InvertedIndex(distinct, starts, rows[order], positions[order])
