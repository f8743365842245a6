"""How far a channel or playlist has come: works that are not read yet, and why its next page is late."""

from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from optout.registry import delays
from optout.registry.collection_members import is_member
from optout.store.models.collections import CollectionWork
from optout.store.models.jobs import Job, JobKind, JobState
from optout.store.models.listings import Listing, ListingState
from optout.store.models.works import Work, WorkState


@dataclass(frozen=True, slots=True)
class Progress:
    """Beside what the list itself says.

    Attributes:
        pending: works in its collection that are not read yet.
        failed: those that can't be read.
        delay_code: why its next page is not read yet though that was tried; None if all is well.
        delay_sentence: the same, for its owner.
    """

    pending: int
    failed: int
    delay_code: str | None = None
    delay_sentence: str | None = None


def of(session: Session, listing: Listing) -> Progress:
    """The progress of one list."""
    counts: dict[WorkState, int] = {}
    if listing.collection_id is not None:
        states = select(Work.state, func.count()).join(CollectionWork, CollectionWork.work_id == Work.id)
        states = states.where(CollectionWork.collection_id == listing.collection_id, is_member())
        counts = dict(session.execute(states.group_by(Work.state)).all())
    pending, failed = counts.get(WorkState.PENDING, 0), counts.get(WorkState.FAILED, 0)
    if listing.state is not ListingState.READING:
        return Progress(pending, failed)
    job = session.scalars(
        select(Job).where(
            Job.kind == JobKind.LIST_VIDEOS,
            Job.subject == str(listing.id),
            Job.state.in_((JobState.WAITING, JobState.RUNNING)),
            Job.error_code.is_not(None),
        )
    ).first()
    if job is None:
        return Progress(pending, failed)
    delay = delays.of_job(job)
    return Progress(pending, failed, delay.code, delay.sentence)
