"""The numbered list of changes that live catalogues follow. Numbers are in commit order, so `> last` misses nothing."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from optout.store.models.changes import Change, ChangeHead, ChangeKind

_BLOCK = 10_000


def record(session: Session, kind: ChangeKind, work_id: UUID) -> int:
    """Note a change in the caller's transaction; its number.

    Call it as late as possible: it locks the head row until the commit. That lock is what makes a higher number commit
    later. Numbers drawn from a sequence would not: a slow transaction could commit a number that readers have passed.
    """
    number = session.execute(
        update(ChangeHead).where(ChangeHead.id == 1).values(number=ChangeHead.number + 1).returning(ChangeHead.number)
    ).scalar_one()
    session.add(Change(number=number, kind=kind, subject=work_id))
    session.flush()
    return number


def latest(session: Session) -> int:
    """The number of the newest committed change, 0 before the first."""
    return session.execute(select(ChangeHead.number).where(ChangeHead.id == 1)).scalar_one()


def newer_than(session: Session, number: int, *, kind: ChangeKind | None = None) -> Sequence[Change]:
    """Changes after a number, oldest first."""
    query = select(Change).where(Change.number > number).order_by(Change.number)
    if kind is not None:
        query = query.where(Change.kind == kind)
    return session.scalars(query).all()


def works_changed_since(session: Session, number: int) -> dict[UUID, int]:
    """Works whose fingerprints changed after a number, with the number of the last change of each."""
    query = select(Change.subject, func.max(Change.number)).where(Change.number > number)
    rows = session.execute(query.where(Change.kind == ChangeKind.WORK).group_by(Change.subject))
    return {subject: last for subject, last in rows}  # noqa: C416 - a Row is no tuple to mypy


def works_newer_than(session: Session, number: int) -> Iterator[UUID]:
    """Works whose fingerprints changed after a number, each once, ascending; streamed."""
    query = select(Change.subject).where(Change.number > number, Change.kind == ChangeKind.WORK)
    yield from session.scalars(query.distinct().order_by(Change.subject).execution_options(yield_per=_BLOCK))


def get(session: Session, number: int) -> Change | None:
    """A change by its number."""
    return session.get(Change, number)


def oldest_newer_than(session: Session, number: int) -> datetime | None:
    """When the oldest change after a number was made; None if there is none."""
    return session.scalar(select(func.min(Change.recorded_at)).where(Change.number > number))
