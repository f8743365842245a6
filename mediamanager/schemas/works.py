"""Registering a work and asking how it stands."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from pydantic import Field, HttpUrl

from fingerprinting.types import Modality, SpanUnit, Strength
from mediamanager.schemas.base import WireModel
from mediamanager.schemas.fingerprints import WireFingerprint

SHOW_MEDIA = "keep the file, and let those who find a copy of it see or hear it beside theirs"


SOUND = (
    "of a link to one video of YouTube: have its sound read, too, by which it is registered where it has no captions;"
    " of a link to any other page: have the video or recording on it read, and not the words of the page"
)


class WorkState(StrEnum):
    """Where a work stands: being read, matchable, or unreadable with a reason."""

    PENDING = "pending"
    READY = "ready"
    FAILED = "failed"


class WorkByUrl(WireModel):
    """Register what lies at an address; a worker fetches it."""

    url: HttpUrl = Field(max_length=2048)
    title: str | None = Field(default=None, max_length=300)
    keep_media: bool = False
    show_media: bool = Field(default=False, description=SHOW_MEDIA)
    sound: bool = Field(default=False, description=SOUND)


class WorkByUpload(WireModel):
    """What goes with an uploaded file in the form: the fields beside `file`."""

    title: str | None = Field(default=None, max_length=300)
    keep_media: bool = False
    show_media: bool = Field(default=False, description=SHOW_MEDIA)


class WorkByFingerprints(WireModel):
    """Register by fingerprints made on the creator's device; the media never leaves it."""

    fingerprints: list[WireFingerprint] = Field(min_length=1, max_length=100)
    modality: Modality
    media_type: str = Field(max_length=100)
    identifiable: bool = True
    notes: list[str] = Field(default_factory=list, max_length=20)
    title: str | None = Field(default=None, max_length=300)


class WorkFailure(WireModel):
    """Why a work could not be read: a stable code, and a sentence for its owner."""

    code: str
    sentence: str


class WorkDelay(WireModel):
    """Why a pending work is not read yet though that was tried; `next_attempt_at` is null once that is due."""

    code: str
    sentence: str
    next_attempt_at: datetime | None


class WorkRemark(WireModel):
    """What can't be recognised of the work, and why; `span` in seconds of it, where it is about a part."""

    code: str
    sentence: str
    seconds: float | None = None
    span: list[float] | None = None


class OverlapPlace(WireModel):
    """A part of your work, and the part of the other one that is the same."""

    here: list[float] | None
    there: list[float] | None


class Overlap(WireModel):
    """Another work that holds something of yours: one of your own, or one that another account registered."""

    work: UUID
    yours: bool
    earlier: bool = Field(description="registered before this one")
    whole: bool = Field(description="one of both is in the other nearly whole: one work, registered by several")
    registered_at: datetime
    strength: Strength
    algorithm: str
    seconds: float | None = Field(description="of your work")
    share: float | None = Field(description="of your work, 0 to 1")
    share_there: float | None
    unit: SpanUnit | None
    places: list[OverlapPlace]
    sentence: str


class OverlapList(WireModel):
    """What of a work is registered besides."""

    overlaps: list[Overlap]


class WorkVideo(WireModel):
    """What YouTube says about a video: facts, and no statement of its owner; null is what it did not say."""

    sound: bool = Field(description="its sound was asked for")
    channel: str | None = Field(description="the id of the channel that it is on")
    channel_title: str | None
    duration_seconds: float | None
    licence: str | None = Field(description="as YouTube words it")
    trainability: list[str] | None = Field(
        description="whom its owner lets train with it by YouTube's own setting: `all`, `none` or names; null where "
        "that was not read. It decides no verdict"
    )


class FingerprintSummary(WireModel):
    """Which algorithms know the work."""

    algorithm: str
    version: int
    quality: float


class WorkResponse(WireModel):
    """How a work stands."""

    id: UUID
    state: WorkState
    title: str | None
    modality: Modality | None
    media_type: str | None
    source_url: str | None
    video: WorkVideo | None = Field(default=None, description="what YouTube says about it, once that was read")
    identifiable: bool | None
    notes: list[str]
    remarks: list[WorkRemark] = Field(default_factory=list, description="the notes, in words")
    fingerprints: list[FingerprintSummary]
    failure: WorkFailure | None
    delay: WorkDelay | None = None
    media_kept: bool
    media_shown: bool = Field(default=False, description="to those who find a copy of it")
    registered_at: datetime
    ready_at: datetime | None
    status_url: str
    claims: list[UUID] = Field(description="those in force")


class WorkPage(WireModel):
    """One page of an account's works, newest first."""

    works: list[WorkResponse]
    total: int
    next_after: UUID | None
