"""Writing to the consent log: an entry in the caller's transaction, the promise about it, and where it stands."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from optout.errors import ConflictError, InvalidInputError
from optout.proof import entries, merkle, promises
from optout.proof.entries import MERGE_DELAY, Entry, EntryType, Json
from optout.proof.notes import Signer
from optout.store import encryption, jobs
from optout.store.encryption import Place
from optout.store.models.base import Sealed
from optout.store.models.jobs import JobKind
from optout.store.models.log import HEAD_ID, LogEntry, LogHead

MAX_BODY_BYTES = 1_000_000


@dataclass(frozen=True, slots=True)
class Opening:
    """What opens an entry's commitment: what was said, in its canonical spelling, and the salt."""

    body: str
    salt: bytes


@dataclass(frozen=True, slots=True)
class Position:
    """Where an entry stands.

    Attributes:
        leaf_hash: hex.
        index: place in the tree; None until it is sequenced.
        published: a signed checkpoint that is out covers it.
    """

    entry_id: str
    leaf_hash: str
    index: int | None
    published: bool


def append(
    session: Session,
    *,
    type: EntryType,  # noqa: A002 - the word of the format
    subject: UUID,
    body: Mapping[str, Json],
    recorded_at: datetime,
    person: UUID | None = None,
) -> LogEntry:
    """Write an entry in the caller's transaction: it is in the log exactly if the event that it records happened.

    The same transaction promises the job that publishes it.

    Its recording time is `recorded_at`, or later where that would go behind what is in the log already (a clock that
    was set back). It is flushed, so that `promise` can be made from what is returned.

    Args:
        session: the caller's; this neither commits nor rolls back.
        type: what happened.
        subject: what it happened to: the same for all events of one claim. Random; it becomes public.
        body: what was said; stays in the database, erasable. No floats; names in ASCII.
        recorded_at: aware.
        person: whom the body is about: it is sealed under their key (see `store.encryption`). None: about nobody, and
            anyone may read it.

    Raises:
        ConflictError: another transaction has just written about the same subject: roll back and try again; or the
            person was erased.
        MasterKeyError: the master key is not at hand.
        InvalidProofError: the body can't be spelled canonically.
        InvalidInputError: it is larger than 1 MB.
    """
    spelled = entries.canonical(body)
    if len(spelled) > MAX_BODY_BYTES:
        raise InvalidInputError(f"a log entry's body may have {MAX_BODY_BYTES} bytes at most", field="body")
    previous = latest(session, subject)
    opening = Opening(spelled.decode(), entries.new_salt())
    row = _row(type, subject, opening, _not_before(session, previous, recorded_at), previous)
    _seal(session, row, opening, person)
    session.flush()  # so that what fails below is our row, and none that the caller added before
    session.add(row)
    try:
        session.flush()
    except IntegrityError as error:
        raise ConflictError(
            "this was changed by somebody else at the same moment: try again", subject=subject.hex
        ) from error
    jobs.enqueue(session, JobKind.PUBLISH_LOG)
    return row


def promise(entry: LogEntry, signer: Signer) -> str:
    """Promise that the entry will be in the log 60 s after its recording. The same entry gives the same promise.

    Args:
        entry: as returned by `append`; hand the promise out only once its transaction has committed.
        signer: the promise key.
    """
    return promises.sign(entry.leaf_hash, entry.recorded_at + MERGE_DELAY, signer)


def position(session: Session, entry: LogEntry) -> Position:
    """Say where an entry stands."""
    published = session.scalar(select(LogHead.published_size).where(LogHead.id == HEAD_ID))
    return Position(
        entry_id=entry.id,
        leaf_hash=entry.leaf_hash.hex(),
        index=entry.index,
        published=entry.index is not None and published is not None and entry.index < published,
    )


def latest(session: Session, subject: UUID) -> LogEntry | None:
    """Return the newest entry about a subject; None if nothing happened to it yet."""
    newest = select(LogEntry).where(LogEntry.subject == subject.hex).order_by(LogEntry.number.desc()).limit(1)
    return session.scalar(newest)


def opening(session: Session, entry: LogEntry) -> Opening | None:
    """What opens an entry; None where it was erased.

    Raises:
        MasterKeyError, SealedDataError: what is stored can't be opened.
    """
    if entry.body is None or entry.salt is None:
        return None
    if entry.person is None:
        return Opening(entry.body.decode(), bytes(entry.salt))
    key = encryption.for_reading(session, [entry.person]).get(entry.person)
    if key is None:
        return None
    return Opening(
        body=key.unseal(entry.body, Place.of(LogEntry.body, entry.id)).decode(),
        salt=key.unseal(entry.salt, Place.of(LogEntry.salt, entry.id)),
    )


def _seal(session: Session, row: LogEntry, opening: Opening, person: UUID | None) -> None:
    body = opening.body.encode()
    if person is None:
        row.body, row.salt = Sealed(body), Sealed(opening.salt)
        return
    key = encryption.for_writing(session, person)
    row.person = person
    row.body = key.seal(body, Place.of(LogEntry.body, row.id))
    row.salt = key.seal(opening.salt, Place.of(LogEntry.salt, row.id))


def _row(
    kind: EntryType, subject: UUID, opening: Opening, recorded_at: datetime, previous: LogEntry | None
) -> LogEntry:
    entry = Entry(
        type=kind.value,
        id=entries.new_id(),
        subject=subject.hex,
        recorded_at=recorded_at,
        commitment=entries.commit(opening.salt, opening.body.encode()),
        previous=previous.leaf_hash if previous else None,
    )
    leaf = entry.encode()
    return LogEntry(
        id=entry.id,
        type=entry.type,
        subject=entry.subject,
        recorded_at=entry.recorded_at,
        previous_number=previous.number if previous else None,
        leaf=leaf,
        leaf_hash=merkle.leaf_hash(leaf),
    )


def _not_before(session: Session, previous: LogEntry | None, moment: datetime) -> datetime:
    """Whole milliseconds, as the leaf has them; never before the entry before, nor before what is sequenced."""
    sequenced = session.scalar(select(LogHead.recorded_at).where(LogHead.id == HEAD_ID))
    floors = [sequenced] if sequenced else []
    if previous:
        floors.append(previous.recorded_at)
    return max([entries.parse_time(entries.time_text(moment)), *floors])
