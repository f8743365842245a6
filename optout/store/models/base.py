"""The declarative base: how Python types become columns, and how constraints are named."""

import enum
import secrets
from datetime import UTC, datetime
from enum import StrEnum
from typing import NewType, TypeAlias

from sqlalchemy import JSON, DateTime, Dialect, Enum, LargeBinary, MetaData
from sqlalchemy.orm import DeclarativeBase, MappedColumn, mapped_column
from sqlalchemy.types import TypeDecorator

JsonObject: TypeAlias = dict[str, object]
"""A JSON object column. Replace it, never change it in place: changes inside are not seen."""

Sealed = NewType("Sealed", bytes)
"""A value that only `optout.store.encryption` reads and writes: encrypted under the key of the subject it is about."""

ENUM_LENGTH = 32
"""Columns of words are this wide whatever the longest word of today is, so that a new word needs no wider column."""

# Every constraint has a name, so that a migration can drop it on every database.
NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


def utc_now() -> datetime:
    """The present moment, aware, UTC."""
    return datetime.now(UTC)


def random_id() -> str:
    """A random id of 128 bits as 32 hex digits, derived from nothing, for ids that leave the registry."""
    return secrets.token_hex(16)


class UtcDateTime(TypeDecorator[datetime]):
    """Aware UTC times on every database. A naive time is refused: nobody knows which clock it was read from."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Store as UTC; SQLite keeps no offset, so none is given to it."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without a zone can't be stored")
        utc = value.astimezone(UTC)
        return utc.replace(tzinfo=None) if dialect.name == "sqlite" else utc

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Read back as UTC, whatever the server's time zone is."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class SealedBytes(TypeDecorator[Sealed]):
    """The column of a sealed value; a type of its own, so that code can find every such column."""

    impl = LargeBinary
    cache_ok = True


def sealed_column(*, subject: str, row: str = "id") -> MappedColumn[Sealed]:
    """A sealed column.

    Args:
        subject: the column of the same table with the id of the subject under whose key it is sealed.
        row: the column that names the row, known before it is inserted; a sealed value opens only in its row.
    """
    return mapped_column(SealedBytes, info={"subject": subject, "row": row})


def _values(words: type[enum.Enum]) -> list[str]:
    return [str(word.value) for word in words]


class Base(DeclarativeBase):
    """The base of every row: times are aware UTC, words (StrEnum) are checked columns of their values."""

    metadata = MetaData(naming_convention=NAMES)
    type_annotation_map = {  # noqa: RUF012 - SQLAlchemy reads it as a plain class attribute
        datetime: UtcDateTime,
        bytes: LargeBinary,
        JsonObject: JSON,
        list[str]: JSON,
        StrEnum: Enum(
            StrEnum,
            native_enum=False,
            create_constraint=True,
            validate_strings=True,
            length=ENUM_LENGTH,
            values_callable=_values,
        ),
    }
