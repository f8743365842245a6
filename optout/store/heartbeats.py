"""Who works, since when, when they were last seen, and how often things went wrong: what other processes can ask for.

A worker has no port to be asked at, so it writes; the database is the one place that every process can read.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final, cast

from sqlalchemy import CursorResult, delete, func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from optout.store.models.base import utc_now
from optout.store.models.workers import Heartbeat, Tally
from optout.store.settings import Settings

WORKER: Final = "worker"
SWEEP: Final = "sweep"

BEATS_MISSED: Final = 4
"""A worker or a sweep that missed so many of its turns is taken for dead."""
SLACK: Final = timedelta(seconds=5)
"""A busy machine may be late by this much in all."""

_MAX_NOTE: Final = 400


def patience(settings: Settings) -> timedelta:
    """How long nothing may be heard of a worker or of the sweep; both come round every `sweep_seconds`."""
    return timedelta(seconds=settings.sweep_seconds * BEATS_MISSED) + SLACK


def beat(
    session: Session, name: str, kind: str, *, note: str | None = None, started_at: datetime | None = None
) -> None:
    """Say that a process lives, or that a duty was done."""
    now = utc_now()
    said = note[:_MAX_NOTE] if note is not None else None
    known = session.execute(update(Heartbeat).where(Heartbeat.name == name).values(seen_at=now, note=said))
    if cast("CursorResult[object]", known).rowcount == 0:
        try:
            with session.begin_nested():
                session.add(Heartbeat(name=name, kind=kind, started_at=started_at or now, seen_at=now, note=said))
        except IntegrityError:
            pass  # another process did the same duty at the same moment, and said so


def end(session: Session, name: str) -> None:
    """A process ends in order: nobody needs to miss it."""
    session.execute(delete(Heartbeat).where(Heartbeat.name == name))


def alive(session: Session, kind: str, *, since: datetime) -> Sequence[Heartbeat]:
    """Those of a kind that were seen at that moment or later."""
    return session.scalars(select(Heartbeat).where(Heartbeat.kind == kind, Heartbeat.seen_at >= since)).all()


def last_seen(session: Session, kind: str) -> datetime | None:
    """When one of a kind was last seen; None: never."""
    return session.scalar(select(func.max(Heartbeat.seen_at)).where(Heartbeat.kind == kind))


def remove_old(session: Session, *, before: datetime) -> None:
    """Forget processes that died long ago."""
    session.execute(delete(Heartbeat).where(Heartbeat.seen_at < before))


def add(session: Session, name: str, word: str, count: int) -> None:
    """Add to a tally."""
    grown = update(Tally).where(Tally.name == name, Tally.word == word).values(count=Tally.count + count)
    if cast("CursorResult[object]", session.execute(grown)).rowcount == 0:
        try:
            with session.begin_nested():
                session.add(Tally(name=name, word=word, count=count))
        except IntegrityError:
            session.execute(grown)  # another process was the first to count this


def tallies(session: Session, name: str) -> Mapping[str, int]:
    """A tally by its words."""
    rows = session.execute(select(Tally.word, Tally.count).where(Tally.name == name))
    return {word: count for word, count in rows}  # noqa: C416 - a Row is no tuple to mypy
