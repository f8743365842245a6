"""A channel or playlist: how far reading it has come, its collection, and a button that stops it."""

from uuid import UUID

from fastapi import APIRouter, Request
from starlette.responses import Response

from mediamanager.dependencies import CallerDep, ReadingDep, ResourcesDep, unit_of_work
from mediamanager.web import pages, sentences
from mediamanager.web.creator import claim_forms
from mediamanager.web.creator.new_works import FormDep
from optout.registry import claim_targets, listing_progress, listings

router = APIRouter(route_class=pages.PageRoute, include_in_schema=False)


@router.get("/listings/{listing_id}")
def show_listing(request: Request, session: ReadingDep, creator: CallerDep, listing_id: UUID) -> Response:
    """One channel or playlist; its progress renews itself."""
    listing = listings.get(session, listing_id=listing_id, account_id=creator.account_id)
    progress = listing_progress.of(session, listing)
    words = pages.words(request)
    claim = None
    if listing.collection_id is not None:
        target = claim_targets.target(creator.account_id, collection_id=listing.collection_id)
        claim = claim_targets.live_claim(session, target)
    failure, delay = listing.failure_code, progress.delay_code
    context = {
        "listing": listing,
        "progress": progress,
        "is_moving": listing.state == "reading" or progress.pending > 0,
        "failure": failure and sentences.failure(failure, listing.failure_sentence or "", words),
        "delayed": delay and sentences.delay(delay, progress.delay_sentence or "", words),
        "most": listings.MOST_VIDEOS,
        **claim_forms.standing(session, claim),
    }
    return pages.render(request, "listing.html", context, block="progress" if pages.is_fragment(request) else None)


@router.post("/listings/{listing_id}")
def change_listing(resources: ResourcesDep, creator: CallerDep, form: FormDep, listing_id: UUID) -> Response:
    """Stop it, or let it go on."""
    act = listings.stop if form.get("stopped") == "yes" else listings.resume
    with unit_of_work(resources) as session:
        act(session, listing_id=listing_id, account_id=creator.account_id)
    return pages.see_other(f"/listings/{listing_id}")
