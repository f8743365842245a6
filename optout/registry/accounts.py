"""Accounts and their API keys: create, authenticate, rotate, revoke."""

import hmac
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID, uuid4

from sqlalchemy import delete, or_, select, update
from sqlalchemy.orm import Session

from optout.consent.vocabulary import EvidenceLevel
from optout.errors import ConflictError, InvalidInputError, NotAuthenticatedError, NotFoundError, NotPermittedError
from optout.registry import identities, key_format
from optout.registry.texts import MAX_EMAIL, email
from optout.store import encryption
from optout.store.models.accounts import Account, ApiKey, Role
from optout.store.models.base import utc_now
from optout.store.models.sessions import WebSession
from optout.store.settings import Environment

USE_NOTED: Final = timedelta(hours=1)
"""How exactly it is known when a key was last used: a write for each use would make every reader a writer."""


@dataclass(frozen=True, slots=True)
class Principal:
    """Who is asking: an account, by which key (None: by a sign-in link), with which roles."""

    account_id: UUID
    key_id: str | None
    roles: frozenset[Role]

    def require(self, *roles: Role) -> None:
        """Pass if one of the roles is there.

        Raises:
            NotPermittedError: none of them is.
        """
        if self.roles.isdisjoint(roles):
            needed = " or ".join(sorted(roles))
            raise NotPermittedError(f"this needs a key with the role {needed}", needed=needed)


def create_account(
    session: Session,
    *,
    name: str,
    contact: str | None = None,
    evidence: EvidenceLevel = EvidenceLevel.SELF_DECLARED,
) -> Account:
    """Create an account. Names need not be unique. Name and contact are sealed: see `registry.identities`.

    Raises:
        InvalidInputError: no name, or a longer one than 200 characters; a contact that is no e-mail address.
        MasterKeyError: the master key is not at hand.
    """
    account_id = uuid4()
    key = encryption.create(session, account_id)
    account = Account(id=account_id, name=identities.seal_line(key, Account.name, account_id, name), evidence=evidence)
    session.add(account)
    if contact is not None:
        set_contact(session, account=account, contact=contact)
    session.flush()
    return account


def set_contact(session: Session, *, account: Account, contact: str) -> None:
    """Say how to reach an account.

    Raises:
        InvalidInputError: it is no e-mail address.
        ConflictError: the account was erased.
        MasterKeyError: the master key is not at hand.
    """
    address = email(contact, field="contact")
    key = encryption.for_writing(session, account.id)
    account.contact = identities.seal_line(key, Account.contact, account.id, address, max_length=MAX_EMAIL)


def get_account(session: Session, account_id: UUID) -> Account:
    """Return the account; NotFoundError if there is none."""
    account = session.get(Account, account_id)
    if account is None:
        raise NotFoundError(f"there is no account {account_id}", account_id=str(account_id))
    return account


def set_evidence(session: Session, *, account_id: UUID, evidence: EvidenceLevel) -> Account:
    """Say how well an account's right to speak is shown. It counts for claims filed or amended from now on."""
    account = get_account(session, account_id)
    account.evidence = evidence
    return account


def create_key(
    session: Session,
    *,
    account_id: UUID,
    roles: Iterable[Role],
    label: str,
    expires_at: datetime | None = None,
    environment: Environment = Environment.LIVE,
) -> tuple[ApiKey, str]:
    """Create a key; the second value is the secret, which can't be had again.

    Raises:
        InvalidInputError: no role, no label, or a longer one than 200 characters.
        NotFoundError: there is no such account.
    """
    chosen = frozenset(roles)
    if not chosen:
        raise InvalidInputError(f"a key needs a role: {', '.join(Role)}", field="role")
    account = get_account(session, account_id)
    made = key_format.make(environment)
    key = ApiKey(
        id=made.id,
        account_id=account.id,
        label=identities.seal_line(encryption.for_writing(session, account.id), ApiKey.label, made.id, label),
        roles=chosen,
        digest=made.digest,
        expires_at=expires_at,
    )
    session.add(key)
    session.flush()
    return key, made.text


