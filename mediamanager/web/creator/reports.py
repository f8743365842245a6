"""Wrong matches: whoever meets one says so, and the owner of the work settles it."""

from http import HTTPStatus
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.responses import Response

from mediamanager.dependencies import CallerDep, ReadingDep, ResourcesDep, unit_of_work
from mediamanager.web import pages
from mediamanager.web.creator.new_works import FormDep
from optout.errors import InvalidInputError
from optout.registry import non_matches
from optout.store.models.non_matches import NonMatchState

router = APIRouter(route_class=pages.PageRoute, include_in_schema=False)


@router.get("/reports")
def list_reports(request: Request, session: ReadingDep, caller: CallerDep, done: str | None = None) -> Response:
    """Reports about one's own works, those that wait first, and those that one made."""
    gettext = pages.words(request).gettext
    said = {
        "told": gettext("Thank you. The owner of the work is asked; until then the match counts."),
        "confirmed": gettext("Remembered: these two are not the same."),
        "refused": gettext("Noted: the match is right, and goes on counting."),
    }
    context = {
        "about": non_matches.about_works_of(session, account_id=caller.account_id),
        "made": non_matches.reported_by(session, account_id=caller.account_id),
        "done": said.get(done or ""),
    }
    return pages.render(request, "reports.html", context)


@router.post("/reports")
def report(request: Request, resources: ResourcesDep, caller: CallerDep, form: FormDep) -> Response:
    """Say that a match is wrong, from the page that showed it."""
    try:
        work, key = UUID(str(form.get("work", ""))), bytes.fromhex(str(form.get("asset_key", "")))
    except ValueError:
        return pages.error_page(request, HTTPStatus.UNPROCESSABLE_ENTITY, None)
    try:
        with unit_of_work(resources) as session:
            found = non_matches.report(session, work_id=work, asset_key=key, reporter_id=caller.account_id)
    except InvalidInputError:
        return pages.error_page(request, HTTPStatus.UNPROCESSABLE_ENTITY, None)
    is_settled = found.state is NonMatchState.CONFIRMED
    return pages.see_other("/reports?done=confirmed" if is_settled else "/reports?done=told")


@router.post("/reports/{report_id}")
def settle(resources: ResourcesDep, owner: CallerDep, form: FormDep, report_id: UUID) -> Response:
    """Agree that a match was wrong, or insist that it is right."""
    confirm = form.get("confirm") == "yes"
    with unit_of_work(resources) as session:
        non_matches.settle(session, non_match_id=report_id, owner_id=owner.account_id, confirm=confirm)
    return pages.see_other("/reports?done=confirmed" if confirm else "/reports?done=refused")
