"""Grants: what a rightsholder permits to one pipeline account."""

from datetime import datetime
from uuid import UUID

from pydantic import Field

from mediamanager.schemas.base import Moment, WireModel
from optout.consent.vocabulary import EvidenceLevel, Scope, Use


class GrantRequest(WireModel):
    """Permit uses of some works, of a collection, or with neither of all your works, later ones too."""

    grantee: str = Field(
        max_length=64, description="id of a verified pipeline account, as its `mediamanager grants pull` prints it"
    )
    uses: list[Use] = Field(min_length=1, max_length=9, examples=[["train-genai"]])
    works: list[UUID] | None = Field(
        default=None, min_length=1, max_length=1000, description="left out, with no collection: all your works"
    )
    collection_id: UUID | None = None
    valid_from: Moment | None = None
    valid_until: Moment | None = None


class GrantResponse(WireModel):
    """A grant that you gave."""

    id: UUID
    grantee: str
    uses: list[Use] = Field(description="leaf uses")
    scope: Scope
    works: list[UUID]
    collection_id: UUID | None
    evidence: EvidenceLevel
    valid_from: datetime
    valid_until: datetime | None
    granted_at: datetime
    revoked_at: datetime | None


class GrantList(WireModel):
    """Grants that you gave, newest first."""

    grants: list[GrantResponse]


class ReceivedGrants(WireModel):
    """What others permit to you: a signed note, good offline, for this account alone."""

    account: str = Field(description="your id, as rightsholders name it in a grant")
    count: int
    note: str = Field(description="a signed note of the registry's promise key")
