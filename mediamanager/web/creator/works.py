"""A creator's works: the list, those just registered, and one of them with its history."""

from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from mediamanager.dependencies import CallerDep, ReadingDep, ResourcesDep
from mediamanager.web import evidence, pages, sentences
from mediamanager.web.creator import claim_forms, sources
from mediamanager.web.creator.rows import row, rows
from optout.registry import claims, fingerprints, listings, origins, overlaps, showing, works
from optout.store.models.works import WorkState

router = APIRouter(route_class=pages.PageRoute, include_in_schema=False)

A_PAGE: Final = 50


@router.get("/works")
def list_works(request: Request, session: ReadingDep, creator: CallerDep, after: UUID | None = None) -> Response:
    """All works, newest first."""
    page = works.list_works(session, account_id=creator.account_id, limit=A_PAGE, after=after)
    words = pages.words(request)
    context = {
        "rows": rows(session, page.works, words),
        "counts": sources.of_works(session, [w.id for w in page.works], account_id=creator.account_id, words=words),
        "total": page.total,
        "next_after": page.next_after,
    }
    return pages.render(request, "works.html", context)


@router.get("/works/added")
def added(
    request: Request,
    session: ReadingDep,
    creator: CallerDep,
    work: Annotated[list[UUID], Query(max_length=1000)] = [],  # noqa: B006 - FastAPI copies defaults
    listing: Annotated[list[UUID], Query(max_length=200)] = [],  # noqa: B006 - FastAPI copies defaults
    refused: Annotated[list[str], Query(max_length=1000)] = [],  # noqa: B006 - FastAPI copies defaults
    more: Annotated[int, Query(ge=0, le=1000)] = 0,
) -> Response:
    """The works of one registration while they are read; it survives a reload and works by plain refresh."""
    words = pages.words(request)
    asked = dict.fromkeys(work)
    shown = rows(session, [works.get(session, work_id=one, account_id=creator.account_id) for one in asked], words)
    pending = sum(one.work.state is WorkState.PENDING for one in shown)
    # Only codes of ours become sentences: nobody can make this page say something by an address that they hand out.
    told = [(name, sentences.refusal(code, words)) for code, _, name in (one.partition(" ") for one in refused)]
    counts = sources.of_works(session, list(asked), account_id=creator.account_id, words=words)
    lists = [listings.get(session, listing_id=one, account_id=creator.account_id) for one in dict.fromkeys(listing)]
    context = {
        "rows": shown, "pending": pending, "refused": told, "more": more, "counts": counts, "listings": lists,
    }  # fmt: skip
    if not shown and not lists:
        return pages.render(request, "added_nothing.html")
    return pages.render(request, "added.html", context, block="progress" if pages.is_fragment(request) else None)


@router.get("/works/{work_id}")
def show_work(
    request: Request,
    session: ReadingDep,
    creator: CallerDep,
    resources: ResourcesDep,
    work_id: UUID,
    done: str | None = None,
) -> Response:
    """One work: how it stands, what is said about it, what happened so far."""
    shown = row(session, work_id=work_id, account_id=creator.account_id, words=pages.words(request))
    algorithms = sorted({one.algorithm for one in fingerprints.summaries(session, [work_id]).get(work_id, ())})
    counts = sources.of_works(session, [work_id], account_id=creator.account_id, words=pages.words(request))
    is_whole_page = not pages.is_fragment(request)
    found = overlaps.of_work(session, resources.lookups, shown.work) if is_whole_page else ()
    kept = showing.visible(session, [work_id], account_id=creator.account_id).get(work_id)
    context = {
        "row": shown,
        "overlaps": evidence.both_sides(session, found, creator.account_id),
        "media": f"/works/{work_id}/media" if kept is not None and kept.modality in showing.SHOWN_KINDS else None,
        "counts": counts[work_id],
        "collections": origins.collections_of(session, work_id),
        **claim_forms.standing(session, shown.claim),
        "history": claims.for_work(session, work_id),
        "algorithms": algorithms,
        "done": sentences.done(done, pages.words(request)),
    }
    return pages.render(request, "work.html", context, block="state" if pages.is_fragment(request) else None)
