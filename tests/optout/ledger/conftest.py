"""A log to publish: where it goes, and ways to fill and to check it."""

from collections.abc import Callable
from datetime import UTC, datetime
from uuid import uuid4

import pytest
import synthetic_logs
from memory_storage import MemoryStorage
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from optout.ledger import consentlog
from optout.proof import checkpoints, merkle
from optout.proof.entries import EntryType
from optout.store import db
from optout.store.models.log import LogEntry


@pytest.fixture
def storage() -> MemoryStorage:
    return MemoryStorage()


@pytest.fixture
def fill() -> Callable[[sessionmaker[Session], int], None]:
    """Append that many entries, each third one following the one before, in one transaction."""

    def append(sessions: sessionmaker[Session], count: int) -> None:
        with db.transaction(sessions) as session:
            subject = uuid4()
            for i in range(count):
                subject = subject if i % 3 == 2 else uuid4()
                consentlog.append(
                    session,
                    type=EntryType.CLAIM_FILED,
                    subject=subject,
                    body={"number": i},
                    recorded_at=datetime.now(UTC),
                )

    return append


@pytest.fixture
def check_whole() -> Callable[[sessionmaker[Session], MemoryStorage], None]:
    """Check that what is published is, file for file, the log of the database's entries, and always was its prefix."""

    def check(sessions: sessionmaker[Session], storage: MemoryStorage) -> None:
        with sessions() as session:
            rows = session.execute(select(LogEntry.index, LogEntry.leaf).order_by(LogEntry.index)).all()
        indices, leaves = [row[0] for row in rows], [row[1] for row in rows]
        assert indices == list(range(len(rows)))
        for path, data in synthetic_logs.log_files(leaves).items():
            assert storage.files[f"log/{path}"] == data, path
        tree = merkle.MemoryTree(map(merkle.leaf_hash, leaves))
        for note in storage.checkpoints:
            seen = checkpoints.open_checkpoint(note, [synthetic_logs.SIGNER.verifier])
            assert merkle.root(seen.size, tree) == seen.root
            for path, data in synthetic_logs.log_files(leaves[: seen.size]).items():
                if path != "checkpoint":  # a partial tile may have gone, once the full one is there
                    stored = storage.files.get(f"log/{path}", storage.files.get(f"log/{path.split('.p/')[0]}", b""))
                    assert stored.startswith(data), path

    return check
