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
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

from fingerprinting.errors import InvalidFingerprintError
from fingerprinting.index import registry as algorithms
from fingerprinting.types import Fingerprint
from mediamanager.client import files
from mediamanager.client.formats.base import Format, Item, Kept, KeptItem
from mediamanager.client.queries import Query, of_file
from optout.consent.identifiers import canonical_url, fingerprints_for
from optout.errors import InvalidInputError

FIELDS: Final = ("path", "url", "youtube", "sha256", "text", "fingerprints")
SUFFIXES: Final = (".jsonl", ".ndjson")
KEPT: Final = "kept.jsonl"

_NO_OBJECT: Final = "this line is not a JSON object"

JsonValue: TypeAlias = "str | int | float | bool | list[JsonValue] | dict[str, JsonValue] | None"


class JsonlFormat(Format):
    """Lines of a file; blank ones are nothing and are not kept."""

    kind = "jsonl"
    noun = "row"

    def __init__(self, source: Path, fields: Mapping[str, str]) -> None:
        super().__init__(source)
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

    def keep(self, item: Item, output: Path) -> None:  # noqa: ARG002 - nothing is written yet
        """Lines are kept all at once, at the end; a line that is no object can't be marked as unchecked, nor kept."""
        if item.query.error is not None and item.query.error.startswith(_NO_OBJECT):
            raise OSError(item.query.error)

    def drop(self, item: Item, output: Path) -> None:
        """Lines are kept all at once, at the end."""

    def reopen(self, output: Path) -> None:
        """`kept.jsonl` is written anew in any case."""

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
            row = _Row.parse(line, self._names)
            return row.query(name, self.source.parent)
        except (InvalidInputError, InvalidFingerprintError) as error:
            return Query(name, error=f"{error}.")


@dataclass(frozen=True, slots=True)
class _Row:
    """The fields of a line, by what they are."""

    values: Mapping[str, JsonValue]

    @classmethod
    def parse(cls, line: bytes, names: Mapping[str, str]) -> "_Row":
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise InvalidInputError(_NO_OBJECT) from error
        if not isinstance(row, dict):
            raise InvalidInputError(_NO_OBJECT)
        found = {field: _at(row, name) for field, name in names.items()}
        return cls({field: value for field, value in found.items() if value is not None})

    def query(self, name: str, folder: Path) -> Query:
        if not self.values:
            raise InvalidInputError(f"this line has none of {', '.join(FIELDS)}")
        path, url, youtube, sha256, text = (self._text(field) for field in FIELDS[:5])
        keys = fingerprints_for(url=url, youtube=youtube, sha256=sha256)
        location = None if url is None else canonical_url(url)
        label = path or url or youtube or name
        known = (*keys, *self._fingerprints())
        if path is None:
            # Keys alone say nothing of what it looks or sounds like.
            seen = "fingerprints" in self.values
            return Query(label, text=text, fingerprints=known, identifiable=seen, location=location)
        found = of_file(folder / path, label)
        return Query(label, file=found.file, text=text, fingerprints=known, location=location, error=found.error)

    def _text(self, field: str) -> str | None:
        value = self.values.get(field)
        if value is None or isinstance(value, str):
            return value
        raise InvalidInputError(f"the field `{field}` of this line is not a text")

    def _fingerprints(self) -> Iterator[Fingerprint]:
        value = self.values.get("fingerprints", [])
        if not isinstance(value, list):
            raise InvalidInputError("the field `fingerprints` of this line is not a list")
        for one in value:
            if not isinstance(one, dict):
                raise InvalidInputError("a fingerprint of this line is not an object")
            yield _fingerprint(one)


def _marked(line: bytes) -> bytes:
    row = json.loads(line)
    return json.dumps({**row, "mediamanager": "unchecked"}, ensure_ascii=False).encode() + b"\n"


def _fingerprint(one: Mapping[str, JsonValue]) -> Fingerprint:
    algorithm, version, value = one.get("algorithm"), one.get("version", 1), one.get("value")
    quality, span = one.get("quality", 100.0), one.get("span")
    if not isinstance(algorithm, str) or not isinstance(version, int) or not isinstance(value, str):
        raise InvalidInputError("a fingerprint of this line lacks its algorithm, version or value")
    if isinstance(quality, bool) or not isinstance(quality, int | float):
        raise InvalidInputError("the quality of a fingerprint of this line is not a number")
    if span is not None and not isinstance(span, list):
        raise InvalidInputError("the span of a fingerprint of this line is not a list")
    numbers = [number for number in span or () if isinstance(number, int | float)]
    if span is not None and len(numbers) != len(span):
        raise InvalidInputError("the span of a fingerprint of this line does not consist of numbers")
    return algorithms.decode(algorithm, version, value, quality, None if span is None else numbers)


def _at(row: Mapping[str, JsonValue], name: str) -> JsonValue:
    """Find a field by its name, or by a path of names with dots."""
    if name in row:
        return row[name]
    value: JsonValue = dict(row)
    for step in name.split("."):
        if not isinstance(value, dict):
            return None
        value = value.get(step)
    return value


def parse_fields(texts: Iterable[str]) -> dict[str, str]:
    """Read `url=image.src`, several.

    Raises:
        InvalidInputError: not of that form, or a field that we do not know.
    """
    fields: dict[str, str] = {}
    for text in texts:
        field, equals, name = text.partition("=")
        if not equals or not name or field not in FIELDS:
            raise InvalidInputError(
                f"`{text}` is not of the form FIELD=NAME, where FIELD is one of {', '.join(FIELDS)}", field="field"
            )
        fields[field] = name
    return fields
