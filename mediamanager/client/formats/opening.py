"""Choosing the format of an input."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from mediamanager.client.formats import delimited, jsonl, webdataset
from mediamanager.client.formats.base import Format
from mediamanager.client.formats.delimited import DelimitedFormat
from mediamanager.client.formats.folder import FolderFormat
from mediamanager.client.formats.jsonl import JsonlFormat
from mediamanager.client.formats.shards import shards_of
from mediamanager.client.formats.webdataset import WebDatasetFormat
from mediamanager.client.queries import Query, walk
from optout.errors import InvalidInputError

PARQUET = ".parquet"
WARC = (".warc", ".warc.gz")


def open_input(source: Path, output: Path, fields: Mapping[str, str]) -> Format:
    """Open a folder, or what `open_rows` opens.

    Raises:
        InvalidInputError: there is nothing, or something that can't be filtered.
    """
    if (opened := open_rows(source, output, fields)) is not None:
        return opened
    if source.is_dir():
        if fields:
            raise InvalidInputError(
                "--field names fields of rows and of the JSON of samples; the input is a folder of files", field="field"
            )
        return FolderFormat(source, output)
    if not source.is_file():
        raise InvalidInputError(f"there is no file or folder {source}", field="input")
    suffixes = ", ".join((*jsonl.SUFFIXES, *delimited.SUFFIXES, PARQUET, *WARC))
    raise InvalidInputError(
        f"{source} can't be filtered: give a folder, or a file that ends in {suffixes} or .tar", field="input"
    )


def open_rows(source: Path, output: Path | None, fields: Mapping[str, str]) -> Format | None:
    """Open a JSONL or CSV file, a WebDataset shard, Parquet, WARC, or a folder of such; None: none of these.

    Args:
        source: a path.
        output: the run's folder, if it has one: it is not part of the input.
        fields: of rows and samples: the name that each field has there.

    Raises:
        InvalidInputError: it can't be read.
    """
    if shards := shards_of(source, output, (webdataset.SUFFIX,)):
        return WebDatasetFormat(source, shards, fields)
    for suffixes, extra in _EXTRAS:
        if shards := shards_of(source, output, suffixes):
            return extra(source, shards, fields)
    suffix = source.suffix.lower() if source.is_file() else ""
    if suffix in jsonl.SUFFIXES:
        return JsonlFormat(source, fields)
    return DelimitedFormat(source, fields) if suffix in delimited.SUFFIXES else None


def _parquet(source: Path, shards: tuple[Path, ...], fields: Mapping[str, str]) -> Format:
    with _extra("Parquet", "pyarrow", "parquet"):
        from mediamanager.client.formats.parquet import ParquetFormat  # noqa: PLC0415 - an extra
    return ParquetFormat(source, shards, fields)


def _warc(source: Path, shards: tuple[Path, ...], fields: Mapping[str, str]) -> Format:
    with _extra("WARC", "warcio", "warc"):
        from mediamanager.client.formats.warc import WarcFormat  # noqa: PLC0415 - an extra
    return WarcFormat(source, shards, fields)


_EXTRAS = (((PARQUET,), _parquet), (WARC, _warc))


@contextmanager
def _extra(what: str, library: str, extra: str) -> Iterator[None]:
    try:
        yield
    except ModuleNotFoundError as error:
        raise InvalidInputError(
            f"to read {what}, {library} is needed: pip install 'mediamanager[{extra}]'", field="input"
        ) from error


@dataclass(frozen=True, slots=True)
class Opened:
    """What some paths hold.

    Attributes:
        queries: one for each file and each row, in order.
        count: how many there are, if that is known.
        notes: what is left out, said aloud.
    """

    queries: Iterator[Query]
    count: int | None
    notes: tuple[str, ...]


def open_paths(paths: Iterable[str], fields: Mapping[str, str]) -> Opened:
    """Open files, folders and addresses; of tables and shards each row or sample is asked about.

    Raises:
        InvalidInputError: one can't be read, or fields were named and there is nothing that has any.
    """
    parts: list[Format | list[Query]] = []
    notes: list[str] = []
    for path in paths:
        source = Path(path)
        rows = None if path.startswith(("http://", "https://")) else open_rows(source, None, fields)
        if rows is not None:
            parts.append(rows)
            notes.extend(rows.notes)
        else:
            found = walk([path])
            parts.append(found.queries)
            notes.extend(found.notes)
    if fields and not any(isinstance(part, Format) for part in parts):
        raise InvalidInputError("--field names fields of rows and samples; there are none here", field="field")
    counts = [part.count if isinstance(part, Format) else len(part) for part in parts]
    known = [count for count in counts if count is not None]
    return Opened(_queries(parts), sum(known) if len(known) == len(counts) else None, tuple(notes))


def _queries(parts: Iterable[Format | list[Query]]) -> Iterator[Query]:
    for part in parts:
        if isinstance(part, list):
            yield from part
            continue
        for item in part.items():
            has_own_name = item.query.path != item.name
            yield item.query if has_own_name else replace(item.query, path=part.place(item))
