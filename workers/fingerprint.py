"""The job that turns a registered work into fingerprints: media from storage or from its address, sandbox, record."""

import random
import shutil
import tempfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final
from uuid import UUID

from sqlalchemy.orm import Session

from fingerprinting.errors import FingerprintingError
from fingerprinting.media import Limits
from fingerprinting.types import Modality
from optout.consent import identifiers
from optout.errors import ConflictError, InvalidInputError, NotFoundError, OptoutError, StorageUnavailableError
from optout.registry import texts, works
from optout.store import db, jobs, paces
from optout.store.db import reading, transaction
from optout.store.jobs import Lease
from optout.store.models.base import utc_now
from optout.store.models.jobs import JobKind
from optout.store.models.works import Work, WorkState
from workers import dispatch, page_videos, sandbox, tally, videos
from workers.errors import FetchFailedError, VideoUnavailableError
from workers.fetch import FetchLimits, fetch
from workers.resources import Resources
from workers.videos import Read

_MOST_SPREAD: Final = timedelta(minutes=10)
_LATER: Final = timedelta(hours=1)
_RATE_LIMITED: Final = "youtube-rate-limited"


@dataclass(frozen=True, slots=True)
class Order:
    """What the job needs to know of the work; read once, before anything slow.

    Attributes:
        size_bytes: of an upload.
        wanted: of a video, what of it is to be read.
        wants_sound: where the address is that of a page, the video or sound on it is wanted, and not the page's words.
    """

    work_id: UUID
    media_key: str | None
    size_bytes: int | None
    source_url: str | None
    file_name: str | None
    keep_media: bool
    wanted: frozenset[Modality]
    wants_sound: bool = False

    @classmethod
    def of(cls, work: Work, wanted: Collection[Modality]) -> "Order":
        """What a row says."""
        about = (work.id, work.media_key, work.size_bytes, work.source_url, work.file_name, work.keep_media)
        return cls(*about, frozenset(wanted), work.wants_sound)

    @property
    def video_id(self) -> str | None:
        """The video to read; None for what is no video, and where the kept file of one is all that is needed."""
        if self.source_url is None or (self.media_key is not None and self.wanted <= {Modality.TEXT}):
            return None
        return identifiers.youtube_id(self.source_url)


