"""Grants: what a creator permits to single pipeline accounts."""

from collections.abc import Mapping
from datetime import UTC, datetime
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.datastructures import FormData
from starlette.responses import Response

from mediamanager.dependencies import CallerDep, ReadingDep, ResourcesDep, unit_of_work
from mediamanager.web import pages, sentences
from mediamanager.web.check import ASKED
from mediamanager.web.creator.new_works import FormDep
from optout.consent.preferences import parse_use
from optout.consent.vocabulary import Use
from optout.errors import ConflictError, InvalidInputError
from optout.registry import grants

router = APIRouter(route_class=pages.PageRoute, include_in_schema=False)


@router.get("/grants")
def list_grants(request: Request, session: ReadingDep, creator: CallerDep, done: str | None = None) -> Response:
    """What was permitted to whom, and a form for more."""
    return _page(request, session, creator, None, {}, done=done)


@router.post("/grants")
def give(request: Request, resources: ResourcesDep, reading: ReadingDep, creator: CallerDep, form: FormDep) -> Response:
    """Permit one use, or several by their common name, of all works to one account."""
    try:
        use = parse_use(str(form.get("use", "")))
        until = _until(str(form.get("until", "")))
        with unit_of_work(resources) as session:
            grants.give(
                session,
                grantor_id=creator.account_id,
                grantee=str(form.get("grantee", "")).strip(),
                uses=[use],
                valid_until=until,
            )
    except (InvalidInputError, ConflictError) as error:
        return _page(request, reading, creator, form, _problem(error, request), done=None)
    return pages.see_other("/grants?done=given")


@router.post("/grants/{grant_id}/revoke")
def revoke(resources: ResourcesDep, creator: CallerDep, grant_id: UUID) -> Response:
    """Take a grant back."""
    with unit_of_work(resources) as session:
        grants.revoke(session, grant_id=grant_id, grantor_id=creator.account_id)
    return pages.see_other("/grants?done=revoked")


def _until(text: str) -> datetime | None:
    """Read a date; the permission ends when it begins, UTC."""
    if not text.strip():
        return None
    try:
        return datetime.fromisoformat(text.strip()).replace(tzinfo=UTC)
    except ValueError:
        raise InvalidInputError("valid_until must be a date", field="valid_until") from None


def _problem(error: InvalidInputError | ConflictError, request: Request) -> Mapping[str, str]:
    gettext = pages.words(request).gettext
    if isinstance(error, ConflictError):
        text = gettext("Only a verified account can permit. Ask the operator to verify that the works are yours.")
        return {"grantee": text}
    told = {
        "grantee": gettext("There is no verified pipeline account with this number. Ask whoever wants it for theirs."),
        "valid_until": gettext("Choose a day that lies in the future, or leave it empty."),
    }
    field = str(error.parameters.get("field", "grantee"))
    known = field if field in told else "grantee"
    return {known: told.get(field, sentences.error(error, pages.words(request)))}


def _page(
    request: Request,
    session: ReadingDep,
    creator: CallerDep,
    form: FormData | None,
    problems: Mapping[str, str],
    *,
    done: str | None,
) -> Response:
    gettext = pages.words(request).gettext
    said = {
        "given": gettext("Permitted. It counts from now on, for this account alone."),
        "revoked": gettext("Taken back. It no longer counts; what was answered before stays answered."),
    }
    context = {
        "rows": [
            (one, grants.grantee_of(session, one), [Use(use) for use in one.uses])
            for one in grants.given(session, grantor_id=creator.account_id)
        ],
        "asked": ASKED,
        "use": Use.TRAIN_AI if form is None else str(form.get("use", Use.TRAIN_AI)),
        "grantee": "" if form is None else str(form.get("grantee", "")),
        "until": "" if form is None else str(form.get("until", "")),
        "problems": problems,
        "done": said.get(done or ""),
    }
    return pages.render(request, "grants.html", context)
