"""Sign-ins on the pages: opened by a key or a one-time link, known by a token of which only the hash is kept."""

import hashlib
import secrets
from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, or_, update
from sqlalchemy.orm import Session

from optout.errors import InvalidInputError, NotAuthenticatedError
from optout.registry import accounts
from optout.registry.accounts import Principal
from optout.store.models.accounts import ApiKey, Role
from optout.store.models.base import utc_now
from optout.store.models.sessions import SignInLink, WebSession

SESSION_LIFETIME = timedelta(days=7)
IDLE_LIFETIME = timedelta(days=1)
LINK_LIFETIME = timedelta(minutes=10)
USE_NOTED = timedelta(minutes=5)
"""How exactly it is known when a session was last used, and so how much shorter or longer its idle limit may be."""


def open(  # noqa: A001 - sessions.open reads as what it does
    session: Session, principal: Principal, *, lifetime: timedelta = SESSION_LIFETIME, now: datetime | None = None
) -> str:
    """Sign a browser in; the token for its cookie. Each sign-in has a new one."""
    token = secrets.token_urlsafe(32)
    session.add(
        WebSession(
            digest=digest(token),
            account_id=principal.account_id,
            key_id=principal.key_id,
            roles=principal.roles,
            opened_at=now or utc_now(),
            last_used_at=now or utc_now(),
            expires_at=(now or utc_now()) + lifetime,
        )
    )
    session.flush()
    return token


def authenticate(
    session: Session, token: str, *, idle: timedelta = IDLE_LIFETIME, now: datetime | None = None
) -> Principal:
    """Tell who a browser belongs to.

    Raises:
        NotAuthenticatedError: unknown, closed, expired, not used for `idle`, or opened by a key that no longer holds.
    """
    moment = now or utc_now()
    found = session.get(WebSession, digest(token))
    if found is None or not _holds(found, moment, idle) or not _key_holds(session, found, moment):
        raise NotAuthenticatedError("you are not signed in any more: sign in again")
    return Principal(found.account_id, found.key_id, found.roles)


def close(session: Session, token: str) -> None:
    """Sign a browser out; a token that is unknown is fine."""
    session.execute(delete(WebSession).where(WebSession.digest == digest(token)))


def note_uses(session: Session, digests: Collection[bytes], *, now: datetime | None = None) -> None:
    """Say that sessions were used just now. What was noted within the last minutes is left alone."""
    moment = now or utc_now()
    session.execute(
        update(WebSession)
        .where(WebSession.digest.in_(digests), WebSession.last_used_at <= moment - USE_NOTED)
        .values(last_used_at=moment)
    )


def digest(token: str) -> bytes:
    """What is stored of a token, 32 bytes: SHA-256. It has 256 random bits and needs no salt."""
    return hashlib.sha256(token.encode()).digest()


def create_link(
    session: Session,
    account_id: UUID,
    roles: Iterable[Role],
    *,
    lifetime: timedelta = LINK_LIFETIME,
    now: datetime | None = None,
) -> str:
    """Make a token for a link that signs in once.

    Raises:
        InvalidInputError: no role.
        NotFoundError: there is no such account.
    """
    chosen = frozenset(roles)
    if not chosen:
        raise InvalidInputError("a sign-in link needs a role", field="role")
    account = accounts.get_account(session, account_id)
    token = secrets.token_urlsafe(32)
    link = SignInLink(
        digest=digest(token), account_id=account.id, roles=chosen, expires_at=(now or utc_now()) + lifetime
    )
    session.add(link)
    session.flush()
    return token


def use_link(session: Session, token: str, *, now: datetime | None = None) -> Principal:
    """Use up a link; `open` a session for who it names.

    Raises:
        NotAuthenticatedError: unknown, used already, or expired.
    """
    moment = now or utc_now()
    # One statement decides, so that of two browsers at once only one gets in.
    used = session.execute(
        update(SignInLink)
        .where(SignInLink.digest == digest(token), SignInLink.used_at.is_(None), SignInLink.expires_at > moment)
        .values(used_at=moment)
        .returning(SignInLink.account_id, SignInLink.roles)
    ).one_or_none()
    if used is None:
        raise NotAuthenticatedError("this sign-in link was used already or has expired: ask for a new one")
    return Principal(used.account_id, None, used.roles)


def remove_expired(session: Session, *, idle: timedelta = IDLE_LIFETIME, now: datetime | None = None) -> None:
    """Forget sessions and links that no longer open anything."""
    moment = now or utc_now()
    session.execute(
        delete(WebSession).where(or_(WebSession.expires_at <= moment, WebSession.last_used_at <= moment - idle))
    )
    session.execute(delete(SignInLink).where(or_(SignInLink.expires_at <= moment, SignInLink.used_at.is_not(None))))


def _holds(found: WebSession, now: datetime, idle: timedelta) -> bool:
    return now < found.expires_at and now < found.last_used_at + idle


def _key_holds(session: Session, found: WebSession, now: datetime) -> bool:
    if found.key_id is None:
        return True
    key = session.get(ApiKey, found.key_id)
    return key is not None and accounts.is_live(key, now)
