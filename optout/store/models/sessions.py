"""Sign-ins on the pages: browser sessions, and one-time links that open one."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from optout.store.models.accounts import Role, Roles
from optout.store.models.base import Base, utc_now


class WebSession(Base):
    """A browser that is signed in. Only the SHA-256 of its token is kept."""

    __tablename__ = "web_sessions"

    digest: Mapped[bytes] = mapped_column(primary_key=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id"), index=True)
    # A session dies with the key that opened it; one opened by a link has none.
    key_id: Mapped[str | None] = mapped_column(ForeignKey("api_keys.id"))
    roles: Mapped[frozenset[Role]] = mapped_column(Roles)
    opened_at: Mapped[datetime] = mapped_column(default=utc_now)
    # Known to some minutes only: see `registry.sessions.note_uses`.
    last_used_at: Mapped[datetime] = mapped_column(default=utc_now)
    expires_at: Mapped[datetime] = mapped_column(index=True)


class SignInLink(Base):
    """A link that signs in once. Only the SHA-256 of its token is kept."""

    __tablename__ = "sign_in_links"

    digest: Mapped[bytes] = mapped_column(primary_key=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id"))
    roles: Mapped[frozenset[Role]] = mapped_column(Roles)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    expires_at: Mapped[datetime] = mapped_column(index=True)
    used_at: Mapped[datetime | None]
