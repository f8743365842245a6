"""`mediamanager reindex` promises what can be done, lists whom to ask, and may be called at any time."""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import built_database
import pytest
from factories import sha256
from newer_algorithms import bring_second_version, by_both, prose
from sqlalchemy import func, select
from sqlalchemy.orm import Session, sessionmaker

from fingerprinting.types import Extraction, Modality
from mediamanager.cli import main
from optout.registry import accounts, refingerprinting, works
from optout.store import db
from optout.store.models import Job, JobKind, Work
from optout.store.settings import Settings

CONTENT = prose(1)
BEFORE = Extraction(Modality.TEXT, "text/plain", (sha256(CONTENT),), identifiable=False)


class Registry:
    """A registry's database, and the command against it."""

    def __init__(self, folder: Path, sessions: sessionmaker[Session], capsys: pytest.CaptureFixture[str]) -> None:
        self.sessions = sessions
        self._folder = folder
        self._capsys = capsys

    def run(self, *words: str) -> tuple[int, list[dict[str, Any]], str]:
        with pytest.raises(SystemExit) as ended:
            main(["reindex", *words, "--json", "--data", str(self._folder)])
        output = self._capsys.readouterr()
        return int(ended.value.code or 0), [json.loads(line) for line in output.out.splitlines()], output.err

    def add(self, name: str, *, keep_media: bool, title: str | None = None) -> Work:
        with db.transaction(self.sessions) as session:
            owner = accounts.create_account(session, name=name, contact=f"{name.lower()}@example.org")
            work = works.register_upload(
                session,
                account_id=owner.id,
                sha256=hashlib.sha256(CONTENT).digest(),
                size_bytes=1,
                name="a.txt",
                title=title,
                keep_media=keep_media,
            ).work
            return works.record_fingerprints(session, work.id, BEFORE)

    def promised(self) -> int:
        with db.reading(self.sessions) as session:
            jobs = select(func.count(Job.id)).where(Job.kind == JobKind.REFINGERPRINT_WORK)
            return session.execute(jobs).scalar_one()


@pytest.fixture
def registry(tmp_path: Path, sqlite_template: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[Registry]:
    engine = db.engine(built_database.copy(sqlite_template, Settings(data_folder=tmp_path)))
    yield Registry(tmp_path, db.sessions(engine), capsys)
    engine.dispose()


def test_without_a_newer_algorithm_there_is_nothing_to_do(registry: Registry) -> None:
    registry.add("Ada", keep_media=True)

    status, owners, said = registry.run()

    assert (status, owners, registry.promised()) == (0, [], 0)
    assert "Every work is known" in said


def test_kept_media_is_promised_and_the_other_owners_are_listed(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry.add("Ada", keep_media=True)
    asked = registry.add("Bob", keep_media=False, title="Ballad")
    bring_second_version(monkeypatch)

    status, owners, said = registry.run()

    assert (status, registry.promised()) == (0, 1)
    assert owners == [
        {
            "account": str(asked.account_id),
            "name": "Bob",
            "contact": "bob@example.org",
            "works": [
                {
                    "work": str(asked.id),
                    "title": "Ballad",
                    "missing": ["shingle-3.v4"],
                    "reason": "media-not-kept",
                }
            ],
        }
    ]
    assert "2 works lack shingle-3.v4" in said
    assert "1 are computed anew" in said


def test_a_dry_run_promises_nothing(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    registry.add("Ada", keep_media=True)
    bring_second_version(monkeypatch)

    _status, _owners, said = registry.run("--dry-run")

    assert "1 would be computed anew" in said
    assert registry.promised() == 0


def test_calling_it_again_promises_nothing_twice(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    registry.add("Ada", keep_media=True)
    bring_second_version(monkeypatch)
    registry.run()

    _status, _owners, said = registry.run()

    assert registry.promised() == 1
    assert "1 were under way" in said


def test_works_are_spread_over_time(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("Ada", "Bob", "Cleo"):
        registry.add(name, keep_media=True)
    bring_second_version(monkeypatch)

    registry.run("--per-minute", "1")

    with db.reading(registry.sessions) as session:
        due = sorted(session.scalars(select(Job.due_at).where(Job.kind == JobKind.REFINGERPRINT_WORK)))
    assert [round((moment - due[0]).total_seconds()) for moment in due] == [0, 60, 120]


def test_waiting_ends_when_the_workers_are_through(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    work = registry.add("Ada", keep_media=True)
    bring_second_version(monkeypatch)

    def worker(_seconds: float) -> None:
        """Does the job while the command sleeps."""
        with db.transaction(registry.sessions) as session:
            refingerprinting.record(session, work.id, by_both(BEFORE, CONTENT))
            for job in session.scalars(select(Job).where(Job.kind == JobKind.REFINGERPRINT_WORK)):
                session.delete(job)

    monkeypatch.setattr("mediamanager.cli.reindex.time.sleep", worker)

    status, owners, _said = registry.run("--wait")

    assert (status, owners) == (0, [])
    assert registry.run()[2].startswith("Every work is known")
