"""Who may do what: accounts and their API keys."""

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from uuid import UUID, uuid4

from sqlalchemy import JSON, Dialect, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import TypeDecorator

from optout.consent.vocabulary import EvidenceLevel
from optout.store.models.base import Base, Sealed, random_id, sealed_column, utc_now


class Role(StrEnum):
    """What a key is for; a key may have several."""

    CREATOR = "creator"
    PIPELINE = "pipeline"
    AUDITOR = "auditor"
    MODERATOR = "moderator"
    ADMIN = "admin"


class Roles(TypeDecorator[frozenset[Role]]):
    """A set of roles as a sorted JSON array. A word that is no role is an error, never a role less."""

    impl = JSON
    cache_ok = True

    def process_bind_param(self, value: Iterable[Role] | None, dialect: Dialect) -> list[str] | None:  # noqa: ARG002
        """Sorted, so that equal sets are equal rows."""
        return None if value is None else sorted(Role(role) for role in value)

    def process_result_value(self, value: list[str] | None, dialect: Dialect) -> frozenset[Role] | None:  # noqa: ARG002
        """Read back as a set."""
        return None if value is None else frozenset(Role(role) for role in value)


class Account(Base):
    """A person or an organisation. `pseudonym` is what others see of it: random, and not its id."""

    __tablename__ = "accounts"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    name: Mapped[Sealed] = sealed_column(subject="id")
    # How to reach them: an e-mail address.
    contact: Mapped[Sealed | None] = sealed_column(subject="id")
    pseudonym: Mapped[str] = mapped_column(String(32), unique=True, default=random_id)
    evidence: Mapped[EvidenceLevel] = mapped_column(default=EvidenceLevel.SELF_DECLARED)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class ApiKey(Base):
    """A credential of an account. Of the secret only the SHA-256 is kept: it has 256 random bits and needs no salt."""

    __tablename__ = "api_keys"

    id: Mapped[str] = mapped_column(String(16), primary_key=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id"), index=True)
    label: Mapped[Sealed] = sealed_column(subject="account_id")
    roles: Mapped[frozenset[Role]] = mapped_column(Roles)
    digest: Mapped[bytes]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    expires_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    # The key that a rotation put in its place; both open the registry until this one expires.
    replaced_by: Mapped[str | None] = mapped_column(ForeignKey("api_keys.id"))
    # Known to the hour only: see `registry.accounts.note_uses`.
    last_used_at: Mapped[datetime | None]
