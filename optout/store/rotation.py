"""Replacing keys: the master key, which wraps the keys of subjects anew, and a subject's key, which seals anew."""

import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from sqlalchemy import Table, func, select, update
from sqlalchemy.orm import Session, sessionmaker

from optout.errors import ConflictError, InvalidInputError
from optout.store import db, encryption
from optout.store.encryption import DataKey, Place
from optout.store.master_keys import KEY_BYTES, MasterKey, MasterKeys
from optout.store.models.base import Base, Sealed, SealedBytes, utc_now
from optout.store.models.encryption import HEAD_ID, MasterKeyHead, SubjectKey

_BATCH: Final = 1000


@dataclass(frozen=True, slots=True)
class MasterRotation:
    """What a rotation of the master key did: from which key to which, and how many keys it wrapped anew."""

    old: str
    new: str
    rewrapped: int


@dataclass(frozen=True, slots=True)
class Standing:
    """How the keys stand.

    Attributes:
        source: where the master key comes from.
        master_key_id: the one in force.
        subjects: how many data keys there are.
        foreign: how many of them are wrapped by another master key than the one in force. Always 0, unless tables
            of different backups were put together.
        left_over: keys in the source that wrap nothing any more, or not yet.
    """

    source: str
    master_key_id: str
    subjects: int
    foreign: int
    left_over: int


@dataclass(frozen=True, slots=True)
class _Column:
    """A sealed column, and the columns that say whose it is and in which row."""

    table: Table
    name: str
    subject: str
    row: str


def standing(session: Session) -> Standing:
    """Say how the keys stand; the master key is checked on the way.

    Raises:
        MasterKeyError: it is not at hand.
    """
    master = encryption.master_in_force(session)
    known = encryption.master_keys(session)
    count = select(func.count()).select_from(SubjectKey)
    return Standing(
        source=known.source,
        master_key_id=master.id,
        subjects=session.execute(count).scalar_one(),
        foreign=session.execute(count.where(SubjectKey.master_key_id != master.id)).scalar_one(),
        left_over=sum(key.id != master.id for key in known.load()),
    )


def rotate_master(sessions: sessionmaker[Session]) -> MasterRotation:
    """Wrap every subject's key by a new master key, in one transaction. Nothing that is sealed changes.

    Where the master key is our own file, a new one is drawn and written beside the old one first, and the old one is
    removed at the end; a crash at any point leaves a file that holds the key in force, and the next call goes on. Any
    other source must hold the new key before the old one already; the operator removes the old one afterwards.
    Processes that are running find the new key by themselves, unless they have it from their environment.

    Raises:
        InvalidInputError: the source, which is not ours to write, holds no newer key.
        MasterKeyError, SealedDataError: a key is not at hand, or can't be unwrapped; nothing was changed.
    """
    with db.transaction(sessions) as session:
        known = encryption.master_keys(session)
        old = encryption.master_in_force(session, to_replace=True)
        new = _newer(known, old)
        count = _rewrap(session, known, new)
        session.execute(update(MasterKeyHead).where(MasterKeyHead.id == HEAD_ID).values(key_id=new.id, since=utc_now()))
    if known.is_ours:
        _remove_old(sessions)
    return MasterRotation(old.id, new.id, count)


def rotate_subject(session: Session, subject: UUID) -> int:
    """Draw a new key for a subject and seal all that is theirs anew, in the caller's transaction; how many values.

    Raises:
        ConflictError: the subject was erased.
        MasterKeyError, SealedDataError: the key is not at hand, or something can't be opened; roll back.
    """
    row = session.get(SubjectKey, subject, with_for_update=True, populate_existing=True)
    if row is None:
        raise ConflictError("what was known of this account was erased: there is no key", subject=str(subject))
    old = encryption.unwrap(encryption.master_keys(session), row)
    new = DataKey(subject, old.generation + 1, secrets.token_bytes(KEY_BYTES))
    master = encryption.master_in_force(session)
    row.wrapped, row.master_key_id, row.generation = encryption.wrap(master, new), master.id, new.generation
    session.flush()
    count = sum(_reseal(session, column, old, new) for column in _sealed_columns())
    session.expire_all()  # what the session holds in memory is sealed under the old key
    return count


def _newer(known: MasterKeys, old: MasterKey) -> MasterKey:
    newest = known.load()[0]
    if newest.id != old.id:
        return newest  # the operator's new key, or ours that a crash kept from coming into force
    if known.is_ours:
        return known.add()
    raise InvalidInputError(
        f"{known.source} holds only the master key in force: put a new one before it (`openssl rand -hex 32`), on a"
        " line of its own, restart what takes its key from the environment, and call this again",
        field="master_key",
    )


def _rewrap(session: Session, known: MasterKeys, new: MasterKey) -> int:
    count = 0
    last: UUID | None = None
    while True:
        some = select(SubjectKey).order_by(SubjectKey.subject_id).limit(_BATCH).with_for_update()
        if last is not None:
            some = some.where(SubjectKey.subject_id > last)
        rows = session.scalars(some.execution_options(populate_existing=True)).all()
        if not rows:
            return count
        for row in rows:
            row.wrapped = encryption.wrap(new, encryption.unwrap(known, row))
            row.master_key_id = new.id
        count, last = count + len(rows), rows[-1].subject_id
        session.flush()
        session.expunge_all()


def _remove_old(sessions: sessionmaker[Session]) -> None:
    """Under the lock that every writer of the file holds, so that a rotation which has begun since loses nothing."""
    with db.transaction(sessions) as session:
        known = encryption.master_keys(session)
        current = encryption.master_in_force(session, to_replace=True)
        if known.load()[0].id == current.id:
            known.keep(current)


def _sealed_columns() -> Iterator[_Column]:
    for table in Base.metadata.sorted_tables:
        for column in table.columns:
            if isinstance(column.type, SealedBytes):
                yield _Column(table, column.key, column.info["subject"], column.info["row"])


def _reseal(session: Session, column: _Column, old: DataKey, new: DataKey) -> int:
    """Every value of a subject in one column."""
    row, value = column.table.c[column.row], column.table.c[column.name]
    theirs = select(row, value).where(column.table.c[column.subject] == old.subject, value.is_not(None))
    found = session.execute(theirs).all()
    for row_id, sealed in found:
        place = Place(column.table.name, column.name, str(row_id))
        plain = old.unseal(Sealed(sealed), place)
        session.execute(update(column.table).where(row == row_id).values({column.name: new.seal(plain, place)}))
    return len(found)
