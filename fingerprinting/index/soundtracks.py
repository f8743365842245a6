"""Whose recordings an index holds: one row for each that differs, and the works that have it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fingerprinting.index import copies
from fingerprinting.index.algorithm import Entry
from fingerprinting.index.copies import Copies
from fingerprinting.index.folder import Array
from fingerprinting.types import Span

SHAPES = {"works": ("<i8", 1), "begins": ("<f8", 1), "rows": ("<i8", 1), "firsts": ("<i8", 1), **copies.SHAPES}
"""The arrays that `Soundtracks.arrays` gives to be saved."""

_ENDS = 2


@dataclass(frozen=True, slots=True)
class Soundtracks:
    """N recordings, by work and then by where they begin in it, of which R differ; each has numbers in a long array.

    Attributes:
        works: int64, shape (N,).
        begins: float64, shape (N,), in seconds.
        rows: int64, shape (N,): which of R each is.
        copies: which of N each of R is.
        firsts: int64, shape (R + 1,): the numbers of row r are those from `firsts[r]` to `firsts[r + 1]`.
    """

    works: NDArray[np.int64]
    begins: NDArray[np.float64]
    rows: NDArray[np.int64]
    copies: Copies
    firsts: NDArray[np.int64]

    def bounds(self, row: int) -> tuple[int, int]:
        """Give the first number of a row, and one past the last."""
        first, last = self.firsts[row : row + 2].tolist()
        return first, last

    def rows_like(self, others: "Soundtracks", row: int) -> list[int]:
        """Give the rows here that are the recording which a row of others is: the same part of the same work."""
        theirs = others.copies.entries[slice(*others.copies.starts[row : row + 2].tolist())]
        works, begins = others.works[theirs], others.begins[theirs]
        found: set[int] = set()
        first = np.searchsorted(self.works, works)
        last = np.searchsorted(self.works, works, side="right")
        for begin, low, high in zip(begins.tolist(), first.tolist(), last.tolist(), strict=True):
            same = np.flatnonzero(self.begins[low:high] == begin)
            found.update(self.rows[low + same].tolist())
        return sorted(found)

    def rows_at(self, work: int, begin: float) -> list[int]:
        """Give the rows of the recordings of a work that begin there."""
        first, last = np.searchsorted(self.works, work), np.searchsorted(self.works, work, side="right")
        return sorted(set(self.rows[first + np.flatnonzero(self.begins[first:last] == begin)].tolist()))

    def holds(self, work: int) -> bool:
        """Whether there is a recording of a work."""
        at = int(np.searchsorted(self.works, work))
        return at < len(self.works) and int(self.works[at]) == work

    def arrays(self) -> Mapping[str, Array]:
        """Give the arrays to be saved, by name."""
        own = {"works": self.works, "begins": self.begins, "rows": self.rows, "firsts": self.firsts}
        return {**own, **self.copies.arrays()}

    def fit(self, numbers: int) -> bool:
        """Say whether the arrays belong together, with so many numbers. For what was read from a disk."""
        count, distinct = len(self.works), len(self.firsts) - 1
        if distinct < 0 or not self.copies.fit(distinct, count) or len(self.begins) != count or len(self.rows) != count:
            return False
        whole = int(self.firsts[0]) == 0 and int(self.firsts[-1]) == numbers and bool((np.diff(self.firsts) >= 0).all())
        return whole and (not count or 0 <= int(self.rows.min()) <= int(self.rows.max()) < distinct)


def build(entries: Sequence[Entry], header_bytes: int, number_bytes: int) -> tuple[list[bytes], Soundtracks]:
    """Sort recordings by work and beginning, and give their distinct values: a header, then numbers."""
    works = np.array([work for work, _ in entries], dtype=np.int64)
    begins = np.array([begin_of(fingerprint.span) for _, fingerprint in entries], dtype=np.float64)
    order = np.lexsort((begins, works)).tolist()
    values, held = copies.distinct([entries[each] for each in order])
    rows = np.empty(len(entries), dtype=np.int64)
    rows[held.entries] = np.repeat(np.arange(len(values)), np.diff(held.starts))
    sizes = [(len(value) - header_bytes) // number_bytes for value in values]
    firsts = np.concatenate(([0], np.cumsum(sizes))).astype(np.int64)
    return values, Soundtracks(works[order], begins[order], rows, held, firsts)


def read(arrays: Mapping[str, Array]) -> Soundtracks:
    """Make what `Soundtracks.arrays` gave into one again."""
    held = Copies(arrays["copies"], arrays["copy_starts"])
    return Soundtracks(arrays["works"], arrays["begins"], arrays["rows"], held, arrays["firsts"])


def begin_of(span: Span | None) -> float:
    """Give where a part of a work begins, in seconds."""
    return span[0] if span is not None else 0.0


def check_span(span: Span | None) -> str | None:
    """Say what is wrong with the span of a recording, or None."""
    if span is None or len(span) == _ENDS:
        return None
    return "the span of a recording is start, end in seconds"
