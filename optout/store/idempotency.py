"""Doing a request once, however often it is sent: the answer is kept in the transaction of the effect.

A request that failed left nothing behind, so only answers of effects are kept, for a day. Source: IETF
draft-ietf-httpapi-idempotency-key-header-07.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import delete, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from optout.errors import IdempotencyMismatchError, RequestInFlightError
from optout.store.models.base import utc_now
from optout.store.models.idempotency import IdempotencyKey

KEPT: Final = timedelta(hours=24)
"""How long an answer is kept. After that the same key does something new."""


@dataclass(frozen=True, slots=True)
class Slot:
    """Where an answer is kept: an account, a key within one route, and what the request said (digests of 32 bytes)."""

    account_id: UUID
    key_digest: bytes
    request_digest: bytes

    @classmethod
    def of(cls, account_id: UUID, *, route: str, key: str, request_digest: bytes) -> "Slot":
        """The slot of a key; only its digest is kept, as it is a stranger's text."""
        return cls(account_id, hashlib.sha256(f"{route}\0{key}".encode()).digest(), request_digest)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a request was answered."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def find(session: Session, slot: Slot, *, now: datetime | None = None) -> Answer | None:
    """The answer to the same request, if it was done within the last day.

    Raises:
        IdempotencyMismatchError: the key came with another request.
    """
    kept = session.scalars(
        select(IdempotencyKey).where(
            IdempotencyKey.account_id == slot.account_id,
            IdempotencyKey.key_digest == slot.key_digest,
            IdempotencyKey.expires_at > (now or utc_now()),
        )
    ).one_or_none()
    if kept is None:
        return None
    if kept.request_digest != slot.request_digest:
        raise IdempotencyMismatchError(
            "This Idempotency-Key came with another request before: a new request needs a new key.",
            field="Idempotency-Key",
        )
    return Answer(kept.status, {name: str(value) for name, value in kept.headers.items()}, kept.body)


def hold(session: Session, slot: Slot) -> Answer | None:
    """Keep others from the slot until the caller's transaction ends; the answer, if somebody was faster.

    Only where several processes write, on PostgreSQL. On SQLite it asks nothing, because the first statement takes the
    one write lock, and the caller may have something slow to do before it; `record` has the last word there.

    Raises:
        RequestInFlightError: another transaction has the slot.
        IdempotencyMismatchError: as `find`.
    """
    if session.get_bind().dialect.name != "postgresql":
        return None
    number = int.from_bytes(hashlib.sha256(slot.account_id.bytes + slot.key_digest).digest()[:8], signed=True)
    if not session.execute(text("SELECT pg_try_advisory_xact_lock(:number)"), {"number": number}).scalar_one():
        raise in_flight()
    return find(session, slot)


def record(session: Session, slot: Slot, answer: Answer, *, now: datetime | None = None) -> None:
    """Keep an answer, in the caller's transaction: with its effect, or not at all.

    Raises:
        RequestInFlightError: another transaction kept one under this key meanwhile; the caller has to roll back.
    """
    moment = now or utc_now()
    mine = (IdempotencyKey.account_id == slot.account_id, IdempotencyKey.key_digest == slot.key_digest)
    session.execute(delete(IdempotencyKey).where(*mine, IdempotencyKey.expires_at <= moment))
    kept = IdempotencyKey(
        account_id=slot.account_id,
        key_digest=slot.key_digest,
        request_digest=slot.request_digest,
        status=answer.status,
        headers=dict(answer.headers),
        body=answer.body,
        expires_at=moment + KEPT,
    )
    try:
        with session.begin_nested():
            session.add(kept)
    except IntegrityError as error:
        raise in_flight() from error


def remove_expired(session: Session, *, now: datetime | None = None) -> None:
    """Forget answers that are older than a day."""
    session.execute(delete(IdempotencyKey).where(IdempotencyKey.expires_at <= (now or utc_now())))


def in_flight() -> RequestInFlightError:
    """The error for a request that is being done at this moment."""
    return RequestInFlightError("The same request is being done at this moment: send it again in a second.")
