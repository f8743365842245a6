"""Reports that a match is wrong."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from pydantic import Field

from mediamanager.schemas.base import WireModel


class NonMatchState(StrEnum):
    """Where a report stands: only a confirmed one changes answers."""

    REPORTED = "reported"
    CONFIRMED = "confirmed"
    REFUSED = "refused"


class NonMatchRequest(WireModel):
    """An asset does not show a work that an answer named."""

    work: UUID
    asset_key: str = Field(pattern=r"^[0-9a-f]{64}$", description="`asset_key` of the answer")


class NonMatchDecision(WireModel):
    """Whether the owner of the work agrees."""

    confirm: bool


class NonMatchResponse(WireModel):
    """A report, and where it stands."""

    id: UUID
    work: UUID
    asset_key: str
    state: NonMatchState
    reported_at: datetime
    settled_at: datetime | None


class NonMatchList(WireModel):
    """Reports about your works, those that wait first, and those that you made."""

    about_your_works: list[NonMatchResponse]
    reported_by_you: list[NonMatchResponse]
