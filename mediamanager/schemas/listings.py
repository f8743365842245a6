"""Channels and playlists: registered by one link, read video by video."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import Field, HttpUrl

from mediamanager.schemas.base import WireModel
from mediamanager.schemas.works import WorkFailure
from optout.consent.vocabulary import Preference, Use


class ListingKind(StrEnum):
    """What is listed."""

    CHANNEL = "channel"
    PLAYLIST = "playlist"


class ListingState(StrEnum):
    """Where it stands: its pages are being read, all were read, it can't be read, or you stopped it."""

    READING = "reading"
    DONE = "done"
    FAILED = "failed"
    STOPPED = "stopped"


class ListingRequest(WireModel):
    """Register every video of a channel or playlist; what is said counts for all of them, later ones too."""

    url: Annotated[HttpUrl, Field(max_length=2048, examples=["https://www.youtube.com/@name"])]
    preferences: dict[Use, Preference] = Field(default_factory=dict)
    follow: bool = Field(default=True, description="come back for new videos")
    sound: bool = Field(default=False, description="read the sound of its videos, too, not only their captions")


class ListingChange(WireModel):
    """Stop a list, or let it go on."""

    stopped: bool = Field(description="true: read nothing more, now or later; false: go on and follow it")


class ListingResponse(WireModel):
    """How a list stands."""

    id: UUID
    kind: ListingKind
    url: str
    title: str | None
    state: ListingState
    follow: bool
    sound: bool
    collection: UUID | None = Field(description="that its videos are in; null until it is known which channel it is")
    seen: int = Field(description="videos of this pass so far")
    expected: int | None = Field(description="videos that it has, as YouTube says")
    registered: int = Field(description="works that came of it")
    pending: int = Field(description="of the works in its collection, those that are not read yet")
    cut: str | None = Field(description="a sentence where the list is longer than what is registered of one")
    failure: WorkFailure | None
    delay: WorkFailure | None = Field(description="why its next page is not read yet though that was tried")
    registered_at: datetime
    read_at: datetime | None
    next_at: datetime | None
    status_url: str


class ListingList(WireModel):
    """An account's channels and playlists, oldest first."""

    listings: list[ListingResponse]
