"""For which works a grant is: all, a collection, or some that are chosen from the list."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Final
from uuid import UUID

from babel.support import NullTranslations
from fastapi import APIRouter, Query, Request
from sqlalchemy.orm import Session
from starlette.datastructures import ImmutableMultiDict
from starlette.responses import Response

from mediamanager.dependencies import CallerDep, ReadingDep
from mediamanager.web import pages
from mediamanager.web.creator.rows import name, rows
from optout.errors import InvalidInputError
from optout.registry import collections, works
from optout.store.models.grants import Grant

router = APIRouter(route_class=pages.PageRoute, include_in_schema=False)

MAX_CHOSEN: Final = 30
"""Works of one form: it has at most 40 fields."""
A_PAGE: Final = 25
_NAMED: Final = 3

ALL: Final = "all"
COLLECTION: Final = "collection"
WORKS: Final = "works"

Sent = ImmutableMultiDict[str, object]
"""What a form sent, or an address says."""


@dataclass(frozen=True, slots=True)
class About:
    """What a grant is about, as `grants.give` takes it: all works, if both are None."""

    works: Sequence[UUID] | None = None
    collection_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Covered:
    """What a grant that was given is about: a collection, or some works, the first few of them by name."""

    collection: tuple[UUID, str] | None
    works: Sequence[tuple[UUID, str]]
    more: int


@router.get("/grants/works")
def choose(
    request: Request,
    session: ReadingDep,
    creator: CallerDep,
    after: UUID | None = None,
    work: Annotated[list[UUID], Query(max_length=1000)] = [],  # noqa: B006 - FastAPI copies defaults
) -> Response:
    """The works of the account, newest first, to choose from; what else the form has is carried along."""
    words = pages.words(request)
    page = works.list_works(session, account_id=creator.account_id, limit=A_PAGE, after=after)
    listed = {one.id for one in page.works}
    chosen = [works.get(session, work_id=one, account_id=creator.account_id) for one in dict.fromkeys(work)]
    carried = ("grantee", "use", "until", "collection")
    context = {
        "before": rows(session, [one for one in chosen if one.id not in listed], words),
        "rows": rows(session, page.works, words),
        "chosen": {one.id for one in chosen},
        "carried": [(one, request.query_params[one]) for one in carried if one in request.query_params],
        "next_after": page.next_after,
        "most": MAX_CHOSEN,
        "problems": too_many(request.query_params, words),
    }
    return pages.render(request, "grant_works.html", context)


def too_many(sent: Sent, words: NullTranslations) -> Mapping[str, str]:
    """The problem that more works are chosen than one form takes."""
    if len(set(sent.getlist("work"))) <= MAX_CHOSEN:
        return {}
    told = words.gettext("Choose at most %(most)s works, or put them into a collection and choose that.")
    return {"works": told % {"most": MAX_CHOSEN}}


def read(sent: Sent) -> About:
    """Read the fields `about`, `collection` and `work`.

    Raises:
        InvalidInputError: `field` names the one to mend.
    """
    about = sent.get("about")
    try:
        match about:
            case "all":
                return About()
            case "collection":
                return About(collection_id=UUID(str(sent.get("collection", ""))))
            case "works":
                return About(works=[UUID(str(one)) for one in sent.getlist("work")])
    except ValueError:
        raise InvalidInputError("this is no id of yours", field=str(about)) from None
    raise InvalidInputError("choose all, a collection or works", field="about")


def shown(session: Session, sent: Sent, *, account_id: UUID) -> dict[str, object]:
    """What a form shows as chosen.

    Raises:
        NotFoundError: a work or collection that is named is somebody else's.
    """
    chosen = [works.get(session, work_id=one, account_id=account_id) for one in _ids(sent.getlist("work"))]
    named = next(iter(_ids([sent.get("collection", "")])), None)
    if named is not None:
        collections.get(session, collection_id=named, account_id=account_id)
    first = WORKS if chosen else ALL if named is None else COLLECTION
    return {
        "about": str(sent.get("about", first)),
        "collections": collections.list_collections(session, account_id=account_id),
        "collection": named,
        "works": [(one.id, name(one)) for one in chosen[:MAX_CHOSEN]],
    }


def of_grants(session: Session, given: Sequence[Grant], *, account_id: UUID) -> Mapping[UUID, Covered]:
    """What some grants of an account are about, each by its id."""
    wanted = sorted({UUID(one) for grant in given for one in grant.works[:_NAMED]})
    names = {one.id: name(one) for one in works.of_ids(session, wanted, account_id=account_id)}
    titles = {}
    if any(grant.collection_id for grant in given):
        titles = {one.id: one.name for one in collections.list_collections(session, account_id=account_id)}
    return {
        grant.id: Covered(
            None if grant.collection_id is None else (grant.collection_id, titles[grant.collection_id]),
            [(UUID(one), names.get(UUID(one), one[:8])) for one in grant.works[:_NAMED]],
            max(0, len(grant.works) - _NAMED),
        )
        for grant in given
    }


def _ids(texts: Sequence[object]) -> list[UUID]:
    """Those of some texts that are ids, each once."""
    found: dict[UUID, None] = {}
    for text in texts:
        try:
            found[UUID(str(text))] = None
        except ValueError:
            continue  # what is no id names nothing; reading the form says so where it matters
    return list(found)
