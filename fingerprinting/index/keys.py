"""Exact lookup of 64-bit keys, in batches: whether they are there, and in which rows."""

from dataclasses import dataclass
from os import PathLike
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fingerprinting.index import folder as folders
from fingerprinting.index import keys_places
from fingerprinting.index.keys_places import Places

_KIND = "keys"
_LAYOUT = 2


@dataclass(frozen=True, slots=True)
class KeyPairs:
    """Equal keys: `query[i]` of the keys asked for equals `row[i]` of the keys indexed. int64, sorted by query, row."""

    query: NDArray[np.int64]
    row: NDArray[np.int64]


class KeyIndex:
    """N 64-bit keys, equal ones allowed. Made by `build` or `open`. Immutable; safe to ask from several threads."""

    def __init__(self, places: Places, rows: NDArray[np.uint32]) -> None:
        self._places = places
        self._rows = rows

    def __len__(self) -> int:
        return len(self._places)

    def contains(self, queries: ArrayLike) -> NDArray[np.bool_]:
        """Say for each of Q keys (uint64, shape (Q,)) whether it is indexed. Shape (Q,)."""
        return self._places.contains(keys_places.as_keys(queries))

    def find(self, queries: ArrayLike) -> KeyPairs:
        """Find every row whose key equals one of Q keys (uint64, shape (Q,))."""
        asked = keys_places.as_keys(queries)
        places = self._places.locate(asked)
        query = np.flatnonzero(places >= 0)
        first = places[query]
        counts = self._places.runs(asked[query], first)
        return KeyPairs(np.repeat(query, counts), self._rows[ranges(first, counts)].astype(np.int64))

    def count(self, queries: ArrayLike) -> NDArray[np.int64]:
        """Count the rows whose key equals each of Q keys (uint64, shape (Q,)), without giving them. Shape (Q,)."""
        asked = keys_places.as_keys(queries)
        return self._places.runs(asked, self._places.locate(asked))

    def save(self, folder: str | PathLike[str]) -> None:
        """Write it into a new folder.

        Raises:
            FileExistsError: there is something at that place.
        """
        with folders.new_folder(folder) as scratch:
            folders.write(scratch, _KIND, {**self._places.arrays(), "rows": self._rows}, {"layout": _LAYOUT})


def build(keys: ArrayLike) -> KeyIndex:
    """Index N keys (uint64, shape (N,)), N below 2**32. Their rows are their positions.

    Raises:
        ValueError: not a one-dimensional array of unsigned 64-bit integers, or too many of them.
    """
    given = keys_places.as_keys(keys)
    keys_places.check_number(len(given))
    sorted_keys, order = keys_places.ascending(keys_places.mixed(given))
    return KeyIndex(keys_places.build(sorted_keys), order)


def open(folder: str | PathLike[str], *, verify: bool = True) -> KeyIndex:  # noqa: A001 - `keys.open` is its public name
    """Open what `KeyIndex.save` wrote, memory-mapped.

    Raises:
        CorruptIndexError: incomplete, altered or of an unknown format.
    """
    folder = Path(folder)
    contents = folders.read(folder, _KIND, verify=verify)
    folders.require(folder, contents, {"rows": ("<u4", 1)})
    folders.require_layout(folder, contents, _LAYOUT)
    places, rows = keys_places.read(folder, contents), contents.arrays["rows"]
    if len(places) != len(rows):
        raise folders.corrupt(folder, "keys and rows do not belong together")
    return KeyIndex(places, rows)


def ranges(starts: NDArray[np.int64], counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Concatenate the ranges `starts[i] .. starts[i] + counts[i] - 1`. Shape (sum of counts,)."""
    ends = np.cumsum(counts)
    total = int(ends[-1]) if len(ends) else 0
    shift = np.repeat(starts - (ends - counts), counts)
    joined: NDArray[np.int64] = np.arange(total, dtype=np.int64) + shift
    return joined
