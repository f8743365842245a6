"""The outbox: work that a transaction promised, done by workers afterwards."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID, uuid4

from sqlalchemy import Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from optout.store.models.base import Base, utc_now


class JobKind(StrEnum):
    """What a job does; its subject says to what."""

    FINGERPRINT_WORK = "fingerprint_work"
    REFINGERPRINT_WORK = "refingerprint_work"
    PUBLISH_LOG = "publish_log"
    LIST_VIDEOS = "list_videos"


class JobState(StrEnum):
    """Where a job stands. A parked one has failed too often and waits for a person."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    PARKED = "parked"


class Job(Base):
    """One promised piece of work. The row is the truth, the broker only a wake-up: see `optout.store.jobs`."""

    __tablename__ = "jobs"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    kind: Mapped[JobKind]
    # The id of what it is about, or "" where the kind has only one subject (NULLs would not be unique).
    subject: Mapped[str] = mapped_column(String(64))
    state: Mapped[JobState] = mapped_column(default=JobState.WAITING)
    attempts: Mapped[int] = mapped_column(default=0)
    due_at: Mapped[datetime] = mapped_column(default=utc_now)
    lease_until: Mapped[datetime | None]
    error_code: Mapped[str | None] = mapped_column(String(64))
    error_sentence: Mapped[str | None] = mapped_column(String(1000))
    # Of the request that promised it first, so that what the worker logs can be found by what the client was told.
    request_id: Mapped[str | None] = mapped_column(String(64))
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    finished_at: Mapped[datetime | None]

    _waiting = text("state = 'waiting'")
    __table_args__ = (
        Index("uq_jobs_one_waiting", "kind", "subject", unique=True, postgresql_where=_waiting, sqlite_where=_waiting),
        Index("ix_jobs_state_due_at", "state", "due_at"),
    )
