"""The works of a catalogue as a file: a JSON line a work, sorted by id, read one line at a time.

`works.jsonl` holds the lines, `works.offsets` where each begins: little-endian uint64, one more than there are works.
Row i of the index beside it is line i.
"""

import json
import mmap
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from fingerprinting.types import Fingerprint
from optout.consent import spelling
from optout.consent.statements import Statement
from optout.errors import CorruptCatalogueError, InvalidInputError

LINES = "works.jsonl"
OFFSETS = "works.offsets"

_OFFSET_BYTES = 8
_NOT_UNDERSTOOD = (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError)


@dataclass(frozen=True, slots=True)
class CatalogueWork:
    """A work as it goes into a catalogue.

    Attributes:
        id: unique in the catalogue; shown in verdicts.
        fingerprints: exact keys included; a work may have none, and is then found by nothing.
        statements: all that was said about it.
        owner: pseudonymous id of whose it is.
        title: for people.
    """

    id: str
    fingerprints: tuple[Fingerprint, ...]
    statements: tuple[Statement, ...]
    owner: str
    title: str | None = None


@dataclass(frozen=True, slots=True)
class WorkRecord:
    """A work as it is read from a catalogue: without its fingerprints, which are in the index."""

    id: str
    owner: str
    title: str | None
    statements: tuple[Statement, ...]


class WorksWriter:
    """Both files while they are written, a work at a time; nothing of a work is kept in memory."""

    def __init__(self, lines: BinaryIO, offsets: BinaryIO) -> None:
        self._lines = lines
        self._offsets = offsets
        self._end = 0
        self._last: str | None = None
        self.count = 0
        self._offsets.write(bytes(_OFFSET_BYTES))

    def add(self, work: CatalogueWork | WorkRecord) -> None:
        """Write one.

        Raises:
            InvalidInputError: its id does not come after that of the one before it.
        """
        if self._last is not None and work.id <= self._last:
            problem = f"two works have the id `{work.id}`" if work.id == self._last else "works are not sorted by id"
            raise InvalidInputError(problem, field="works")
        line = json.dumps(
            {
                "id": work.id,
                "owner": work.owner,
                "title": work.title,
                "statements": [spelling.write(statement) for statement in work.statements],
            },
            separators=(",", ":"),
            sort_keys=True,
        )
        self._end += self._lines.write(line.encode("ascii") + b"\n")
        self._offsets.write(self._end.to_bytes(_OFFSET_BYTES, "little"))
        self._last = work.id
        self.count += 1


@contextmanager
def writing(folder: Path) -> Iterator[WorksWriter]:
    """Give a writer of both files, whole when the block ends."""
    with (folder / LINES).open("wb") as lines, (folder / OFFSETS).open("wb") as offsets:
        yield WorksWriter(lines, offsets)


class WorksFile:
    """The works of an open catalogue. Nothing is held in memory: a line is parsed when it is asked for."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lines = _map(folder / LINES)
        self._offsets = _map(folder / OFFSETS)
        if len(self._offsets) < _OFFSET_BYTES or len(self._offsets) % _OFFSET_BYTES:
            raise self._corrupt(f"{OFFSETS} has a wrong length")
        if self._offset(len(self)) != len(self._lines):
            raise self._corrupt(f"{OFFSETS} does not fit {LINES}")

    def __len__(self) -> int:
        return len(self._offsets) // _OFFSET_BYTES - 1

    def record(self, row: int) -> WorkRecord:
        """Read one work.

        Raises:
            CorruptCatalogueError: there is no such row, or its line can't be understood. A word that this version
                does not know is an error too: it could be a reservation.
        """
        try:
            parsed = json.loads(self._line(row))
            statements = tuple(map(spelling.read, parsed["statements"]))
            title = None if parsed["title"] is None else _word(parsed["title"])
            return WorkRecord(_word(parsed["id"]), _word(parsed["owner"]), title, statements)
        except _NOT_UNDERSTOOD as error:
            raise self._corrupt(f"line {row + 1} of {LINES} can't be understood") from error

    def id_of(self, row: int) -> str:
        """Read the id of one work.

        Raises:
            CorruptCatalogueError: its line can't be understood.
        """
        try:
            return _word(json.loads(self._line(row))["id"])
        except _NOT_UNDERSTOOD as error:
            raise self._corrupt(f"line {row + 1} of {LINES} can't be understood") from error

    def row_of(self, work: str) -> int | None:
        """Find a work by its id; None when it is not here."""
        low, high = 0, len(self)
        while low < high:
            middle = (low + high) // 2
            found = self.id_of(middle)
            if found == work:
                return middle
            low, high = (middle + 1, high) if found < work else (low, middle)
        return None

    def _line(self, row: int) -> bytes:
        if not 0 <= row < len(self):
            raise self._corrupt(f"the index names work {row} of {len(self)}")
        return self._lines[self._offset(row) : self._offset(row + 1)]

    def _offset(self, row: int) -> int:
        return int.from_bytes(self._offsets[row * _OFFSET_BYTES : (row + 1) * _OFFSET_BYTES], "little")

    def _corrupt(self, what: str) -> CorruptCatalogueError:
        return CorruptCatalogueError(f"the catalogue {self._folder} is damaged: {what}; build or pull it again")


def _word(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(value)
    return value


def _map(path: Path) -> bytes | mmap.mmap:
    with path.open("rb") as file:
        # An empty file can't be mapped.
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) if path.stat().st_size else b""


def sorted_by_id(works: Iterable[CatalogueWork]) -> Sequence[CatalogueWork]:
    """Sort, so that a catalogue of the same works is the same bytes in whatever order they came."""
    return sorted(works, key=lambda work: work.id)
