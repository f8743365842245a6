"""The moderator's desk: works as they come, and what two works have in common, both places side by side."""

from typing import Final
from uuid import UUID

from fastapi import APIRouter, Request
from sqlalchemy import select
from starlette.responses import Response

from mediamanager.dependencies import CallerDep, ReadingDep, ResourcesDep
from mediamanager.web import evidence, pages
from optout.errors import NotFoundError
from optout.registry import overlaps, showing
from optout.store.models.works import Work, WorkState

router = APIRouter(route_class=pages.PageRoute, include_in_schema=False)

A_PAGE: Final = 50


@router.get("/moderation")
def desk(request: Request, session: ReadingDep) -> Response:
    """The newest works that can be recognised."""
    newest = (
        select(Work).where(Work.state == WorkState.READY).order_by(Work.registered_at.desc(), Work.id).limit(A_PAGE)
    )
    return pages.render(request, "moderation.html", {"works": session.scalars(newest).all()})


@router.get("/moderation/works/{work_id}")
def compared(
    request: Request, session: ReadingDep, resources: ResourcesDep, moderator: CallerDep, work_id: UUID
) -> Response:
    """One work, and every other one that has something in common with it."""
    work = session.get(Work, work_id)
    if work is None:
        raise NotFoundError(f"there is no work {work_id}", work=str(work_id))
    files = showing.visible(session, [work_id], account_id=moderator.account_id)
    found = overlaps.of_work(session, resources.lookups, work)
    context = {
        "work": work,
        "media": f"/works/{work_id}/media" if work_id in files else None,
        "overlaps": evidence.both_sides(session, found, moderator.account_id),
    }
    return pages.render(request, "compared.html", context)
