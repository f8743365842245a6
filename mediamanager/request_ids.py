"""Gives each request an id, which its answer, its log lines and its jobs carry, and logs one line about it."""

import logging
import time
from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mediamanager.api.meter import UNMATCHED
from optout.store import tracing

logger = logging.getLogger(__name__)

_BROKEN_OFF: Final = 499
"""What the log says where no answer was begun: the client went away. (nginx's number for it.)"""


class RequestIds:
    """The outermost middleware: a client's or proxy's X-Request-ID is taken if it is sane, else one is made.

    The line about a request holds its method, the template of its route, the status and the time: never its path or
    its query, which can hold titles, addresses and one-time links.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on with its id."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request_id = tracing.accept(Headers(scope=scope).get(tracing.HEADER))
        status = _BROKEN_OFF
        started = time.perf_counter()

        async def mark(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)[tracing.HEADER] = request_id
            await send(message)

        with tracing.working_for(request_id):
            try:
                await self.app(scope, receive, mark)
            finally:
                said = {
                    "method": scope["method"],
                    "route": getattr(scope.get("route"), "path", UNMATCHED),
                    "status": status,
                    "ms": round((time.perf_counter() - started) * 1000, 1),
                }
                logger.info("a request was answered", extra=said)
