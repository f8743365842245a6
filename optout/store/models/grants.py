"""Rightsholders' permissions to single pipeline accounts."""

from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import CheckConstraint, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from optout.consent.vocabulary import EvidenceLevel, Scope
from optout.store.models.base import Base


class Grant(Base):
    """One permission. Only the last columns ever change, once.

    `uses` are leaf uses. `works` are the ids of its works where `scope` is work; a collection's members are looked up.
    """

    __tablename__ = "grants"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    grantor_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id"), index=True)
    grantee_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id"), index=True)
    evidence: Mapped[EvidenceLevel]
    uses: Mapped[list[str]]
    scope: Mapped[Scope]
    works: Mapped[list[str]] = mapped_column(default=list)
    collection_id: Mapped[UUID | None] = mapped_column(ForeignKey("collections.id"))
    valid_from: Mapped[datetime]
    valid_until: Mapped[datetime | None]
    granted_at: Mapped[datetime]
    log_subject: Mapped[UUID] = mapped_column(default=uuid4)
    entry_id: Mapped[str] = mapped_column(ForeignKey("log_entries.id"))

    revoked_at: Mapped[datetime | None]
    revoked_entry_id: Mapped[str | None] = mapped_column(ForeignKey("log_entries.id"))

    __table_args__ = (
        CheckConstraint("valid_until IS NULL OR valid_until > valid_from", name="ends_after_it_begins"),
        CheckConstraint("(revoked_at IS NULL) = (revoked_entry_id IS NULL)", name="revoked_is_logged"),
        CheckConstraint("(scope = 'collection') = (collection_id IS NOT NULL)", name="collection_scope_has_one"),
    )
