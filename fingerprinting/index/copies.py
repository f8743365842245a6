"""One row for each distinct fingerprint, and who has it: a million equal ones cost the index no more than one."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fingerprinting.index.algorithm import Entry
from fingerprinting.index.folder import Array

SHAPES = {"copies": ("<i8", 1), "copy_starts": ("<i8", 1)}
"""The arrays that `Copies.arrays` gives to be saved."""


@dataclass(frozen=True, slots=True)
class Copies:
    """R distinct fingerprints of N.

    Attributes:
        entries: int64, shape (N,): the positions of the fingerprints among those given, row by row, each ascending.
        starts: int64, shape (R + 1,): the ones that are row r are `entries[starts[r] : starts[r + 1]]`.
    """

    entries: NDArray[np.int64]
    starts: NDArray[np.int64]

    def of(self, row: int) -> list[int]:
        """Give the positions of the fingerprints that are equal and make this row."""
        copies: list[int] = self.entries[self.starts[row] : self.starts[row + 1]].tolist()
        return copies

    def arrays(self) -> Mapping[str, Array]:
        """Give the arrays to be saved, by name."""
        return {"copies": self.entries, "copy_starts": self.starts}

    def fit(self, rows: int, entries: int) -> bool:
        """Say whether the arrays belong together, for so many rows. For what was read from a disk."""
        whole = len(self.starts) == rows + 1 and len(self.entries) == entries
        return whole and int(self.starts[0]) == 0 and int(self.starts[-1]) == entries

    def points_inside(self) -> bool:
        """Say whether each entry is one of those given, and each row has one or more; reads all of them."""
        count = len(self.entries)
        inside = not count or (int(self.entries.min()) >= 0 and int(self.entries.max()) < count)
        return inside and bool((np.diff(self.starts) > 0).all())


def distinct(entries: Sequence[Entry]) -> tuple[list[bytes], Copies]:
    """Give the distinct values of fingerprints, in the order of the first of each, and where each stands."""
    rows: dict[bytes, int] = {}
    row_of = np.fromiter(
        (rows.setdefault(fingerprint.value, len(rows)) for _, fingerprint in entries), np.int64, len(entries)
    )
    return list(rows), _copies(row_of, len(rows))


def first_of_each(entries: Sequence[Entry]) -> tuple[Copies, NDArray[np.int64]]:
    """Do the same without holding the values: where each stands, and the position of the first of each row."""
    rows: dict[bytes, int] = {}
    row_of = np.empty(len(entries), dtype=np.int64)
    for at, (_, fingerprint) in enumerate(entries):
        row_of[at] = rows.setdefault(hashlib.sha256(fingerprint.value).digest(), len(rows))
    held = _copies(row_of, len(rows))
    return held, held.entries[held.starts[:-1]]


def none_of(count: int) -> Copies:
    """Take each fingerprint for a row by itself, whatever it is equal to."""
    return Copies(np.arange(count, dtype=np.int64), np.arange(count + 1, dtype=np.int64))


def _copies(row_of: NDArray[np.int64], rows: int) -> Copies:
    starts = np.concatenate(([0], np.cumsum(np.bincount(row_of, minlength=rows)))).astype(np.int64)
    return Copies(np.argsort(row_of, kind="stable").astype(np.int64), starts)
