"""Files whose items are records one after the other, of which the kept ones are written as they are, at the end."""

import hashlib
from abc import abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from fingerprinting.errors import InvalidFingerprintError
from mediamanager.client import files
from mediamanager.client.formats.base import Format, Item, Kept, KeptItem
from mediamanager.client.formats.row import FIELDS, MEDIA, Row
from mediamanager.client.queries import Query
from optout.errors import InvalidInputError


class RecordsFormat(Format):
    """Records of a file, each named by the number of its first line."""

    noun = "row"
    ending: str
    """How the name of what is kept ends."""

    def __init__(self, source: Path, fields: Mapping[str, str]) -> None:
        """Open it.

        Args:
            source: the file.
            fields: of each field, the name or the path with dots that it has in a record, if another than its own.

        Raises:
            InvalidInputError: a field that records don't have.
        """
        super().__init__(source)
        if MEDIA in fields:
            raise InvalidInputError("`media` names columns of Parquet: lines name files by `path`", field="field")
        self.names = {field: fields.get(field, field) for field in FIELDS}

    @property
    def count(self) -> None:
        """Not known without reading all of it."""
        return

    @abstractmethod
    def records(self) -> Iterator[tuple[int, bytes]]:
        """Give the number of each record's first line, and its bytes with the end of its line."""

    @abstractmethod
    def row(self, record: bytes) -> Row:
        """Read a record.

        Raises:
            InvalidInputError: it is none.
        """

    @abstractmethod
    def written(self, kept: Iterable[KeptItem]) -> Iterator[bytes]:
        """Give what is kept piece by piece: the records as they were, and those marked that could not be checked."""

    def items(self) -> Iterator[Item]:
        """Give every record, named by the number of its first line."""
        for number, record in self.records():
            name = f"line {number}"
            yield Item(name, _stamp(record), self._query(record, name))

    def place(self, item: Item) -> str:
        """Say in which file the record is, too."""
        return f"{self.source} {item.name}"

    def keep(self, item: Item, output: Path) -> None:
        """Nothing yet: records are kept all at once, at the end."""

    def finish(self, kept: Iterable[KeptItem], output: Path) -> Kept:
        """Write `kept` with the ending of the source: the kept records, as they were, in order."""
        digest = hashlib.sha256()
        manifest = f"kept{self.ending}"
        with files.replacing(output / manifest) as file:
            for piece in self.written(kept):
                file.write(piece)
                digest.update(piece)
        return Kept(manifest, digest.hexdigest())

    def wanted(self, kept: Iterable[KeptItem]) -> Iterator[tuple[bytes, KeptItem]]:
        """Give each record that is kept.

        Raises:
            OSError: one is not there any more, or is not what was checked.
        """
        items = iter(kept)
        waiting = next(items, None)
        for number, record in self.records():
            if waiting is None:
                return
            if waiting.name == f"line {number}":
                if waiting.stamp != _stamp(record):
                    break
                yield record, waiting
                waiting = next(items, None)
        if waiting is not None:
            raise OSError(f"{self.source} was changed while it was being filtered")

    def _query(self, record: bytes, name: str) -> Query:
        try:
            return self.row(record).query(name, self.source.parent)
        except (InvalidInputError, InvalidFingerprintError) as error:
            return Query(name, error=f"{error}.")


def _stamp(record: bytes) -> str:
    return hashlib.sha256(record).hexdigest()[:16]
