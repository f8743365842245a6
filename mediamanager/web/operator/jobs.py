"""The operator's list of jobs: what waits, what runs, what failed and why; failed ones can be tried again."""

from collections.abc import Iterator, Sequence
from typing import Annotated, Final, Literal, TypeAlias
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Form, Query, Request
from sqlalchemy.orm import Session
from starlette.responses import Response

from mediamanager.dependencies import CallerDep, ReadingDep, ResourcesDep, SessionDep
from mediamanager.web import pages, sentences
from optout.registry import abandoned
from optout.store import db, job_lists, jobs
from optout.store.models.jobs import Job, JobKind, JobState
from workers import dispatch

router = APIRouter(route_class=pages.PageRoute, include_in_schema=False)

A_PAGE: Final = 50

_StateChoice: TypeAlias = Literal[""] | JobState
_KindChoice: TypeAlias = Literal[""] | JobKind


@router.get("/jobs")
def list_jobs(
    request: Request,
    _admin: CallerDep,
    session: ReadingDep,
    resources: ResourcesDep,
    state: _StateChoice = "",
    kind: _KindChoice = "",
    page: Annotated[int, Query(ge=1, le=10**6)] = 1,
    replayed: Annotated[int | None, Query(ge=0, le=10**6)] = None,
) -> Response:
    """Jobs, newest first, of one state and kind or of all."""
    of_state, of_kind = state or None, kind or None
    found = job_lists.page(session, limit=A_PAGE, offset=(page - 1) * A_PAGE, state=of_state, kind=of_kind)
    words = pages.words(request)
    context = {
        "rows": [(job, sentences.job_reason(job.error_code, words)) for job in found.jobs],
        "total": found.total,
        "page": page,
        "page_count": max(1, -(-found.total // A_PAGE)),
        "address": "/jobs?" + "".join(f"{urlencode({name: value})}&" for name, value in _chosen(state, kind)),
        "state": state,
        "kind": kind,
        "states": list(JobState),
        "kinds": list(JobKind),
        "parked": job_lists.counts(session)[JobState.PARKED],
        "max_attempts": resources.settings.job_attempts,
        "replayed": replayed,
    }
    return pages.render(request, "jobs.html", context)


@router.post("/jobs/replay")
def replay_all(_admin: CallerDep, session: SessionDep) -> Response:
    """Give every parked job its attempts back."""
    return _replayed(session, jobs.parked(session), "")


@router.post("/jobs/{job_id}/replay")
def replay_one(
    _admin: CallerDep, session: SessionDep, job_id: UUID, state: Annotated[_StateChoice, Form()] = ""
) -> Response:
    """Give one parked job its attempts back."""
    return _replayed(session, [job_lists.get(session, job_id)], state)


def _replayed(session: Session, found: Sequence[Job], state: _StateChoice) -> Response:
    ids = [job.id for job in found]
    for job_id in ids:
        abandoned.replay(session, job_id)
    db.after_commit(session, lambda: dispatch.nudge(ids))
    return pages.see_other(f"/jobs?{urlencode({'state': state, 'replayed': len(ids)})}")


def _chosen(state: _StateChoice, kind: _KindChoice) -> Iterator[tuple[str, str]]:
    if state:
        yield "state", state
    if kind:
        yield "kind", kind
