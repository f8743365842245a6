"""Making the log public: number the entries, write tiles once, sign, keep the signature, and only then show it.

Tiles are a pure function of the numbered entries, and signing is deterministic, so whatever step a crash follows, the
next run writes the same bytes again and goes on. The order, after FiloSottile/sunlight `internal/ctlog/ctlog.go`:

1. give indices and commit. A crash here leaves entries numbered but not shown.
2. write bundles and tiles, never over others. A crash leaves tiles that no checkpoint covers yet.
3. sign, and keep the note in the database if nobody else signed meanwhile. From here this is the log's next state; a
   crash leaves it signed but not shown.
4. write `checkpoint`. A crash leaves it shown, and the next run shows the same note again.
5. remove the partial forms of tiles that are full now, as C2SP tlog-tiles allows. A crash leaves some: no harm.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from io import BytesIO
from typing import cast

from sqlalchemy import CursorResult, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, sessionmaker

from optout.errors import ConflictError, InvalidProofError, LogIntegrityError, NotFoundError
from optout.proof import checkpoints, merkle, tiles
from optout.proof.checkpoints import Checkpoint
from optout.proof.edge import Edge
from optout.proof.notes import Signer
from optout.proof.tiles import Tile, TileReader
from optout.store.db import reading, transaction
from optout.store.models.log import HEAD_ID, LogEntry, LogHead
from optout.store.storage import Storage

PREFIX = "log/"
"""Keys of the public log in the storage; below it the paths are those of C2SP tlog-tiles."""

BATCH = 10_000
_ATTEMPTS = 20


@dataclass(frozen=True, slots=True)
class _Head:
    """The head row, read once."""

    size: int
    signed_size: int | None
    note: str | None


def publish(sessions: sessionmaker[Session], storage: Storage, signer: Signer) -> Checkpoint | None:
    """Bring everything committed so far into the log and show it; the new checkpoint, or None if nothing was new.

    It may be run at any time, by several processes, and again after any failure. An empty log is published, too, so
    that there is something to begin from.

    Raises:
        LogIntegrityError: what is stored contradicts what was signed. Nothing is signed any more; see the message.
        ConflictError: other publishers were faster every time; they have published what was there.
        StorageUnavailableError: the storage did not answer; run it again.
    """
    _release(sessions, storage)
    while _sequence_batch(sessions) == BATCH:
        pass
    for _ in range(_ATTEMPTS):
        shown = _shown(storage, signer)  # read before the head: what is shown is never newer than what is in the head
        head = _read_head(sessions)
        if head.signed_size == head.size:
            return None
        checkpoint = _write(sessions, storage, signer, head, shown)
        if _keep(sessions, head, checkpoint, checkpoint.sign(signer)):
            _release(sessions, storage)
            _prune(storage, head.signed_size or 0, checkpoint.size)
            return checkpoint
    raise ConflictError("the log is being published by others: nothing is left to do here")


def begin(sessions: sessionmaker[Session], storage: Storage, signer: Signer) -> None:
    """Publish a log that nothing was signed of so far; a new one is empty, and that can be verified, too.

    Raises:
        LogIntegrityError, ConflictError, StorageUnavailableError: as of `publish`.
    """
    with reading(sessions) as session:
        head = session.get(LogHead, HEAD_ID)
        if head is not None and head.published_size is not None:
            return
    publish(sessions, storage, signer)


def sequence(session: Session) -> int:
    """Give up to 10,000 waiting entries their indices, in the caller's transaction; how many it were.

    Indices have no gaps, and entries about one subject keep their order. What waits is what has no index: never what
    has a higher number than the last one seen, because commits do not come in the order of numbers.
    """
    head = lock_head(session)
    waiting = session.execute(
        select(LogEntry.number, LogEntry.recorded_at)
        .where(LogEntry.index.is_(None))
        .order_by(LogEntry.recorded_at, LogEntry.number)
        .limit(BATCH)
    ).all()
    if not waiting:
        return 0
    rows = [{"number": row.number, "index": head.size + i} for i, row in enumerate(waiting)]
    session.execute(update(LogEntry), rows)
    head.size += len(rows)
    latest = waiting[-1].recorded_at
    head.recorded_at = max(head.recorded_at, latest) if head.recorded_at else latest
    session.flush()
    return len(rows)


def read_tile(storage: Storage, tile: Tile) -> bytes:
    """Read a published tile; for a partial one that was removed, the beginning of the full one.

    Raises:
        NotFoundError: it was not published.
    """
    try:
        return storage.get(PREFIX + tile.path)
    except NotFoundError:
        if tile.width == tiles.WIDTH:
            raise
        return storage.get(PREFIX + Tile(tile.level, tile.index).path)[: tile.width * merkle.HASH_BYTES]


def lock_head(session: Session) -> LogHead:
    """Lock the head row until the transaction ends, and return it; it is made on first use."""
    locked = select(LogHead).where(LogHead.id == HEAD_ID).with_for_update().execution_options(populate_existing=True)
    head = session.scalar(locked)
    if head is None:
        try:
            with session.begin_nested():
                session.add(LogHead(id=HEAD_ID, size=0))
        except IntegrityError:
            pass  # another process made it between our two questions
        head = session.scalars(locked).one()
    return head


def _sequence_batch(sessions: sessionmaker[Session]) -> int:
    with transaction(sessions) as session:
        return sequence(session)


def _read_head(sessions: sessionmaker[Session]) -> _Head:
    with reading(sessions) as session:
        head = session.get_one(LogHead, HEAD_ID)
        return _Head(head.size, head.signed_size, head.note)


def _shown(storage: Storage, signer: Signer) -> Checkpoint | None:
    """The checkpoint that is out. Signed by another key it means that keys or storage were mixed up: stop."""
    _put_once(storage, PREFIX + "key", f"{signer.verifier.vkey}\n".encode())
    try:
        note = storage.get(PREFIX + "checkpoint").decode()
        return checkpoints.open_checkpoint(note, [signer.verifier])
    except NotFoundError:
        return None
    except (InvalidProofError, UnicodeDecodeError) as error:
        raise LogIntegrityError(
            "the published checkpoint is not one of ours: the key or the storage changed"
        ) from error


def _write(
    sessions: sessionmaker[Session], storage: Storage, signer: Signer, head: _Head, shown: Checkpoint | None
) -> Checkpoint:
    """Write every tile and bundle that the new size needs, and return its checkpoint, unsigned."""
    signed = _signed(head, signer)
    old = TileReader(signed.size if signed else 0, lambda tile: read_tile(storage, tile))
    try:
        for known in (signed, shown):
            if known is not None and (known.size > old.size or merkle.root(known.size, old) != known.root):
                raise LogIntegrityError(
                    "the log in the database is not the one that was published: was it restored from a backup?",
                    size=old.size,
                    published=known.size,
                )
        edge = Edge(old)
        for bundle in tiles.bundles_between(old.size, head.size):
            leaves, hashes = _entries(sessions, bundle)
            _put_once(storage, PREFIX + bundle.path, tiles.encode_bundle(leaves))
            _put_tiles(storage, edge.extend(hashes))
        _put_tiles(storage, edge.partial())
    except (InvalidProofError, NotFoundError) as error:
        raise LogIntegrityError(f"the published tiles are not what was signed: {error}") from error
    return Checkpoint(signer.name, head.size, edge.root())


def _put_tiles(storage: Storage, made: Iterable[tuple[Tile, bytes]]) -> None:
    for tile, data in made:
        _put_once(storage, PREFIX + tile.path, data)


def _put_once(storage: Storage, key: str, data: bytes) -> None:
    """Write what is not there yet. What is there must be the same: nothing published is ever replaced."""
    if not storage.put_if_absent(key, data) and storage.get(key) != data:
        raise LogIntegrityError(f"{key} was published with other bytes: the log stops", key=key)


def _signed(head: _Head, signer: Signer) -> Checkpoint | None:
    if head.note is None:
        return None
    try:
        return checkpoints.open_checkpoint(head.note, [signer.verifier])
    except InvalidProofError as error:
        raise LogIntegrityError("the log was signed by another key so far: bring that key back") from error


def _entries(sessions: sessionmaker[Session], bundle: tiles.Bundle) -> tuple[list[bytes], list[bytes]]:
    """The leaves of a bundle and their hashes, checked against one another."""
    first = bundle.index * tiles.WIDTH
    with reading(sessions) as session:
        rows = session.execute(
            select(LogEntry.index, LogEntry.leaf, LogEntry.leaf_hash)
            .where(LogEntry.index >= first, LogEntry.index < first + bundle.width)
            .order_by(LogEntry.index)
        ).all()
    if [index for index, _, _ in rows] != list(range(first, first + bundle.width)):
        raise LogIntegrityError("numbered entries are missing from the database", first=first, width=bundle.width)
    for index, leaf, leaf_hash in rows:
        if merkle.leaf_hash(leaf) != leaf_hash:
            raise LogIntegrityError(f"entry {index} was altered in the database")
    return [leaf for _, leaf, _ in rows], [leaf_hash for _, _, leaf_hash in rows]


def _keep(sessions: sessionmaker[Session], head: _Head, checkpoint: Checkpoint, note: str) -> bool:
    """Make this the log's next state unless another publisher set one meanwhile: there is one signed note a size."""
    unchanged = LogHead.signed_size.is_(None) if head.signed_size is None else LogHead.signed_size == head.signed_size
    with transaction(sessions) as session:
        kept = session.execute(
            update(LogHead).where(LogHead.id == HEAD_ID, unchanged).values(signed_size=checkpoint.size, note=note)
        )
        return cast("CursorResult[object]", kept).rowcount == 1


def _release(sessions: sessionmaker[Session], storage: Storage) -> None:
    """Show the newest signed note. Under the lock of the head, so that no slower publisher puts an older one back."""
    with transaction(sessions) as session:
        head = lock_head(session)
        if head.note is not None and head.published_size != head.signed_size:
            storage.put(PREFIX + "checkpoint", BytesIO(head.note.encode()))
            head.published_size = head.signed_size


def _prune(storage: Storage, old_size: int, size: int) -> None:
    """Remove the partial forms of tiles and bundles that have become full: else each claim would keep a copy of 255."""
    for tile in tiles.outgrown(old_size, size):
        for stored in list(storage.list(f"{PREFIX}{tile.path}.p/")):
            storage.delete(stored.key)
