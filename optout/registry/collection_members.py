"""Which works are in which collections, and when; what is seen of a domain or channel becomes a member at once."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from urllib.parse import urlsplit
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import Session

from optout.consent import identifiers
from optout.errors import OptoutError
from optout.ledger import consentlog
from optout.proof.entries import EntryType
from optout.registry.accounts import get_account
from optout.store import changes
from optout.store.models.accounts import Account
from optout.store.models.base import utc_now
from optout.store.models.changes import ChangeKind
from optout.store.models.collections import Collection, CollectionKind, CollectionWork
from optout.store.models.works import Work


def is_member(at: datetime | None = None, known_at: datetime | None = None) -> ColumnElement[bool]:
    """The condition on `CollectionWork` that a work is covered at a moment, as known at another; now, by default.

    A work is covered from the moment that it is known to be a member, whatever moment is asked about: the collection's
    claim was made for works to come.
    """
    if at is None and known_at is None:
        return CollectionWork.removed_at.is_(None)
    moment = min(one for one in (at, known_at) if one is not None)
    still = or_(CollectionWork.removed_at.is_(None), CollectionWork.removed_at > moment)
    return still if known_at is None else and_(CollectionWork.added_at <= known_at, still)


def members(session: Session, collection_id: UUID) -> Sequence[UUID]:
    """Ids of the works that are in a collection now."""
    query = select(CollectionWork.work_id).where(CollectionWork.collection_id == collection_id, is_member())
    return session.scalars(query.order_by(CollectionWork.added_at, CollectionWork.work_id)).all()


def works_of(session: Session, collection_id: UUID, *, limit: int, offset: int = 0) -> Sequence[Work]:
    """Some of the works that are in a collection now, in the order in which they came."""
    query = select(Work).join(CollectionWork, CollectionWork.work_id == Work.id)
    query = query.where(CollectionWork.collection_id == collection_id, is_member())
    return session.scalars(query.order_by(CollectionWork.added_at, Work.id).limit(limit).offset(offset)).all()


def sizes(session: Session, collection_ids: Sequence[UUID]) -> Mapping[UUID, int]:
    """How many works are in each of some collections now, without those that are empty."""
    query = select(CollectionWork.collection_id, func.count()).where(is_member())
    query = query.where(CollectionWork.collection_id.in_(collection_ids)).group_by(CollectionWork.collection_id)
    return dict(session.execute(query).all())


def hold(session: Session, account_id: UUID) -> None:
    """Let nobody else begin a collection of an account, or bring a work into one by its address, until the commit.

    Whoever does either calls it before looking at the other. Without it, a work and a collection that appear at one
    moment, each in a transaction that can't see the other, would never meet.
    """
    session.execute(select(Account.id).where(Account.id == account_id).with_for_update(key_share=True))


def seen(session: Session, work: Work) -> None:
    """Put a new work into the collections of its account whose domain it is of. The caller holds the account."""
    if work.source_url is not None:
        _join(session, work, _locked(session, work, CollectionKind.DOMAIN))


def seen_on_channel(session: Session, work_id: UUID, channel: str) -> None:
    """Note the YouTube channel that a work turned out to be of, and put it into its account's collections of that.

    What is known already changes nothing: a work that its owner took out of the collection stays out.
    """
    work = session.get(Work, work_id)
    if work is None or work.channel == channel:
        return
    hold(session, work.account_id)
    collections = _locked(session, work, CollectionKind.CHANNEL)
    session.refresh(work, with_for_update={"key_share": True})
    if work.channel != channel:
        work.channel = channel
        _join(session, work, collections)


def belongs(work: Work, collection: Collection) -> bool:
    """Whether a work is of a domain (or a part of it) or a channel; no work belongs to an album by itself."""
    if collection.kind is CollectionKind.CHANNEL:
        return work.channel == collection.name
    if collection.kind is not CollectionKind.DOMAIN or work.source_url is None:
        return False
    host = host_of(work.source_url)
    return host is not None and (host == collection.name or host.endswith(f".{collection.name}"))


def host_of(url: str) -> str | None:
    """The host of an address, in its canonical form; None where the address can't be used."""
    try:
        return urlsplit(identifiers.canonical_url(url)).hostname
    except OptoutError:
        return None


def _locked(session: Session, work: Work, kind: CollectionKind) -> Sequence[Collection]:
    """An account's collections of a kind, locked: after the account, before works, and changes last, everywhere."""
    query = select(Collection).where(Collection.account_id == work.account_id, Collection.kind == kind)
    query = query.with_for_update(key_share=True).execution_options(populate_existing=True)
    return session.scalars(query.order_by(Collection.id)).all()


def _join(session: Session, work: Work, collections: Sequence[Collection]) -> None:
    theirs = [collection for collection in collections if belongs(work, collection)]
    inside = select(CollectionWork.collection_id).where(CollectionWork.work_id == work.id, is_member())
    has_it = set(session.scalars(inside)) if theirs else set()
    for collection in theirs:
        if collection.id not in has_it:
            add(session, collection, [work.id])


def add(session: Session, collection: Collection, works: Sequence[UUID]) -> None:
    """Make works members, and log it. They are the account's own, and not members yet."""
    now = utc_now()
    session.add_all(CollectionWork(collection_id=collection.id, work_id=work, added_at=now) for work in works)
    log(session, EntryType.COLLECTION_CHANGED, collection, now, added=works)


def log(
    session: Session,
    type_: EntryType,
    collection: Collection,
    at: datetime,
    *,
    added: Sequence[UUID] = (),
    removed: Sequence[UUID] = (),
) -> None:
    """Write what happened to a collection into the consent log, in the caller's transaction."""
    changes.record(session, ChangeKind.CLAIM, collection.id)
    entry = consentlog.append(
        session,
        type=type_,
        subject=collection.log_subject,
        body={
            "added": sorted(map(str, added)),
            "claimant": get_account(session, collection.account_id).pseudonym,
            "collection": str(collection.id),
            "kind": collection.kind.value,
            "name": collection.name,
            "removed": sorted(map(str, removed)),
        },
        recorded_at=at,
        person=collection.account_id,
    )
    collection.entry_id = entry.id
