"""Parquet: each row is an item, known by its columns and by the files that its cells hold.

Columns called `path`, `url`, `youtube`, `sha256`, `text` and `fingerprints` are what they are in JSON Lines. Files lie
in columns of bytes, in structs of `bytes` and `path` (Hugging Face's Image and Audio), and in lists of either. Kept
rows are written with all their columns, in order, into a file of the same name; one of which every row is kept is
linked as it is. Where rows are kept although they could not be checked, all files get a further column, `mediamanager`,
which says `unchecked` in these.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from fingerprinting.errors import InvalidFingerprintError
from mediamanager.client import files
from mediamanager.client.formats.base import Format, Item, Kept, KeptItem
from mediamanager.client.formats.columns import MARK, Columns, columns_of, require_some
from mediamanager.client.formats.row import Row
from mediamanager.client.formats.shards import beside, stamp
from mediamanager.client.queries import Cells, Query
from optout.errors import InvalidInputError

SUFFIX: Final = ".parquet"
KEPT: Final = "kept"
MANIFEST: Final = "kept.sha256"

_ROWS_AT_ONCE: Final = 64
_BUFFER: Final = 1 << 20
_GROUP_BYTES: Final = 128 * 1024**2
_BROKEN: Final = "this part of the file can't be read"
_NO_PARQUET: Final = "this is no Parquet file that can be read"

_READ_ERRORS: Final = (pa.ArrowException, OSError, ValueError, KeyError)
"""What pyarrow raises where a file is not what it should be."""
_CODECS: Final = {"UNCOMPRESSED": "none", "LZ4_RAW": "lz4", "LZ4_HADOOP": "lz4", "LZO": "none"}

Mask: TypeAlias = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class _Shard:
    """One file: how many rows it has and what its columns are, or why it can't be read at all."""

    path: Path
    stamp: str
    rows: int = 0
    columns: Columns | None = None
    error: str | None = None


class ParquetFormat(Format):
    """Rows of one file, or of all files of a folder in the order of their names; rows are counted from 0."""

    kind = "parquet"
    noun = "row"

    def __init__(self, source: Path, shards: tuple[Path, ...], fields: Mapping[str, str]) -> None:
        super().__init__(source)
        self._shards = [_shard(path, fields) for path in shards]
        known = [one.columns for one in self._shards if one.columns is not None]
        require_some(known)
        if not known:
            raise InvalidInputError(f"{self._shards[0].path}: {self._shards[0].error}", field="input")
        unseen = sorted({name for columns in known for name in columns.left_out})
        said = (f"not looked at: the column{'' if len(unseen) == 1 else 's'} {', '.join(unseen)}",) if unseen else ()
        self.notes = (*beside(source, shards), *said)

    @property
    def count(self) -> int:
        """How many rows there are; a file that can't be read is one item."""
        return sum(1 if shard.error else shard.rows for shard in self._shards)

    def items(self) -> Iterator[Item]:
        """Give every row, named by its file and its number."""
        for shard in self._shards:
            if shard.columns is None:
                yield Item(shard.path.name, shard.stamp, Query(shard.path.name, error=f"{shard.error}."))
            else:
                for number, query in enumerate(_queries(shard.path, shard.columns)):
                    yield Item(_name(shard.path, number), f"{shard.stamp}-{number}", query)

    def keep(self, item: Item, output: Path) -> None:  # noqa: ARG002 - nothing is written yet
        """Rows are kept all at once, at the end; what can't be read can't be kept."""
        error = item.query.error
        if error is not None and error.startswith((_BROKEN, _NO_PARQUET)):
            raise OSError(error.rstrip("."))

    def finish(self, kept: Iterable[KeptItem], output: Path) -> Kept:
        """Write `kept/`: a file for each of the input, and `kept.sha256` in the form that `sha256sum --check` reads."""
        (output / KEPT).mkdir(exist_ok=True)
        readable = [shard for shard in self._shards if shard.columns is not None]
        wanted = {shard.path.name: np.zeros(shard.rows, np.bool_) for shard in readable}
        unchecked = {shard.path.name: np.zeros(shard.rows, np.bool_) for shard in readable}
        for item in kept:
            name, _, number = item.name.rpartition(" row ")
            wanted[name][int(number)] = True
            unchecked[name][int(number)] = item.unchecked
        is_marked = any(mask.any() for mask in unchecked.values())
        with files.replacing(output / MANIFEST) as manifest:
            for shard in readable:
                name = shard.path.name
                target = output / KEPT / name
                if wanted[name].all() and not is_marked:
                    files.link(shard.path, target)
                else:
                    _write(shard.path, target, wanted[name], unchecked[name] if is_marked else None)
                if stamp(shard.path) != shard.stamp:
                    target.unlink()
                    raise OSError(f"{shard.path} was changed while it was being filtered")
                manifest.write(files.checksum_line(files.sha256_of(target), f"{KEPT}/{name}"))
        return Kept(MANIFEST, files.sha256_of(output / MANIFEST))