def run(resources: Resources, lease: Lease) -> None:
    """Fingerprint one work and settle the job. Running it twice is harmless: a finished work is left alone.

    What will never be readable makes the work `failed` with its reason. What may go better next time is raised, and
    after the last attempt an address that was never delivered makes the work `failed`, too: its owner has to act.

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
            _record(resources, lease, order, found)
    except (FingerprintingError, InvalidInputError, NotFoundError, ConflictError) as error:
        _record_failure(resources, lease, order, error)
    except FetchFailedError as error:
        hold_if_told(resources, error)
        if lease.attempt < resources.settings.job_attempts and not isinstance(error, VideoUnavailableError):
            raise
        _record_failure(resources, lease, order, error)


def _order(resources: Resources, work_id: UUID) -> Order | None:
    """What there is to do; None if nothing is."""
    with reading(resources.sessions) as session:
        work = session.get(Work, work_id)
        if work is None or work.state is not WorkState.PENDING:
            return None
        return Order.of(work, {Modality.TEXT, Modality.IMAGE, *([Modality.AUDIO] if work.wants_sound else [])})


def must_wait(resources: Resources, lease: Lease, order: Order) -> bool:
    """Whether others ask YouTube at this moment; then the job is put off, and nothing else is to be done."""
    if order.video_id is None:
        return False
    every = timedelta(seconds=resources.settings.youtube_seconds)
    with transaction(resources.sessions) as session:
        free_at = paces.take(session, paces.YOUTUBE, every)
        if free_at is None:
            return False
        # The longer it waits, the more others wait, too: they spread out instead of coming back all at once.
        age = utc_now() - (lease.promised_at or utc_now())
        spread = max(4 * every, min(age, _MOST_SPREAD))
        jobs.postpone(session, lease, free_at + spread * random.random())  # noqa: S311 - no secret
        return True


def hold_if_told(resources: Resources, error: FetchFailedError) -> None:
    """Have nobody ask YouTube for a while, if it said that it is asked too much."""
    if error.code == _RATE_LIMITED and error.retry_after is not None:
        with transaction(resources.sessions) as session:
            paces.hold(session, paces.YOUTUBE, utc_now() + error.retry_after)


@contextmanager
def read_media(resources: Resources, order: Order) -> Iterator[Read]:
    """Bring a work's media here, whatever it comes from, and fingerprint it; the media goes away with the block.

    Raises:
        StorageUnavailableError: the store did not give it, or not all of it.
        NotFoundError: it is not there any more.
        FetchFailedError, FetchRefusedError, FetchTooLargeError: its address did not give it.
        FingerprintingError, SandboxUnavailableError: as `sandbox.extract` says.
    """
    with tempfile.TemporaryDirectory(prefix="work-") as folder:
        if order.video_id is not None:
            yield videos.read(resources, order.work_id, order.video_id, order.wanted, Path(folder))
            return
        path = Path(folder) / "media"
        name = _bring(resources, order, path)
        if order.wants_sound and order.source_url is not None and page_videos.is_page(path):
            with tally.failures(tally.SANDBOX_FAILURES):
                limits = limits_of(resources)
                read = page_videos.read(order.source_url, Path(folder), guard=resources.guard, limits=limits)
            yield Read(*read)
            return
        with tally.failures(tally.SANDBOX_FAILURES):
            extraction = sandbox.extract(path, name=name, limits=limits_of(resources))
        yield Read(extraction, path)


def _bring(resources: Resources, order: Order, path: Path) -> str | None:
    """Write a work's media to a file; what it is called, a hint for telling kinds of text apart."""
    with path.open("wb") as file:
        if order.media_key is not None:
            with resources.storage.open(order.media_key) as stored:
                shutil.copyfileobj(stored, file)
            if order.size_bytes not in {None, file.tell()}:
                # It would look like another file, and its work would fail for good; a store may be whole next time.
                raise StorageUnavailableError(
                    f"the store gave {file.tell():,} of the {order.size_bytes:,} bytes of a file", key=order.media_key
                )
            return order.file_name
        if order.source_url is not None:
            limits = FetchLimits(max_bytes=resources.settings.max_upload_bytes)
            return fetch(order.source_url, file, guard=resources.guard, limits=limits).name
    raise NotFoundError("the file of this work is not here any more; register it again")


def limits_of(resources: Resources) -> Limits:
    """How much a work's media may be."""
    return Limits(max_bytes=resources.settings.max_upload_bytes)


def _record(resources: Resources, lease: Lease, order: Order, found: Read) -> None:
    """Store the fingerprints and settle the job in one transaction; media to be kept is stored before it."""
    keeps_fetched = order.keep_media and order.media_key is None
    key = works.media_key(order.work_id)
    if keeps_fetched:
        with found.path.open("rb") as file:
            resources.storage.put(key, file)
    if found.later is not None:
        hold_if_told(resources, found.later)
    with transaction(resources.sessions) as session:
        if not jobs.finish(session, lease):
            return  # somebody else runs it by now, and settles it
        work = works.record_fingerprints(session, order.work_id, found.extraction)
        work.title = work.title or texts.told(found.title, max_length=works.MAX_TITLE)
        if keeps_fetched:
            work.media_key = key
        if found.later is not None:
            due_at = utc_now() + (found.later.retry_after or _LATER)
            jobs.enqueue(session, JobKind.REFINGERPRINT_WORK, str(work.id), due_at=due_at)
        afterwards(resources, session, order, work)


def _record_failure(resources: Resources, lease: Lease, order: Order, error: FingerprintingError | OptoutError) -> None:
    with transaction(resources.sessions) as session:
        if jobs.finish(session, lease):
            afterwards(resources, session, order, works.record_failure(session, order.work_id, error))


def afterwards(resources: Resources, session: Session, order: Order, work: Work) -> None:
    """After the commit: media that the work no longer needs goes, and jobs that came of this one are nudged."""
    key = order.media_key
    if key is not None and work.media_key is None:
        # A crash before this leaves a file that no row names; `dispatch.clean` removes those.
        db.after_commit(session, lambda: resources.storage.delete(key))
    db.after_commit(session, lambda: dispatch.nudge(jobs.enqueued(session)))
