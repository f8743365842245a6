"""Channels and playlists whose videos are registered, one after another, and how far that has come."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from uuid import UUID, uuid4

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from optout.consent.vocabulary import Preference, Use
from optout.store.models.base import Base, utc_now
from optout.store.models.claims import Preferences


class ListingKind(StrEnum):
    """What is listed."""

    CHANNEL = "channel"
    PLAYLIST = "playlist"


class ListingState(StrEnum):
    """Where it stands: its pages are being read, all were read, it can't be read, or its owner stopped it."""

    READING = "reading"
    DONE = "done"
    FAILED = "failed"
    STOPPED = "stopped"


class Listing(Base):
    """A channel or playlist that an account registers. Its videos are works, in the collection of `collection_id`.

    `position` is what YouTube calls the next page of the pass that is going on; None: it begins with the first.
    `seen` counts the videos of that pass, `made` the works that came of all passes.
    """

    __tablename__ = "listings"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id"))
    kind: Mapped[ListingKind]
    address: Mapped[str] = mapped_column(String(300))
    state: Mapped[ListingState] = mapped_column(default=ListingState.READING)
    follow: Mapped[bool] = mapped_column(default=True)
    # Whether the sound of its videos is read, too.
    wants_sound: Mapped[bool] = mapped_column(default=False)
    collection_id: Mapped[UUID | None] = mapped_column(ForeignKey("collections.id"))
    title: Mapped[str | None] = mapped_column(String(300))
    # What is said about the collection as soon as there is one: only YouTube knows which channel a handle names.
    preferences: Mapped[Mapping[Use, Preference] | None] = mapped_column(Preferences(none_as_null=True))
    position: Mapped[str | None] = mapped_column(Text)
    seen: Mapped[int] = mapped_column(default=0)
    made: Mapped[int] = mapped_column(default=0)
    # How many videos it has, as YouTube says.
    expected: Mapped[int | None]
    is_cut: Mapped[bool] = mapped_column(default=False)
    failure_code: Mapped[str | None] = mapped_column(String(64))
    failure_sentence: Mapped[str | None] = mapped_column(String(1000))
    registered_at: Mapped[datetime] = mapped_column(default=utc_now)
    # When a pass last came to its end, and when the next one begins; None: never, or nobody knows.
    read_at: Mapped[datetime | None]
    next_at: Mapped[datetime | None]

    __table_args__ = (
        UniqueConstraint("account_id", "address"),
        Index("ix_listings_next_at", "next_at"),
        CheckConstraint("(state = 'failed') = (failure_code IS NOT NULL)", name="failed_has_reason"),
    )
