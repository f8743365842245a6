"""The one place where an error becomes an HTTP answer: a table of statuses, and RFC 9457 bodies."""

import errno
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from http import HTTPStatus
from types import MappingProxyType
from typing import Any, Final, NoReturn, TypeAlias
from uuid import uuid4

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from starlette import status as codes
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from fingerprinting import errors as fingerprinting_errors
from fingerprinting.errors import FingerprintingError
from mediamanager.remedies import field_problems, summary
from mediamanager.schemas.problems import FieldProblem, Problem
from optout import errors as optout_errors
from optout.errors import OptoutError
from workers import errors as workers_errors

logger = logging.getLogger(__name__)

DomainError: TypeAlias = OptoutError | FingerprintingError
Answering: TypeAlias = Callable[[Request, Exception], Awaitable[Response]]

MEDIA_TYPE: Final = "application/problem+json"
RETRY_AFTER_SECONDS: Final = 5

STATUS: Final[Mapping[type[DomainError], int]] = MappingProxyType(
    {
        optout_errors.InvalidInputError: 422,
        optout_errors.NotAuthenticatedError: 401,
        optout_errors.NotPermittedError: 403,
        optout_errors.NotFoundError: 404,
        optout_errors.ConflictError: 409,
        optout_errors.IdempotencyMismatchError: 422,
        optout_errors.RequestInFlightError: 409,
        optout_errors.StorageUnavailableError: 503,
        optout_errors.MasterKeyError: 503,
        optout_errors.SealedDataError: 503,
        optout_errors.LogIntegrityError: 503,
        optout_errors.InvalidProofError: 422,
        optout_errors.CorruptCatalogueError: 503,
        fingerprinting_errors.UnsupportedMediaError: 415,
        fingerprinting_errors.UnreadableMediaError: 422,
        fingerprinting_errors.LockedDocumentError: 422,
        fingerprinting_errors.WordlessDocumentError: 422,
        fingerprinting_errors.LimitExceededError: 413,
        fingerprinting_errors.InvalidFingerprintError: 422,
        fingerprinting_errors.CorruptIndexError: 503,
        fingerprinting_errors.MissingExtraError: 503,
        fingerprinting_errors.WithheldIndexError: 503,
        workers_errors.FetchRefusedError: 422,
        workers_errors.FetchTooLargeError: 413,
        workers_errors.ContentChangedError: 422,
        workers_errors.FetchFailedError: 503,
        workers_errors.VideoNotYetError: 503,
        workers_errors.VideoUnavailableError: 422,
        workers_errors.SandboxUnavailableError: 503,
        workers_errors.SandboxBusyError: 503,
    }
)
"""The status of every domain error. A test fails on an error class that is missing here."""

_SAID_OF: Final[Mapping[int, str]] = MappingProxyType(
    {
        400: "The body is not JSON, or not the form that its Content-Type says.",
        401: "No key, or not a valid one.",
        403: "The key lacks the role that this needs.",
        404: "There is no such thing, or it is somebody else's.",
        409: "Its state does not allow this; the detail says what to do instead.",
        413: "Too large.",
        415: "A kind of body or of media that is not accepted here.",
        422: "A value can't be used; `errors` names the field and what would be right.",
        503: "A part of the registry does not answer. Nothing was written; try again.",
    }
)


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Describe the problems that a route may answer with, for its OpenAPI `responses`."""
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {status: {"description": _SAID_OF[status], "content": content} for status in sorted(statuses)}


def answer(
    status: int,
    code: str,
    detail: str,
    *,
    errors: Sequence[FieldProblem] = (),
    parameters: Mapping[str, str | int | float] | None = None,
    instance: str | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Build a problem answer. A 401 says how to authenticate; a 503 says when to try again."""
    problem = Problem(
        type=f"urn:mediamanager:problem:{code}",
        title=code.replace("-", " ").capitalize(),
        status=status,
        detail=detail,
        code=code,
        instance=instance,
        errors=list(errors),
        parameters=dict(parameters or {}),
    )
    more = dict(headers or {})
    if status == codes.HTTP_401_UNAUTHORIZED:
        more.setdefault("WWW-Authenticate", 'Bearer realm="mediamanager"')
    if status == codes.HTTP_503_SERVICE_UNAVAILABLE:
        more.setdefault("Retry-After", str(RETRY_AFTER_SECONDS))
    return Response(problem.model_dump_json(exclude_none=True), status, more, MEDIA_TYPE)


def of(error: DomainError) -> Response:
    """Answer a domain error. What lies behind a 5xx is for the operator's log, not for the client."""
    status = status_of(error)
    if isinstance(error, workers_errors.SandboxBusyError):
        return answer(status, error.code, "All media decoders are busy, and nothing was kept. Try again in a moment.")
    if status >= codes.HTTP_500_INTERNAL_SERVER_ERROR:
        return _internal(error, status, error.code)
    field = error.parameters.get("field")
    errors = [FieldProblem(field=str(field), message=str(error), code=error.code)] if field is not None else []
    headers = {"Retry-After": "1"} if isinstance(error, optout_errors.RequestInFlightError) else None
    return answer(status, error.code, str(error), errors=errors, parameters=error.parameters, headers=headers)


def status_of(error: DomainError) -> int:
    """Look up an error's status; a class that is not in the table answers like its nearest base, at last 500."""
    for kind in type(error).__mro__:
        if kind in STATUS:
            return STATUS[kind]
    return codes.HTTP_500_INTERNAL_SERVER_ERROR


