"""Channels and playlists: registered by one link, read page by page, each video a work in the list's collection."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from optout.consent import youtube_links
from optout.consent.vocabulary import Preference, Use
from optout.errors import ConflictError, InvalidInputError, NotFoundError
from optout.registry import claims, collection_members, collections, owned, texts, works
from optout.store import jobs
from optout.store.models.base import utc_now
from optout.store.models.collections import Collection, CollectionKind, CollectionWork
from optout.store.models.jobs import JobKind
from optout.store.models.listings import Listing, ListingKind, ListingState
from optout.store.models.works import Work

MOST_VIDEOS: Final = 20_000
"""Of one list: YouTube shows no more of the uploads of a channel."""
CUT: Final = (
    f"This list has more than {MOST_VIDEOS:,} videos: the first {MOST_VIDEOS:,} are registered. Register the others by"
    " playlists that hold them, or by their own links."
)

_MAX_SENTENCE: Final = 1000
_BATCH: Final = 500


@dataclass(frozen=True, slots=True)
class Video:
    """A line of a list. `channel` is the id of the one that the video is on, if the list says it."""

    id: str
    title: str | None = None
    channel: str | None = None


@dataclass(frozen=True, slots=True)
class Registered:
    """What came of a registration; `created` is False where the account has the list already."""

    listing: Listing
    created: bool


def register(
    session: Session,
    *,
    account_id: UUID,
    url: str,
    preferences: Mapping[Use, Preference] | None = None,
    follow: bool = True,
    wants_sound: bool = False,
) -> Registered:
    """Register a channel or playlist by a link. A worker reads it, and comes back for new videos if told to `follow`.

    What is said with it counts for all its videos as soon as it is known which channel it is: at once for a link with
    its id. The same account and list give the same row; one that failed or was stopped begins again, and so does one
    of whose videos the sound is wanted only now.

    Raises:
        InvalidInputError: this leads to no channel or playlist.
    """
    source = youtube_links.source_of(url)
    if source is None:
        raise InvalidInputError(
            "this is no link to a channel or playlist of YouTube: copy it from the channel's page, like"
            " https://www.youtube.com/@name",
            field="url",
        )
    collection_members.hold(session, account_id)
    mine = select(Listing).where(Listing.account_id == account_id, Listing.address == source.address)
    listing = session.scalars(mine.with_for_update(key_share=True)).one_or_none()
    created = begins = listing is None
    if listing is None:
        listing = Listing(account_id=account_id, kind=ListingKind(source.kind), address=source.address)
        session.add(listing)
    listing.follow, listing.preferences = follow, preferences or listing.preferences
    if wants_sound and not listing.wants_sound:
        # All of it has to be gone through again: videos that were read lack something now.
        listing.wants_sound, listing.read_at, listing.position, listing.seen = True, None, None, 0
        begins = begins or listing.state is ListingState.DONE
    session.flush()
    if begins or listing.state in {ListingState.FAILED, ListingState.STOPPED}:
        _begin(session, listing)
    if source.channel is not None and listing.collection_id is None:
        name(session, listing, channel=source.channel, title=None)
    elif preferences and listing.collection_id is not None:
        _say(session, listing)
    return Registered(listing, created)


def get(session: Session, *, listing_id: UUID, account_id: UUID, lock: bool = False) -> Listing:
    """An account's own list.

    Raises:
        NotFoundError: there is none, or it is somebody else's.
    """
    query = select(Listing).where(Listing.id == listing_id, Listing.account_id == account_id)
    return owned.get(session, query, "list", listing_id, lock=lock)


def list_listings(session: Session, *, account_id: UUID) -> Sequence[Listing]:
    """An account's channels and playlists, oldest first."""
    query = select(Listing).where(Listing.account_id == account_id)
    return session.scalars(query.order_by(Listing.registered_at, Listing.id)).all()


def of_collection(session: Session, collection_id: UUID) -> Sequence[Listing]:
    """The lists whose videos go into a collection."""
    return session.scalars(select(Listing).where(Listing.collection_id == collection_id)).all()


def stop(session: Session, *, listing_id: UUID, account_id: UUID) -> Listing:
    """Read nothing more of a list, now or later. Works that came of it stay, and are read."""
    listing = get(session, listing_id=listing_id, account_id=account_id, lock=True)
    listing.state, listing.next_at = ListingState.STOPPED, None
    listing.failure_code = listing.failure_sentence = None
    return listing


def resume(session: Session, *, listing_id: UUID, account_id: UUID) -> Listing:
    """Go on where a list was stopped or failed, and follow it; one that goes on already is left alone."""
    listing = get(session, listing_id=listing_id, account_id=account_id, lock=True)
    listing.follow = True
    if listing.state is not ListingState.READING:
        _begin(session, listing)
    return listing


