"""The outbox for people and for monitors: pages of jobs, how many there are, how old they are."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from optout.errors import NotFoundError
from optout.store.models.base import utc_now
from optout.store.models.jobs import Job, JobKind, JobState


@dataclass(frozen=True, slots=True)
class JobPage:
    """Some of the jobs that were asked for, newest first, and how many there are in all."""

    jobs: Sequence[Job]
    total: int


@dataclass(frozen=True, slots=True)
class JobAges:
    """How long the oldest has been there, in seconds; 0 where there is none.

    Attributes:
        by_state: since it was promised, of jobs that are not done.
        overdue: since it should have been run, of jobs that nobody runs.
    """

    by_state: Mapping[JobState, float]
    overdue: float


def page(
    session: Session,
    *,
    limit: int,
    offset: int = 0,
    state: JobState | None = None,
    kind: JobKind | None = None,
) -> JobPage:
    """Jobs of a state and of a kind, newest first."""
    wanted = _wanted(state, kind)
    total = session.scalar(select(func.count(Job.id)).where(*wanted)) or 0
    query = select(Job).where(*wanted).order_by(Job.created_at.desc(), Job.id)
    return JobPage(session.scalars(query.limit(limit).offset(offset)).all(), total)


def get(session: Session, job_id: UUID) -> Job:
    """Return the job; NotFoundError if there is none."""
    job = session.get(Job, job_id)
    if job is None:
        raise NotFoundError(f"there is no job {job_id}", job_id=str(job_id))
    return job


def counts(session: Session) -> Mapping[JobState, int]:
    """How many jobs stand in each state."""
    rows = session.execute(select(Job.state, func.count()).group_by(Job.state))
    counted: dict[JobState, int] = {state: count for state, count in rows}  # noqa: C416 - a Row is no tuple to mypy
    return {state: counted.get(state, 0) for state in JobState}


def ages(session: Session, *, now: datetime | None = None) -> JobAges:
    """How old the oldest jobs are: what an alarm should look at."""
    now = now or utc_now()
    rows = session.execute(
        select(Job.state, func.min(Job.created_at)).where(Job.state != JobState.DONE).group_by(Job.state)
    )
    oldest: dict[JobState, datetime] = {state: since for state, since in rows}  # noqa: C416 - as above
    waiting = session.scalar(select(func.min(Job.due_at)).where(Job.state == JobState.WAITING, Job.due_at <= now))
    expired = session.scalar(
        select(func.min(Job.lease_until)).where(Job.state == JobState.RUNNING, Job.lease_until <= now)
    )
    states = (state for state in JobState if state is not JobState.DONE)
    return JobAges(
        {state: _seconds(oldest.get(state), now) for state in states},
        max(_seconds(waiting, now), _seconds(expired, now)),
    )


def _wanted(state: JobState | None, kind: JobKind | None) -> list[ColumnElement[bool]]:
    wanted = [] if state is None else [Job.state == state]
    return wanted if kind is None else [*wanted, Job.kind == kind]


def _seconds(since: datetime | None, now: datetime) -> float:
    return max(0.0, (now - since).total_seconds()) if since is not None else 0.0
