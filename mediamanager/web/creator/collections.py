"""A creator's collections: the list, a form for a new one, and one of them with its works and what is said about it."""

from collections.abc import Mapping
from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Query, Request
from starlette.datastructures import FormData
from starlette.responses import Response

from mediamanager.dependencies import CallerDep, ReadingDep, ResourcesDep, unit_of_work
from mediamanager.web import pages, sentences
from mediamanager.web.creator import claim_forms
from mediamanager.web.creator.new_works import FormDep
from mediamanager.web.creator.rows import rows
from optout.errors import ConflictError, InvalidInputError
from optout.registry import claim_targets, collection_members, collections, listings
from optout.store.models.collections import CollectionKind

router = APIRouter(route_class=pages.PageRoute, include_in_schema=False)

A_PAGE: Final = 50


@router.get("/collections")
def list_collections(request: Request, session: ReadingDep, creator: CallerDep) -> Response:
    """All collections, and a form for one more."""
    return _list(request, session, creator, None, {})


@router.post("/collections")
def make_collection(
    request: Request, resources: ResourcesDep, reading: ReadingDep, creator: CallerDep, form: FormDep
) -> Response:
    """Begin a collection; the works of its channel or domain are in it at once."""
    gettext = pages.words(request).gettext
    kind, name = str(form.get("kind", "")), str(form.get("name", ""))
    if kind not in set(CollectionKind):
        return _list(request, reading, creator, form, {"kind": gettext("Choose what holds it together.")})
    try:
        with unit_of_work(resources) as session:
            made = collections.create(session, account_id=creator.account_id, kind=CollectionKind(kind), name=name)
            address = f"/collections/{made.id}?done=made"
    except InvalidInputError:
        told = {
            CollectionKind.CHANNEL: gettext("Give the channel's number or its address: both have UC in them."),
            CollectionKind.DOMAIN: gettext("Give the website by its domain alone, like example.org."),
            CollectionKind.ALBUM: gettext("Give the album a title of at most 300 characters."),
        }
        return _list(request, reading, creator, form, {"name": told[CollectionKind(kind)]})
    except ConflictError as error:
        if "collection" in error.parameters:
            return pages.see_other(f"/collections/{error.parameters['collection']}")
        return _list(request, reading, creator, form, {"name": sentences.error(error, pages.words(request))})
    return pages.see_other(address)


@router.get("/collections/{collection_id}")
def show_collection(
    request: Request,
    session: ReadingDep,
    creator: CallerDep,
    collection_id: UUID,
    page: Annotated[int, Query(ge=1, le=100_000)] = 1,
    done: str | None = None,
) -> Response:
    """One collection: what is said about it, and its works."""
    collection = collections.get(session, collection_id=collection_id, account_id=creator.account_id)
    claim = claim_targets.live_claim(session, claim_targets.target(creator.account_id, collection_id=collection_id))
    total = collection_members.sizes(session, [collection_id]).get(collection_id, 0)
    works = collection_members.works_of(session, collection_id, limit=A_PAGE, offset=(page - 1) * A_PAGE)
    context = {
        "collection": collection,
        **claim_forms.standing(session, claim),
        "rows": rows(session, works, pages.words(request)),
        "total": total,
        "page": page,
        "page_count": -(-total // A_PAGE),
        "listings": listings.of_collection(session, collection_id),
        "done": sentences.done(done, pages.words(request)),
    }
    return pages.render(request, "collection.html", context)


def _list(
    request: Request, session: ReadingDep, creator: CallerDep, form: FormData | None, problems: Mapping[str, str]
) -> Response:
    found = collections.list_collections(session, account_id=creator.account_id)
    sizes = collection_members.sizes(session, [one.id for one in found])
    said = claim_targets.live_claims_of_collections(session, creator.account_id)
    context = {
        "rows": [(one, sizes.get(one.id, 0), said.get(one.id)) for one in found],
        "kinds": list(CollectionKind),
        "kind": "" if form is None else str(form.get("kind", "")),
        "name": "" if form is None else str(form.get("name", "")),
        "problems": problems,
    }
    return pages.render(request, "collections.html", context)
