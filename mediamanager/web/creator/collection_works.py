"""Which works are in a collection: choose some from the list, take one out."""

from collections.abc import Mapping
from typing import Final
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.responses import Response

from mediamanager.dependencies import CallerDep, ReadingDep, ResourcesDep, unit_of_work
from mediamanager.web import pages
from mediamanager.web.creator.new_works import FormDep
from mediamanager.web.creator.rows import rows
from optout.errors import InvalidInputError
from optout.registry import collection_members, collections, works

router = APIRouter(route_class=pages.PageRoute, include_in_schema=False)

A_PAGE: Final = 25
"""Works to choose from at a time: a form has at most 40 fields."""


@router.get("/collections/{collection_id}/add")
def choose_works(
    request: Request, session: ReadingDep, creator: CallerDep, collection_id: UUID, after: UUID | None = None
) -> Response:
    """The works of the account, newest first, to choose from."""
    return _choose(request, session, creator, collection_id, after, {})


@router.post("/collections/{collection_id}/works")
def add_works(
    request: Request,
    resources: ResourcesDep,
    reading: ReadingDep,
    creator: CallerDep,
    form: FormDep,
    collection_id: UUID,
) -> Response:
    """Put the chosen works into the collection."""
    nothing = {"works": pages.words(request).gettext("Choose at least one work.")}
    try:
        chosen = [UUID(str(one)) for one in form.getlist("work")]
    except ValueError:
        chosen = []
    try:
        with unit_of_work(resources) as session:
            collections.add_works(session, collection_id=collection_id, account_id=creator.account_id, work_ids=chosen)
    except InvalidInputError:
        return _choose(request, reading, creator, collection_id, None, nothing)
    return pages.see_other(f"/collections/{collection_id}?done=added")


@router.post("/collections/{collection_id}/works/{work_id}/remove")
def remove_work(resources: ResourcesDep, creator: CallerDep, collection_id: UUID, work_id: UUID) -> Response:
    """Take a work out."""
    with unit_of_work(resources) as session:
        collections.remove_work(session, collection_id=collection_id, account_id=creator.account_id, work_id=work_id)
    return pages.see_other(f"/collections/{collection_id}?done=removed")


def _choose(
    request: Request,
    session: ReadingDep,
    creator: CallerDep,
    collection_id: UUID,
    after: UUID | None,
    problems: Mapping[str, str],
) -> Response:
    collection = collections.get(session, collection_id=collection_id, account_id=creator.account_id)
    page = works.list_works(session, account_id=creator.account_id, limit=A_PAGE, after=after)
    context = {
        "collection": collection,
        "rows": rows(session, page.works, pages.words(request)),
        "inside": set(collection_members.members(session, collection_id)),
        "next_after": page.next_after,
        "problems": problems,
    }
    return pages.render(request, "collection_add.html", context)
