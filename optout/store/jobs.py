"""The outbox: enqueue in the caller's transaction, lease, finish, fail with back-off, park, find what was lost.

A worker leases a row before it works and settles it afterwards, in a transaction with the effects. Nothing else is
needed for "at least once"; a broker only makes it quick. A lease that ran out belongs to whoever takes it next, and a
late settlement by the one who lost it changes nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, and_, delete, func, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from optout.errors import ConflictError, NotFoundError
from optout.store import tracing
from optout.store.models.base import utc_now
from optout.store.models.jobs import Job, JobKind, JobState
from optout.store.settings import Settings

LONGEST_BACKOFF = timedelta(hours=1)
_MAX_SENTENCE = 1000
_ENQUEUED = "enqueued_jobs"
_PARKED = "parked_jobs"


@dataclass(frozen=True, slots=True)
class Retries:
    """How often a job is tried, how long a lease holds, how long to wait before the second attempt."""

    attempts: int = 8
    lease: timedelta = timedelta(minutes=10)
    first_backoff: timedelta = timedelta(seconds=2)

    @classmethod
    def of(cls, settings: Settings) -> "Retries":
        """As the settings say."""
        return cls(
            attempts=settings.job_attempts,
            lease=timedelta(seconds=settings.job_lease_seconds),
            first_backoff=timedelta(seconds=settings.job_backoff_seconds),
        )

    def backoff(self, attempts: int) -> timedelta:
        """The wait after so many failed attempts: doubling, bounded."""
        return min(self.first_backoff * (1 << min(attempts - 1, 20)), LONGEST_BACKOFF)


RETRIES = Retries()


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to run a job until `until`. `attempt` is its fencing number, `request_id` says for whom it is done."""

    job_id: UUID
    kind: JobKind
    subject: str
    attempt: int
    until: datetime
    request_id: str | None = None
    promised_at: datetime | None = None


def enqueue(session: Session, kind: JobKind, subject: str = "", *, due_at: datetime | None = None) -> Job:
    """Promise a job in the caller's transaction, due at once if not said otherwise.

    One that waits already for the same subject is taken instead.
    That one is locked until the caller commits, so that nobody can run it before what it is about is there.
    `enqueued` lists what a session promised.
    """
    while True:
        waiting = session.scalars(
            select(Job)
            .where(Job.kind == kind, Job.subject == subject, Job.state == JobState.WAITING)
            .with_for_update()
            .execution_options(populate_existing=True)
        ).one_or_none()
        if waiting is not None:
            waiting.due_at = min(waiting.due_at, due_at or utc_now())
            return _note(session, waiting)
        job = Job(kind=kind, subject=subject, request_id=tracing.current(), due_at=due_at or utc_now())
        try:
            with session.begin_nested():
                session.add(job)
        except IntegrityError:
            continue  # another transaction promised the same meanwhile: take that one
        return _note(session, job)


def enqueued(session: Session) -> tuple[UUID, ...]:
    """The jobs that this session promised so far, for a wake-up call after the commit."""
    noted: list[UUID] = session.info.get(_ENQUEUED, [])
    return tuple(dict.fromkeys(noted))


def claim_due(
    session: Session, job_id: UUID, *, retries: Retries = RETRIES, now: datetime | None = None
) -> Lease | None:
    """Lease a job that waits and is due, or whose lease ran out. None: done, parked, not due, or somebody else's.

    A job whose worker died at each attempt (it was never settled) is parked here: see `just_parked`.
    """
    now = now or utc_now()
    job = session.scalars(
        select(Job)
        .where(Job.id == job_id, _is_due(now))
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    ).one_or_none()
    if job is None:
        return None
    if job.attempts >= retries.attempts:
        job.error_code = job.error_code or "worker-lost"
        job.error_sentence = job.error_sentence or "the worker stopped in the middle of each attempt"
        _park(session, job, now)
        return None
    job.state = JobState.RUNNING
    job.attempts += 1
    job.lease_until = now + retries.lease
    session.flush()
    return Lease(job.id, job.kind, job.subject, job.attempts, job.lease_until, job.request_id, job.created_at)


def extend(session: Session, lease: Lease, *, retries: Retries = RETRIES, now: datetime | None = None) -> bool:
    """Heartbeat of a long job. False: the lease was lost, stop working."""
    job = _held(session, lease)
    if job is None:
        return False
    job.lease_until = (now or utc_now()) + retries.lease
    return True


def finish(session: Session, lease: Lease, *, now: datetime | None = None) -> bool:
    """The job is done. False: the lease was lost meanwhile, somebody else settles the job."""
    job = _held(session, lease)
    if job is None:
        return False
    job.state, job.lease_until, job.finished_at = JobState.DONE, None, now or utc_now()
    job.error_code = job.error_sentence = None
    return True


