"""Changes to a registry, and what an index of its works then finds."""

import threading
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

from factories import make_work, pdq
from sqlalchemy import delete
from sqlalchemy.orm import Session, sessionmaker

from fingerprinting.types import Depth
from optout.registry.index_folder import SEGMENTS
from optout.registry.index_segments import Works
from optout.registry.live_index import LiveIndex
from optout.store import changes, db
from optout.store.models import Account, WorkFingerprint
from optout.store.models.changes import ChangeKind

SEAL = 4
Open = Callable[..., LiveIndex]


def settle() -> None:
    """Wait until nothing is done in the background."""
    for thread in threading.enumerate():
        if thread.name == "fold-index":
            thread.join()


def register(sessions: sessionmaker[Session], owner: Account, *seeds: int) -> list[UUID]:
    with db.transaction(sessions) as session:
        return [make_work(session, owner, seed=seed).id for seed in seeds]


def remove(sessions: sessionmaker[Session], work: UUID) -> None:
    with db.transaction(sessions) as session:
        session.execute(delete(WorkFingerprint).where(WorkFingerprint.work_id == work))
        changes.record(session, ChangeKind.WORK, work)


def refreshed(index: LiveIndex, sessions: sessionmaker[Session]) -> Works:
    with db.reading(sessions) as session:
        return index.refresh(session)


def found(works: Works, *seeds: int) -> list[list[UUID]]:
    """The works that are found by a copy of each."""
    by_asset: list[list[UUID]] = [[] for _ in seeds]
    for work, match in works.search([[pdq(seed, flipped_bits=5)] for seed in seeds], Depth.STANDARD):
        by_asset[match.asset].append(work)
    return by_asset


def names(place: Path) -> set[str]:
    return {path.name for path in (place / SEGMENTS).iterdir()} if (place / SEGMENTS).is_dir() else set()
