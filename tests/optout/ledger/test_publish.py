"""Publishing: complete, in order, once; the same after a crash at any step; and never on top of something altered."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import TypeAlias
from uuid import uuid4

import pytest
import synthetic_logs
from memory_storage import MemoryStorage
from sqlalchemy import Engine, event, select, update
from sqlalchemy.orm import Session, sessionmaker

from optout.errors import ConflictError, LogIntegrityError
from optout.ledger import consentlog, publish, receipts
from optout.ledger.keys import LogKeys
from optout.proof import entries
from optout.proof.entries import EntryType
from optout.proof.notes import Signer
from optout.store import db
from optout.store.models.log import LogEntry, LogHead

Sessions: TypeAlias = sessionmaker[Session]
Fill: TypeAlias = Callable[[Sessions, int], None]
CheckWhole: TypeAlias = Callable[[Sessions, MemoryStorage], None]

SIGNER = synthetic_logs.SIGNER
KEYS = LogKeys(SIGNER, Signer(f"{SIGNER.name}/promise", bytes([3]) * 32))


class Killed(BaseException):
    """The process ends here."""


def test_an_empty_log_is_published_to_begin_from(sessions: Sessions, storage: MemoryStorage) -> None:
    checkpoint = publish.publish(sessions, storage, SIGNER)

    assert checkpoint is not None
    assert checkpoint.size == 0
    assert publish.publish(sessions, storage, SIGNER) is None
    assert sorted(storage.files) == ["log/checkpoint", "log/key"]


@pytest.mark.parametrize("steps", [[1], [255, 1], [256, 1], [300, 212, 1, 1]])
def test_what_is_published_is_the_log_of_all_entries(
    sessions: Sessions, storage: MemoryStorage, fill: Fill, check_whole: CheckWhole, steps: list[int]
) -> None:
    for count in steps:
        fill(sessions, count)
        checkpoint = publish.publish(sessions, storage, SIGNER)
        assert checkpoint is not None
        check_whole(sessions, storage)

    assert publish.publish(sessions, storage, SIGNER) is None
    assert checkpoint.size == sum(steps)


def test_entries_of_one_subject_keep_their_order_though_they_have_one_time(sessions: Sessions) -> None:
    subject, now = uuid4(), datetime.now(UTC)
    with db.transaction(sessions) as session:
        for _ in range(50):
            consentlog.append(session, type=EntryType.CLAIM_AMENDED, subject=subject, body={}, recorded_at=now)
        assert publish.sequence(session) == 50
        rows = session.scalars(
            select(LogEntry).order_by(LogEntry.index).execution_options(populate_existing=True)
        ).all()

    hashes = [None, *(row.leaf_hash for row in rows)]
    assert [entries.parse(row.leaf).previous for row in rows] == hashes[:-1]


def test_more_entries_than_one_batch_are_all_sequenced(
    sessions: Sessions, storage: MemoryStorage, fill: Fill, monkeypatch: pytest.MonkeyPatch, check_whole: CheckWhole
) -> None:
    monkeypatch.setattr(publish, "BATCH", 4)
    fill(sessions, 11)

    checkpoint = publish.publish(sessions, storage, SIGNER)

    assert checkpoint is not None
    assert checkpoint.size == 11
    check_whole(sessions, storage)


def test_a_crash_at_any_step_is_followed_by_the_same_log(
    copy_database: Callable[[], Engine], live_sessions: Sessions, storage: MemoryStorage, fill: Fill,
    check_whole: CheckWhole,
) -> None:  # fmt: skip
    """Die before the n-th write or commit, for n = 1, 2, … until nothing is left to die before; go on; compare."""
    fill(live_sessions, 250)
    publish.publish(live_sessions, storage, SIGNER)
    fill(live_sessions, 10)  # past 256: a full tile, its parent and a partial tile are among the steps
    before = (dict(storage.files), list(storage.checkpoints))
    died_at: list[str] = []

    for n in range(1, 100):
        engine = copy_database()
        storage.files, storage.checkpoints = dict(before[0]), list(before[1])
        reached = _die_before(n, engine, storage)
        if reached is None:
            break
        died_at.append(reached)
        fill(db.sessions(engine), 1)  # life goes on before the publisher is started again
        publish.publish(db.sessions(engine), storage, SIGNER)
        check_whole(db.sessions(engine), storage)

    assert died_at == [
        "commit",  # nothing signed was left to show
        "commit",  # indices
        "put_if_absent log/key",
        "put_if_absent log/tile/entries/000",
        "put_if_absent log/tile/0/000",
        "put_if_absent log/tile/entries/001.p/4",
        "put_if_absent log/tile/0/001.p/4",
        "put_if_absent log/tile/1/000.p/1",
        "commit",  # the signed note
        "put log/checkpoint",
        "commit",  # it is shown
        "delete log/tile/0/000.p/250",
        "delete log/tile/entries/000.p/250",
    ]


def test_partial_tiles_go_once_the_full_one_is_shown(sessions: Sessions, storage: MemoryStorage, fill: Fill) -> None:
    for count in (254, 1, 4):
        fill(sessions, count)
        publish.publish(sessions, storage, SIGNER)

    assert sorted(path for path in storage.files if ".p/" in path) == [
        "log/tile/0/001.p/3",
        "log/tile/1/000.p/1",
        "log/tile/entries/001.p/3",
    ]


def _die_before(n: int, engine: Engine, storage: MemoryStorage) -> str | None:
    """Publish, and end before the n-th write or commit; its name, or None if there were fewer."""
    left = n

    def step(name: str) -> None:
        nonlocal left
        left -= 1
        if left == 0:
            raise Killed(name)

    def commit(_: object) -> None:
        step("commit")

    storage.before = step
    event.listen(engine, "commit", commit)
    try:
        publish.publish(db.sessions(engine), storage, SIGNER)
    except Killed as killed:
        return str(killed)
    finally:
        event.remove(engine, "commit", commit)
        storage.before = lambda name: None
    return None


def test_a_signed_note_that_was_not_shown_is_shown_unchanged(
    sessions: Sessions, storage: MemoryStorage, fill: Fill
) -> None:
    fill(sessions, 5)

    def die(name: str) -> None:
        if name == "put log/checkpoint":
            raise Killed

    storage.before = die
    with pytest.raises(Killed):
        publish.publish(sessions, storage, SIGNER)
    with sessions() as session:
        note = session.get_one(LogHead, 1).note
    storage.before = lambda name: None
    fill(sessions, 2)
    publish.publish(sessions, storage, SIGNER)

    assert storage.checkpoints[0] == note
    assert len(storage.checkpoints) == 2


def test_publishers_at_one_moment_make_one_log(
    live_sessions: Sessions, storage: MemoryStorage, fill: Fill, check_whole: CheckWhole
) -> None:
    def work(_: int) -> None:
        for _ in range(6):
            fill(live_sessions, 4)
            publish.publish(live_sessions, storage, SIGNER)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))

    check_whole(live_sessions, storage)
    sizes = [int(note.split("\n")[1]) for note in storage.checkpoints]
    assert sizes == sorted(sizes)
    assert sizes[-1] == 96


def test_a_database_behind_the_published_log_is_not_signed_on(
    live_sessions: Sessions, sessions: Sessions, storage: MemoryStorage, fill: Fill
) -> None:
    fill(live_sessions, 5)
    publish.publish(live_sessions, storage, SIGNER)
    fill(sessions, 3)  # another database, as one restored from an older backup

    with pytest.raises(LogIntegrityError, match="restored from a backup"):
        publish.publish(sessions, storage, SIGNER)


@pytest.mark.parametrize("path", ["tile/0/000.p/5", "tile/entries/000.p/7", "checkpoint", "key"])
def test_an_altered_file_stops_the_log(sessions: Sessions, storage: MemoryStorage, fill: Fill, path: str) -> None:
    fill(sessions, 5)
    publish.publish(sessions, storage, SIGNER)
    fill(sessions, 2)
    kept = storage.files["log/checkpoint"]
    altered = bytearray(storage.files.get(f"log/{path}", bytes(9)))
    altered[8] ^= 1
    storage.files[f"log/{path}"] = bytes(altered)

    with pytest.raises(LogIntegrityError):
        publish.publish(sessions, storage, SIGNER)

    assert path == "checkpoint" or storage.files["log/checkpoint"] == kept


def test_a_missing_tile_stops_the_log(sessions: Sessions, storage: MemoryStorage, fill: Fill) -> None:
    fill(sessions, 5)
    publish.publish(sessions, storage, SIGNER)
    fill(sessions, 2)
    del storage.files["log/tile/0/000.p/5"]

    with pytest.raises(LogIntegrityError, match="not what was signed"):
        publish.publish(sessions, storage, SIGNER)


@pytest.mark.parametrize("index", [0, 6])
def test_an_entry_altered_in_the_database_stops_the_log(
    sessions: Sessions, storage: MemoryStorage, fill: Fill, index: int
) -> None:
    fill(sessions, 5)
    publish.publish(sessions, storage, SIGNER)
    fill(sessions, 2)
    with db.transaction(sessions) as session:
        publish.sequence(session)
        session.execute(update(LogEntry).where(LogEntry.index == index).values(leaf=b"{}"))

    with pytest.raises(LogIntegrityError, match=f"entry {index} was altered"):
        publish.publish(sessions, storage, SIGNER)


def test_an_entry_altered_with_its_hash_stops_the_log(sessions: Sessions, storage: MemoryStorage, fill: Fill) -> None:
    fill(sessions, 5)
    publish.publish(sessions, storage, SIGNER)
    fill(sessions, 2)
    with db.transaction(sessions) as session:
        leaf = b"{}"
        session.execute(
            update(LogEntry).where(LogEntry.index == 1).values(leaf=leaf, leaf_hash=publish.merkle.leaf_hash(leaf))
        )

    with pytest.raises(LogIntegrityError):
        publish.publish(sessions, storage, SIGNER)


def test_an_entry_removed_from_the_database_stops_the_log(
    sessions: Sessions, storage: MemoryStorage, fill: Fill
) -> None:
    fill(sessions, 1)
    publish.publish(sessions, storage, SIGNER)
    fill(sessions, 1)
    with db.transaction(sessions) as session:
        session.delete(session.scalars(select(LogEntry).where(LogEntry.index == 0)).one())

    with pytest.raises(LogIntegrityError, match="missing from the database"):
        publish.publish(sessions, storage, SIGNER)


def test_another_key_does_not_go_on_with_the_log(sessions: Sessions, storage: MemoryStorage, fill: Fill) -> None:
    publish.publish(sessions, storage, SIGNER)
    fill(sessions, 1)
    del storage.files["log/key"], storage.files["log/checkpoint"]

    with pytest.raises(LogIntegrityError, match="another key"):
        publish.publish(sessions, storage, Signer(SIGNER.name, bytes([9]) * 32))


def test_a_receipt_is_to_be_had_once_the_entry_is_published(
    sessions: Sessions, storage: MemoryStorage, fill: Fill
) -> None:
    fill(sessions, 300)
    with sessions() as session:
        entry = session.scalars(
            select(LogEntry).where(
                LogEntry.number
                == 100 + session.scalars(select(LogEntry.number).order_by(LogEntry.number).limit(1)).one()
            )
        ).one()
        with pytest.raises(ConflictError, match="not in a published checkpoint yet"):
            receipts.receipt(session, storage, entry, KEYS)

        publish.publish(sessions, storage, SIGNER)
        made = receipts.receipt(session, storage, entry, KEYS)

        found, checkpoint = made.verify([SIGNER.verifier])
        assert (found.id, checkpoint.size) == (entry.id, 300)
        assert consentlog.position(session, entry).published


def test_an_erased_entry_has_no_receipt_any_more(sessions: Sessions, storage: MemoryStorage, fill: Fill) -> None:
    fill(sessions, 1)
    publish.publish(sessions, storage, SIGNER)
    with sessions() as session:
        entry = session.scalars(select(LogEntry)).one()
        entry.body = entry.salt = None
        session.flush()

        with pytest.raises(ConflictError, match="erased"):
            receipts.receipt(session, storage, entry, KEYS)


def test_a_receipt_that_does_not_prove_is_not_handed_out(
    sessions: Sessions, storage: MemoryStorage, fill: Fill
) -> None:
    fill(sessions, 4)
    publish.publish(sessions, storage, SIGNER)
    storage.files["log/tile/0/000.p/4"] = bytes(128)
    with sessions() as session:
        entry = session.scalars(select(LogEntry).limit(1)).one()

        with pytest.raises(LogIntegrityError, match="does not prove"):
            receipts.receipt(session, storage, entry, KEYS)
