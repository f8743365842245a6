"""JSON Lines: each line is an item, a JSON object with any of these fields.

`path` (of a file, relative to the JSONL file's folder), `url`, `youtube` (id or address), `sha256` (hex), `text`,
`fingerprints` (a list of objects with `algorithm`, `version`, `value`, `quality`, `span`, as `mediamanager fingerprint
--json` prints them). A field may have another name, or lie deeper: `--field url=image.src`. Kept lines are kept as they
are, byte for byte; only one that is kept although it could not be checked gets a further field, `"mediamanager":
"unchecked"`.
"""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from mediamanager.client.formats.base import Item, KeptItem
from mediamanager.client.formats.records import RecordsFormat
from mediamanager.client.formats.row import NO_OBJECT, Row

SUFFIXES: Final = (".jsonl", ".ndjson")


class JsonlFormat(RecordsFormat):
    """Lines of a file; blank ones are nothing and are not kept."""

    kind = "jsonl"
    ending = ".jsonl"

    def records(self) -> Iterator[tuple[int, bytes]]:
        """Give every line that is not blank."""
        with self.source.open("rb") as file:
            for number, line in enumerate(file, 1):
                if line.strip():
                    yield number, line

    def row(self, record: bytes) -> Row:
        """Read a JSON object."""
        return Row.parse(record, self.names)

    def keep(self, item: Item, output: Path) -> None:  # noqa: ARG002 - nothing is written yet
        """Lines are kept all at once, at the end; a line that is no object can't be marked as unchecked, nor kept."""
        if item.query.error is not None and item.query.error.startswith(NO_OBJECT):
            raise OSError(item.query.error)

    def written(self, kept: Iterable[KeptItem]) -> Iterator[bytes]:
        """Give each line; one that is marked is written anew."""
        for line, item in self.wanted(kept):
            yield _marked(line) if item.unchecked else line.rstrip(b"\r\n") + b"\n"


def _marked(line: bytes) -> bytes:
    row = json.loads(line)
    return json.dumps({**row, "mediamanager": "unchecked"}, ensure_ascii=False).encode() + b"\n"
