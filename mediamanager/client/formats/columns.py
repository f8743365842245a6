"""Which columns of a table say what: addresses, keys, words, files; and which aren't looked at."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from mediamanager.client.formats.row import FIELDS, MEDIA
from optout.errors import InvalidInputError

MARK: Final = "mediamanager"
"""The column that a kept row is marked in if it could not be checked."""


@dataclass(frozen=True, slots=True)
class Columns:
    """What the columns of one table are.

    Attributes:
        fields: of each field that is there, the name of its column, or its path with dots.
        media: columns whose cells hold files.
        left_out: columns that say nothing that can be asked about.
        missing: a column that was named and isn't there.
    """

    fields: Mapping[str, str]
    media: tuple[str, ...]
    left_out: tuple[str, ...]
    missing: str | None = None

    @property
    def is_empty(self) -> bool:
        """Whether nothing can be asked about its rows."""
        return not self.fields and not self.media


def columns_of(schema: Any, named: Mapping[str, str]) -> Columns:
    """Tell the columns of a table by their names and types.

    Args:
        schema: pyarrow's, of the whole table.
        named: what fields are called where their columns have other names; `media` with commas.

    Raises:
        InvalidInputError: a column that was named for files holds something else, or the table was marked before.
    """
    if MARK in schema.names:
        raise InvalidInputError(
            f"there is a column `{MARK}`, which marks what an earlier run could not check: filter the input of that"
            " run again, or drop the column",
            field="input",
        )
    wanted = tuple(filter(None, named.get(MEDIA, "").split(",")))
    names = {field: named.get(field, field) for field in FIELDS}
    asked_for = [*wanted, *(name for field, name in names.items() if field in named)]
    missing = next((name for name in asked_for if _type_of(schema, name) is None), None)
    fields = {field: name for field, name in names.items() if _type_of(schema, name) is not None}
    for name in wanted:
        found = _type_of(schema, name)
        if found is not None and not _holds_files(found):
            raise InvalidInputError(f"the column `{name}` holds no files: its type is {found}", field="field")
    media = wanted or tuple(
        column.name for column in schema if column.name not in fields.values() and _holds_files(column.type)
    )
    used = {name if name in schema.names else name.split(".")[0] for name in (*fields.values(), *media)}
    return Columns(fields, media, tuple(name for name in schema.names if name not in used), missing)


def require_some(tables: Sequence[Columns]) -> None:
    """Check that something can be asked about some table, and that what was named is in one of them.

    Raises:
        InvalidInputError: it says which columns there are.
    """
    there = ", ".join(sorted({name for table in tables for name in table.left_out})) or "none"
    if tables and all(table.missing for table in tables):
        raise InvalidInputError(
            f"there is no column `{tables[0].missing}`; those that nothing is known of: {there}", field="field"
        )
    if tables and all(table.is_empty for table in tables):
        raise InvalidInputError(
            f"no column is called {', '.join(FIELDS)} or holds files: name one, for instance --field text=NAME."
            f" There are: {there}",
            field="field",
        )


def _type_of(schema: Any, name: str) -> Any:
    """Find the type of a column, or of a field of a struct by its path; None where there is none."""
    from pyarrow import types  # noqa: PLC0415 - an extra

    if name in schema.names:
        return schema.field(name).type
    head, *steps = name.split(".")
    found = schema.field(head).type if head in schema.names else None
    for step in steps:
        if found is None or not types.is_struct(found) or found.get_field_index(step) < 0:
            return None
        found = found.field(step).type
    return found if steps else None


def _holds_files(found: Any) -> bool:
    from pyarrow import types  # noqa: PLC0415 - an extra

    if types.is_list(found) or types.is_large_list(found):
        return _holds_files(found.value_type)
    if types.is_struct(found):
        return found.get_field_index("bytes") >= 0 and _holds_files(found.field("bytes").type)
    return bool(types.is_binary(found) or types.is_large_binary(found) or types.is_binary_view(found))