def fail(
    session: Session,
    lease: Lease,
    *,
    code: str,
    sentence: str,
    retries: Retries = RETRIES,
    after: timedelta | None = None,
    now: datetime | None = None,
) -> JobState | None:
    """An attempt failed: wait and try again, or park after the last one. The new state; None: the lease was lost.

    `after` is the wait after the first attempt instead of the back-off: twice as long after the second one, and so on.
    Where another job waits for the same subject already, that one is the next attempt, and this one is DONE.
    """
    now = now or utc_now()
    job = _held(session, lease)
    if job is None:
        return None
    job.error_code, job.error_sentence, job.lease_until = code, sentence[:_MAX_SENTENCE], None
    if job.attempts >= retries.attempts:
        _park(session, job, now)
        return JobState.PARKED
    return _wait(session, job, now + (retries.backoff(job.attempts) if after is None else after * job.attempts))


def release(session: Session, lease: Lease, *, now: datetime | None = None) -> bool:
    """Give a job back unfinished, for whoever is next, at once. False: the lease was lost before.

    The attempt counts: a job that outlasts every worker's patience is parked in the end instead of going round.
    """
    job = _held(session, lease)
    if job is None:
        return False
    job.lease_until = None
    _wait(session, job, now or utc_now())
    return True


def postpone(session: Session, lease: Lease, due_at: datetime) -> bool:
    """Give a job back that could not begin, or that goes on later: the attempt does not count. False: as `release`."""
    job = _held(session, lease)
    if job is None:
        return False
    job.lease_until = job.error_code = job.error_sentence = None
    job.attempts -= 1
    _wait(session, job, due_at)
    return True


def release_leases(session: Session, *, now: datetime | None = None) -> None:
    """End every lease now. Only for a set-up with one worker, when that one starts: nobody else can hold any."""
    session.execute(update(Job).where(Job.state == JobState.RUNNING).values(lease_until=now or utc_now()))


def due(session: Session, *, limit: int = 100, now: datetime | None = None) -> Sequence[UUID]:
    """Jobs that somebody should run now: waiting and due, or given up by their worker. Oldest first."""
    query = select(Job.id).where(_is_due(now or utc_now())).order_by(Job.due_at).limit(limit)
    return session.scalars(query).all()


def untried(session: Session, kind: JobKind) -> int:
    """How many jobs of a kind wait for their first attempt."""
    waiting = (Job.kind == kind, Job.state == JobState.WAITING, Job.attempts == 0)
    return session.scalar(select(func.count()).select_from(Job).where(*waiting)) or 0


def just_parked(session: Session) -> Sequence[Job]:
    """The jobs that this session itself parked so far."""
    found: list[Job] = session.info.get(_PARKED, [])
    return tuple(found)


def parked(session: Session) -> Sequence[Job]:
    """Jobs that wait for a person, newest first."""
    return session.scalars(select(Job).where(Job.state == JobState.PARKED).order_by(Job.finished_at.desc())).all()


def replay(session: Session, job_id: UUID, *, now: datetime | None = None) -> Job:
    """Give a parked job its attempts back.

    Raises:
        NotFoundError: there is no such job.
        ConflictError: it is not parked.
    """
    job = session.get(Job, job_id, with_for_update=True, populate_existing=True)
    if job is None:
        raise NotFoundError(f"there is no job {job_id}", job_id=str(job_id))
    if job.state is not JobState.PARKED:
        raise ConflictError(f"job {job_id} is {job.state}, only a parked job is replayed", job_id=str(job_id))
    job.attempts, job.finished_at = 0, None
    _wait(session, job, now or utc_now())
    return job


def forget_parked(session: Session, kind: JobKind, subject: str) -> None:
    """Forget parked jobs of a subject: what they could not do is done, or begun anew, by another one."""
    session.execute(delete(Job).where(Job.kind == kind, Job.subject == subject, Job.state == JobState.PARKED))


def remove_done(session: Session, *, before: datetime) -> None:
    """Forget jobs that were done before a moment. Parked ones stay."""
    session.execute(delete(Job).where(Job.state == JobState.DONE, Job.finished_at < before))


def _note(session: Session, job: Job) -> Job:
    session.info.setdefault(_ENQUEUED, []).append(job.id)
    return job


def _is_due(now: datetime) -> ColumnElement[bool]:
    return or_(
        and_(Job.state == JobState.WAITING, Job.due_at <= now),
        and_(Job.state == JobState.RUNNING, Job.lease_until <= now),
    )


def _held(session: Session, lease: Lease) -> Job | None:
    query = select(Job).where(Job.id == lease.job_id, Job.state == JobState.RUNNING, Job.attempts == lease.attempt)
    return session.scalars(query.with_for_update().execution_options(populate_existing=True)).one_or_none()


def _park(session: Session, job: Job, now: datetime) -> None:
    job.state, job.lease_until, job.finished_at = JobState.PARKED, None, now
    session.info.setdefault(_PARKED, []).append(job)


def _wait(session: Session, job: Job, due_at: datetime) -> JobState:
    try:
        with session.begin_nested():
            job.state, job.due_at = JobState.WAITING, due_at
    except IntegrityError:
        job.state, job.finished_at = JobState.DONE, due_at
    return job.state
