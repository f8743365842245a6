"""Grants: what a verified rightsholder permits to one verified pipeline account; given, revoked, read for lookups."""

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime
from typing import Final
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session, aliased

from optout.consent import grants as pure
from optout.consent.policy import AUTHENTICATED_FROM
from optout.consent.vocabulary import LEAVES, EvidenceLevel, Scope, Use
from optout.errors import ConflictError, InvalidInputError
from optout.ledger import consentlog
from optout.proof.entries import EntryType, Json, time_text
from optout.registry import claim_terms, collections, owned
from optout.registry.accounts import get_account
from optout.registry.statements import When
from optout.store import changes
from optout.store.models.accounts import Account, ApiKey, Role
from optout.store.models.base import utc_now
from optout.store.models.changes import ChangeKind
from optout.store.models.collections import CollectionWork
from optout.store.models.grants import Grant
from optout.store.models.log import LogEntry

MAX_WORKS: Final = 1_000
MAX_GRANTS: Final = 1_000
"""From one account to one other, without those that were revoked: every lookup of the receiver weighs them."""

_BATCH: Final = 500


def give(
    session: Session,
    *,
    grantor_id: UUID,
    grantee: str,
    uses: Iterable[Use],
    works: Sequence[UUID] | None = None,
    collection_id: UUID | None = None,
    valid_from: datetime | None = None,
    valid_until: datetime | None = None,
) -> Grant:
    """Permit uses of some works, of a collection, or with neither of all works, later ones too, to one account.

    Args:
        session: the caller's transaction.
        grantor_id: whose works they are; verified.
        grantee: the pseudonym of a verified account with a pipeline key.
        uses: leaves or aggregates.
        works: of the grantor. An empty list is an error, and never all of them.
        collection_id: of the grantor.
        valid_from: now, if left out.
        valid_until: open, if left out.

    Raises:
        InvalidInputError: no use, no such verified pipeline account, both works and a collection, no work in `works`,
            times that can't be used, or too many grants to this account.
        NotFoundError: a work or collection that is not the grantor's.
        ConflictError: the grantor is not verified, so that nothing would follow from it.
    """
    leaves = {leaf for use in uses for leaf in use.leaves}
    if not leaves:
        raise InvalidInputError("a grant names at least one use", field="uses")
    grantor = get_account(session, grantor_id)
    if not may_give(session, grantor_id):
        raise ConflictError("only a verified account can permit: ask the operator to verify that the works are yours")
    receiver = _pipeline(session, grantee)
    scope = _scope(session, grantor_id, works, collection_id)
    _require_room(session, grantor_id, receiver)
    now = utc_now()
    start, end = claim_terms.period(valid_from or now, valid_until)
    grant = Grant(
        id=uuid4(),
        grantor_id=grantor_id,
        grantee_id=receiver.id,
        evidence=grantor.evidence,
        uses=[leaf.value for leaf in LEAVES if leaf in leaves],
        scope=scope,
        works=sorted({str(work) for work in works or ()}),
        collection_id=collection_id,
        valid_from=start,
        valid_until=end,
        granted_at=now,
        log_subject=uuid4(),
    )
    grant.entry_id = _log(session, EntryType.GRANT_ISSUED, grant, now).id
    session.add(grant)
    session.flush()
    return grant


def may_give(session: Session, account_id: UUID) -> bool:
    """Whether an account is verified, so that something follows from its grants."""
    return get_account(session, account_id).evidence.rank >= AUTHENTICATED_FROM.rank


def revoke(session: Session, *, grant_id: UUID, grantor_id: UUID) -> Grant:
    """Take a grant back: it no longer counts from the commit on. Revoking it again changes nothing.

    Raises:
        NotFoundError: no such grant, or somebody else's.
    """
    grant = get(session, grant_id=grant_id, grantor_id=grantor_id, lock=True)
    if grant.revoked_at is None:
        now = utc_now()
        entry = _log(session, EntryType.GRANT_REVOKED, grant, now)
        grant.revoked_at, grant.revoked_entry_id = now, entry.id
        session.flush()
    return grant


def get(session: Session, *, grant_id: UUID, grantor_id: UUID, lock: bool = False) -> Grant:
    """A grant that an account gave.

    Raises:
        NotFoundError: there is none, or it is somebody else's.
    """
    query = select(Grant).where(Grant.id == grant_id, Grant.grantor_id == grantor_id)
    return owned.get(session, query, "grant", grant_id, lock=lock)


def given(session: Session, *, grantor_id: UUID) -> Sequence[Grant]:
    """The grants that an account gave, newest first."""
    query = select(Grant).where(Grant.grantor_id == grantor_id)
    return session.scalars(query.order_by(Grant.granted_at.desc(), Grant.id)).all()


def grantee_of(session: Session, grant: Grant) -> str:
    """The pseudonym of whom a grant is for."""
    return get_account(session, grant.grantee_id).pseudonym


def entry_of(session: Session, grant: Grant) -> LogEntry:
    """The log entry that says how a grant stands."""
    return session.scalars(select(LogEntry).where(LogEntry.id == (grant.revoked_entry_id or grant.entry_id))).one()


