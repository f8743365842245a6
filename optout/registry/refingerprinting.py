"""Works that newer algorithms do not know yet: found, given to a job, or listed for their owners to bring again.

Fingerprints of older versions stay beside the newer ones: whoever asks by an older version goes on finding the work.
"""

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from fingerprinting.index.registry import is_known
from fingerprinting.index.segment import Index
from fingerprinting.types import Extraction, Fingerprint, Strength
from optout.consent import identifiers
from optout.errors import ConflictError
from optout.registry import works
from optout.store import jobs
from optout.store.models.jobs import Job, JobKind, JobState
from optout.store.models.works import Work, WorkState

PAGE: Final = 500
NOT_KEPT: Final = "media-not-kept"
"""Why an owner is asked, where no job failed: neither the media nor an address of it is here."""

_LIVE: Final = (JobState.WAITING, JobState.RUNNING, JobState.PARKED)


class Way(StrEnum):
    """How a work gets the fingerprints that it lacks."""

    MEDIA = "media"
    ADDRESS = "address"
    UNDER_WAY = "under-way"
    OWNER = "owner"


@dataclass(frozen=True, slots=True)
class Stale:
    """A work that lacks fingerprints of algorithms of today.

    Attributes:
        missing: those algorithms, such as `pdq-256.v2`.
        reason: why its owner has to bring it again: `media-not-kept`, or the code of the error that parked its job;
            None for every other way.
    """

    work: UUID
    account: UUID
    title: str | None
    missing: tuple[str, ...]
    way: Way
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class StalePage:
    """What some works in the order of their ids lack; `next_after` continues, None says that there are no more."""

    stale: Sequence[Stale]
    seen: int
    next_after: UUID | None


def find(session: Session, *, after: UUID | None = None, limit: int = PAGE) -> StalePage:
    """Look through some ready works for what they lack."""
    query = select(Work).where(Work.state == WorkState.READY).order_by(Work.id).limit(limit)
    if after is not None:
        query = query.where(Work.id > after)
    page = session.scalars(query).all()
    lacking = [(work, sorted(works.lacks(work))) for work in page]
    promised = _jobs_of(session, [work.id for work, missing in lacking if missing])
    stale = [_stale(work, missing, promised.get(str(work.id))) for work, missing in lacking if missing]
    return StalePage(stale, len(page), page[-1].id if len(page) == limit else None)


def begin(session: Session, stale: Iterable[Stale], *, due_at: datetime) -> None:
    """Promise a job for each of some works, in the caller's transaction. It begins at `due_at`, or later.

    So that those who register today do not wait behind a whole registry, the caller spreads the works over time.
    """
    for one in stale:
        job = jobs.enqueue(session, JobKind.REFINGERPRINT_WORK, str(one.work))
        job.due_at = max(job.due_at, due_at)


def is_same_content(had: Iterable[Fingerprint], found: Extraction) -> bool:
    """Whether a file still shows what the fingerprints that were stored of it show.

    What lies at an address changes: a page for sale must not come under the claims of what was registered there. The
    same bytes are the same; so is what an algorithm that both were given to calls a match. What can't be compared is
    not the same.
    """
    comparable = [(0, one) for one in had if is_known(one)]
    matches = Index.build(comparable).search([found.fingerprints])
    return any(match.strength in {Strength.EXACT, Strength.MATCH} for match in matches)


def record(session: Session, work_id: UUID, extraction: Extraction) -> Work:
    """Add what was computed anew from a work's media. Running it twice is harmless.

    `media_key` is None afterwards unless the media is to be kept; the caller removes it from storage after the commit.

    Raises:
        ConflictError: the media is not the file that was registered.
        InvalidFingerprintError: a fingerprint is not well-formed.
    """
    work = _locked(session, work_id)
    if work.state is WorkState.READY:
        digests = {one.value for one in extraction.fingerprints if one.algorithm == works.SHA256 and one.version == 1}
        if work.source_url is None and work.identity not in digests:
            raise ConflictError(f"the media of work {work_id} is not the file that was registered", work=str(work_id))
        keys = () if work.source_url is None else identifiers.fingerprints_for(url=work.source_url)
        everything = dataclasses.replace(extraction, fingerprints=(*extraction.fingerprints, *keys))
        works.add_fingerprints(session, work, everything, complete=True)
    return _without_media(work)


def give_up(session: Session, work_id: UUID) -> Work:
    """Leave a work as it is, because its media can't be had or read. Media that was brought for this is not kept."""
    return _without_media(_locked(session, work_id))


def _without_media(work: Work) -> Work:
    if not work.keep_media:
        work.media_key = None
    return work


def _locked(session: Session, work_id: UUID) -> Work:
    return session.get_one(Work, work_id, with_for_update={"key_share": True}, populate_existing=True)


def _jobs_of(session: Session, ids: Sequence[UUID]) -> Mapping[str, Job]:
    """The job that tells most about each of some works: one that will run, else the newest that was parked."""
    mine = select(Job).where(
        Job.kind == JobKind.REFINGERPRINT_WORK, Job.state.in_(_LIVE), Job.subject.in_([str(one) for one in ids])
    )
    found = session.scalars(mine.order_by(Job.created_at)).all()
    ordered = sorted(found, key=lambda job: job.state is not JobState.PARKED)
    return {job.subject: job for job in ordered}


def _stale(work: Work, missing: Sequence[str], job: Job | None) -> Stale:
    way, reason = _way(work, job)
    return Stale(work.id, work.account_id, work.title, tuple(missing), way, reason)


def _way(work: Work, job: Job | None) -> tuple[Way, str | None]:
    if job is not None and job.state is JobState.PARKED:
        return Way.OWNER, job.error_code
    if job is not None:
        return Way.UNDER_WAY, None
    if work.media_key is not None:
        return Way.MEDIA, None
    if work.source_url is not None:
        return Way.ADDRESS, None
    return Way.OWNER, NOT_KEPT
