"""One pace for all workers towards a service outside: whoever comes too early is told when to come back."""

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import CursorResult, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from optout.store.models.base import utc_now
from optout.store.models.paces import Pace

YOUTUBE: Final = "youtube"


def take(session: Session, name: str, every: timedelta, *, now: datetime | None = None) -> datetime | None:
    """Take the next turn. None: it is ours, and the one after it comes `every` later; else when there is one again."""
    moment = now or utc_now()
    free = update(Pace).where(Pace.name == name, Pace.free_at <= moment).values(free_at=moment + every)
    if _changed(session, free):
        return None
    free_at = session.scalars(select(Pace.free_at).where(Pace.name == name)).one_or_none()
    if free_at is not None:
        return free_at
    try:
        with session.begin_nested():
            session.add(Pace(name=name, free_at=moment + every))
    except IntegrityError:  # somebody else took the very first turn
        return moment + every
    return None


def hold(session: Session, name: str, until: datetime) -> None:
    """Let nobody ask before a moment: the service said that it is too much."""
    later = update(Pace).where(Pace.name == name, Pace.free_at < until).values(free_at=until)
    if not _changed(session, later) and session.get(Pace, name) is None:
        try:
            with session.begin_nested():
                session.add(Pace(name=name, free_at=until))
        except IntegrityError:
            _changed(session, later)


def _changed(session: Session, change: object) -> bool:
    result = session.execute(change)  # type: ignore[call-overload]  # an update, either way
    return isinstance(result, CursorResult) and bool(result.rowcount)