def wake(session: Session, *, now: datetime | None = None) -> int:
    """Begin the next pass of every list whose time has come; how many."""
    moment = now or utc_now()
    query = select(Listing).where(Listing.next_at <= moment).order_by(Listing.next_at).limit(_BATCH)
    found = session.scalars(query.with_for_update(skip_locked=True)).all()
    for listing in found:
        listing.position, listing.seen, listing.is_cut = None, 0, False
        _begin(session, listing)
    return len(found)


def name(session: Session, listing: Listing, *, channel: str | None, title: str | None) -> None:
    """Say which channel or playlist it is: from now on it has a collection, and what its owner said holds for that.

    Raises:
        ConflictError: the account has too many collections.
    """
    listing.title = texts.told(title, max_length=works.MAX_TITLE) or listing.title
    if listing.collection_id is not None:
        return
    if listing.kind is ListingKind.CHANNEL:
        if channel is None:
            return
        kind, called = CollectionKind.CHANNEL, channel
    else:
        kind, called = CollectionKind.ALBUM, listing.title or listing.address
    listing.collection_id = _collection(session, listing.account_id, kind, called)
    session.flush()
    _say(session, listing)


def take(session: Session, listing: Listing, videos: Iterable[Video], *, position: str | None, every: timedelta) -> int:
    """Make a work of each video of a page that is none yet, and note where the next page is; how many were new.

    Their captions are read one after another: the first now, each further one `every` later. Running it twice with the
    same page is harmless.

    Args:
        session: the caller's transaction; nobody else has the list in hand.
        listing: it has its collection.
        videos: in the order of the list.
        position: what YouTube calls the next page; None: this was the last one.
        every: from one video to the next.
    """
    if listing.collection_id is None:
        raise NotFoundError(f"list {listing.id} has no collection yet", list=str(listing.id))
    collection = collections.get(session, collection_id=listing.collection_id, account_id=listing.account_id, lock=True)
    wanted = list(videos)[: max(0, MOST_VIDEOS - listing.seen)]
    # Lists of several people queue up behind one another.
    begin = utc_now() + jobs.untried(session, JobKind.FINGERPRINT_WORK) * every
    found: list[Work] = []
    new = waiting = 0
    for video in wanted:
        registered = works.register_url(
            session,
            account_id=listing.account_id,
            url=f"https://www.youtube.com/watch?v={video.id}",
            title=texts.told(video.title, max_length=works.MAX_TITLE),
            wants_sound=listing.wants_sound,
            due_at=begin + waiting * every,
        )
        new += registered.created
        waiting += registered.created or listing.wants_sound
        found.append(registered.work)
        if registered.work.channel is None:
            registered.work.channel = video.channel
    session.flush()
    _join(session, collection, [work.id for work in found])
    listing.seen += len(wanted)
    listing.made += new
    listing.position = position
    listing.is_cut = listing.is_cut or (position is not None and listing.seen >= MOST_VIDEOS)
    return new


def finish(listing: Listing, *, after: timedelta) -> None:
    """The pass came to its end; the next one begins `after`, if the list is followed."""
    now = utc_now()
    listing.state, listing.read_at, listing.position = ListingState.DONE, now, None
    listing.next_at = now + after if listing.follow else None


def fail(listing: Listing, *, code: str, sentence: str) -> None:
    """It can't be read; what was read of it stays."""
    listing.state, listing.next_at = ListingState.FAILED, None
    listing.failure_code, listing.failure_sentence = code, sentence[:_MAX_SENTENCE]


def become_reading(listing: Listing) -> None:
    """It is read on: its caller promises the job."""
    listing.state, listing.next_at = ListingState.READING, None
    listing.failure_code = listing.failure_sentence = None


def _begin(session: Session, listing: Listing) -> None:
    become_reading(listing)
    session.flush()
    jobs.forget_parked(session, JobKind.LIST_VIDEOS, str(listing.id))
    jobs.enqueue(session, JobKind.LIST_VIDEOS, str(listing.id))


def _say(session: Session, listing: Listing) -> None:
    """What was said with the link is said about the collection, once."""
    if listing.preferences:
        claims.say(
            session,
            claimant_id=listing.account_id,
            collection_id=listing.collection_id,
            preferences=listing.preferences,
        )
        listing.preferences = None


def _collection(session: Session, account_id: UUID, kind: CollectionKind, called: str) -> UUID:
    try:
        return collections.create(session, account_id=account_id, kind=kind, name=called).id
    except ConflictError as error:
        if "collection" not in error.parameters:
            raise
        return UUID(str(error.parameters["collection"]))


def _join(session: Session, collection: Collection, work_ids: Sequence[UUID]) -> None:
    """Put works into the collection that never were in it: what its owner took out stays out."""
    were = select(CollectionWork.work_id).where(CollectionWork.collection_id == collection.id)
    known = set(session.scalars(were.where(CollectionWork.work_id.in_(work_ids))))
    new = [work for work in dict.fromkeys(work_ids) if work not in known]
    if new:
        collection_members.add(session, collection, new)
