"""What is known of an item by the fields of an object: a JSON line, the JSON of a sample, the row of a table."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

from fingerprinting.index import registry as algorithms
from fingerprinting.types import Fingerprint
from mediamanager.client.nested import at
from mediamanager.client.queries import Query, of_file
from optout.consent.identifiers import canonical_url, fingerprints_for
from optout.errors import InvalidInputError

FIELDS: Final = ("path", "url", "youtube", "sha256", "text", "fingerprints")
MEDIA: Final = "media"
NO_OBJECT: Final = "this line is not a JSON object"

JsonValue: TypeAlias = "str | int | float | bool | list[JsonValue] | dict[str, JsonValue] | None"


@dataclass(frozen=True, slots=True)
class Row:
    """The fields of an object, by what they are."""

    values: Mapping[str, JsonValue]

    @classmethod
    def parse(cls, line: bytes, names: Mapping[str, str]) -> "Row":
        """Read a JSON object.

        Args:
            line: the object as UTF-8.
            names: of each field that is wanted, the name or the path with dots that it has there.

        Raises:
            InvalidInputError: it is none.
        """
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise InvalidInputError(NO_OBJECT) from error
        if not isinstance(row, dict):
            raise InvalidInputError(NO_OBJECT)
        return cls.of(row, names)

    @classmethod
    def of(cls, row: Mapping[str, JsonValue], names: Mapping[str, str]) -> "Row":
        """Take the fields that are wanted from an object, by their name or path with dots; blank ones say nothing."""
        found = {field: at(row, name) for field, name in names.items()}
        return cls({field: value for field, value in found.items() if not _is_blank(value)})

    def query(self, name: str, folder: Path, noun: str = "line") -> Query:
        """Ask about what it describes; `path` lies in `folder`, and `noun` says what it is called if it says nothing.

        Raises:
            InvalidInputError, InvalidFingerprintError: there is nothing to ask by, or a field is malformed.
        """
        if not self.values:
            raise InvalidInputError(f"this {noun} has none of {', '.join(FIELDS)}")
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
        raise InvalidInputError(f"the field `{field}` is not a text")

    def _fingerprints(self) -> Iterator[Fingerprint]:
        value = self.values.get("fingerprints", [])
        if not isinstance(value, list):
            raise InvalidInputError("the field `fingerprints` is not a list")
        for one in value:
            if not isinstance(one, dict):
                raise InvalidInputError("a fingerprint is not an object")
            yield _fingerprint(one)


def _is_blank(value: JsonValue) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())


def _fingerprint(given: Mapping[str, JsonValue]) -> Fingerprint:
    one = {name: value for name, value in given.items() if value is not None}  # tables hold nulls for what is left out
    algorithm, version, value = one.get("algorithm"), one.get("version", 1), one.get("value")
    quality, span = one.get("quality", 100.0), one.get("span")
    if not isinstance(algorithm, str) or not isinstance(version, int) or not isinstance(value, str):
        raise InvalidInputError("a fingerprint lacks its algorithm, version or value")
    if isinstance(quality, bool) or not isinstance(quality, int | float):
        raise InvalidInputError("the quality of a fingerprint is not a number")
    if span is not None and not isinstance(span, list):
        raise InvalidInputError("the span of a fingerprint is not a list")
    numbers = [number for number in span or () if isinstance(number, int | float)]
    if span is not None and len(numbers) != len(span):
        raise InvalidInputError("the span of a fingerprint does not consist of numbers")
    return algorithms.decode(algorithm, version, value, quality, None if span is None else numbers)


def parse_fields(texts: Iterable[str]) -> dict[str, str]:
    """Read `url=image.src`, several; `media` names columns of tables, with commas between them.

    Raises:
        InvalidInputError: not of that form, or a field that we do not know.
    """
    fields: dict[str, str] = {}
    for text in texts:
        field, equals, name = text.partition("=")
        if not equals or not name or field not in (*FIELDS, MEDIA):
            raise InvalidInputError(
                f"`{text}` is not of the form FIELD=NAME, where FIELD is one of {', '.join((*FIELDS, MEDIA))}",
                field="field",
            )
        fields[field] = name
    return fields
