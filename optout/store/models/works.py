"""Registered works and their fingerprints."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID, uuid4

from sqlalchemy import JSON, BigInteger, CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from fingerprinting.types import Modality, SpanUnit
from optout.store.models.base import Base, utc_now


class WorkState(StrEnum):
    """Where a work stands: being read, matchable, or unreadable with a reason."""

    PENDING = "pending"
    READY = "ready"
    FAILED = "failed"


class Work(Base):
    """A creation that one account registered. Another account that registers the same has a work of its own.

    `identity` (32 bytes) tells what was registered: the SHA-256 of the file, the key of the address, or the digest of
    the fingerprints. The same account registering the same identity gets this row back.
    `media_key` is where the media lies in storage while it is needed or kept.
    """

    __tablename__ = "works"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id"))
    identity: Mapped[bytes]
    state: Mapped[WorkState] = mapped_column(default=WorkState.PENDING)
    title: Mapped[str | None] = mapped_column(String(300))
    file_name: Mapped[str | None] = mapped_column(String(300))
    source_url: Mapped[str | None] = mapped_column(String(2048))
    # The id of the YouTube channel that it is of, once that is known.
    channel: Mapped[str | None] = mapped_column(String(100))
    # What its source says about it: facts, and no statement of its owner.
    channel_title: Mapped[str | None] = mapped_column(String(300))
    duration_seconds: Mapped[float | None]
    licence: Mapped[str | None] = mapped_column(String(200))
    # Whom YouTube says that the video's owner lets train with it: `all`, `none`, or names. None: it was not asked.
    trainability: Mapped[list[str] | None] = mapped_column(JSON(none_as_null=True))
    # Its owner asked for the sound of the video to be read, too.
    wants_sound: Mapped[bool] = mapped_column(default=False)
    size_bytes: Mapped[int | None] = mapped_column(BigInteger)
    keep_media: Mapped[bool] = mapped_column(default=False)
    # Its owner lets others see and hear the kept file beside what they ask about.
    show_media: Mapped[bool] = mapped_column(default=False)
    media_key: Mapped[str | None] = mapped_column(String(500), index=True)
    modality: Mapped[Modality | None]
    media_type: Mapped[str | None] = mapped_column(String(100))
    identifiable: Mapped[bool | None]
    notes: Mapped[list[str]] = mapped_column(default=list)
    # The algorithms (`pdq-256.v1`) that it was given to, also those that found nothing to go by.
    applied: Mapped[list[str]] = mapped_column(default=list)
    failure_code: Mapped[str | None] = mapped_column(String(64))
    failure_sentence: Mapped[str | None] = mapped_column(String(1000))
    registered_at: Mapped[datetime] = mapped_column(default=utc_now)
    ready_at: Mapped[datetime | None]

    __table_args__ = (
        # Two requests at once with the same bytes: the database decides which of them made the work.
        UniqueConstraint("account_id", "identity"),
        # The same content of other accounts, to see whether claims about it differ.
        Index("ix_works_identity", "identity"),
        Index("ix_works_newest_first", "account_id", "registered_at", "id"),
        CheckConstraint("(state = 'ready') = (ready_at IS NOT NULL)", name="ready_has_time"),
        CheckConstraint("(state = 'failed') = (failure_code IS NOT NULL)", name="failed_has_reason"),
    )


class WorkFingerprint(Base):
    """What one algorithm computed from a work. Rows are only added: versions of an algorithm stand side by side."""

    __tablename__ = "work_fingerprints"

    work_id: Mapped[UUID] = mapped_column(ForeignKey("works.id"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    algorithm: Mapped[str] = mapped_column(String(40))
    version: Mapped[int]
    value: Mapped[bytes]
    quality: Mapped[float]
    span: Mapped[list[float] | None] = mapped_column(JSON(none_as_null=True))
    unit: Mapped[SpanUnit | None]
