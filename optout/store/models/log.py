"""The rows of the consent log: its entries, and the one row that says how far it is numbered, signed and published."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, Integer, LargeBinary, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from optout.store.models.base import Base, Sealed, sealed_column

_BIG = BigInteger().with_variant(Integer, "sqlite")  # SQLite counts up by itself only on a plain INTEGER key
HEAD_ID = 1


class LogEntry(Base):
    """One event. What is public is `leaf`; `body` and `salt` open its commitment, and are nulled to erase it.

    A row is written in the transaction of the event that it records. After that only `index` is ever set (once, by the
    sequencer), and `body` and `salt` erased.
    """

    __tablename__ = "log_entries"

    number: Mapped[int] = mapped_column(_BIG, primary_key=True, autoincrement=True)
    """Order of writing; has gaps after a rollback, so it is never shown or proven. `index` is."""
    id: Mapped[str] = mapped_column(String(32), unique=True)
    """Random, 32 hex digits; part of the leaf."""
    type: Mapped[str] = mapped_column(String(40))
    """A word of `proof.entries.EntryType`; not a checked column, so that a new word needs no migration."""
    subject: Mapped[str] = mapped_column(String(32))
    """What the entry is about, 32 hex digits: the same for each event of one claim, never derived from a person."""
    recorded_at: Mapped[datetime]
    previous_number: Mapped[int | None] = mapped_column(_BIG, ForeignKey("log_entries.number"), unique=True)
    """The entry before this one with the same subject. Unique: the events of a subject are a chain, never a tree."""
    leaf: Mapped[bytes] = mapped_column(LargeBinary(4096))
    leaf_hash: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    person: Mapped[UUID | None]
    """Under whose key body and salt are sealed; None where the body is about nobody, and lies here as it is."""
    body: Mapped[Sealed | None] = sealed_column(subject="person")
    """Canonical JSON, byte for byte what the leaf commits to; `consentlog.opening` reads it."""
    salt: Mapped[Sealed | None] = sealed_column(subject="person")
    index: Mapped[int | None] = mapped_column(_BIG, unique=True)
    """Place in the tree, from 0 without gaps; None until sequenced."""

    __table_args__ = (
        Index("ix_log_entries_subject", "subject", "number"),
        # The sequencer asks for what has no index yet: the truth about what is left, whatever order commits came in.
        Index(
            "ix_log_entries_unsequenced",
            "number",
            postgresql_where=text('"index" IS NULL'),
            sqlite_where=text('"index" IS NULL'),
        ),
        Index(
            "uq_log_entries_first_of_subject",
            "subject",
            unique=True,
            postgresql_where=text("previous_number IS NULL"),
            sqlite_where=text("previous_number IS NULL"),
        ),
        CheckConstraint("(body IS NULL) = (salt IS NULL)", name="erased_together"),
    )


class LogHead(Base):
    """How far the log is. One row; the sequencer and the publisher lock it, so there is one of each at a time.

    `published_size <= signed_size <= size`. `note` is the only statement ever signed about `signed_size`.
    """

    __tablename__ = "log_head"

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    size: Mapped[int] = mapped_column(_BIG, default=0)
    """Entries that have an index."""
    signed_size: Mapped[int | None] = mapped_column(_BIG)
    """Size of the newest signed checkpoint; None before the first."""
    note: Mapped[str | None] = mapped_column(Text)
    """The newest signed checkpoint; kept here before anyone can see it, so that a crash never makes a second one."""
    published_size: Mapped[int | None] = mapped_column(_BIG)
    """Size of the newest checkpoint that is out; None before the first."""
    recorded_at: Mapped[datetime | None]
    """The latest recording time among the entries that have an index: a clock set back does not go behind it."""

    __table_args__ = (
        CheckConstraint(f"id = {HEAD_ID}", name="one_row"),
        CheckConstraint("signed_size IS NULL OR signed_size <= size", name="signed_within_size"),
        CheckConstraint(
            "published_size IS NULL OR (signed_size IS NOT NULL AND published_size <= signed_size)",
            name="published_within_signed",
        ),
    )
