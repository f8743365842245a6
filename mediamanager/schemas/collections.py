"""Collections: works that share a claim."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from pydantic import Field

from mediamanager.schemas.base import WireModel


class CollectionKind(StrEnum):
    """What holds a collection together."""

    ALBUM = "album"
    CHANNEL = "channel"
    DOMAIN = "domain"


class CollectionRequest(WireModel):
    """A new collection: an album by its title, a domain by its name, a channel by its YouTube id."""

    kind: CollectionKind
    name: str = Field(min_length=1, max_length=300, examples=["example.org"])


class CollectionWorks(WireModel):
    """Works to put into a collection."""

    works: list[UUID] = Field(min_length=1, max_length=1000)


class CollectionResponse(WireModel):
    """A collection, and what is in it now."""

    id: UUID
    kind: CollectionKind
    name: str
    created_at: datetime
    works: list[UUID]
    claim: UUID | None = Field(description="the one in force on it")


class CollectionList(WireModel):
    """An account's collections, oldest first."""

    collections: list[CollectionResponse]
