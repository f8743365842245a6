"""Sealing what identifies people: every subject has a data key, and without it nothing of theirs can be read.

A value is sealed by AES-256-GCM under its subject's data key and bound to its table, column, row and subject, so that
one that is copied elsewhere does not open. Data keys are drawn, wrapped by the master key and kept in `subject_keys`;
`forget` deletes one, and with it everything that was sealed under it, in copies and backups too.

Sealed value: version 1 (1 byte), generation of the data key (4, big-endian), nonce (12), ciphertext and tag (16).
"""

import secrets
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import InstrumentedAttribute, Session

from optout.errors import ConflictError, MasterKeyError, SealedDataError
from optout.store.master_keys import KEY_BYTES, NONCE_BYTES, MasterKey, MasterKeys
from optout.store.models.base import Sealed
from optout.store.models.encryption import HEAD_ID, MasterKeyHead, SubjectKey

MASTER_KEYS: Final = "mediamanager_master_keys"
"""The execution option under which an engine carries its `MasterKeys`; `db.engine` sets it."""

SealedColumn: TypeAlias = InstrumentedAttribute[Sealed] | InstrumentedAttribute[Sealed | None]

_HEAD = struct.Struct(">BI")
_BODY: Final = _HEAD.size + NONCE_BYTES
_VERSION: Final = 1
_BATCH: Final = 500


@dataclass(frozen=True, slots=True)
class Place:
    """Where a sealed value stands."""

    table: str
    column: str
    row: str

    @classmethod
    def of(cls, column: SealedColumn, row: UUID | str) -> "Place":
        """The place of a mapped column in one row."""
        return cls(str(column.class_.__tablename__), column.key, str(row))


@dataclass(frozen=True, slots=True)
class DataKey:
    """The key of one subject, unwrapped. Use it within the transaction that gave it, and keep it nowhere."""

    subject: UUID
    generation: int
    secret: bytes = field(repr=False)

    def seal(self, plain: bytes, place: Place) -> Sealed:
        """Seal a value for its place."""
        head, nonce = _HEAD.pack(_VERSION, self.generation), secrets.token_bytes(NONCE_BYTES)
        return Sealed(head + nonce + AESGCM(self.secret).encrypt(nonce, plain, self._bound_to(place, head)))

    def unseal(self, sealed: Sealed, place: Place) -> bytes:
        """Open what `seal` made for the same place.

        Raises:
            ConflictError: the subject's key was rotated between the reading of the key and of the value.
            SealedDataError: it was altered, or sealed for another place or subject.
        """
        head, nonce, sealed_text = sealed[: _HEAD.size], sealed[_HEAD.size : _BODY], sealed[_BODY:]
        if len(head) == _HEAD.size and head[0] == _VERSION and _HEAD.unpack(head)[1] != self.generation:
            raise ConflictError(
                f"a {place.column} in {place.table} is sealed under another key of its account: one was rotated at the"
                " same moment, try again; if that does not help, the tables are of different backups",
                table=place.table,
            )
        try:
            return AESGCM(self.secret).decrypt(nonce, sealed_text, self._bound_to(place, head))
        except (InvalidTag, ValueError) as error:
            raise SealedDataError(
                f"a sealed {place.column} in {place.table} does not open: it was altered in the database",
                table=place.table,
                column=place.column,
            ) from error

    def _bound_to(self, place: Place, head: bytes) -> bytes:
        parts = ("mediamanager/sealed", place.table, place.column, place.row, self.subject.hex)
        return "\0".join(parts).encode() + b"\0" + head


def prepare(session: Session) -> str:
    """Make sure that the master key in force is at hand, and put the first one into force; its id.

    Call it when a process starts, after the migrations: what is wrong with the key is said then, not to a visitor.

    Raises:
        MasterKeyError: the key is missing, malformed, or not the one that the database needs.
    """
    return master_in_force(session).id


