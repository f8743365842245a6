"""What claimants say about works."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Final
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
"""The states of what was not settled. Queries say `settled_at IS NULL`, which the indexes of live claims are about."""


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


# By columns that are there or not, and not by words: a database can tell from a query alone which index serves it.
_OF_WORK: Final = "work_id IS NOT NULL"
_OF_COLLECTION: Final = "collection_id IS NOT NULL"
_OF_ACCOUNT: Final = "work_id IS NULL AND collection_id IS NULL"
_LIVE: Final = "settled_at IS NULL"
_BACKDATED: Final = "valid_from < filed_at"


def _index_where(name: str, *columns: str, where: Sequence[str], unique: bool = False) -> Index:
    """An index of those rows alone of which all these conditions hold."""
    condition = text(" AND ".join(where))
    return Index(name, *columns, unique=unique, postgresql_where=condition, sqlite_where=condition)


class Claim(Base):
    """What one claimant says about a work, a collection, or all their works, as `scope` tells.

    An amendment is a new row; of the old one only the last columns change.

    `log_subject` is the claim's name in the consent log: random, and the same through amendments and withdrawal.
    `entry_id` is the log entry that filed it, `settled_entry_id` the one that ended it.
    """

    __tablename__ = "claims"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    scope: Mapped[Scope] = mapped_column(default=Scope.WORK)
    work_id: Mapped[UUID | None] = mapped_column(ForeignKey("works.id"))
    collection_id: Mapped[UUID | None] = mapped_column(ForeignKey("collections.id"))
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

    __table_args__ = (
        # The database, not the code above it, has the last word on "one live claim a claimant, on one thing".
        _index_where("uq_claims_one_live", "work_id", "claimant_id", where=(_OF_WORK, _LIVE), unique=True),
        _index_where(
            "uq_claims_one_live_of_collection",
            "collection_id",
            "claimant_id",
            where=(_OF_COLLECTION, _LIVE),
            unique=True,
        ),
        _index_where("uq_claims_one_live_of_account", "claimant_id", where=(_OF_ACCOUNT, _LIVE), unique=True),
        # What spoke at a moment was settled after it.
        _index_where("ix_claims_work_settled", "work_id", "settled_at", "filed_at", where=(_OF_WORK,)),
        _index_where(
            "ix_claims_collection_settled", "collection_id", "settled_at", "filed_at", where=(_OF_COLLECTION,)
        ),
        _index_where("ix_claims_account_settled", "claimant_id", "settled_at", "filed_at", where=(_OF_ACCOUNT,)),
        # Few are.
        _index_where("ix_claims_work_backdated", "work_id", "filed_at", where=(_OF_WORK, _BACKDATED)),
        _index_where("ix_claims_collection_backdated", "collection_id", "filed_at", where=(_OF_COLLECTION, _BACKDATED)),
        _index_where("ix_claims_account_backdated", "claimant_id", "filed_at", where=(_OF_ACCOUNT, _BACKDATED)),
        CheckConstraint("(scope = 'work') = (work_id IS NOT NULL)", name="work_scope_has_work"),
        CheckConstraint("(scope = 'collection') = (collection_id IS NOT NULL)", name="collection_scope_has_one"),
        CheckConstraint("(state IN ('active', 'contested')) = (settled_at IS NULL)", name="settled_has_time"),
        CheckConstraint("valid_until IS NULL OR valid_until > valid_from", name="ends_after_it_begins"),
    )