def _shard(path: Path, fields: Mapping[str, str]) -> _Shard:
    mark = stamp(path)
    try:
        with pq.ParquetFile(path) as opened:
            return _Shard(path, mark, opened.metadata.num_rows, columns_of(opened.schema_arrow, fields))
    except InvalidInputError:
        raise
    except _READ_ERRORS as problem:
        return _Shard(path, mark, error=f"{_NO_PARQUET} ({problem})")


def _name(file: Path, number: int) -> str:
    return f"{file.name} row {number}"


def _open(file: Path) -> Any:
    """Open a file so that it is read page by page, not a row group at once."""
    return pq.ParquetFile(file, pre_buffer=False, buffer_size=_BUFFER)


def _queries(file: Path, columns: Columns) -> Iterator[Query]:
    """Ask about each row. Rows of a row group that can't be read are there, each with that error."""
    number = 0
    with _open(file) as opened:
        for group in range(opened.num_row_groups):
            end = number + opened.metadata.row_group(group).num_rows
            try:
                for row in _rows(opened, group, list(columns.fields.values())):
                    yield _query(file, columns, row, number)
                    number += 1
            except _READ_ERRORS as problem:
                while number < end:
                    yield Query(_name(file, number), error=f"{_BROKEN} ({problem}).")
                    number += 1


def _rows(opened: Any, group: int, names: list[str]) -> Iterator[dict[str, Any]]:
    if not names:  # files alone, which are read elsewhere
        yield from ({} for _ in range(opened.metadata.row_group(group).num_rows))
        return
    for batch in opened.iter_batches(_ROWS_AT_ONCE, row_groups=[group], columns=names, use_threads=False):
        yield from batch.to_pylist()


def _query(file: Path, columns: Columns, values: Mapping[str, Any], number: int) -> Query:
    name = _name(file, number)
    if columns.missing is not None:
        return Query(name, error=f"there is no column `{columns.missing}` in {file.name}.")
    cells = Cells(file, number, columns.media) if columns.media else None
    row = Row.of(values, columns.fields)
    try:
        known = row.query(name, file.parent, "row") if row.values or cells is None else Query(name)
    except (InvalidInputError, InvalidFingerprintError) as error:
        return Query(name, error=f"{error}.")
    return replace(known, cells=cells)


def _write(source: Path, target: Path, wanted: Mask, unchecked: Mask | None) -> None:
    """Write the rows that are wanted, and mark those that were unchecked; row groups stay those of the source."""
    with _open(source) as opened, files.replacing(target) as file:
        schema = opened.schema_arrow
        if unchecked is not None:
            schema = schema.append(pa.field(MARK, pa.string()))
        start = 0
        with pq.ParquetWriter(file, schema, compression=_compression(opened)) as writer:
            for group in range(opened.num_row_groups):
                end = start + opened.metadata.row_group(group).num_rows
                # What nobody wants is not read: it may be what can't be.
                if wanted[start:end].any():
                    batches = _batches(source, opened, group, start)
                    _write_group(batches, writer, schema, _Rows(start, wanted, unchecked))
                start = end


@dataclass(frozen=True, slots=True)
class _Rows:
    """Which rows of a file are wanted and which were unchecked, from the first of a row group on."""

    start: int
    wanted: Mask
    unchecked: Mask | None


def _batches(source: Path, opened: Any, group: int, start: int) -> Iterator[Any]:
    """Read a row group with all its columns."""
    try:
        yield from opened.iter_batches(_ROWS_AT_ONCE, row_groups=[group], use_threads=False)
    except _READ_ERRORS as problem:
        raise OSError(
            f"{source}: the row group that begins with row {start} can't be read whole ({problem}): mend the file,"
            " or take it away"
        ) from problem


def _write_group(batches: Iterator[Any], writer: Any, schema: Any, rows: _Rows) -> None:
    waiting: list[Any] = []
    number, size = rows.start, 0
    for batch in batches:
        part = slice(number, number + batch.num_rows)
        columns = list(batch.columns)
        if rows.unchecked is not None:
            marks = ["unchecked" if is_marked else None for is_marked in rows.unchecked[part]]
            columns.append(pa.array(marks, pa.string()))
        chosen = pa.record_batch(columns, schema=schema).filter(pa.array(rows.wanted[part]))
        number = part.stop
        if chosen.num_rows:
            waiting.append(chosen)
            size += chosen.nbytes
        if size > _GROUP_BYTES:
            writer.write_table(pa.Table.from_batches(waiting, schema))
            waiting, size = [], 0
    if waiting:
        writer.write_table(pa.Table.from_batches(waiting, schema))


def _compression(opened: Any) -> dict[str, str] | str:
    """Give the codec of each column, as it is in the first row group."""
    if not opened.num_row_groups:
        return "snappy"
    first = opened.metadata.row_group(0)
    columns = [first.column(number) for number in range(first.num_columns)]
    return {one.path_in_schema: _CODECS.get(one.compression, one.compression.lower()) for one in columns}
