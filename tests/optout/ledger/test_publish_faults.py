"""kill -9 of a process that appends and publishes, at any moment: what was acknowledged is in the log, once."""

import random
import signal
import subprocess
import sys
import time

import pytest
import synthetic_logs
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from mediamanager.audit import reports, sources
from mediamanager.audit.reports import Outcome
from optout.ledger import publish
from optout.store.models.log import LogEntry
from optout.store.settings import Settings
from optout.store.storage_url import open_storage

WRITER = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import synthetic_logs
from optout.ledger import consentlog, publish
from optout.proof.entries import EntryType
from optout.store import db
from optout.store.settings import Settings
from optout.store.storage_url import open_storage

settings = Settings(data_folder=Path(sys.argv[1]), database_url=sys.argv[2])
sessions, storage = db.sessions(db.engine(settings)), open_storage(settings)
print("ready", flush=True)
while True:
    with db.transaction(sessions) as session:
        entry = consentlog.append(
            session, type=EntryType.CLAIM_FILED, subject=uuid4(), body={}, recorded_at=datetime.now(UTC)
        )
    print(entry.id, flush=True)
    publish.publish(sessions, storage, synthetic_logs.SIGNER)
"""


@pytest.mark.faults
def test_a_killed_publisher_loses_and_doubles_nothing(settings: Settings, live_sessions: sessionmaker[Session]) -> None:
    chance = random.Random(3)
    acknowledged: list[str] = []
    old_notes: list[bytes] = []
    storage = open_storage(settings)

    for _ in range(8):
        writer = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(settings.data_folder), settings.database_url],
            stdout=subprocess.PIPE,
            text=True,
            env={"PYTHONPATH": ":".join(sys.path)},
        )
        assert writer.stdout is not None
        assert writer.stdout.readline() == "ready\n"
        time.sleep(chance.uniform(0.05, 0.6))
        writer.send_signal(signal.SIGKILL)
        acknowledged += [line[:-1] for line in writer.communicate()[0].splitlines(keepends=True) if line[-1] == "\n"]
        if storage.exists("log/checkpoint"):
            old_notes.append(storage.get("log/checkpoint"))

    publish.publish(live_sessions, storage, synthetic_logs.SIGNER)
    with live_sessions() as session:
        logged = session.scalars(select(LogEntry.id).where(LogEntry.index.is_not(None))).all()
    assert acknowledged
    assert set(acknowledged) <= set(logged)
    assert len(set(logged)) == len(logged)
    folder = settings.data_folder / "storage" / "log"
    for note in old_notes:
        report = reports.audit_log(
            "log",
            lambda: sources.FolderSource(folder),
            vkey=synthetic_logs.SIGNER.verifier.vkey,
            old_note=note,
        )
        assert report.outcome is Outcome.HOLDS, report.checks
