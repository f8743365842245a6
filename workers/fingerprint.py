"""The job that turns a registered work into fingerprints: media from storage or from its address, sandbox, record."""

import random
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final
from uuid import UUID

from sqlalchemy.orm import Session

from fingerprinting.errors import FingerprintingError
from fingerprinting.media import Limits
from fingerprinting.types import Extraction
from optout.consent import identifiers
from optout.errors import ConflictError, InvalidInputError, NotFoundError, OptoutError, StorageUnavailableError
from optout.registry import texts, video_facts, works
from optout.store import db, jobs, paces
from optout.store.db import reading, transaction
from optout.store.jobs import Lease
from optout.store.models.base import utc_now
from optout.store.models.works import Work, WorkState
from workers import dispatch, sandbox, tally
from workers.errors import FetchFailedError, VideoUnavailableError
from workers.fetch import FetchLimits, fetch
from workers.resources import Resources

_MOST_SPREAD: Final = timedelta(minutes=10)
_RATE_LIMITED: Final = "youtube-rate-limited"


@dataclass(frozen=True, slots=True)
class Order:
    """What the job needs to know of the work; read once, before anything slow. `size_bytes` is that of an upload."""

    work_id: UUID
    media_key: str | None
    size_bytes: int | None
    source_url: str | None
    file_name: str | None
    keep_media: bool

    @classmethod
    def of(cls, work: Work) -> "Order":
        """What a row says."""
        return cls(work.id, work.media_key, work.size_bytes, work.source_url, work.file_name, work.keep_media)


@dataclass(frozen=True, slots=True)
class _Media:
    """A work's media as a local file.

    Attributes:
        path: where it lies for the length of the job.
        name: what it is called, a hint for telling kinds of text apart.
        title: what its source calls it, if it does.
    """

    path: Path
    name: str | None
    title: str | None = None


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
        with bring_media(resources, order) as media:
            with tally.failures(tally.SANDBOX_FAILURES):
                extraction = sandbox.extract(media.path, name=media.name, limits=limits_of(resources))
            _record(resources, lease, order, media, extraction)
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
        return Order.of(work)


def must_wait(resources: Resources, lease: Lease, order: Order) -> bool:
    """Whether others ask YouTube at this moment; then the job is put off, and nothing else is to be done."""
    if order.media_key is not None or order.source_url is None or identifiers.youtube_id(order.source_url) is None:
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
def bring_media(resources: Resources, order: Order) -> Iterator[_Media]:
    """Bring a work's media here, whatever it comes from; it goes away with the block.

    What YouTube says about a video is noted, also if the captions can't be had.

    Raises:
        StorageUnavailableError: the store did not give it, or not all of it.
        NotFoundError: it is not there any more.
        FetchFailedError, FetchRefusedError, FetchTooLargeError: its address did not give it.
    """
    with tempfile.TemporaryDirectory(prefix="work-") as folder:
        path = Path(folder) / "media"
        if order.media_key is not None:
            with resources.storage.open(order.media_key) as stored, path.open("wb") as file:
                shutil.copyfileobj(stored, file)
                read = file.tell()
            if order.size_bytes not in {None, read}:
                # It would look like another file, and its work would fail for good; a store may be whole next time.
                raise StorageUnavailableError(
                    f"the store gave {read:,} of the {order.size_bytes:,} bytes of a file", key=order.media_key
                )
            yield _Media(path, order.file_name)
        elif order.source_url is not None:
            yield _from_address(resources, order, order.source_url, path)
        else:
            raise NotFoundError("the file of this work is not here any more; register it again")


def _from_address(resources: Resources, order: Order, url: str, path: Path) -> _Media:
    video_id = identifiers.youtube_id(url)
    if video_id is not None:
        return _from_youtube(resources, order, video_id, path)
    with path.open("wb") as file:
        limits = FetchLimits(max_bytes=resources.settings.max_upload_bytes)
        fetched = fetch(url, file, guard=resources.guard, limits=limits)
    return _Media(path, fetched.name)


def _from_youtube(resources: Resources, order: Order, video_id: str, path: Path) -> _Media:
    from workers import youtube, youtube_trainability  # noqa: PLC0415 - few jobs need them

    guard, key = resources.guard, resources.settings.youtube_api_key
    video = youtube.look(video_id, guard=guard)
    trainability = None if key is None else youtube_trainability.ask(video_id, key=key, guard=guard)
    # Before anything slow: what was said about the channel counts for a video that can't be read, too.
    with transaction(resources.sessions) as session:
        video_facts.note(
            session,
            order.work_id,
            channel=video.channel,
            channel_title=video.channel_title,
            duration_seconds=video.duration_seconds,
            licence=video.licence,
            trainability=trainability,
        )
        db.after_commit(session, lambda: dispatch.nudge(jobs.enqueued(session)))
    path.write_bytes(video.words().data)
    return _Media(path, youtube.JSON3_NAME, video.title)


def limits_of(resources: Resources) -> Limits:
    """How much a work's media may be."""
    return Limits(max_bytes=resources.settings.max_upload_bytes)


def _record(resources: Resources, lease: Lease, order: Order, media: _Media, extraction: Extraction) -> None:
    """Store the fingerprints and settle the job in one transaction; media to be kept is stored before it."""
    keeps_fetched = order.keep_media and order.media_key is None
    key = works.media_key(order.work_id)
    if keeps_fetched:
        with media.path.open("rb") as file:
            resources.storage.put(key, file)
    with transaction(resources.sessions) as session:
        if not jobs.finish(session, lease):
            return  # somebody else runs it by now, and settles it
        work = works.record_fingerprints(session, order.work_id, extraction)
        work.title = work.title or texts.told(media.title, max_length=works.MAX_TITLE)
        if keeps_fetched:
            work.media_key = key
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
