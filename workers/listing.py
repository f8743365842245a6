"""The job that reads a channel or playlist some pages at a time, and makes a work of each video."""

from datetime import timedelta
from typing import Final
from uuid import UUID

from optout.errors import OptoutError
from optout.registry import listings
from optout.store import jobs, paces
from optout.store.db import reading, transaction
from optout.store.jobs import Lease
from optout.store.models.base import utc_now
from optout.store.models.listings import Listing, ListingState
from workers.errors import FetchFailedError, VideoNotYetError, VideoUnavailableError
from workers.resources import Resources

_PAGES: Final = 8
"""At a time. So a worker's thread is somebody else's soon, and a kill costs one page."""

_STALE: Final = 3
"""After so many failures in a row the place in the list is not trusted any more: it is read from its beginning."""


def run(resources: Resources, lease: Lease) -> None:
    """Read the next pages of a list. After each page what came of it and the next place are committed together.

    Raises:
        FetchFailedError, SandboxUnavailableError, StorageUnavailableError: try again later, from that place on.
    """
    pass_ = _begun(resources, UUID(lease.subject))
    if pass_ is None:
        with transaction(resources.sessions) as session:
            jobs.finish(session, lease)
        return
    try:
        pass_.read(from_start=lease.attempt >= _STALE and lease.attempt % _STALE == 0)
    except VideoUnavailableError as error:
        _give_up(resources, lease, error)
    except FetchFailedError as error:
        if isinstance(error, VideoNotYetError) and error.retry_after is not None:
            with transaction(resources.sessions) as session:
                paces.hold(session, paces.YOUTUBE, utc_now() + error.retry_after)
        if lease.attempt < resources.settings.job_attempts:
            raise
        _give_up(resources, lease, error)
    else:
        _settle(resources, lease, pass_)


def _begun(resources: Resources, listing_id: UUID) -> "_Pass | None":
    """What there is to do; None if nothing is."""
    with reading(resources.sessions) as session:
        listing = session.get(Listing, listing_id)
        if listing is None or listing.state is not ListingState.READING:
            return None
        return _Pass(resources, listing)


class _Pass:
    """Some pages of one list.

    Attributes:
        pages: how many were taken.
        is_over: there is nothing more to read in this pass.
    """

    def __init__(self, resources: Resources, listing: Listing) -> None:
        self.pages = 0
        self.is_over = False
        self._resources = resources
        self._id = listing.id
        self._address = listing.address
        self._position = listing.position
        self._was_read = listing.read_at is not None and listing.kind == "channel"
        self._every = timedelta(seconds=resources.settings.youtube_seconds)

    def read(self, *, from_start: bool) -> None:
        from workers import youtube_list  # noqa: PLC0415 - few jobs need it

        if from_start:
            self._position = None
            with transaction(self._resources.sessions) as session:
                listing = session.get_one(Listing, self._id)
                listing.position, listing.seen = None, 0
        guard = self._resources.guard
        youtube_list.read(self._address, self._position, pages=_PAGES, guard=guard, each=self._take)

    def _take(self, told: object) -> bool:
        from workers.youtube_list import Page, Source  # noqa: PLC0415 - as above

        with transaction(self._resources.sessions) as session:
            listing = session.get(Listing, self._id, with_for_update={"key_share": True}, populate_existing=True)
            if listing is None or listing.state is not ListingState.READING:
                self.is_over = True
                return False
            if isinstance(told, Source):
                listing.expected = told.expected
                listings.name(session, listing, channel=told.channel, title=told.title)
            elif listing.position != self._position:
                return False  # somebody wants it from its beginning: the next pages are read as its row says
            elif isinstance(told, Page):
                self._position = told.following
                new = listings.take(session, listing, told.videos, position=told.following, every=self._every)
                self.pages += 1
                # A channel's list begins with the newest: after a page without a new one all others are known, too.
                self.is_over = told.following is None or listing.is_cut or (self._was_read and new == 0)
        return not self.is_over


def _settle(resources: Resources, lease: Lease, pass_: _Pass) -> None:
    """The pass is over, or goes on after as long as its pages and the videos of others should have had."""
    settings = resources.settings
    with transaction(resources.sessions) as session:
        listing = session.get(Listing, UUID(lease.subject), with_for_update={"key_share": True}, populate_existing=True)
        if pass_.is_over or listing is None or listing.state is not ListingState.READING:
            if jobs.finish(session, lease) and listing is not None and listing.state is ListingState.READING:
                listings.finish(listing, after=timedelta(hours=settings.youtube_list_hours))
            return
        jobs.postpone(session, lease, utc_now() + timedelta(seconds=settings.youtube_seconds * max(1, pass_.pages)))


def _give_up(resources: Resources, lease: Lease, error: OptoutError) -> None:
    with transaction(resources.sessions) as session:
        listing = session.get(Listing, UUID(lease.subject), with_for_update={"key_share": True}, populate_existing=True)
        if jobs.finish(session, lease) and listing is not None and listing.state is ListingState.READING:
            listings.fail(listing, code=error.code, sentence=str(error))
