"""What applied to a work at a moment, as known at another."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from mediamanager import problems
from mediamanager.api.routes import ApiRoute
from mediamanager.dependencies import CallerDep, ReadingDep
from mediamanager.schemas.base import Moment
from mediamanager.schemas.consent import ConsentAnswer
from mediamanager.schemas.lookups import WireReason
from optout.consent import explain
from optout.consent.vocabulary import EvidenceLevel, Use
from optout.registry import histories

router = APIRouter(prefix="/v1/works", tags=["works"], route_class=ApiRoute)


@router.get("/{work_id}/verdict", responses=problems.documented(401, 403, 404, 422, 503))
def read_verdict(
    work_id: UUID,
    session: ReadingDep,
    owner: CallerDep,
    use: Use = Use.TRAIN_GENAI,
    at: Moment | None = None,
    known_at: Annotated[Moment | None, Query(description="leave out what was recorded later")] = None,
    min_evidence: EvidenceLevel = EvidenceLevel.SELF_DECLARED,
) -> ConsentAnswer:
    """What applies to one of your works, or applied at a moment, for whoever holds no grant; with every step."""
    found = histories.applied(
        session,
        work_id=work_id,
        account_id=owner.account_id,
        use=use,
        at=at,
        known_at=known_at,
        min_evidence=min_evidence,
    )
    return ConsentAnswer(
        use=found.use,
        at=found.at,
        known_at=found.known_at,
        min_evidence=found.min_evidence,
        verdict=found.verdict,
        contested=list(found.contested),
        deciding=list(found.deciding),
        reasons=[
            WireReason(code=one.code, parameters=dict(one.parameters), sentence=explain.sentence(one))
            for one in found.trace
        ],
    )
