"""The page that says what is encrypted names every column that can hold text or bytes, and tells the truth."""

import re
from pathlib import Path

from sqlalchemy import BigInteger, Boolean, DateTime, Float, Integer, Uuid
from sqlalchemy.types import TypeDecorator, TypeEngine

from optout.store.models import Base
from optout.store.models.base import SealedBytes

PAGE = Path(__file__).parents[3] / "docs" / "privacy.md"
HOLDS_NO_TEXT = (BigInteger, Boolean, DateTime, Float, Integer, Uuid)
WRAPPED = {"subject_keys.wrapped"}


def holds_text(kind: TypeEngine[object]) -> bool:
    return not isinstance(kind.impl if isinstance(kind, TypeDecorator) else kind, HOLDS_NO_TEXT)


def said() -> dict[str, bool]:
    """Column by column: whether the page calls it encrypted."""
    rows = re.findall(r"^\| (`.*?) \| (yes|no) \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    return {column: word == "yes" for cell, word in rows for column in re.findall(r"`([a-z_]+\.[a-z_]+)`", cell)}


def test_every_column_that_can_hold_text_is_on_the_page_and_nothing_else() -> None:
    columns = {
        f"{table.name}.{column.name}"
        for table in Base.metadata.sorted_tables
        for column in table.columns
        if holds_text(column.type)
    }

    assert set(said()) == columns


def test_what_the_page_calls_encrypted_is() -> None:
    sealed = {
        f"{table.name}.{column.name}"
        for table in Base.metadata.sorted_tables
        for column in table.columns
        if isinstance(column.type, SealedBytes)
    }

    assert {column for column, is_encrypted in said().items() if is_encrypted} == sealed | WRAPPED
