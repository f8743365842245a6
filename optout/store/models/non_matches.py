"""Pairs of a work and an asset that were taken for one another, and are not."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID, uuid4

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from optout.store.models.base import Base


class NonMatchState(StrEnum):
    """Where a report stands: only a confirmed one changes answers."""

    REPORTED = "reported"
    CONFIRMED = "confirmed"
    REFUSED = "refused"


class NonMatch(Base):
    """A report that a match is wrong. `asset_key` (32 bytes) names the asset as `Asset.key` does.

    Whoever owns the work confirms it, as it is their reservation that stops reaching the asset.
    """

    __tablename__ = "non_matches"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    work_id: Mapped[UUID] = mapped_column(ForeignKey("works.id"), index=True)
    asset_key: Mapped[bytes] = mapped_column(LargeBinary(32))
    state: Mapped[NonMatchState]
    reporter_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id"), index=True)
    reported_at: Mapped[datetime]
    settled_at: Mapped[datetime | None]
    log_subject: Mapped[UUID] = mapped_column(default=uuid4)
    # The last log entry about it.
    entry_id: Mapped[str] = mapped_column(ForeignKey("log_entries.id"))

    __table_args__ = (
        UniqueConstraint("work_id", "asset_key"),
        CheckConstraint("(state = 'reported') = (settled_at IS NULL)", name="settled_has_time"),
    )


class NonMatchPeriod(Base):
    """From when until when a report was confirmed, as it was recorded; its owner may change their mind and back."""

    __tablename__ = "non_match_periods"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    non_match_id: Mapped[UUID] = mapped_column(ForeignKey("non_matches.id"), index=True)
    confirmed_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]

    _open = text("ended_at IS NULL")
    __table_args__ = (
        Index("uq_non_match_periods_one_open", "non_match_id", unique=True, postgresql_where=_open, sqlite_where=_open),
        CheckConstraint("ended_at IS NULL OR ended_at >= confirmed_at", name="ends_after_it_begins"),
    )
