"""What an operator's machines ask: is the process alive, can it serve, how is it doing."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final, Literal

from fastapi import APIRouter
from fastapi.responses import Response
from pydantic import BaseModel
from sqlalchemy import func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from mediamanager import problems
from mediamanager.api import meter
from mediamanager.api.meter import Labels, Metric
from mediamanager.api.routes import ApiRoute
from mediamanager.dependencies import AdminDep, CountersDep, ReadingDep, ResourcesDep
from optout.store.models.claims import Claim
from optout.store.models.jobs import Job
from optout.store.models.log import LogHead
from optout.store.models.works import Work

router = APIRouter(tags=["operations"], route_class=ApiRoute)

_PROBE: Final = "log/checkpoint"


class Health(BaseModel):
    """The answer of a probe that went well; one that did not is a problem."""

    status: Literal["ok"] = "ok"


@router.get("/healthz")
async def read_health() -> Health:
    """Whether the process answers at all. It looks at nothing, so that a slow database gets nobody restarted."""
    return Health()


@router.get("/readyz", responses=problems.documented(503))
def read_readiness(session: ReadingDep, resources: ResourcesDep) -> Health:
    """Whether requests can be served: database and storage answer, and lookups need not wait for their index."""
    resources.storage.exists(_PROBE)
    resources.lookups.warm(session)
    return Health()


@router.get(
    "/metrics",
    response_class=Response,
    responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}, **problems.documented(401, 403, 503)},
)
def read_metrics(_admin: AdminDep, session: ReadingDep, counters: CountersDep) -> Response:
    """Numbers in the Prometheus text format: requests of this process, and what the database holds."""
    return Response(meter.render([*counters.metrics(), *_contents(session)]), media_type=meter.MEDIA_TYPE)


def _contents(session: Session) -> list[Metric]:
    head = session.execute(select(LogHead.size, LogHead.published_size)).one_or_none()
    size, published = head if head is not None else (0, 0)
    return [
        Metric("mediamanager_works", "gauge", "Registered works.", _by_state(session, Work.state)),
        Metric("mediamanager_claims", "gauge", "Claims.", _by_state(session, Claim.state)),
        Metric(
            "mediamanager_jobs", "gauge", "Jobs of the outbox; parked ones wait for you.", _by_state(session, Job.state)
        ),
        Metric("mediamanager_log_entries", "gauge", "Entries that have an index.", {(): size}),
        Metric(
            "mediamanager_log_published",
            "gauge",
            "Entries under the newest published checkpoint.",
            {(): published or 0},
        ),
    ]


def _by_state(session: Session, state: InstrumentedAttribute[Any]) -> Mapping[Labels, float]:
    """Count the rows of one table by their state; states without a row count 0, so that no series comes and goes."""
    kinds: type[StrEnum] = state.type.python_type
    rows = session.execute(select(state, func.count()).group_by(state))
    counted: dict[StrEnum, int] = {kind: count for kind, count in rows}  # noqa: C416 - a Row is no tuple to mypy
    return {(("state", kind.value),): counted.get(kind, 0) for kind in kinds}
