"""Kill -9 between the durable steps of folding the index: what is left opens, and finds every work once."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from factories import make_account, make_work
from registry_process import ROOT, clean_environment
from sqlalchemy import delete
from sqlalchemy.orm import Session, sessionmaker

from optout.registry import index_folding
from optout.registry.index_folder import IndexFolder
from optout.store import changes, db
from optout.store.models import WorkFingerprint
from optout.store.models.changes import ChangeKind
from optout.store.settings import Settings

pytestmark = pytest.mark.faults

EVERY = {"short": 6, "long": 1}
"""Of the steps inside a folder that has no name yet, which are crashed at; of all others, each is."""


@pytest.fixture
def expected(live_sessions: sessionmaker[Session], quick_folder: Path, request: pytest.FixtureRequest) -> list[str]:
    """A database whose works changed since the index in `before/` was made, if there is one; which are to be found."""
    place = quick_folder / request.node.name
    place.mkdir()
    with db.transaction(live_sessions) as session:
        account = make_account(session)
        ids = [make_work(session, account, seed=seed).id for seed in range(20)]
    if "base" not in request.node.name:
        before = IndexFolder(place / "before")
        with before.locked(wait=True):
            index_folding.fold(live_sessions, before)
    with db.transaction(live_sessions) as session:
        ids += [make_work(session, account, seed=seed).id for seed in range(20, 40)]
        session.execute(delete(WorkFingerprint).where(WorkFingerprint.work_id.in_([ids[3], ids[7]])))
        for work in (3, 7, 11):
            changes.record(session, ChangeKind.WORK, ids[work])
    if "struck" in request.node.name:
        with db.transaction(live_sessions) as session:
            session.execute(delete(WorkFingerprint).where(WorkFingerprint.work_id.in_(ids[23:])))
            for work in ids[23:]:
                changes.record(session, ChangeKind.WORK, work)
            return [str(work) if seed not in {3, 7} and seed < 23 else "-" for seed, work in enumerate(ids)]
    return [str(work) if seed not in {3, 7} else "-" for seed, work in enumerate(ids)]


@pytest.mark.parametrize("what", ["base", "merged", "struck"])
def test_whatever_step_a_kill_follows_every_work_is_found_once(
    what: str,
    settings: Settings,
    expected: list[str],
    quick_folder: Path,
    request: pytest.FixtureRequest,
    length: str,
    figures: list[str],
) -> None:
    process = subprocess.run(
        [
            sys.executable,
            str(ROOT / "tests" / "support" / "crashed_folding.py"),
            settings.database_url,
            str(quick_folder / request.node.name),
            str(EVERY[length]),
            *expected,
        ],
        env=clean_environment({"PYTHONPATH": os.pathsep.join(sys.path)}),
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )

    assert process.returncode == 0, process.stderr
    counted, *told = [json.loads(line) for line in process.stdout.splitlines()]
    assert counted["steps"] > 20
    assert len(told) >= counted["steps"] / EVERY[length]
    assert all(one["killed"] for one in told)
    wrong = {one["step"]: one["error"] for one in told if one["error"]}
    assert not wrong, "\n\n".join(f"{step}\n{error}" for step, error in wrong.items())
    figures.append(f"killed at {len(told)} of {counted['steps']} durable steps of folding an index ({what})")
