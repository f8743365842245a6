"""What it costs to read what is said about a work whose claim was amended very often, beside one that never was.

`python -m benchmarks.consent.versions [--versions 100000] [--database URL]` prints a JSON object: milliseconds, the
best of some rounds, to read what is said about either work now, as known when half of the versions were there, and at
that moment as known today. Without a URL, on a SQLite file; the database of a URL has to be empty, and is left full.
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

from sqlalchemy import insert, text
from sqlalchemy.orm import Session

from fingerprinting.types import Extraction, Fingerprint, Modality
from optout.consent.vocabulary import Preference, Scope, Use
from optout.registry import accounts, claims, statements, works
from optout.registry.statements import When
from optout.store import db, migrate
from optout.store.models import Claim, ClaimState
from optout.store.models.base import utc_now
from optout.store.settings import Settings

_AGO = timedelta(days=100)
_AT_ONCE = 5_000


def measure(settings: Settings, versions: int, rounds: int = 20) -> dict[str, float]:
    """Milliseconds by work and question."""
    engine = db.engine(settings)
    migrate.upgrade(engine)
    sessions = db.sessions(engine)
    with db.transaction(sessions) as session:
        claimed = {name: _claimed(session, name) for name in ("plain", "amended")}
        _amend_often(session, claimed["amended"], versions)
    with engine.connect() as connection:
        connection.execute(text("ANALYZE"))
        connection.commit()
    now = utc_now()
    half = now - _AGO / 2
    questions = {"now": When(now, is_now=True), "known_then": When(half, half), "then": When(half)}
    found = {}
    with db.reading(sessions) as session:
        for name, claim in claimed.items():
            for asked, when in questions.items():
                found[f"{name}_{asked}_ms"] = _best(_reading(session, claim.work_id, when), rounds)
    engine.dispose()
    return found


def _claimed(session: Session, name: str) -> Claim:
    account = accounts.create_account(session, name=name)
    value = name.encode().ljust(32)
    extraction = Extraction(Modality.IMAGE, "image/png", (Fingerprint("sha256", 1, value),))
    work = works.register_fingerprints(session, account_id=account.id, extraction=extraction).work
    preferences = {Use.ALL: Preference.DISALLOWED}
    return claims.file_claim(session, work_id=work.id, claimant_id=account.id, preferences=preferences)


def _amend_often(session: Session, claim: Claim, versions: int) -> None:
    """As so many amendments would have left it: versions that followed one another until the one that is live."""
    step, begin = _AGO / versions, claim.filed_at - _AGO
    for start in range(0, versions, _AT_ONCE):
        numbers = range(start, min(start + _AT_ONCE, versions))
        session.execute(insert(Claim), [_version(claim, begin + number * step, step) for number in numbers])


def _version(like: Claim, filed_at: datetime, until: timedelta) -> Mapping[str, object]:
    return {
        "id": uuid4(),
        "scope": Scope.WORK,
        "work_id": like.work_id,
        "claimant_id": like.claimant_id,
        "preferences": like.preferences,
        "evidence": like.evidence,
        "valid_from": filed_at,
        "languages": [],
        "filed_at": filed_at,
        "log_subject": like.log_subject,
        "entry_id": like.entry_id,
        "state": ClaimState.SUPERSEDED,
        "settled_at": filed_at + until,
    }


def _reading(session: Session, work: UUID | None, when: When) -> Callable[[], object]:
    return lambda: statements.about(session, [work] if work else [], when)


def _best(call: Callable[[], object], rounds: int) -> float:
    best = float("inf")
    for _ in range(rounds):
        began = time.perf_counter()
        call()
        best = min(best, time.perf_counter() - began)
    return round(best * 1000, 2)


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--versions", type=int, default=100_000)
    parser.add_argument("--database", help="URL of an empty database")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(data_folder=Path(folder))
        if asked.database:
            settings = settings.model_copy(update={"database_url": asked.database})
        found = {"versions": asked.versions, **measure(settings, asked.versions)}
    sys.stdout.write(json.dumps(found, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
