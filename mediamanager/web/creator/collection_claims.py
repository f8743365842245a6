"""What a creator says about all works of a collection, later ones too."""

from collections.abc import Mapping
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.datastructures import FormData
from starlette.responses import Response

from mediamanager.dependencies import CallerDep, ReadingDep, ResourcesDep
from mediamanager.web import pages
from mediamanager.web.creator import choice, claim_forms
from mediamanager.web.creator.new_works import FormDep
from optout.registry import claim_targets, collections

router = APIRouter(route_class=pages.PageRoute, include_in_schema=False)


@router.get("/collections/{collection_id}/change")
def change_form(request: Request, session: ReadingDep, creator: CallerDep, collection_id: UUID) -> Response:
    """Ask what may be done with the works of a collection."""
    return _change(request, session, creator, collection_id, None, {})


@router.post("/collections/{collection_id}/change")
def change(
    request: Request,
    resources: ResourcesDep,
    reading: ReadingDep,
    creator: CallerDep,
    form: FormDep,
    collection_id: UUID,
) -> Response:
    """File the claim, or replace the one that holds, in one step."""
    try:
        claim_forms.save(request, resources, creator, form, collection_id=collection_id)
    except choice.UnusableChoiceError as error:
        return _change(request, reading, creator, collection_id, form, error.problems)
    return pages.see_other(f"/collections/{collection_id}?done=saved")


def _change(
    request: Request,
    session: ReadingDep,
    creator: CallerDep,
    collection_id: UUID,
    form: FormData | None,
    problems: Mapping[str, str],
) -> Response:
    collection = collections.get(session, collection_id=collection_id, account_id=creator.account_id)
    claim = claim_targets.live_claim(session, claim_targets.target(creator.account_id, collection_id=collection_id))
    context = {"collection": collection, **claim_forms.shown(request, session, claim, form, problems)}
    return pages.render(request, "collection_change.html", context)
