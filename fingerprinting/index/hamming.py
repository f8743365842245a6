"""Exact radius search over 64-bit and 256-bit hashes: brute force, or compiled tables where they win."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fingerprinting.index import folder as folders
from fingerprinting.index import hamming_brute, hamming_order, hamming_plan, hamming_tables
from fingerprinting.index.folder import FolderContents
from fingerprinting.index.hamming_brute import Found
from fingerprinting.index.kernels_layout import Tables

if TYPE_CHECKING:
    from fingerprinting.index.hamming_single import SingleSearch

Mode: TypeAlias = Literal["all", "best", "any"]
Radius: TypeAlias = int | np.integer[Any] | Sequence[int] | NDArray[np.integer[Any]]

_KIND = "hamming"
_LAYOUT = 1  # what the arrays mean
_WIDTHS = (8, 32)
_TABLES_FROM_ROWS = 20_000  # below it a scan is quick enough, and nobody has to wait for numba
MOST_PAIRS = 1 << 22  # 75 MB


@dataclass(frozen=True, slots=True)
class Pairs:
    """Hashes within the radius: `query[i]` and `row[i]` (int64) differ in `distance[i]` (int16) bits.

    Sorted by query, then distance, then row. No pair appears twice.
    """

    query: NDArray[np.int64]
    row: NDArray[np.int64]
    distance: NDArray[np.int16]


class HammingIndex:
    """N hashes of one width. Made by `build` or `open`. Immutable; several threads may search it at once."""

    def __init__(self, hashes: NDArray[np.uint8] | None, tables: Tables | None) -> None:
        self._hashes = hashes
        self._tables = tables
        self._single: SingleSearch | None = None
        self._count = len(hashes) if hashes is not None else len(tables.hashes) if tables is not None else 0
        self._width = hashes.shape[1] if hashes is not None else tables.hashes.shape[1] * 8 if tables is not None else 0

    def __len__(self) -> int:
        return self._count

    @property
    def hashes(self) -> NDArray[np.uint8]:
        """The N hashes, shape (N, width), in the order given. A large index has to put them together first."""
        if self._hashes is not None or self._tables is None:
            return self._hashes if self._hashes is not None else np.empty((0, self._width), np.uint8)
        return hamming_order.original(self._tables.hashes)

    @property
    def width(self) -> int:
        """Bytes of a hash: 8 or 32."""
        return self._width

    def search(self, queries: ArrayLike, radius: Radius = 31, mode: Mode = "all") -> Pairs:
        """Find the hashes within `radius` bits of each query. Nothing within the radius is ever missed.

        Args:
            queries: Q hashes, uint8, shape (Q, width), most significant bit first. Q may be 0.
            radius: largest distance in bits that counts, from 0; one number, or one for each query.
            mode: `all` pairs; for each query the `best` one (lowest row among equals); or `any` one.

        Raises:
            ValueError: queries of another type or width, a negative radius, an unknown mode.
        """
        if mode not in ("all", "best", "any"):
            raise ValueError(f"unknown mode {mode!r}: use 'all', 'best' or 'any'")
        asked = _as_hashes(queries, self._width)
        if self._tables is not None and len(asked) == 1 and type(radius) is int and radius >= 0:
            found = self._single_search(self._tables).search(np.ascontiguousarray(asked), radius, mode)
            if found is not None:
                return Pairs(*found)
        reach, largest = self._reach(asked, radius)
        if not len(asked) or not self._count:
            return Pairs(*hamming_brute.nothing())
        if self._tables is None:
            return _finish(self._scan(asked, reach, nearest=mode != "all"))
        from fingerprinting.index import hamming_search  # noqa: PLC0415 - numba takes its time

        if type(radius) is int or np.ndim(radius) == 0:
            return Pairs(*hamming_search.search(self._tables, asked, reach, largest, mode))
        return self._search_by_class(self._tables, asked, reach, mode)

    def blocks(
        self,
        queries: ArrayLike,
        radius: Radius = 31,
        *,
        groups: ArrayLike | None = None,
        most_pairs: int = MOST_PAIRS,
    ) -> Iterator[Pairs]:
        """Find all pairs as `search` does, some queries at a time, so that a flood of pairs needs no flood of memory.

        Args:
            queries: as for `search`.
            radius: as for `search`.
            groups: a number for each query: neighbours with the same one come in the same block.
            most_pairs: in a block, unless a single group has more.

        Raises:
            ValueError: as `search`, or not one group for each query.
        """
        asked = _as_hashes(queries, self._width)
        reach, largest = self._reach(asked, radius)
        numbers = np.arange(len(asked)) if groups is None else np.asarray(groups)
        if numbers.shape != (len(asked),):
            raise ValueError(f"give a group for each of the {len(asked)} queries, not {numbers.shape}")
        if not len(asked) or not self._count:
            return
        cuts = np.concatenate([[0], np.flatnonzero(np.diff(numbers)) + 1, [len(asked)]])
        if self._tables is not None:
            from fingerprinting.index import hamming_search  # noqa: PLC0415 - numba takes its time

            for found in hamming_search.blocks(self._tables, asked, reach, largest, most_pairs, cuts):
                yield Pairs(*found)
            return
        for start, end in _parts(cuts, max(1, most_pairs // self._count)):
            query, row, distance = self._scan(asked[start:end], reach[start:end])
            yield _finish((query + start, row, distance))

    def save(self, folder: str | PathLike[str]) -> None:
        """Write it into a new folder.

        Raises:
            FileExistsError: there is something at that place.
        """
        parameters = {"width": self._width, "layout": _LAYOUT}
        if self._tables is None:
            arrays: dict[str, folders.Array] = {"hashes": self.hashes}
        else:
            arrays = dict(self._tables._asdict())
            parameters["order"] = hamming_order.permutation_id(self._width)
        with folders.new_folder(folder) as scratch:
            folders.write(scratch, _KIND, arrays, parameters)

    def _single_search(self, tables: Tables) -> "SingleSearch":
        if self._single is None:
            from fingerprinting.index.hamming_single import SingleSearch  # noqa: PLC0415 - numba takes its time

            self._single = SingleSearch(tables)
        return self._single

    def _reach(self, asked: NDArray[np.uint8], radius: Radius) -> tuple[NDArray[np.int16], int]:
        """Give the radius of each query, and the largest of these."""
        each = np.asarray(radius if np.size(radius) else np.empty(0, np.int64))
        if each.dtype.kind not in "iu" or each.shape not in {(), (len(asked),)}:
            raise ValueError(f"the radius must be a whole number, or one for each of the {len(asked)} queries")
        if each.size and each.min() < 0:
            raise ValueError(f"the radius must not be negative, it is {each.min()}")
        # In a type that holds what it is compared with: of int8 or uint8, 256 is an error.
        reach = np.minimum(each, 8 * self._width, dtype=np.uint64 if each.dtype.kind == "u" else np.int64)
        each_reach = np.ascontiguousarray(np.broadcast_to(reach.astype(np.int16), len(asked)))
        return each_reach, int(reach.max(initial=0))

    def _scan(self, asked: NDArray[np.uint8], reach: NDArray[np.int16], *, nearest: bool = False) -> Found:
        query, row, distance = hamming_brute.search(self.hashes, asked, int(reach.max()), nearest=nearest)
        near = distance <= reach[query]
        return query[near], row[near], distance[near]

    def _search_by_class(self, tables: Tables, asked: NDArray[np.uint8], reach: NDArray[np.int16], mode: Mode) -> Pairs:
        from fingerprinting.index import hamming_search  # noqa: PLC0415 - numba takes its time

        # A large radius costs many times a small one, so that queries are searched with others of their kind.
        classes = hamming_plan.radius_classes(reach.astype(np.int64), self._width)
        parts: list[Pairs] = []
        for one in np.unique(classes).tolist():
            chosen = np.flatnonzero(classes == one)
            largest = int(reach[chosen].max())
            query, row, distance = hamming_search.search(tables, asked[chosen], reach[chosen], largest, mode)
            parts.append(Pairs(chosen[query], row, distance))
        query = np.concatenate([part.query for part in parts])
        order = np.argsort(query, kind="stable")  # all pairs of a query are in one part, in order
        return Pairs(
            query[order],
            np.concatenate([part.row for part in parts])[order],
            np.concatenate([part.distance for part in parts])[order],
        )


def build(hashes: ArrayLike) -> HammingIndex:
    """Index N hashes: uint8, shape (N, 32) or (N, 8), most significant bit first. N may be 0.

    Raises:
        ValueError: another type or shape, or more hashes than an index can hold.
    """
    array = np.ascontiguousarray(_as_hashes(hashes, None))
    if len(array) < _TABLES_FROM_ROWS:
        array = array.copy()  # whose array it is may go on writing to it
        array.flags.writeable = False
        return HammingIndex(array, None)
    return HammingIndex(None, hamming_tables.build(array))


def open(folder: str | PathLike[str], *, verify: bool = True) -> HammingIndex:  # noqa: A001 - `hamming.open` is its public name
    """Open what `HammingIndex.save` wrote, memory-mapped: processes that open the same folder share its memory.

    Raises:
        CorruptIndexError: incomplete, altered or of an unknown format.
    """
    folder = Path(folder)
    contents = folders.read(folder, _KIND, verify=verify)
    folders.require_layout(folder, contents, _LAYOUT)
    width = contents.parameters.get("width")
    if width not in _WIDTHS:
        raise folders.corrupt(folder, f"hashes of {width} bytes")
    if "rows" in contents.arrays:
        return HammingIndex(None, _open_tables(folder, contents, width))
    folders.require(folder, contents, {"hashes": ("|u1", 2)})
    hashes = contents.arrays["hashes"]
    if hashes.shape[1] != width:
        raise folders.corrupt(folder, f"hashes of {hashes.shape[1]} bytes")
    return HammingIndex(hashes, None)


def _open_tables(folder: Path, contents: FolderContents, width: int) -> Tables:
    folders.require(
        folder,
        contents,
        {"hashes": ("<u8", 2), "starts": ("<u4", 2), "rows": ("<u4", 1), "following": ("<u2", 1), "second": ("<u2", 1)},
    )
    if contents.parameters.get("order") != hamming_order.permutation_id(width):
        raise folders.corrupt(folder, "the bits of its hashes are in an order that this program does not know")
    tables = hamming_tables.frozen(Tables(*(contents.arrays[name] for name in Tables._fields)))
    problem = hamming_tables.problem(tables, width)
    if problem is not None:
        raise folders.corrupt(folder, problem)
    return tables


def _finish(found: Found) -> Pairs:
    query, row, distance = found
    order = np.lexsort((row, distance, query))
    return Pairs(query[order], row[order], distance[order])


def _parts(cuts: NDArray[np.int64], most: int) -> Iterator[tuple[int, int]]:
    """Divide queries at some of the cuts, so that a part has no more than `most` if it can be."""
    start = 0
    for before, cut in pairwise([*cuts.tolist(), int(cuts[-1]) + most]):
        if cut - start > most and before > start:
            yield start, before
            start = before


def _as_hashes(hashes: ArrayLike, width: int | None) -> NDArray[np.uint8]:
    array = np.asarray(hashes)
    widths = _WIDTHS if width is None else (width,)
    if array.dtype != np.uint8 or array.ndim != 2 or array.shape[1] not in widths:  # noqa: PLR2004 - rows and bytes
        expected = " or ".join(f"(N, {each})" for each in widths)
        raise ValueError(f"hashes must be uint8 of shape {expected}, not {array.dtype} of shape {array.shape}")
    return array
