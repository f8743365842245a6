"""Exact radius search over 64-bit and 256-bit hashes: brute force, or tables of 16-bit chunks where they win."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fingerprinting.index import folder as folders
from fingerprinting.index import hamming_brute, hamming_tables
from fingerprinting.index.hamming_tables import ChunkTables

Mode: TypeAlias = Literal["all", "best", "any"]

_KIND = "hamming"
_WIDTHS = (8, 32)
_TABLES_FROM_ROWS = 20_000  # measured: below it the tables' fixed cost a query exceeds a scan of every row


@dataclass(frozen=True, slots=True)
class Pairs:
    """Hashes within the radius: `query[i]` and `row[i]` (int64) differ in `distance[i]` (int16) bits.

    Sorted by query, then distance, then row. No pair appears twice.
    """

    query: NDArray[np.int64]
    row: NDArray[np.int64]
    distance: NDArray[np.int16]


class HammingIndex:
    """N hashes of one width. Made by `build` or `open`."""

    def __init__(self, hashes: NDArray[np.uint8], tables: ChunkTables | None) -> None:
        self._hashes = hashes
        self._tables = tables

    def __len__(self) -> int:
        return len(self._hashes)

    @property
    def hashes(self) -> NDArray[np.uint8]:
        """The N hashes, shape (N, width), in the order given."""
        return self._hashes

    @property
    def width(self) -> int:
        """Bytes of a hash: 8 or 32."""
        return int(self._hashes.shape[1])

    def search(self, queries: ArrayLike, radius: int = 31, mode: Mode = "all") -> Pairs:
        """Find the hashes within `radius` bits of each query. Nothing within the radius is ever missed.

        Args:
            queries: Q hashes, uint8, shape (Q, width), most significant bit first. Q may be 0.
            radius: largest distance in bits that counts, from 0.
            mode: `all` pairs; for each query the `best` one (lowest row among equals); or `any` one.

        Raises:
            ValueError: queries of another type or width, a negative radius, an unknown mode.
        """
        asked = _as_hashes(queries, self.width)
        if radius < 0:
            raise ValueError(f"the radius must not be negative, it is {radius}")
        if mode not in ("all", "best", "any"):
            raise ValueError(f"unknown mode {mode!r}: use 'all', 'best' or 'any'")
        if not len(asked) or not len(self._hashes):
            return _no_pairs()
        if self._tables is not None and hamming_tables.pays(self.width, radius):
            return _finish(hamming_tables.search(self._tables, self._hashes, asked, radius), mode)
        return _finish(hamming_brute.search(self._hashes, asked, radius), mode)

    def save(self, folder: Path) -> None:
        """Write it into a new folder.

        Raises:
            FileExistsError: there is something at that place.
        """
        arrays: dict[str, folders.Array] = {"hashes": self._hashes}
        if self._tables is not None:
            arrays |= {"table_starts": self._tables.starts, "table_rows": self._tables.rows}
        with folders.new_folder(folder) as scratch:
            folders.write(scratch, _KIND, arrays, {"width": self.width})


def build(hashes: ArrayLike) -> HammingIndex:
    """Index N hashes: uint8, shape (N, 32) or (N, 8), most significant bit first. N may be 0.

    Raises:
        ValueError: another type or shape.
    """
    array = np.ascontiguousarray(_as_hashes(hashes, None))
    return HammingIndex(array, hamming_tables.build(array) if len(array) >= _TABLES_FROM_ROWS else None)


def open(folder: Path, *, verify: bool = True) -> HammingIndex:  # noqa: A001 - `hamming.open` is its public name
    """Open what `HammingIndex.save` wrote, memory-mapped.

    Raises:
        CorruptIndexError: incomplete, altered or of an unknown format.
    """
    contents = folders.read(folder, _KIND, verify=verify)
    folders.require(folder, contents, {"hashes": ("|u1", 2)})
    hashes = contents.arrays["hashes"]
    if hashes.shape[1] not in _WIDTHS:
        raise folders.corrupt(folder, f"hashes of {hashes.shape[1]} bytes")
    if "table_rows" not in contents.arrays:
        return HammingIndex(hashes, None)
    folders.require(folder, contents, {"table_starts": ("<i8", 2), "table_rows": ("<u4", 2)})
    tables = ChunkTables(contents.arrays["table_starts"], contents.arrays["table_rows"])
    if tables.rows.shape != (hashes.shape[1] // 2, len(hashes)):
        raise folders.corrupt(folder, "tables and hashes do not belong together")
    return HammingIndex(hashes, tables)


def _finish(found: tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int16]], mode: Mode) -> Pairs:
    query, row, distance = found
    order = np.lexsort((row, distance, query))
    query, row, distance = query[order], row[order], distance[order]
    if mode != "all":  # the nearest one is as good an answer to "any" as another
        first = np.ones(len(query), dtype=np.bool_)
        first[1:] = query[1:] != query[:-1]
        query, row, distance = query[first], row[first], distance[first]
    return Pairs(query, row, distance)


def _no_pairs() -> Pairs:
    return Pairs(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.int16))


def _as_hashes(hashes: ArrayLike, width: int | None) -> NDArray[np.uint8]:
    array = np.asarray(hashes)
    widths = _WIDTHS if width is None else (width,)
    if array.dtype != np.uint8 or array.ndim != 2 or array.shape[1] not in widths:  # noqa: PLR2004 - rows and bytes
        expected = " or ".join(f"(N, {each})" for each in widths)
        raise ValueError(f"hashes must be uint8 of shape {expected}, not {array.dtype} of shape {array.shape}")
    return array