def rotate_key(
    session: Session,
    key_id: str,
    *,
    overlap: timedelta,
    expires_at: datetime | None = None,
    environment: Environment = Environment.LIVE,
    now: datetime | None = None,
) -> tuple[ApiKey, ApiKey, str]:
    """Put a new key in the place of one: the same account, roles and label. The old one, the new one, its secret.

    The old one goes on for `overlap` at most, so that whoever uses it can change over without a gap. The new one
    holds until `expires_at`; if that is None, as long as the old one was made for.

    Raises:
        NotFoundError: there is no such key.
        ConflictError: it was rotated before, revoked, or has expired; or its account was erased.
    """
    moment = now or utc_now()
    old = session.get(ApiKey, key_id, with_for_update=True)
    if old is None:
        raise NotFoundError(f"there is no key {key_id}", key_id=key_id)
    if old.replaced_by is not None:
        raise ConflictError(f"key {key_id} was rotated already: rotate {old.replaced_by}", key_id=old.replaced_by)
    label = identities.labels(session, [old])[old.id]
    if not is_live(old, moment) or label is None:
        raise ConflictError(f"key {key_id} opens nothing any more: create a new one", key_id=key_id)
    lasts = None if old.expires_at is None else old.expires_at - old.created_at
    new, secret = create_key(
        session,
        account_id=old.account_id,
        roles=old.roles,
        label=label,
        expires_at=expires_at or (None if lasts is None else moment + lasts),
        environment=environment,
    )
    end = moment + overlap
    old.replaced_by, old.expires_at = new.id, end if old.expires_at is None else min(old.expires_at, end)
    session.flush()
    return old, new, secret


def authenticate(
    session: Session, secret: str, *, environment: Environment = Environment.LIVE, now: datetime | None = None
) -> Principal:
    """Tell who a key belongs to.

    Why a key is refused is said as exactly as its holder may know it: that a key has expired or was revoked is told
    only to somebody who has all of it, so that nobody learns which ids there are.

    Raises:
        NotAuthenticatedError: `reason` is malformed, environment, unknown, expired or revoked.
    """
    presented = key_format.read(secret, environment)
    key = session.get(ApiKey, presented.id)
    # Compared also when there is no such key, so that the time taken says nothing.
    known = hmac.compare_digest(key.digest if key else bytes(32), presented.digest)
    if key is None or not known:
        raise NotAuthenticatedError(
            "this API key is not known to this registry: check whether it was made for this one", reason="unknown"
        )
    _require_live(key, now or utc_now())
    return Principal(key.account_id, key.id, key.roles)


def is_live(key: ApiKey, now: datetime) -> bool:
    """Whether a key is neither revoked nor expired."""
    return key.revoked_at is None and (key.expires_at is None or now < key.expires_at)


def revoke_key(session: Session, key_id: str) -> ApiKey:
    """End a key and the sessions that it opened, at once; revoking it again changes nothing.

    Raises:
        NotFoundError: there is no such key.
    """
    key = session.get(ApiKey, key_id)
    if key is None:
        raise NotFoundError(f"there is no key {key_id}", key_id=key_id)
    key.revoked_at = key.revoked_at or utc_now()
    session.execute(delete(WebSession).where(WebSession.key_id == key_id))
    session.flush()
    return key


def note_uses(session: Session, key_ids: Collection[str], *, now: datetime | None = None) -> None:
    """Say that keys were used just now. What was noted within the last hour is left alone."""
    moment = now or utc_now()
    session.execute(
        update(ApiKey)
        .where(ApiKey.id.in_(key_ids), or_(ApiKey.last_used_at.is_(None), ApiKey.last_used_at <= moment - USE_NOTED))
        .values(last_used_at=moment)
    )


def list_keys(session: Session, *, account_id: UUID | None = None) -> Sequence[tuple[ApiKey, Account]]:
    """Keys with their accounts, oldest first; of one account, or of all."""
    query = select(ApiKey, Account).join(Account, Account.id == ApiKey.account_id).order_by(ApiKey.created_at)
    if account_id is not None:
        query = query.where(ApiKey.account_id == account_id)
    return session.execute(query).all()


def _require_live(key: ApiKey, now: datetime) -> None:
    remedy = "ask the operator for a new one" if key.replaced_by is None else f"use key {key.replaced_by}"
    if key.revoked_at is not None:
        raise NotAuthenticatedError(
            f"this API key was revoked on {key.revoked_at:%d %B %Y}: {remedy}", reason="revoked"
        )
    if not is_live(key, now):
        raise NotAuthenticatedError(f"this API key expired on {key.expires_at:%d %B %Y}: {remedy}", reason="expired")
