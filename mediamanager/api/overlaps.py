"""What of a creator's work is registered besides."""

from uuid import UUID

from fastapi import APIRouter

from mediamanager import problems
from mediamanager.api.routes import ApiRoute
from mediamanager.dependencies import CallerDep, ReadingDep, ResourcesDep
from mediamanager.schemas.works import Overlap, OverlapList, OverlapPlace
from optout.registry import overlaps, works

router = APIRouter(prefix="/v1/works", tags=["works"], route_class=ApiRoute)


@router.get("/{work_id}/overlaps", responses=problems.documented(401, 403, 404, 422, 503))
def list_overlaps(work_id: UUID, session: ReadingDep, creator: CallerDep, resources: ResourcesDep) -> OverlapList:
    """What of one of your works is registered besides, by you or by others, with both places. Looked up anew."""
    work = works.get(session, work_id=work_id, account_id=creator.account_id)
    return OverlapList(overlaps=[_wire(one) for one in overlaps.of_work(session, resources.lookups, work)])


def _wire(one: overlaps.Overlap) -> Overlap:
    return Overlap(
        work=one.work,
        yours=one.is_own,
        earlier=one.is_earlier,
        whole=one.is_whole,
        registered_at=one.registered_at,
        strength=one.match.strength,
        algorithm=one.match.algorithm,
        seconds=one.seconds,
        share=one.share,
        share_there=one.share_there,
        unit=one.places.unit,
        places=[
            OverlapPlace(
                here=None if place.asset is None else list(place.asset),
                there=None if place.work is None else list(place.work),
            )
            for place in one.places.places
        ],
        sentence=_sentence(one),
    )


def _sentence(one: overlaps.Overlap) -> str:
    if one.seconds is not None and not one.is_whole:
        much = f"{one.seconds:.0f} seconds of this"
    elif one.share is not None and not one.is_whole:
        much = f"{100 * one.share:.0f} % of this"
    else:
        much = "This"
    is_many = much.endswith("seconds of this")
    if one.is_own:
        return f"{much} {'are' if is_many else 'is'} also in your work {one.work}."
    if one.is_earlier:
        return f"{much} {'are' if is_many else 'is'} already registered by another account, as work {one.work}."
    return f"{much} {'were' if is_many else 'was'} registered later by another account, as work {one.work}."
