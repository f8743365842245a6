"""What worker processes say of themselves: that they live, and how often things went wrong."""

from datetime import datetime

from sqlalchemy import BigInteger, String
from sqlalchemy.orm import Mapped, mapped_column

from optout.store.models.base import Base, utc_now


class Heartbeat(Base):
    """A process, or a duty that comes round, when it was last seen. See `optout.store.heartbeats`."""

    __tablename__ = "heartbeats"

    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    """Of a worker: random, drawn when it starts. Of a duty: its word."""
    kind: Mapped[str] = mapped_column(String(16))
    started_at: Mapped[datetime] = mapped_column(default=utc_now)
    seen_at: Mapped[datetime] = mapped_column(default=utc_now)
    note: Mapped[str | None] = mapped_column(String(400))
    """A weakness that an operator should know of, in one sentence; None if all is well."""


class Tally(Base):
    """How often something happened in all workers together, since the database was made. It only grows."""

    __tablename__ = "tallies"

    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    word: Mapped[str] = mapped_column(String(64), primary_key=True)
    """Which of its kind: an error code."""
    count: Mapped[int] = mapped_column(BigInteger)
