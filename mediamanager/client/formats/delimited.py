"""CSV and TSV: the first record names columns, each other one is an item, with any of the fields of a JSON line.

Cells are texts; an empty one says nothing; `fingerprints` holds the list as JSON. What parts the cells is told by the
name (`.tsv`: tabs) or by the names of columns: the most frequent of comma, semicolon, tab and bar there. Kept records
are kept as they are, byte for byte, below the names; only where one is kept although it could not be checked, all get
a further column `mediamanager`, which says `unchecked` in these.
"""

import csv
import io
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import BinaryIO, Final

from mediamanager.client.formats.base import KeptItem
from mediamanager.client.formats.records import RecordsFormat
from mediamanager.client.formats.row import JsonValue, Row
from optout.errors import InvalidInputError

SUFFIXES: Final = (".csv", ".tsv")

_MARK: Final = "mediamanager"
_DELIMITERS: Final = ",;\t|"
_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"
_MOST_CHARACTERS: Final = 1 << 24
"""A cell of more is none: a quote was opened and not closed."""


class DelimitedFormat(RecordsFormat):
    """Records of a file, which may go on over several lines; blank ones are nothing and are not kept."""

    kind = "csv"

    def __init__(self, source: Path, fields: Mapping[str, str]) -> None:
        super().__init__(source, fields)
        self.ending = source.suffix.lower()
        csv.field_size_limit(_MOST_CHARACTERS)
        with source.open("rb") as file:
            first = file.readline(_MOST_CHARACTERS).removeprefix(_BYTE_ORDER_MARK)
        self._delimiter = "\t" if self.ending == ".tsv" else max(_DELIMITERS, key=lambda one: first.count(one.encode()))
        self._opening = next(self._all(), (0, b""))[1]
        try:
            self._columns = self._cells(self._opening.removeprefix(_BYTE_ORDER_MARK))
        except InvalidInputError as error:
            raise InvalidInputError(
                f"{source} does not begin with the names of columns: {error}", field="input"
            ) from error
        unseen = self._require_columns(fields)
        if unseen:
            self.notes = (f"not looked at: the column{'' if len(unseen) == 1 else 's'} {', '.join(unseen)}",)

    def _require_columns(self, named: Mapping[str, str]) -> list[str]:
        """Check that what can be asked about is among the columns; give those that are not looked at.

        Raises:
            InvalidInputError: it is not, or stands there twice.
        """
        columns, wanted = Counter(self._columns), set(self.names.values())
        if not any(columns):
            raise InvalidInputError(f"{self.source} has no first line that names columns", field="input")
        if _MARK in columns:
            raise InvalidInputError(
                f"{self.source} has a column `{_MARK}`, which marks what an earlier run could not check: filter the"
                " input of that run again, or drop the column",
                field="input",
            )
        for name in wanted & set(columns):
            if columns[name] > 1:
                raise InvalidInputError(f"{self.source} has two columns called `{name}`", field="input")
        unseen = [name for name in columns if name and name not in wanted]
        there = ", ".join(unseen) or "none"
        for name in named.values():
            if name not in columns:
                raise InvalidInputError(
                    f"{self.source} has no column `{name}`; those that nothing is known of: {there}", field="field"
                )
        if not wanted & set(columns):
            raise InvalidInputError(
                f"{self.source} has none of the columns {', '.join(self.names.values())}: say which is which by"
                f" --field, for instance --field text=NAME. There are: {there}",
                field="field",
            )
        return unseen

    def records(self) -> Iterator[tuple[int, bytes]]:
        """Give every record that is not blank, below the names of columns."""
        every = self._all()
        next(every, None)
        return every

    def row(self, record: bytes) -> Row:
        """Read a record by the names of its columns."""
        cells = self._cells(record)
        if len(cells) != len(self._columns):
            raise InvalidInputError(f"this row has {len(cells)} cells, where {len(self._columns)} columns are named")
        named: dict[str, JsonValue] = {
            name: cell for name, cell in zip(self._columns, cells, strict=True) if cell.strip()
        }
        prints = self.names["fingerprints"]
        if isinstance(listed := named.get(prints), str):
            try:
                named[prints] = json.loads(listed)
            except (ValueError, RecursionError) as error:
                raise InvalidInputError(f"the column `{prints}` does not hold JSON") from error
        return Row.of(named, self.names)

    def written(self, kept: Iterable[KeptItem]) -> Iterator[bytes]:
        """Give the names of columns and each record, with a column more if any has to be marked."""
        items = list(kept)
        is_marked = any(item.unchecked for item in items)
        yield self._ended(self._opening, _MARK if is_marked else None)
        for record, item in self.wanted(items):
            yield self._ended(record, ("unchecked" if item.unchecked else "") if is_marked else None)

    def _ended(self, record: bytes, cell: str | None) -> bytes:
        whole = record.rstrip(b"\r\n")
        return whole + (b"" if cell is None else f"{self._delimiter}{cell}".encode()) + b"\n"

    def _all(self) -> Iterator[tuple[int, bytes]]:
        """Give every record that is not blank with the number of its first line: a quote may join lines.

        Raises:
            InvalidInputError: a quote is opened and never closed.
        """
        lines: list[bytes] = []

        def read(file: BinaryIO) -> Iterator[str]:
            for line in file:
                lines.append(line)
                yield line.decode("latin-1")  # where records end is said by ASCII alone

        with self.source.open("rb") as file:
            reader = csv.reader(read(file), delimiter=self._delimiter, strict=True)
            first = 1
            while True:
                try:
                    next(reader)
                except StopIteration:
                    return
                except csv.Error as error:
                    if "field limit" in str(error):
                        raise InvalidInputError(
                            f"{self.source} line {first}: a cell has more than {_MOST_CHARACTERS:,} bytes. Is a quote"
                            " opened and not closed?",
                            field="input",
                        ) from error
                    if "end of data" in str(error):
                        raise InvalidInputError(
                            f"{self.source} line {first}: a quote is opened and not closed", field="input"
                        ) from error
                    # Any other says so again, as that of its row, when that is read.
                if (record := b"".join(lines)).removeprefix(_BYTE_ORDER_MARK).strip():
                    yield first, record
                first += len(lines)
                lines.clear()

    def _cells(self, record: bytes) -> list[str]:
        try:
            text = record.decode()
        except UnicodeDecodeError as error:
            raise InvalidInputError("it is not UTF-8. Save the file as UTF-8") from error
        try:
            rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=self._delimiter, strict=True))
        except csv.Error as error:
            raise InvalidInputError(f"this row is not CSV: {error}") from error
        if len(rows) > 1:
            raise InvalidInputError(
                "a line ends with CR alone: save the file with LF, or CR and LF, at the ends of lines"
            )
        return rows[0] if rows else []