def received(
    session: Session,
    grantee: str,
    *,
    when: When | None = None,
    works: Sequence[UUID] | None = None,
) -> list[pure.Grant]:
    """The grants to an account that may count at a moment, as known at another, ready for the policy.

    Args:
        session: may be one that only reads.
        grantee: its pseudonym.
        when: now, if left out.
        works: what a grant on a collection is resolved to is narrowed to these; None: all that are in it.
    """
    grantor, receiver = aliased(Account), aliased(Account)
    query = (
        select(Grant, grantor.pseudonym)
        .join(grantor, grantor.id == Grant.grantor_id)
        .join(receiver, receiver.id == Grant.grantee_id)
        .where(receiver.pseudonym == grantee)
    )
    when = when or When(utc_now(), is_now=True)
    standing = Grant.revoked_at.is_(None)
    query = query.where(standing if when.is_now else or_(standing, Grant.revoked_at > when.since))
    if when.known_at is not None:
        query = query.where(Grant.granted_at <= when.known_at)
    found = session.execute(query.order_by(Grant.granted_at, Grant.id)).all()
    named = {grant.collection_id for grant, _ in found if grant.collection_id is not None}
    members = _members(session, named, works, when.is_member)
    return [_pure(grant, pseudonym, grantee, members, when) for grant, pseudonym in found]


def _members(
    session: Session, named: AbstractSet[UUID], works: Sequence[UUID] | None, is_member: ColumnElement[bool]
) -> Mapping[UUID, set[str]]:
    """The works of some collections, of these works where any are named. Asked for in parts of bounded size."""
    members: dict[UUID, set[str]] = {one: set() for one in named}
    if not named:
        return members
    query = select(CollectionWork.collection_id, CollectionWork.work_id).where(is_member)
    if works is None:
        column, wanted = CollectionWork.collection_id, sorted(named)
    else:
        column, wanted = CollectionWork.work_id, list(works)
    for start in range(0, len(wanted), _BATCH):
        for collection, work in session.execute(query.where(column.in_(wanted[start : start + _BATCH]))):
            if collection in members:
                members[collection].add(str(work))
    return members


def _pure(grant: Grant, grantor: str, grantee: str, members: Mapping[UUID, set[str]], when: When) -> pure.Grant:
    works: frozenset[str] | None = None
    if grant.scope is Scope.WORK:
        works = frozenset(grant.works)
    elif grant.collection_id is not None:
        works = frozenset(members[grant.collection_id])
    return pure.Grant(
        id=str(grant.id),
        grantor=grantor,
        grantee=grantee,
        evidence=grant.evidence,
        uses=frozenset(map(Use, grant.uses)),
        valid_from=when.start(grant.valid_from, grant.granted_at),
        valid_until=grant.valid_until,
        recorded_at=grant.granted_at,
        revoked_at=grant.revoked_at,
        works=works,
    )


def _pipeline(session: Session, pseudonym: str) -> Account:
    """A verified account that asks as a pipeline. Unknown and unverified are one answer: no one learns who is here."""
    account = session.scalars(select(Account).where(Account.pseudonym == pseudonym)).one_or_none()
    if account is not None and account.evidence is EvidenceLevel.VERIFIED:
        keys = session.scalars(select(ApiKey).where(ApiKey.account_id == account.id, ApiKey.revoked_at.is_(None)))
        if any(Role.PIPELINE in key.roles for key in keys):
            return account
    raise InvalidInputError(
        "there is no verified pipeline account with this id: ask whoever wants the permission for theirs",
        field="grantee",
    )


def _require_room(session: Session, grantor_id: UUID, receiver: Account) -> None:
    standing = select(func.count()).where(
        Grant.grantor_id == grantor_id, Grant.grantee_id == receiver.id, Grant.revoked_at.is_(None)
    )
    if (session.scalar(standing) or 0) >= MAX_GRANTS:
        raise InvalidInputError(
            f"this account has {MAX_GRANTS} grants of yours, which is the most: revoke some that have ended",
            field="grantee",
            limit=MAX_GRANTS,
        )


def _scope(session: Session, grantor_id: UUID, works: Sequence[UUID] | None, collection_id: UUID | None) -> Scope:
    if works is not None and not works:
        raise InvalidInputError("name at least one work, or leave works out to permit all of yours", field="works")
    if works and collection_id is not None:
        raise InvalidInputError("name works or a collection, not both", field="works")
    if collection_id is not None:
        collections.get(session, collection_id=collection_id, account_id=grantor_id)
        return Scope.COLLECTION
    if not works:
        return Scope.ACCOUNT
    if len(works) > MAX_WORKS:
        raise InvalidInputError(
            f"a grant names at most {MAX_WORKS} works: put them into a collection, and name that",
            field="works",
            limit=MAX_WORKS,
        )
    owned.require_works(session, grantor_id, works)
    return Scope.WORK


def _log(session: Session, type_: EntryType, grant: Grant, at: datetime) -> LogEntry:
    changes.record(session, ChangeKind.CLAIM, grant.id)
    body: dict[str, Json] = {
        "collection": None if grant.collection_id is None else str(grant.collection_id),
        "evidence": grant.evidence.value,
        "grant": str(grant.id),
        "grantee": get_account(session, grant.grantee_id).pseudonym,
        "grantor": get_account(session, grant.grantor_id).pseudonym,
        "scope": grant.scope.value,
        "uses": list(grant.uses),
        "valid_from": time_text(grant.valid_from),
        "valid_until": None if grant.valid_until is None else time_text(grant.valid_until),
        "works": list(grant.works),
    }
    return consentlog.append(
        session, type=type_, subject=grant.log_subject, body=body, recorded_at=at, person=grant.grantor_id
    )
