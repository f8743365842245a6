"""JSON Lines: each line is an item, a JSON object with any of these fields.

`path` (of a file, relative to the JSONL file's folder), `url`, `youtube` (id or address), `sha256` (hex), `text`,
`fingerprints` (a list of objects with `algorithm`, `version`, `value`, `quality`, `span`, as `mediamanager fingerprint
--json` prints them). A field may have another name, or lie deeper: `--field url=image.src`. Kept lines are kept as they
are, byte for byte; only one that is kept although it could not be checked gets a further field, `"mediamanager":
"unchecked"`.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final

from fingerprinting.errors import InvalidFingerprintError
from mediamanager.client import files
from mediamanager.client.formats.base import Format, Item, Kept, KeptItem
from mediamanager.client.formats.row import FIELDS, MEDIA, NO_OBJECT, Row
from mediamanager.client.queries import Query
from optout.errors import InvalidInputError

SUFFIXES: Final = (".jsonl", ".ndjson")
KEPT: Final = "kept.jsonl"


class JsonlFormat(Format):
    """Lines of a file; blank ones are nothing and are not kept."""

    kind = "jsonl"
    noun = "row"

    def __init__(self, source: Path, fields: Mapping[str, str]) -> None:
        super().__init__(source)
        if MEDIA in fields:
            raise InvalidInputError("`media` names columns of Parquet: lines name files by `path`", field="field")
        self._names = {field: fields.get(field, field) for field in FIELDS}

    @property
    def count(self) -> None:
        """Not known without reading all of it."""
        return

    def items(self) -> Iterator[Item]:
        """Give every line that is not blank, named by its number."""
        for number, line in self._lines():
            name = f"line {number}"
            stamp = hashlib.sha256(line).hexdigest()[:16]
            yield Item(name, stamp, self._query(line, name))

    def place(self, item: Item) -> str:
        """Say in which file the line is, too."""
        return f"{self.source} {item.name}"

    def keep(self, item: Item, output: Path) -> None:  # noqa: ARG002 - nothing is written yet
        """Lines are kept all at once, at the end; a line that is no object can't be marked as unchecked, nor kept."""
        if item.query.error is not None and item.query.error.startswith(NO_OBJECT):
            raise OSError(item.query.error)

    def finish(self, kept: Iterable[KeptItem], output: Path) -> Kept:
        """Write `kept.jsonl`: the kept lines, as they were, in order."""
        wanted = iter(kept)
        waiting = next(wanted, None)
        digest = hashlib.sha256()
        with files.replacing(output / KEPT) as file:
            for number, line in self._lines():
                if waiting is not None and waiting.name == f"line {number}":
                    whole = _marked(line) if waiting.unchecked else line.rstrip(b"\r\n") + b"\n"
                    file.write(whole)
                    digest.update(whole)
                    waiting = next(wanted, None)
            if waiting is not None:
                raise OSError(f"{self.source} was changed while it was being filtered")
        return Kept(KEPT, digest.hexdigest())

    def _lines(self) -> Iterator[tuple[int, bytes]]:
        with self.source.open("rb") as file:
            for number, line in enumerate(file, 1):
                if line.strip():
                    yield number, line

    def _query(self, line: bytes, name: str) -> Query:
        try:
            row = Row.parse(line, self._names)
            return row.query(name, self.source.parent)
        except (InvalidInputError, InvalidFingerprintError) as error:
            return Query(name, error=f"{error}.")


def _marked(line: bytes) -> bytes:
    row = json.loads(line)
    return json.dumps({**row, "mediamanager": "unchecked"}, ensure_ascii=False).encode() + b"\n"
