"""Wrong matches: reported by whoever meets one, settled by who owns the work."""

from typing import Final
from uuid import UUID

from fastapi import APIRouter

from mediamanager import problems
from mediamanager.api.routes import ApiRoute
from mediamanager.dependencies import CallerDep, ReadingDep, SessionDep
from mediamanager.schemas.non_matches import (
    NonMatchDecision,
    NonMatchList,
    NonMatchRequest,
    NonMatchResponse,
    NonMatchState,
)
from optout.registry import non_matches
from optout.store.models.non_matches import NonMatch

router = APIRouter(prefix="/v1/non-matches", tags=["non-matches"], route_class=ApiRoute)

_WRITES: Final = problems.documented(400, 401, 403, 404, 409, 413, 415, 422, 503)


@router.post("", responses=_WRITES)
def report_non_match(body: NonMatchRequest, session: SessionDep, reporter: CallerDep) -> NonMatchResponse:
    """Say that a match is wrong. If the work is yours, that settles it; else its owner is asked."""
    key = bytes.fromhex(body.asset_key)
    return _respond(non_matches.report(session, work_id=body.work, asset_key=key, reporter_id=reporter.account_id))


@router.get("", responses=problems.documented(401, 403, 503))
def list_non_matches(session: ReadingDep, caller: CallerDep) -> NonMatchList:
    """Reports about your works, those that wait for you first, and those that you made; at most 500 of each."""
    about = non_matches.about_works_of(session, account_id=caller.account_id)
    made = non_matches.reported_by(session, account_id=caller.account_id)
    return NonMatchList(about_your_works=list(map(_respond, about)), reported_by_you=list(map(_respond, made)))


@router.patch("/{report_id}", responses=_WRITES)
def settle_non_match(
    report_id: UUID, body: NonMatchDecision, session: SessionDep, owner: CallerDep
) -> NonMatchResponse:
    """Agree that a match with your work was wrong, or insist that it is right. The last word counts."""
    return _respond(
        non_matches.settle(session, non_match_id=report_id, owner_id=owner.account_id, confirm=body.confirm)
    )


def _respond(found: NonMatch) -> NonMatchResponse:
    return NonMatchResponse(
        id=found.id,
        work=found.work_id,
        asset_key=found.asset_key.hex(),
        state=NonMatchState(found.state),
        reported_at=found.reported_at,
        settled_at=found.settled_at,
    )
