"""Accounts and their API keys: create, authenticate, revoke."""

import hashlib
import hmac
import re
import secrets
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import select
from sqlalchemy.orm import Session

from optout.consent.vocabulary import EvidenceLevel
from optout.errors import InvalidInputError, NotAuthenticatedError, NotFoundError, NotPermittedError
from optout.registry import identities
from optout.registry.texts import MAX_EMAIL, email
from optout.store import encryption
from optout.store.models.accounts import Account, ApiKey, Role
from optout.store.models.base import utc_now

# The prefix lets scanners of leaked secrets recognise a key, the checksum lets us refuse a mistyped one unread.
_KEY = re.compile(r"(crk_live_([0-9a-f]{16})_[0-9a-f]{64})_([0-9a-f]{8})")


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
    key_id = secrets.token_hex(8)
    body = f"crk_live_{key_id}_{secrets.token_hex(32)}"
    secret = f"{body}_{_checksum(body)}"
    key = ApiKey(
        id=key_id,
        account_id=account.id,
        label=identities.seal_line(encryption.for_writing(session, account.id), ApiKey.label, key_id, label),
        roles=chosen,
        digest=_digest(secret),
        expires_at=expires_at,
    )
    session.add(key)
    session.flush()
    return key, secret


def authenticate(session: Session, secret: str, *, now: datetime | None = None) -> Principal:
    """Tell who a key belongs to.

    Raises:
        NotAuthenticatedError: mistyped, unknown, expired or revoked. The last three can't be told apart.
    """
    parts = _KEY.fullmatch(secret)
    if parts is None or not hmac.compare_digest(_checksum(parts[1]), parts[3]):
        raise NotAuthenticatedError("this is not an API key: it should look like crk_live_… and be complete")
    key = session.get(ApiKey, parts[2])
    # Compared also when there is no such key, so that the time taken says nothing.
    known = hmac.compare_digest(key.digest if key else bytes(32), _digest(secret))
    if key is None or not known or not is_live(key, now or utc_now()):
        raise NotAuthenticatedError("this API key is unknown, expired or revoked")
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
    session.flush()
    return key


def list_keys(session: Session, *, account_id: UUID | None = None) -> Sequence[tuple[ApiKey, Account]]:
    """Keys with their accounts, oldest first; of one account, or of all."""
    query = select(ApiKey, Account).join(Account, Account.id == ApiKey.account_id).order_by(ApiKey.created_at)
    if account_id is not None:
        query = query.where(ApiKey.account_id == account_id)
    return session.execute(query).all()


def _checksum(body: str) -> str:
    return f"{zlib.crc32(body.encode('ascii')):08x}"


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("ascii")).digest()
