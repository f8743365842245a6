"""Files in the cells of a Parquet file, read row after row with the memory of a few rows.

A cell holds a file as bytes, as a struct with `bytes` and `path` (what Hugging Face's Image and Audio columns are), or
as a list of either.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from fingerprinting.errors import UnreadableMediaError
from mediamanager.client.nested import at

_ROWS_AT_ONCE: Final = 4
_BUFFER: Final = 1 << 20
_TOO_SHORT: Final = "The Parquet file ends before this row. Write it again and use that."


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file of a cell: its bytes, or where they lie beside the Parquet file."""

    name: str
    data: bytes | None
    path: Path


class CellReader:
    """Reads cells of one file. Rows are best asked for in order: a row group is read from its beginning, once."""

    def __init__(self, file: Path, columns: Sequence[str]) -> None:
        import pyarrow.parquet as pq  # noqa: PLC0415 - an extra, and slow to load

        self._folder = file.parent
        self._columns = columns
        self._parquet = pq.ParquetFile(file, pre_buffer=False, buffer_size=_BUFFER)
        self._starts = [0]
        for group in range(self._parquet.num_row_groups):
            self._starts.append(self._starts[-1] + self._parquet.metadata.row_group(group).num_rows)
        # Where it stands: in a batch of some rows, of a row group that ends somewhere.
        self._batches: Iterator[Any] = iter(())
        self._batch: Mapping[str, Any] = {}
        self._first = self._after = self._end = 0

    def files(self, row: int) -> list[StoredFile]:
        """Give the files of a row; none where its cells are empty.

        Raises:
            UnreadableMediaError: there is no such row, or what it holds is no file.
            pyarrow.ArrowException, OSError: that part of the file can't be read.
        """
        try:
            self._go_to(row)
        except BaseException:
            self._forget()
            raise
        values = {name: column[row - self._first].as_py() for name, column in self._batch.items()}
        return [
            file
            for column in self._columns
            for file in _files_in(at(values, column), f"{column} of row {row}", self._folder)
        ]

    def _go_to(self, row: int) -> None:
        if not self._first <= row < self._end:
            group = next((number for number, end in enumerate(self._starts[1:]) if row < end), None)
            if group is None:
                raise UnreadableMediaError(_TOO_SHORT)
            self._forget()
            self._batches = self._parquet.iter_batches(
                _ROWS_AT_ONCE, row_groups=[group], columns=list(self._columns), use_threads=False
            )
            self._first = self._after = self._starts[group]
            self._end = self._starts[group + 1]
        while row >= self._after:
            batch = next(self._batches, None)
            if batch is None:
                raise UnreadableMediaError(_TOO_SHORT)
            self._batch = dict(zip(batch.schema.names, batch.columns, strict=True))
            self._first, self._after = self._after, self._after + batch.num_rows

    def _forget(self) -> None:
        """Stand nowhere: the next row is looked for from the beginning of its group."""
        self._batches, self._batch = iter(()), {}
        self._first = self._after = self._end = 0


@lru_cache(maxsize=1)
def reader_of(file: Path, columns: tuple[str, ...]) -> CellReader:
    """Open a file, or give it as it was left: who reads row after row asks for the same one again and again."""
    return CellReader(file, columns)


def _files_in(value: object, name: str, folder: Path) -> Iterator[StoredFile]:
    match value:
        case None:
            return
        case bytes():
            yield StoredFile(name, value, folder)
        case list():
            for number, one in enumerate(value):
                yield from _files_in(one, f"{name}, {number}", folder)
        case {"bytes": bytes() as data, **others}:
            path = others.get("path")
            yield StoredFile(Path(path).name if isinstance(path, str) and path else name, data, folder)
        case {"path": str() as path} if path:
            yield StoredFile(Path(path).name, None, folder / path)
        case {"bytes": None}:
            return
        case _:
            raise UnreadableMediaError(f"What {name} holds is no file.")
