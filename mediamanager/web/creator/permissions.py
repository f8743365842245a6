"""Grants: what a creator permits to single pipeline accounts."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request
from sqlalchemy.orm import Session
from starlette.datastructures import ImmutableMultiDict
from starlette.responses import Response

from mediamanager.dependencies import CallerDep, ReadingDep, ResourcesDep, unit_of_work
from mediamanager.web import pages, sentences
from mediamanager.web.check import ASKED
from mediamanager.web.creator import permitted_works
from mediamanager.web.creator.new_works import FormDep
from optout.consent.preferences import parse_use
from optout.consent.vocabulary import Use
from optout.errors import ConflictError, InvalidInputError
from optout.registry import grants
from optout.registry.accounts import Principal

router = APIRouter(route_class=pages.PageRoute, include_in_schema=False)


@router.get("/grants")
def list_grants(
    request: Request,
    session: ReadingDep,
    creator: CallerDep,
    done: str | None = None,
    collection: UUID | None = None,  # noqa: ARG001 - read with the other fields; here it has to be an id
    work: Annotated[list[UUID], Query(max_length=1000)] = [],  # noqa: ARG001, B006 - as above; FastAPI copies defaults
) -> Response:
    """What was permitted to whom, and a form for more; an address can say how it is filled in."""
    sent = request.query_params
    problems = permitted_works.too_many(sent, pages.words(request))
    return _page(request, session, creator, sent, problems, done=done)


@router.post("/grants")
def give(request: Request, resources: ResourcesDep, reading: ReadingDep, creator: CallerDep, form: FormDep) -> Response:
    """Permit one use, or several by their common name, of some works or all to one account."""
    try:
        use = parse_use(str(form.get("use", "")), field="use")
        until = _until(str(form.get("until", "")))
        about = permitted_works.read(form)
        with unit_of_work(resources) as session:
            grants.give(
                session,
                grantor_id=creator.account_id,
                grantee=str(form.get("grantee", "")).strip(),
                uses=[use],
                works=about.works,
                collection_id=about.collection_id,
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
        "use": gettext("Choose one of the uses in the list."),
        "about": gettext("Choose for which works it is."),
        "collection": gettext("Choose a collection of yours, or make one first."),
        "works": gettext("Choose at least one work."),
    }
    field = str(error.parameters.get("field", ""))
    if field == "grantee" and "limit" in error.parameters:
        text = gettext("You have given this account %(most)s permissions, which is the most. Take some back first.")
        return {field: text % {"most": error.parameters["limit"]}}
    if field not in told:
        return {"grantee": sentences.error(error, pages.words(request))}
    return {field: told[field]}


def _page(
    request: Request,
    session: Session,
    creator: Principal,
    sent: ImmutableMultiDict[str, object],
    problems: Mapping[str, str],
    *,
    done: str | None,
) -> Response:
    words = pages.words(request)
    said = {
        "given": words.gettext("Permitted. It counts from now on, for this account alone."),
        "revoked": words.gettext("Taken back. It no longer counts; what was answered before stays answered."),
    }
    found = grants.given(session, grantor_id=creator.account_id)
    covered = permitted_works.of_grants(session, found, account_id=creator.account_id)
    context = {
        "rows": [
            (one, grants.grantee_of(session, one), [Use(use) for use in one.uses], covered[one.id]) for one in found
        ],
        "may_permit": grants.may_give(session, creator.account_id),
        "asked": ASKED,
        "use": str(sent.get("use", Use.TRAIN_AI)),
        "grantee": str(sent.get("grantee", "")),
        "until": str(sent.get("until", "")),
        **permitted_works.shown(session, sent, account_id=creator.account_id),
        "problems": problems,
        "done": said.get(done or ""),
    }
    return pages.render(request, "grants.html", context)
