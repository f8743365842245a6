"""Works whose reading was given up because its job was parked, and what becomes of them when it is replayed."""

from typing import Final
from uuid import UUID

from sqlalchemy.orm import Session

from optout.errors import NotFoundError
from optout.registry import listings, works
from optout.store import jobs
from optout.store.models.jobs import Job, JobKind
from optout.store.models.listings import Listing, ListingState
from optout.store.models.works import Work, WorkState

CODE: Final = "reading-abandoned"
SENTENCE: Final = (
    "We tried several times and could not read this work. The operator of this registry sees why and can try again;"
    " you can also register it once more yourself."
)
"""For the work's owner; why it was is for the operator, and stands in the job."""


def tell_works(session: Session) -> None:
    """Say of every work or list whose job this session parked that it could not be read. Media stays, for a replay."""
    for job in jobs.just_parked(session):
        listing = _listing_of(session, job)
        if listing is not None and listing.state is ListingState.READING:
            listings.fail(listing, code=CODE, sentence=SENTENCE)
        work = _work_of(session, job)
        if work is not None and work.state is WorkState.PENDING:
            work.state, work.failure_code, work.failure_sentence = WorkState.FAILED, CODE, SENTENCE
    session.flush()


def replay(session: Session, job_id: UUID) -> Job:
    """Give a parked job its attempts back; the work that waits for it is being read again.

    Raises:
        NotFoundError: there is no such job.
        ConflictError: it is not parked.
    """
    job = session.get(Job, job_id)
    if job is None:
        raise NotFoundError(f"there is no job {job_id}", job_id=str(job_id))
    # The work is locked before the job, as whoever registers it again does.
    work = _work_of(session, job)
    listing = _listing_of(session, job)
    replayed = jobs.replay(session, job_id)
    if listing is not None and listing.failure_code == CODE:
        listings.become_reading(listing)
    if work is not None and work.failure_code == CODE:
        works.become_pending(work)
    return replayed


def _work_of(session: Session, job: Job) -> Work | None:
    """The work that a job was to read, locked; None for other kinds of jobs, and for works that are gone."""
    if job.kind is not JobKind.FINGERPRINT_WORK:
        return None
    return session.get(Work, UUID(job.subject), with_for_update={"key_share": True}, populate_existing=True)


def _listing_of(session: Session, job: Job) -> Listing | None:
    """The list that a job was to read, locked; None for other kinds of jobs."""
    if job.kind is not JobKind.LIST_VIDEOS:
        return None
    return session.get(Listing, UUID(job.subject), with_for_update={"key_share": True}, populate_existing=True)
