"""Works that share a claim: a channel, a domain, an album."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID, uuid4

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from optout.store.models.base import Base, utc_now


class CollectionKind(StrEnum):
    """What holds a collection together."""

    ALBUM = "album"
    CHANNEL = "channel"
    DOMAIN = "domain"


class Collection(Base):
    """Some works of one account. Of a channel or domain, its later works become members as soon as they are seen.

    `name` is what the album is called, the channel's id, or the domain in its canonical form.
    """

    __tablename__ = "collections"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id"))
    kind: Mapped[CollectionKind]
    name: Mapped[str] = mapped_column(String(300))
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    log_subject: Mapped[UUID] = mapped_column(default=uuid4)
    # The last log entry about it.
    entry_id: Mapped[str] = mapped_column(ForeignKey("log_entries.id"))

    __table_args__ = (UniqueConstraint("account_id", "kind", "name"),)


class CollectionWork(Base):
    """A work in a collection, from when to when. One that comes back gets a row of its own."""

    __tablename__ = "collection_works"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    collection_id: Mapped[UUID] = mapped_column(ForeignKey("collections.id"), index=True)
    work_id: Mapped[UUID] = mapped_column(ForeignKey("works.id"), index=True)
    added_at: Mapped[datetime] = mapped_column(default=utc_now)
    removed_at: Mapped[datetime | None]

    _now = text("removed_at IS NULL")
    __table_args__ = (
        Index(
            "uq_collection_works_once_now",
            "work_id",
            "collection_id",
            unique=True,
            postgresql_where=_now,
            sqlite_where=_now,
        ),
    )
