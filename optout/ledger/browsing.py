"""Reading the published log for people: its newest checkpoint, and a page of its entries."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from optout.errors import InvalidProofError, LogIntegrityError, NotFoundError
from optout.ledger.keys import LogKeys
from optout.ledger.publish import PREFIX
from optout.proof import checkpoints
from optout.proof.checkpoints import Checkpoint
from optout.store.models.log import LogEntry
from optout.store.storage import Storage

__all__ = ["PREFIX", "checkpoint", "entries"]


def checkpoint(storage: Storage, keys: LogKeys) -> Checkpoint | None:
    """The newest published checkpoint, its signature checked; None before the first.

    Raises:
        LogIntegrityError: what is shown was not signed by this log.
    """
    try:
        note = storage.get(PREFIX + "checkpoint").decode()
    except NotFoundError:
        return None
    try:
        return checkpoints.open_checkpoint(note, [keys.log.verifier])
    except InvalidProofError as error:
        raise LogIntegrityError(f"the published checkpoint is not ours: {error}") from error


def entries(session: Session, *, last: int, count: int) -> Sequence[LogEntry]:
    """Up to `count` entries with an index below `last`, newest first."""
    newest = select(LogEntry).where(LogEntry.index < last).order_by(LogEntry.index.desc()).limit(count)
    return session.scalars(newest).all()
