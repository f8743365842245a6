"""The route of the API: strict JSON and known parameters in, JSON out, and nothing held while it waits for a thread."""

import functools
import inspect
from collections.abc import Callable, Coroutine
from typing import Any, cast

from fastapi.dependencies.utils import get_flat_params
from fastapi.exceptions import RequestValidationError
from fastapi.params import Query
from fastapi.routing import APIRoute
from pydantic import BaseModel
from starlette import status
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from mediamanager.api import bodies
from mediamanager.api.once import Once
from mediamanager.dependencies import admitted
from mediamanager.multipart import FormRequest


class ApiRoute(APIRoute):
    """Reads JSON by `bodies.parse_json`, and writes its answer in the thread that ran the endpoint.

    FastAPI itself would wait for a second thread between the endpoint and the commit, to encode the answer. The
    endpoint's transaction holds the database's write lock by then, and every other thread may be waiting for that
    lock: nobody could go on until one of them gives up, half a minute later.
    """

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        is_async = inspect.iscoroutinefunction(endpoint)
        super().__init__(path, endpoint if is_async else _encoded(endpoint, options.get("status_code")), **options)

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Wrap FastAPI's handler."""
        handle = super().get_route_handler()
        takes_json = self.body_field is not None and _media_type(self) == bodies.JSON
        known = frozenset(one.alias for one in get_flat_params(self.dependant) if isinstance(one.field_info, Query))

        async def handle_strictly(request: Request) -> Response:
            # FastAPI itself would read the body first, of whoever sends one.
            await admitted(request)
            _refuse_unknown(request, known)
            if takes_json and bodies.content_type(request) != bodies.JSON:
                bodies.refuse_content_type(bodies.JSON)
            return await handle(_StrictRequest(request.scope, request.receive))

        return handle_strictly


class _StrictRequest(FormRequest):
    async def json(self) -> Any:
        # In the thread pool: a batch of 10,000 assets holds up nobody else.
        return await run_in_threadpool(bodies.parse_json, await self.body())


def _refuse_unknown(request: Request, known: frozenset[str]) -> None:
    """Refuse parameters that the operation does not have: a misspelled moment or page must not be answered without it.

    Raises:
        RequestValidationError: there are some; it names each.
    """
    unknown = [name for name in request.query_params if name not in known]
    if unknown:
        raise RequestValidationError([{"type": "extra_forbidden", "loc": ("query", name)} for name in unknown])


def _encoded(endpoint: Callable[..., Any], declared_status: int | None) -> Callable[..., Any]:
    """An endpoint that answers with bytes; status and headers come from its `response` parameter, if it has one."""

    def answer(**values: Any) -> Any:
        answered = endpoint(**values)
        if not isinstance(answered, BaseModel):
            return answered
        said: Response | None = values.get("response")
        chosen = None if said is None else said.status_code
        made = Response(
            answered.model_dump_json(),
            chosen or declared_status or status.HTTP_200_OK,
            media_type=bodies.JSON,
        )
        if said is not None:
            made.headers.raw.extend(said.headers.raw)
        return made

    @functools.wraps(endpoint)
    def call(**values: Any) -> Any:
        once: Once | None = values.get("_once")
        if once is None:
            return answer(**values)
        return once.run(values["session"], values["body"], lambda: answer(**values))

    return call


def _media_type(route: APIRoute) -> str:
    return str(getattr(cast(Any, route.body_field).field_info, "media_type", ""))