def create(session: Session, subject: UUID) -> DataKey:
    """Draw the data key of a new subject, in the caller's transaction.

    Raises:
        MasterKeyError: the master key is not at hand.
    """
    key = DataKey(subject, 1, secrets.token_bytes(KEY_BYTES))
    master = master_in_force(session)
    session.add(SubjectKey(subject_id=subject, wrapped=wrap(master, key), master_key_id=master.id, generation=1))
    session.flush()
    return key


def for_writing(session: Session, subject: UUID) -> DataKey:
    """A subject's key, to seal something in the caller's transaction. It is not rotated before that ends.

    Raises:
        ConflictError: the subject was erased.
        MasterKeyError, SealedDataError: the key can't be unwrapped.
    """
    row = session.scalars(
        select(SubjectKey)
        .where(SubjectKey.subject_id == subject)
        .with_for_update(read=True)
        .execution_options(populate_existing=True)
    ).one_or_none()
    if row is None:
        raise ConflictError("what was known of this account was erased: create a new one", subject=str(subject))
    return unwrap(master_keys(session), row)


def for_reading(session: Session, subjects: Sequence[UUID]) -> Mapping[UUID, DataKey]:
    """The keys of some subjects, without those that were erased.

    Raises:
        MasterKeyError, SealedDataError: one can't be unwrapped.
    """
    known = master_keys(session)
    wanted = sorted(set(subjects))
    found: dict[UUID, DataKey] = {}
    for start in range(0, len(wanted), _BATCH):
        some = select(SubjectKey).where(SubjectKey.subject_id.in_(wanted[start : start + _BATCH]))
        for row in session.scalars(some.execution_options(populate_existing=True)):
            found[row.subject_id] = unwrap(known, row)
    return found


def forget(session: Session, subject: UUID) -> bool:
    """Delete a subject's key in the caller's transaction: from its commit on nobody can read what is sealed under it.

    False: there was none. The caller also deletes or empties what was sealed; nothing depends on it.
    """
    row = session.get(SubjectKey, subject)
    if row is None:
        return False
    session.execute(delete(SubjectKey).where(SubjectKey.subject_id == subject))
    session.expunge(row)
    return True


def master_keys(session: Session) -> MasterKeys:
    """The master keys that belong to a session's database.

    Raises:
        MasterKeyError: the engine was not made by `db.engine`.
    """
    found = session.get_bind().get_execution_options().get(MASTER_KEYS)
    if not isinstance(found, MasterKeys):
        raise MasterKeyError("this connection knows no master key: open the database by db.engine")
    return found


def master_in_force(session: Session, *, to_replace: bool = False) -> MasterKey:
    """The master key that wraps keys now. Its row is locked until the commit: nobody else can replace it meanwhile.

    Raises:
        MasterKeyError: it is not at hand.
    """
    known = master_keys(session)
    head = (
        select(MasterKeyHead)
        .where(MasterKeyHead.id == HEAD_ID)
        .with_for_update(read=not to_replace)
        .execution_options(populate_existing=True)
    )
    row = session.scalars(head).one_or_none()
    if row is None:
        first = known.first()
        try:
            with session.begin_nested():
                session.add(MasterKeyHead(id=HEAD_ID, key_id=first.id))
        except IntegrityError:
            pass  # another process was first; if its key is another one than ours, that is said below
        row = session.scalars(head).one()
    return known.get(row.key_id)


def wrap(master: MasterKey, key: DataKey) -> bytes:
    """Wrap a data key, bound to its subject and generation."""
    return master.wrap(key.secret, _purpose(key.subject, key.generation))


def unwrap(known: MasterKeys, row: SubjectKey) -> DataKey:
    """Unwrap a row of `subject_keys`.

    Raises:
        MasterKeyError, SealedDataError: its master key is not at hand, or it was altered.
    """
    secret = known.get(row.master_key_id).unwrap(row.wrapped, _purpose(row.subject_id, row.generation))
    return DataKey(row.subject_id, row.generation, secret)


def _purpose(subject: UUID, generation: int) -> bytes:
    return f"mediamanager/subject-key/1\0{subject.hex}\0{generation}".encode()
