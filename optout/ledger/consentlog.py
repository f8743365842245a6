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
from optout.store.models.log import HEAD_ID, LogEntry, LogHead

MAX_BODY_BYTES = 1_000_000


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
) -> LogEntry:
    """Write an entry in the caller's transaction: it is in the log exactly if the event that it records happened.

    Its recording time is `recorded_at`, or later where that would go behind what is in the log already (a clock that
    was set back). It is flushed, so that `promise` can be made from what is returned.

    Args:
        session: the caller's; this neither commits nor rolls back.
        type: what happened.
        subject: what it happened to: the same for all events of one claim. Random; it becomes public.
        body: what was said; stays in the database, erasable. No floats; names in ASCII.
        recorded_at: aware.

    Raises:
        ConflictError: another transaction has just written about the same subject: roll back and try again.
        InvalidProofError: the body can't be spelled canonically.
        InvalidInputError: it is larger than 1 MB.
    """
    spelled = entries.canonical(body)
    if len(spelled) > MAX_BODY_BYTES:
        raise InvalidInputError(f"a log entry's body may have {MAX_BODY_BYTES} bytes at most", field="body")
    previous = latest(session, subject)
    row = _row(type, subject, spelled, _not_before(session, previous, recorded_at), previous)
    session.flush()  # so that what fails below is our row, and none that the caller added before
    session.add(row)
    try:
        session.flush()
    except IntegrityError as error:
        raise ConflictError(
            "this was changed by somebody else at the same moment: try again", subject=subject.hex
        ) from error
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


def _row(kind: EntryType, subject: UUID, body: bytes, recorded_at: datetime, previous: LogEntry | None) -> LogEntry:
    salt = entries.new_salt()
    entry = Entry(
        type=kind.value,
        id=entries.new_id(),
        subject=subject.hex,
        recorded_at=recorded_at,
        commitment=entries.commit(salt, body),
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
        body=body.decode(),
        salt=salt,
    )


def _not_before(session: Session, previous: LogEntry | None, moment: datetime) -> datetime:
    """Whole milliseconds, as the leaf has them; never before the entry before, nor before what is sequenced."""
    sequenced = session.scalar(select(LogHead.recorded_at).where(LogHead.id == HEAD_ID))
    floors = [sequenced] if sequenced else []
    if previous:
        floors.append(previous.recorded_at)
    return max([entries.parse_time(entries.time_text(moment)), *floors])
