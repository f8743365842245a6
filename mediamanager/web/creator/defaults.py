"""What a creator says about all their works at once, later ones too."""

from collections.abc import Mapping

from fastapi import APIRouter, Request
from starlette.datastructures import FormData
from starlette.responses import Response

from mediamanager.dependencies import CallerDep, ReadingDep, ResourcesDep, unit_of_work
from mediamanager.web import pages, sentences
from mediamanager.web.creator import choice, claim_forms
from mediamanager.web.creator.new_works import FormDep
from optout.registry import claim_targets, claims

router = APIRouter(route_class=pages.PageRoute, include_in_schema=False)


@router.get("/account/change")
def default_form(request: Request, session: ReadingDep, creator: CallerDep, done: str | None = None) -> Response:
    """Ask what may be done with all works that have no word of their own."""
    return _page(request, session, creator, None, {}, done=done)


@router.post("/account/change")
def change_default(
    request: Request, resources: ResourcesDep, reading: ReadingDep, creator: CallerDep, form: FormDep
) -> Response:
    """File the claim on all works, replace the one that holds, or take it back."""
    if form.get("withdraw"):
        with unit_of_work(resources) as session:
            live = claim_targets.live_claim(session, claim_targets.target(creator.account_id))
            if live is not None:
                claims.withdraw(session, claim_id=live.id, claimant_id=creator.account_id)
        return pages.see_other("/account/change?done=withdrawn")
    try:
        claim_forms.save(request, resources, creator, form)
    except choice.UnusableChoiceError as error:
        return _page(request, reading, creator, form, error.problems, done=None)
    return pages.see_other("/account/change?done=saved")


def _page(
    request: Request,
    session: ReadingDep,
    creator: CallerDep,
    form: FormData | None,
    problems: Mapping[str, str],
    *,
    done: str | None,
) -> Response:
    live = claim_targets.live_claim(session, claim_targets.target(creator.account_id))
    context = {
        **claim_forms.shown(request, session, live, form, problems),
        "done": sentences.done(done, pages.words(request)),
    }
    return pages.render(request, "default.html", context)
