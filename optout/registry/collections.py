"""Collections: channels, domains and albums, on which one claim covers all works, later ones too."""

from collections.abc import Sequence
from typing import Final
from uuid import UUID, uuid4

from sqlalchemy import func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from optout.consent import identifiers
from optout.errors import ConflictError, InvalidInputError
from optout.proof.entries import EntryType
from optout.registry import collection_members, owned, works
from optout.registry.texts import line
from optout.store.models.base import utc_now
from optout.store.models.collections import Collection, CollectionKind, CollectionWork
from optout.store.models.works import Work

MAX_NAME: Final = 300
MAX_WORKS_AT_ONCE: Final = 1_000
MAX_COLLECTIONS: Final = 1_000


def create(session: Session, *, account_id: UUID, kind: CollectionKind, name: str) -> Collection:
    """Begin a collection. The account's works of that channel or domain are in it at once, an album is empty.

    Raises:
        InvalidInputError: a name that is none: of an album 1 to 300 characters, of a domain a host like example.org,
            of a channel YouTube's id of it (UC and 22 characters).
        ConflictError: the account has it already (the parameter `collection` names it), or has too many.
    """
    canonical = _name(kind, name)
    collection_members.hold(session, account_id)
    mine = select(Collection).where(Collection.account_id == account_id)
    existing = session.scalars(mine.where(Collection.kind == kind, Collection.name == canonical)).one_or_none()
    if existing is not None:
        raise ConflictError(
            f"you have the {kind} {canonical} already: it is collection {existing.id}", collection=str(existing.id)
        )
    if (session.scalar(select(func.count()).select_from(mine.subquery())) or 0) >= MAX_COLLECTIONS:
        raise ConflictError(f"an account has at most {MAX_COLLECTIONS} collections: put works into those that it has")
    now = utc_now()
    collection = Collection(
        id=uuid4(), account_id=account_id, kind=kind, name=canonical, created_at=now, log_subject=uuid4()
    )
    found = [] if kind is CollectionKind.ALBUM else _existing_members(session, collection)
    collection_members.log(session, EntryType.COLLECTION_CREATED, collection, now, added=found)
    try:
        with session.begin_nested():
            session.add(collection)
            session.flush()
            session.add_all(CollectionWork(collection_id=collection.id, work_id=work, added_at=now) for work in found)
    except IntegrityError as error:
        raise ConflictError(f"you have the {kind} {canonical} already", name=canonical) from error
    return collection


def get(session: Session, *, collection_id: UUID, account_id: UUID, lock: bool = False) -> Collection:
    """An account's own collection.

    Raises:
        NotFoundError: there is none, or it is somebody else's.
    """
    query = select(Collection).where(Collection.id == collection_id, Collection.account_id == account_id)
    return owned.get(session, query, "collection", collection_id, lock=lock)


def list_collections(session: Session, *, account_id: UUID) -> Sequence[Collection]:
    """An account's collections, oldest first."""
    query = select(Collection).where(Collection.account_id == account_id)
    return session.scalars(query.order_by(Collection.created_at, Collection.id)).all()


def add_works(session: Session, *, collection_id: UUID, account_id: UUID, work_ids: Sequence[UUID]) -> Collection:
    """Put some of an account's works into its collection; those that are in it stay.

    Raises:
        NotFoundError: no such collection or work, or somebody else's; nothing is added then.
        InvalidInputError: none, or too many at once.
    """
    if not 1 <= len(work_ids) <= MAX_WORKS_AT_ONCE:
        raise InvalidInputError(f"add 1 to {MAX_WORKS_AT_ONCE} works at once", field="works")
    collection = get(session, collection_id=collection_id, account_id=account_id, lock=True)
    owned.require_works(session, account_id, work_ids)
    new = set(work_ids) - set(collection_members.members(session, collection_id))
    if new:
        collection_members.add(session, collection, sorted(new))
    return collection


def remove_work(session: Session, *, collection_id: UUID, account_id: UUID, work_id: UUID) -> Collection:
    """Take a work out of a collection, whose claim covers it no longer; one that is not in it stays out.

    Raises:
        NotFoundError: no such collection or work, or somebody else's.
    """
    collection = get(session, collection_id=collection_id, account_id=account_id, lock=True)
    works.get(session, work_id=work_id, account_id=account_id)
    now = utc_now()
    gone = session.scalars(
        update(CollectionWork)
        .where(
            CollectionWork.collection_id == collection_id,
            CollectionWork.work_id == work_id,
            collection_members.is_member(),
        )
        .values(removed_at=now)
        .returning(CollectionWork.work_id)
    ).all()
    if gone:
        collection_members.log(session, EntryType.COLLECTION_CHANGED, collection, now, removed=gone)
    return collection


def _existing_members(session: Session, collection: Collection) -> list[UUID]:
    mine = select(Work).where(Work.account_id == collection.account_id).order_by(Work.id)
    return [work.id for work in session.scalars(mine) if collection_members.belongs(work, collection)]


def _name(kind: CollectionKind, name: str) -> str:
    if kind is CollectionKind.DOMAIN:
        host = None if "/" in name else collection_members.host_of(f"https://{name.strip()}/")
        if host is None or "." not in host:
            raise InvalidInputError(f"`{name}` is not a domain: write example.org", field="name")
        return host
    if kind is CollectionKind.CHANNEL:
        found = identifiers.YOUTUBE_CHANNEL.search(name)
        if found is None:
            raise InvalidInputError("a channel is named by its id, which begins with UC", field="name")
        return found[0]
    return line(name, field="name", max_length=MAX_NAME)