class RefusedRequestError(HTTPException):
    """A request that is refused for a reason of HTTP itself, where more is known than a sentence.

    Of the errors of HTTP this is what FastAPI lets through while it reads a body.

    Attributes:
        reason: stable; the pages choose their words by it.
        field: the one that has to be mended, None where it is all of the request.
        parameters: the limits that the sentence names.
    """

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        reason: str,
        field: str | None = None,
        **parameters: str | float,
    ) -> None:
        super().__init__(status, detail)
        self.reason = reason
        self.field = field
        self.parameters: Mapping[str, str | int | float] = parameters


def refuse(status: int, detail: str) -> NoReturn:
    """Refuse a request for a reason of HTTP itself (its size, its content type)."""
    raise HTTPException(status, detail)


class LastResort:
    """Answers what middleware refused, and makes of an error that nobody foresaw a 500 that says nothing but its id.

    It stands inside the middleware that counts and adds headers, so that this happens to its answers as well.
    """

    def __init__(self, app: ASGIApp, answer: Answering | None = None) -> None:
        self.app = app
        self._answer = answer or handle

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on and watch it."""
        started = False

        async def watch(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self.app(scope, receive, watch)
        except Exception as error:  # broad: whatever it is, the client gets a problem, and the log gets the traceback
            if scope["type"] != "http" or started:
                raise
            response = await self._answer(Request(scope), error)
            await response(scope, receive, send)


def install(app: FastAPI, answer: Answering | None = None) -> None:
    """Make every error of an application a problem, or what `answer` makes of it, as `handle` would.

    `LastResort` has to be added among its middleware.
    """
    for kind in _HANDLED:
        app.add_exception_handler(kind, answer or handle)


_HANDLED: Final[tuple[type[Exception], ...]] = (
    OptoutError,
    FingerprintingError,
    RequestValidationError,
    HTTPException,
    OperationalError,
    PoolTimeoutError,
    OSError,
)

# There was no room for what somebody sent while it waited on disk: the same words as when storage has none.
_NO_ROOM: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


async def handle(_request: Request, error: Exception) -> Response:
    """Answer any error with a problem."""
    match error:
        case OptoutError() | FingerprintingError():
            return of(error)
        case RequestValidationError():
            return _of_request(error)
        case HTTPException():
            return of_http(error)
        case OperationalError() | PoolTimeoutError():
            return _internal(error, codes.HTTP_503_SERVICE_UNAVAILABLE, optout_errors.StorageUnavailableError.code)
        case OSError() if error.errno in _NO_ROOM:
            return _internal(error, codes.HTTP_503_SERVICE_UNAVAILABLE, optout_errors.StorageUnavailableError.code)
        case _:
            return _internal(error, codes.HTTP_500_INTERNAL_SERVER_ERROR, "internal-error")


def _of_request(error: RequestValidationError) -> Response:
    first = error.errors()[0]
    if first["type"] == "json_invalid":
        return _malformed(str(error.body), first["loc"][-1], first["ctx"]["error"])
    errors = field_problems(error.errors())
    return answer(
        codes.HTTP_422_UNPROCESSABLE_CONTENT, optout_errors.InvalidInputError.code, summary(errors), errors=errors
    )


def _malformed(text: str, position: int, what: str) -> Response:
    line = text.count("\n", 0, position) + 1
    column = position - text.rfind("\n", 0, position)
    detail = f"The body is not valid JSON, at line {line}, column {column}: {what}. Correct it and send it again."
    return answer(codes.HTTP_400_BAD_REQUEST, "malformed-json", detail)


def of_http(error: HTTPException) -> Response:
    """Answer an error of HTTP itself."""
    code, plain = _OF_HTTP.get(error.status_code, ("refused", "The request can't be answered: correct it."))
    if isinstance(error, RefusedRequestError):
        wrong = (
            [] if error.field is None else [FieldProblem(field=error.field, message=error.detail, code=error.reason)]
        )
        return answer(error.status_code, code, error.detail, errors=wrong, parameters=error.parameters)
    says_more = error.detail != HTTPStatus(error.status_code).phrase
    return answer(error.status_code, code, error.detail if says_more else plain, headers=error.headers)


_OF_HTTP: Final[Mapping[int, tuple[str, str]]] = MappingProxyType(
    {
        400: ("bad-request", "The body can't be read: send it in the form that its Content-Type says."),
        404: ("not-found", "There is nothing at this address: check its spelling."),
        405: ("method-not-allowed", "This address does not take that method: the Allow header names those it takes."),
        408: ("too-slow", "The request came too slowly: send it again."),
        413: ("content-too-large", "The request is too large: send less at once."),
        415: ("unsupported-content-type", "This kind of body is not accepted here."),
        422: ("invalid-input", "A value can't be used: correct it."),
    }
)


def _internal(error: Exception, status: int, code: str) -> Response:
    """Answer an error that is ours: the log gets everything, the client an id to ask about."""
    number = uuid4()
    logger.error("request failed", exc_info=error, extra={"problem_id": str(number), "problem_code": code})
    detail = (
        "A part of the registry does not answer at the moment. Nothing was written: try again in a few seconds."
        if status == codes.HTTP_503_SERVICE_UNAVAILABLE
        else "Something went wrong on our side. Try again; if it stays, tell the operator the instance number."
    )
    return answer(status, code, detail, instance=number.urn)
