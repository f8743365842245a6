"""How far the public log is behind what was acknowledged: what an alarm should look at, before a promise is broken."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from optout.store.models.base import utc_now
from optout.store.models.log import LogEntry, LogHead


@dataclass(frozen=True, slots=True)
class Lag:
    """What is acknowledged and not public yet.

    Attributes:
        size: entries that have an index.
        published: entries under the newest checkpoint that is out.
        waiting: entries that no published checkpoint covers.
        seconds: age of the oldest of these; 0 if there is none.
    """

    size: int
    published: int
    waiting: int
    seconds: float


def lag(session: Session, *, now: datetime | None = None) -> Lag:
    """Measure it now."""
    head = session.execute(select(LogHead.size, LogHead.published_size)).one_or_none()
    size, published = (head.size, head.published_size or 0) if head is not None else (0, 0)
    hidden = or_(LogEntry.index.is_(None), LogEntry.index >= published)
    waiting = session.scalar(select(func.count(LogEntry.number)).where(hidden)) or 0
    oldest = session.scalar(select(func.min(LogEntry.recorded_at)).where(hidden))
    age = ((now or utc_now()) - oldest).total_seconds() if oldest is not None else 0.0
    return Lag(size, published, waiting, max(0.0, age))
