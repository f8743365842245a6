"""Answers that are kept, so that a request that comes again is answered and not done again."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from optout.store.models.base import Base, JsonObject


class IdempotencyKey(Base):
    """A request that was done, and what it was answered. Written in the transaction of its effect.

    `key_digest` is the SHA-256 of the route and of the key that the client chose; `request_digest` that of everything
    that the request said. `headers` maps names to values.
    """

    __tablename__ = "idempotency_keys"

    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id"), primary_key=True)
    key_digest: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    request_digest: Mapped[bytes] = mapped_column(LargeBinary(32))
    status: Mapped[int]
    headers: Mapped[JsonObject]
    body: Mapped[bytes]
    expires_at: Mapped[datetime] = mapped_column(index=True)
