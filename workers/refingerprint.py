"""The job that gives a ready work the fingerprints of newer algorithms, as long as its media still shows the work."""

from collections.abc import Collection
from uuid import UUID

from fingerprinting.errors import FingerprintingError
from fingerprinting.index import coverage
from fingerprinting.types import Extraction, Modality
from optout.consent import identifiers
from optout.errors import ConflictError, InvalidInputError, NotFoundError, OptoutError
from optout.registry import fingerprints, refingerprinting, works
from optout.store import jobs
from optout.store.db import reading, transaction
from optout.store.jobs import Lease, Retries
from optout.store.models.works import Work
from workers.errors import ContentChangedError, VideoUnavailableError
from workers.fingerprint import Order, afterwards, must_wait, read_media
from workers.resources import Resources


def run(resources: Resources, lease: Lease) -> None:
    """Fingerprint one work anew and settle the job. The work stays ready, and what it has stays, however this ends.

    What will never go better (the media is gone, or shows something else by now) parks the job with the reason at once:
    `mediamanager reindex` lists the work for its owner. What may go better next time is raised.

    Raises:
        FetchFailedError, SandboxUnavailableError, StorageUnavailableError: try again later.
    """
    order = _order(resources, UUID(lease.subject))
    if order is None:
        with transaction(resources.sessions) as session:
            jobs.finish(session, lease)
        return
    if must_wait(resources, lease, order):
        return
    try:
        with read_media(resources, order) as found:
            _check(resources, order, found.extraction)
            _record(resources, lease, order, found.extraction)
    except (FingerprintingError, InvalidInputError, NotFoundError, ConflictError, VideoUnavailableError) as error:
        _give_up(resources, lease, order, error)


def _order(resources: Resources, work_id: UUID) -> Order | None:
    """What there is to do; None if nothing is."""
    with reading(resources.sessions) as session:
        work = session.get(Work, work_id)
        lacking = frozenset[str]() if work is None else works.lacks(work)
        if work is None or not lacking:
            return None
        return Order.of(work, _wanted(work, lacking))


def _wanted(work: Work, lacking: Collection[str]) -> set[Modality]:
    """What of a video has to be read for what it lacks."""
    needed = {each for each in coverage.modalities(lacking) if each is not None} or {work.modality or Modality.TEXT}
    return {Modality.AUDIO if each is Modality.VIDEO else each for each in needed}


def _check(resources: Resources, order: Order, extraction: Extraction) -> None:
    if order.source_url is None or identifiers.youtube_id(order.source_url) is not None:
        return  # a file is checked by its digest, where it is recorded; the id of a video never names another one
    with reading(resources.sessions) as session:
        had = [one for _work, one in fingerprints.of_works(session, [order.work_id])]
    if not refingerprinting.is_same_content(had, extraction):
        raise ContentChangedError(
            "what lies at the address is not what was registered: its owner has to register it again", field="url"
        )


def _record(resources: Resources, lease: Lease, order: Order, extraction: Extraction) -> None:
    with transaction(resources.sessions) as session:
        if jobs.finish(session, lease):
            afterwards(resources, session, order, refingerprinting.record(session, order.work_id, extraction))


def _give_up(resources: Resources, lease: Lease, order: Order, error: FingerprintingError | OptoutError) -> None:
    last = Retries(attempts=lease.attempt)  # trying again would end the same way
    with transaction(resources.sessions) as session:
        if jobs.fail(session, lease, code=error.code, sentence=str(error), retries=last) is not None:
            afterwards(resources, session, order, refingerprinting.give_up(session, order.work_id))
