"""The receipt of an entry: inclusion in the published log, and the opening of what the entry says."""

from sqlalchemy.orm import Session

from optout.errors import ConflictError, InvalidProofError, LogIntegrityError, NotFoundError
from optout.ledger import consentlog
from optout.ledger.keys import LogKeys
from optout.ledger.publish import PREFIX, read_tile
from optout.proof import checkpoints, merkle
from optout.proof.receipts import ClaimReceipt, InclusionReceipt
from optout.proof.tiles import TileReader
from optout.store.models.log import LogEntry
from optout.store.storage import Storage


def receipt(session: Session, storage: Storage, entry: LogEntry, keys: LogKeys) -> ClaimReceipt:
    """Make the receipt of an entry from the newest published checkpoint, and check it as its holder would.

    Raises:
        MasterKeyError, SealedDataError: what the entry says can't be opened.
        ConflictError: no published checkpoint covers the entry yet (ask again in a few seconds), or it was erased.
        LogIntegrityError: the published log does not prove the entry.
    """
    session.refresh(entry, ["index", "person", "body", "salt"])
    opening = consentlog.opening(session, entry)
    if opening is None:
        raise ConflictError("what this entry said was erased: its receipt can't be made again", entry=entry.id)
    try:
        note = storage.get(PREFIX + "checkpoint").decode()
    except NotFoundError:
        raise _too_early(entry) from None
    try:
        checkpoint = checkpoints.open_checkpoint(note, [keys.log.verifier])
        if entry.index is None or entry.index >= checkpoint.size:
            raise _too_early(entry)
        reader = TileReader(checkpoint.size, lambda tile: read_tile(storage, tile))
        proof = merkle.inclusion_proof(entry.index, checkpoint.size, reader)
        made = ClaimReceipt(
            tlog_proof=InclusionReceipt(entry.index, tuple(proof), note).encode(),
            leaf=entry.leaf.decode(),
            body=opening.body,
            salt=opening.salt.hex(),
            log_key=keys.log.verifier.vkey,
        )
        made.verify([keys.log.verifier])
    except (InvalidProofError, NotFoundError) as error:
        raise LogIntegrityError(
            f"the published log does not prove entry {entry.id}: {error}", entry=entry.id
        ) from error
    return made


def _too_early(entry: LogEntry) -> ConflictError:
    return ConflictError("the entry is not in a published checkpoint yet: ask again in a few seconds", entry=entry.id)
