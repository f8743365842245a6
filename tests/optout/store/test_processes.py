"""Several processes write one database: nothing acknowledged is lost, nothing is there twice, nobody is starved."""

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from uuid import UUID

import pytest
from factories import make_account
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session, sessionmaker

from optout.store import changes, db
from optout.store.models import Change, Claim, LogEntry, Work
from optout.store.settings import Settings

SUPPORT = Path(__file__).parents[2] / "support"
ROOT = SUPPORT.parents[1]


def start(settings: Settings, account_id: UUID, number: int, rounds: int) -> subprocess.Popen[str]:
    arguments = [str(settings.data_folder), str(account_id), str(number), str(rounds)]
    return subprocess.Popen(
        [sys.executable, str(SUPPORT / "registering_process.py"), *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={
            **os.environ,
            "PYTHONPATH": f"{ROOT}{os.pathsep}{SUPPORT}",
            "MEDIAMANAGER_DATABASE_URL": settings.database_url,
        },
    )


def acknowledged(lines: str) -> set[tuple[str, UUID]]:
    return {(kind, UUID(row_id)) for kind, row_id in (line.split() for line in lines.splitlines() if line.count(" "))}


@pytest.mark.flow
def test_four_writers_one_of_them_killed(
    settings: Settings, live_engine: Engine, live_sessions: sessionmaker[Session]
) -> None:
    rounds = 15
    with db.transaction(live_sessions) as session:
        account_id = make_account(session).id

    victim, *others = [start(settings, account_id, number, rounds) for number in range(4)]
    assert victim.stdout is not None
    begun = "".join(victim.stdout.readline() for _ in range(3))
    victim.kill()
    rest, _error = victim.communicate(timeout=60)
    # The last line of the victim may be cut off in the middle: then it acknowledged nothing.
    told = acknowledged(begun + rest.rpartition("\n")[0])
    for process in others:
        output, error = process.communicate(timeout=120)
        assert (process.returncode, error) == (0, "")
        told |= acknowledged(output)

    with db.reading(live_sessions) as session:
        works = session.scalars(select(Work)).all()
        claims = session.scalars(select(Claim)).all()
        entries = session.scalars(select(LogEntry)).all()
        numbers = session.scalars(select(Change.number).order_by(Change.number)).all()
        assert {row_id for kind, row_id in told if kind == "work"} <= {work.id for work in works}
        assert {row_id for kind, row_id in told if kind == "claim"} <= {claim.id for claim in claims}
        assert Counter(claim.work_id for claim in claims).most_common(1)[0][1] == 1
        assert len({work.identity for work in works}) == len(works) == rounds + len(claims)
        assert sorted(claim.entry_id for claim in claims) == sorted(entry.id for entry in entries)
        assert list(numbers) == list(range(1, changes.latest(session) + 1))
    if live_engine.dialect.name == "sqlite":
        with live_engine.connect() as connection:
            assert connection.exec_driver_sql("PRAGMA integrity_check").scalar_one() == "ok"
