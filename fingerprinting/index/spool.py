"""Fingerprints on their way into an index, kept in files instead of in memory, each algorithm's by itself."""

import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import BinaryIO, Final, Self, overload

import numpy as np
from numpy.typing import NDArray

from fingerprinting.index import registry
from fingerprinting.index.algorithm import AlgorithmSpec, Entry, spec_id
from fingerprinting.types import Fingerprint

_RECORD: Final = np.dtype(
    [("work", "<i8"), ("start", "<u8"), ("size", "<u4"), ("numbers", "<u4"), ("quality", "<f8"), ("span", "<f8", 4)]
)
_BLOCK: Final = 4096
_NO_SPAN: Final = (0.0, 0.0, 0.0, 0.0)


class Spool:
    """Takes fingerprints of any algorithm, in any order, and gives them back by algorithm, sorted by work.

    Memory does not grow with them. At the end of the block its folder is removed.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._columns: dict[str, _Column] = {}

    def __enter__(self) -> Self:
        self._folder.mkdir()
        return self

    def __exit__(self, *_: object) -> None:
        for column in self._columns.values():
            column.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def add(self, work: int, fingerprint: Fingerprint) -> None:
        """Take one.

        Raises:
            InvalidFingerprintError: it is of an unknown algorithm or version, or malformed.
        """
        registry.validate(fingerprint)
        each = spec_id(fingerprint.algorithm, fingerprint.version)
        if each not in self._columns:
            self._columns[each] = _Column(registry.VERSIONS[each], self._folder / each)
        self._columns[each].add(work, fingerprint)

    def taken(self) -> Mapping[str, "SpooledEntries"]:
        """Everything that it took, by `AlgorithmSpec.id`. It takes no more."""
        return {each: column.entries() for each, column in sorted(self._columns.items())}


class SpooledEntries(Sequence[Entry]):
    """The fingerprints of one algorithm, each read from its file when it is asked for."""

    def __init__(self, spec: AlgorithmSpec, records: NDArray[np.void], values: NDArray[np.uint8]) -> None:
        self._spec = spec
        self._records = records
        self._values = values
        works = records["work"]
        is_sorted = bool((works[1:] >= works[:-1]).all())
        self._order = None if is_sorted else np.argsort(works, kind="stable")

    @property
    def works(self) -> NDArray[np.int64]:
        """The work of each, in no particular order."""
        works: NDArray[np.int64] = self._records["work"]
        return works

    def __len__(self) -> int:
        return len(self._records)

    @overload
    def __getitem__(self, index: int) -> Entry: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Entry]: ...
    def __getitem__(self, index: int | slice) -> Entry | Sequence[Entry]:
        if isinstance(index, slice):
            return [self[each] for each in range(*index.indices(len(self)))]
        if not -len(self) <= index < len(self):
            raise IndexError(index)
        index %= len(self)
        return next(self._read(slice(index, index + 1)))

    def __iter__(self) -> Iterator[Entry]:
        for start in range(0, len(self), _BLOCK):
            yield from self._read(slice(start, start + _BLOCK))

    def _read(self, some: slice) -> Iterator[Entry]:
        records = self._records[some] if self._order is None else self._records[self._order[some]]
        name, version, unit = self._spec.name, self._spec.version, self._spec.unit
        for work, start, size, numbers, quality, span in records.tolist():
            value = self._values[start : start + size].tobytes()
            place = tuple(span[:numbers]) if numbers else None
            yield work, Fingerprint(name, version, value, quality, place, unit)


class _Column:
    """Two growing files: records of a fixed size, and the values that they point into."""

    def __init__(self, spec: AlgorithmSpec, path: Path) -> None:
        self._spec = spec
        self._paths = path.with_name(f"{path.name}.records"), path.with_name(f"{path.name}.values")
        self._files: tuple[BinaryIO, BinaryIO] = self._paths[0].open("wb"), self._paths[1].open("wb")
        self._waiting: list[tuple[int, int, int, int, float, tuple[float, ...]]] = []
        self._end = 0

    def add(self, work: int, one: Fingerprint) -> None:
        numbers = 0 if one.span is None else len(one.span)
        span = _NO_SPAN if one.span is None else (*one.span, *_NO_SPAN)[: len(_NO_SPAN)]
        self._files[1].write(one.value)
        self._waiting.append((work, self._end, len(one.value), numbers, one.quality, span))
        self._end += len(one.value)
        if len(self._waiting) >= _BLOCK:
            self._write()

    def close(self) -> None:
        for file in self._files:
            file.close()

    def entries(self) -> SpooledEntries:
        self._write()
        self.close()
        records, values = map(_map, self._paths)
        return SpooledEntries(self._spec, records.view(_RECORD), values)

    def _write(self) -> None:
        self._files[0].write(np.array(self._waiting, dtype=_RECORD).tobytes())
        self._waiting.clear()


def _map(path: Path) -> NDArray[np.uint8]:
    if not path.stat().st_size:  # an empty file can't be mapped
        return np.empty(0, dtype=np.uint8)
    return np.memmap(path, dtype=np.uint8, mode="r")
