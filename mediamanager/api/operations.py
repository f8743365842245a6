"""What an operator's machines ask: is the process alive, can it serve, how is it doing."""

from typing import Literal

from fastapi import APIRouter
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict
from starlette import status as codes

from mediamanager import problems, readiness
from mediamanager.api import meter, metrics
from mediamanager.api.routes import ApiRoute
from mediamanager.dependencies import CountersDep, ReadingDep, ResourcesDep
from mediamanager.readiness import State

router = APIRouter(tags=["operations"], route_class=ApiRoute)


class Health(BaseModel):
    """The answer of a process that lives."""

    status: Literal["ok"] = "ok"


class PartHealth(BaseModel):
    """How one part does, and why it does not do well."""

    model_config = ConfigDict(from_attributes=True)

    name: str
    state: State
    reason: str | None


class Readiness(BaseModel):
    """How all parts do: `ok`; `degraded` (requests are answered, something waits); `failed` (send them elsewhere)."""

    status: State
    parts: list[PartHealth]


@router.get("/healthz")
async def read_health() -> Health:
    """Whether the process answers at all. It looks at nothing, so that a slow database gets nobody restarted."""
    return Health()


@router.get("/readyz", responses={503: {"model": Readiness, "description": "A part has failed; its reason says why."}})
def read_readiness(resources: ResourcesDep, response: Response) -> Readiness:
    """Whether requests can be served, part by part. 503 where database, storage or index are missing."""
    parts = readiness.inspect(resources)
    state = readiness.worst(parts)
    response.status_code = codes.HTTP_503_SERVICE_UNAVAILABLE if state is State.FAILED else codes.HTTP_200_OK
    return Readiness(status=state, parts=[PartHealth.model_validate(part) for part in parts])


@router.get(
    "/metrics",
    response_class=Response,
    responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}, **problems.documented(401, 403, 503)},
)
def read_metrics(session: ReadingDep, counters: CountersDep, resources: ResourcesDep) -> Response:
    """Numbers in the Prometheus text format: requests of this process, and what the database holds."""
    held = metrics.contents(session, resources.settings, resources.lookups.status())
    return Response(meter.render([*counters.metrics(), *held]), media_type=meter.MEDIA_TYPE)
