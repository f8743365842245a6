"""Filing, amending and withdrawing a claim, and the proofs of it."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from pydantic import Field, HttpUrl

from mediamanager.schemas.base import Moment, WireModel
from optout.consent.vocabulary import EvidenceLevel, Preference, Scope, Use


class ClaimState(StrEnum):
    """Where a claim stands. Contested: another claimant says something else about a work that it covers."""

    ACTIVE = "active"
    CONTESTED = "contested"
    WITHDRAWN = "withdrawn"
    SUPERSEDED = "superseded"
    VOID = "void"


class ClaimRequest(WireModel):
    """A preference per use; aggregates are expanded to their leaves, and a leaf named beside its aggregate wins."""

    preferences: dict[Use, Preference] = Field(min_length=1, examples=[{"train-ai": "disallowed", "search": "allowed"}])
    valid_from: Moment | None = None
    valid_until: Moment | None = None
    terms_url: HttpUrl | None = Field(default=None, max_length=2048)
    contact: str | None = Field(default=None, max_length=2048, description="whom to ask: e-mail or web address")
    languages: list[str] = Field(default_factory=list, max_length=10, description="in which to ask, preferred first")


class LogPosition(WireModel):
    """Where the claim's entry stands in the consent log."""

    entry_id: str
    leaf_hash: str = Field(description="hex SHA-256 of the leaf")
    index: int | None = Field(description="null until the entry is sequenced")
    published: bool = Field(description="true once a signed checkpoint covers it")


class ClaimResponse(WireModel):
    """One claim. `promise` is a signed note: the registry's word that the entry will be in the log by its deadline."""

    id: UUID
    scope: Scope
    work_id: UUID | None = Field(description="null where the claim is about more than one work")
    collection_id: UUID | None
    state: ClaimState
    preferences: dict[Use, Preference] = Field(description="all six leaf uses")
    says: str = Field(description="the same in an English sentence")
    evidence: EvidenceLevel
    valid_from: datetime
    valid_until: datetime | None
    ends_soon: bool = Field(description="it is in force, and ends within 30 days")
    has_ended: bool = Field(description="nobody took it back, and it holds no longer: its time is over")
    terms_url: str | None
    contact: str | None
    languages: list[str]
    filed_at: datetime
    settled_at: datetime | None
    supersedes: UUID | None
    superseded_by: UUID | None
    log: LogPosition
    promise: str
    receipt_url: str


class ClaimList(WireModel):
    """Claims, newest first, those that no longer count too."""

    claims: list[ClaimResponse]


class ClaimReceipt(WireModel):
    """What a claimant keeps: the proof, and the opening of its commitment. It verifies without the registry."""

    tlog_proof: str
    leaf: str = Field(description="the entry as logged, canonical JSON")
    body: str = Field(description="the committed body, canonical JSON")
    salt: str = Field(description="hex, 32 bytes")
    log_key: str = Field(description="vkey of the log")
