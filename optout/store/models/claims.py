"""What claimants say about works."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from uuid import UUID, uuid4

from sqlalchemy import JSON, CheckConstraint, Dialect, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import TypeDecorator

from optout.consent.vocabulary import EvidenceLevel, Preference, Scope, Use
from optout.store.models.base import Base, Sealed, sealed_column


class ClaimState(StrEnum):
    """Where a claim stands. Active and contested ones are live: they count in verdicts."""

    ACTIVE = "active"
    CONTESTED = "contested"
    WITHDRAWN = "withdrawn"
    SUPERSEDED = "superseded"
    VOID = "void"


LIVE = (ClaimState.ACTIVE, ClaimState.CONTESTED)


class Preferences(TypeDecorator[Mapping[Use, Preference]]):
    """A preference per leaf use as a JSON object. A word that we do not know is an error, never a preference less."""

    impl = JSON
    cache_ok = True

    def process_bind_param(
        self,
        value: Mapping[Use, Preference] | None,
        dialect: Dialect,  # noqa: ARG002
    ) -> dict[str, str] | None:
        """Words by words."""
        return None if value is None else {Use(use).value: Preference(said).value for use, said in value.items()}

    def process_result_value(
        self,
        value: dict[str, str] | None,
        dialect: Dialect,  # noqa: ARG002
    ) -> Mapping[Use, Preference] | None:
        """Read back in the vocabulary."""
        return None if value is None else {Use(use): Preference(said) for use, said in value.items()}


class Claim(Base):
    """What one claimant says about a work, a collection, or all their works, as `scope` tells.

    An amendment is a new row; of the old one only the last columns change.

    `log_subject` is the claim's name in the consent log: random, and the same through amendments and withdrawal.
    `entry_id` is the log entry that filed it, `settled_entry_id` the one that ended it.
    """

    __tablename__ = "claims"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    scope: Mapped[Scope] = mapped_column(default=Scope.WORK)
    work_id: Mapped[UUID | None] = mapped_column(ForeignKey("works.id"), index=True)
    collection_id: Mapped[UUID | None] = mapped_column(ForeignKey("collections.id"), index=True)
    claimant_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id"), index=True)
    preferences: Mapped[Mapping[Use, Preference]] = mapped_column(Preferences)
    evidence: Mapped[EvidenceLevel]
    valid_from: Mapped[datetime]
    valid_until: Mapped[datetime | None]
    terms_url: Mapped[str | None] = mapped_column(String(2048))
    contact: Mapped[Sealed | None] = sealed_column(subject="claimant_id")
    languages: Mapped[list[str]] = mapped_column(default=list)
    filed_at: Mapped[datetime]
    supersedes: Mapped[UUID | None] = mapped_column(ForeignKey("claims.id"))
    log_subject: Mapped[UUID] = mapped_column(default=uuid4)
    entry_id: Mapped[str] = mapped_column(ForeignKey("log_entries.id"))

    state: Mapped[ClaimState] = mapped_column(default=ClaimState.ACTIVE)
    settled_at: Mapped[datetime | None]
    settled_entry_id: Mapped[str | None] = mapped_column(ForeignKey("log_entries.id"))
    superseded_by: Mapped[UUID | None] = mapped_column(ForeignKey("claims.id"))

    _live = text("state IN ('active', 'contested')")
    _live_account = text("scope = 'account' AND state IN ('active', 'contested')")
    __table_args__ = (
        # The database, not the code above it, has the last word on "one live claim a claimant, on one thing".
        Index("uq_claims_one_live", "work_id", "claimant_id", unique=True, postgresql_where=_live, sqlite_where=_live),
        Index(
            "uq_claims_one_live_of_collection",
            "collection_id",
            "claimant_id",
            unique=True,
            postgresql_where=_live,
            sqlite_where=_live,
        ),
        Index(
            "uq_claims_one_live_of_account",
            "claimant_id",
            unique=True,
            postgresql_where=_live_account,
            sqlite_where=_live_account,
        ),
        CheckConstraint("(scope = 'work') = (work_id IS NOT NULL)", name="work_scope_has_work"),
        CheckConstraint("(scope = 'collection') = (collection_id IS NOT NULL)", name="collection_scope_has_one"),
        CheckConstraint("(state IN ('active', 'contested')) = (settled_at IS NULL)", name="settled_has_time"),
        CheckConstraint("valid_until IS NULL OR valid_until > valid_from", name="ends_after_it_begins"),
    )
