"""Why a pending work is not read yet though that was tried, and when it is tried again; for its owner."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from optout.store.models.base import utc_now
from optout.store.models.jobs import Job, JobKind, JobState
from optout.store.models.works import Work, WorkState

OURS: Final = "reading-delayed"
OURS_SENTENCE: Final = "Something on our side kept us from reading this work."
"""Where its owner can do nothing about it; what it was is for the operator, and stands in the job."""

_OF_THE_ADDRESS: Final = "fetch-failed"
_OF_YOUTUBE: Final = "youtube-"
"""How the codes of all states of a video begin."""


@dataclass(frozen=True, slots=True)
class Delay:
    """What went wrong at the last attempt.

    Attributes:
        code: stable; programs and translations key on it.
        sentence: what it was and what the owner can do.
        next_attempt_at: None from the moment on at which it is due.
    """

    code: str
    sentence: str
    next_attempt_at: datetime | None


def of_works(session: Session, found: Sequence[Work]) -> Mapping[UUID, Delay]:
    """The delays of those works that are pending and were tried in vain, by work."""
    pending = [str(work.id) for work in found if work.state is WorkState.PENDING]
    if not pending:
        return {}
    waiting = select(Job).where(
        Job.kind == JobKind.FINGERPRINT_WORK,
        Job.subject.in_(pending),
        Job.state.in_((JobState.WAITING, JobState.RUNNING)),
        Job.error_code.is_not(None),
    )
    return {UUID(job.subject): of_job(job) for job in session.scalars(waiting)}


def of_job(job: Job) -> Delay:
    """What a job that failed at least once says to the owner of what it is about."""
    at = job.due_at if job.state is JobState.WAITING and job.due_at > utc_now() else None
    code = job.error_code or ""
    if (code == _OF_THE_ADDRESS or code.startswith(_OF_YOUTUBE)) and job.error_sentence:
        return Delay(code, job.error_sentence, at)
    return Delay(OURS, OURS_SENTENCE, at)
