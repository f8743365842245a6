"""Exact lookup of 64-bit keys: a sorted array and a binary search."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fingerprinting.index import folder as folders

_KIND = "keys"


@dataclass(frozen=True, slots=True)
class KeyPairs:
    """Equal keys: `query[i]` of the keys asked for equals `row[i]` of the keys indexed. int64, sorted by query, row."""

    query: NDArray[np.int64]
    row: NDArray[np.int64]


class KeyIndex:
    """N 64-bit keys, equal ones allowed. Made by `build` or `open`."""

    def __init__(self, keys: NDArray[np.uint64], rows: NDArray[np.int64]) -> None:
        self._keys = keys
        self._rows = rows

    def __len__(self) -> int:
        return len(self._keys)

    def contains(self, queries: ArrayLike) -> NDArray[np.bool_]:
        """Say for each of Q keys (uint64, shape (Q,)) whether it is indexed. Shape (Q,)."""
        asked = _as_keys(queries)
        if not len(self._keys):
            return np.zeros(len(asked), dtype=np.bool_)
        at = np.searchsorted(self._keys, asked)
        found: NDArray[np.bool_] = self._keys[np.minimum(at, len(self._keys) - 1)] == asked
        return found

    def find(self, queries: ArrayLike) -> KeyPairs:
        """Find every row whose key equals one of Q keys (uint64, shape (Q,))."""
        asked = _as_keys(queries)
        first = np.searchsorted(self._keys, asked, side="left")
        counts = np.searchsorted(self._keys, asked, side="right") - first
        query = np.repeat(np.arange(len(asked), dtype=np.int64), counts)
        return KeyPairs(query, self._rows[ranges(first, counts)])

    def save(self, folder: Path) -> None:
        """Write it into a new folder.

        Raises:
            FileExistsError: there is something at that place.
        """
        with folders.new_folder(folder) as scratch:
            folders.write(scratch, _KIND, {"keys": self._keys, "rows": self._rows}, {})


def build(keys: ArrayLike) -> KeyIndex:
    """Index N keys (uint64, shape (N,)). Their rows are their positions.

    Raises:
        ValueError: not a one-dimensional array of unsigned 64-bit integers.
    """
    given = _as_keys(keys)
    order = np.argsort(given, kind="stable")
    return KeyIndex(given[order], order.astype(np.int64))


def open(folder: Path, *, verify: bool = True) -> KeyIndex:  # noqa: A001 - `keys.open` is its public name
    """Open what `KeyIndex.save` wrote, memory-mapped.

    Raises:
        CorruptIndexError: incomplete, altered or of an unknown format.
    """
    contents = folders.read(folder, _KIND, verify=verify)
    folders.require(folder, contents, {"keys": ("<u8", 1), "rows": ("<i8", 1)})
    keys, rows = contents.arrays["keys"], contents.arrays["rows"]
    if len(keys) != len(rows):
        raise folders.corrupt(folder, "keys and rows do not belong together")
    return KeyIndex(keys, rows)


def ranges(starts: NDArray[np.int64], counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Concatenate the ranges `starts[i] .. starts[i] + counts[i] - 1`. Shape (sum of counts,)."""
    ends = np.cumsum(counts)
    total = int(ends[-1]) if len(ends) else 0
    shift = np.repeat(starts - (ends - counts), counts)
    joined: NDArray[np.int64] = np.arange(total, dtype=np.int64) + shift
    return joined


def _as_keys(keys: ArrayLike) -> NDArray[np.uint64]:
    array: NDArray[np.uint64] = np.asarray(keys)
    if array.ndim != 1 or (array.size and array.dtype != np.uint64):
        raise ValueError(f"keys must be uint64 of shape (N,), not {array.dtype} of shape {array.shape}")
    return array.astype(np.uint64, copy=False)
