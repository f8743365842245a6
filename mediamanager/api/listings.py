"""Channels and playlists: registered by one link, followed, stopped."""

from typing import Final
from uuid import UUID

from fastapi import APIRouter, Response
from sqlalchemy.orm import Session

from mediamanager import problems
from mediamanager.api.once import OnceDep
from mediamanager.api.routes import ApiRoute
from mediamanager.dependencies import CallerDep, ReadingDep, SessionDep
from mediamanager.schemas.listings import (
    ListingChange,
    ListingKind,
    ListingList,
    ListingRequest,
    ListingResponse,
    ListingState,
)
from mediamanager.schemas.works import WorkFailure
from optout.registry import listing_progress, listings
from optout.store.models.listings import Listing

router = APIRouter(prefix="/v1/listings", tags=["listings"], route_class=ApiRoute)

_WRITES: Final = problems.documented(400, 401, 403, 404, 409, 413, 415, 422, 503)
_READS: Final = problems.documented(401, 403, 404, 422, 503)


@router.post("", status_code=202, responses=_WRITES)
def register_listing(
    body: ListingRequest, session: SessionDep, creator: CallerDep, response: Response, _once: OnceDep
) -> ListingResponse:
    """Register a channel or playlist of YouTube by its link. Each of its videos becomes a work of yours."""
    registered = listings.register(
        session,
        account_id=creator.account_id,
        url=str(body.url),
        preferences=body.preferences or None,
        follow=body.follow,
        wants_sound=body.sound,
    )
    response.headers["Location"] = f"/v1/listings/{registered.listing.id}"
    return _respond(session, registered.listing)


@router.get("", responses=_READS)
def list_listings(session: ReadingDep, creator: CallerDep) -> ListingList:
    """Your channels and playlists, oldest first."""
    found = listings.list_listings(session, account_id=creator.account_id)
    return ListingList(listings=[_respond(session, one) for one in found])


@router.get("/{listing_id}", responses=_READS)
def read_listing(listing_id: UUID, session: ReadingDep, creator: CallerDep) -> ListingResponse:
    """How one of your channels or playlists stands."""
    return _respond(session, listings.get(session, listing_id=listing_id, account_id=creator.account_id))


@router.patch("/{listing_id}", responses=_WRITES)
def change_listing(listing_id: UUID, body: ListingChange, session: SessionDep, creator: CallerDep) -> ListingResponse:
    """Stop reading it, or go on where it was stopped or failed."""
    act = listings.stop if body.stopped else listings.resume
    return _respond(session, act(session, listing_id=listing_id, account_id=creator.account_id))


def _respond(session: Session, listing: Listing) -> ListingResponse:
    progress = listing_progress.of(session, listing)
    return ListingResponse(
        id=listing.id,
        kind=ListingKind(listing.kind),
        url=listing.address,
        title=listing.title,
        state=ListingState(listing.state),
        follow=listing.follow,
        sound=listing.wants_sound,
        collection=listing.collection_id,
        seen=listing.seen,
        expected=listing.expected,
        registered=listing.made,
        pending=progress.pending,
        cut=listings.CUT if listing.is_cut else None,
        failure=_failure(listing.failure_code, listing.failure_sentence),
        delay=_failure(progress.delay_code, progress.delay_sentence),
        registered_at=listing.registered_at,
        read_at=listing.read_at,
        next_at=listing.next_at,
        status_url=f"/v1/listings/{listing.id}",
    )


def _failure(code: str | None, sentence: str | None) -> WorkFailure | None:
    return None if code is None or sentence is None else WorkFailure(code=code, sentence=sentence)
