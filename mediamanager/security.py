"""Who is asking, whether a browser was tricked into asking, and what browsers may do with our answers."""

import time
from collections.abc import Mapping
from datetime import timedelta
from types import MappingProxyType
from typing import ClassVar, Final
from urllib.parse import urlsplit

import anyio
from starlette import status
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mediamanager.api.forms import FILE
from mediamanager.dependencies import resources_of
from mediamanager.problems import RefusedRequestError
from optout.errors import NotAuthenticatedError, NotPermittedError
from optout.registry import accounts, sessions
from optout.registry.accounts import Principal
from optout.store.db import reading
from optout.store.settings import Settings

SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
API_PREFIX: Final = "/v1/"

_MULTIPART_OVERHEAD_BYTES: Final = 1_000_000
"""What a form may hold beside its file: the boundaries, a title, a few short fields."""

_TOO_SLOW: Final = (
    "The request came too slowly and was given up; nothing was done. Send it again on a better connection."
)
_TWO_LENGTHS: Final = "The request says its length in two ways, Content-Length and Transfer-Encoding: send one of them."

_HEADERS: Final[Mapping[str, str]] = MappingProxyType(
    {
        # No inline script or style anywhere: what somebody smuggles into a title can't run. Stricter than nonces, which
        # allow some inline script; no page of ours has any, and a test holds every page to that.
        "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self';"
        " img-src 'self' data: blob:; media-src 'self' blob:; connect-src 'self'; manifest-src 'self';"
        " object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "Referrer-Policy": "same-origin",
        "Cross-Origin-Opener-Policy": "same-origin",
        # Other sites may fetch the log (it says so itself), and embed nothing of ours.
        "Cross-Origin-Resource-Policy": "same-origin",
        "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    }
)


def session_cookie(settings: Settings) -> str:
    """The name of the cookie that a sign-in sets. Over https the browser itself binds it to this host."""
    return "__Host-mediamanager" if settings.public_url.startswith("https://") else "mediamanager"


class SecurityHeaders:
    """Adds the headers above to every answer; answers about one account are kept out of caches."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self.app = app
        self._headers = dict(_HEADERS)
        if settings.public_url.startswith("https://"):
            self._headers["Strict-Transport-Security"] = "max-age=31536000; includeSubDomains"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on and dress its answer."""

        async def dress(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers[name] = value
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        await self.app(scope, receive, dress)


class BodyLimit:
    """Stops reading a request that is larger than the settings allow (413) or comes too slowly (408).

    One that says its length in two ways is refused unread (400): a proxy may have taken the other one, and somebody
    else's request for the rest of this. Source: RFC 9112, section 6.3.
    """

    first_seconds: ClassVar[float] = 30.0
    """The time that any body may take."""

    bytes_a_second: ClassVar[float] = 2000.0
    """Beyond that, it has to come as quickly as this on average: a tenth of a bad mobile connection."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self.app = app
        self._max_upload_bytes = settings.max_upload_bytes
        self._max_other_bytes = settings.max_request_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on and count what is read of it."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request = Request(scope)
        is_form = request.headers.get("content-type", "").startswith("multipart/form-data")
        too_large = _too_large_form(self._max_upload_bytes) if is_form else _too_large(self._max_other_bytes)
        limit = self._max_upload_bytes + _MULTIPART_OVERHEAD_BYTES if is_form else self._max_other_bytes
        declared = request.headers.get("content-length", "")
        if declared and "transfer-encoding" in request.headers:
            raise HTTPException(status.HTTP_400_BAD_REQUEST, _TWO_LENGTHS, {"Connection": "close"})
        if declared.isascii() and declared.isdigit() and int(declared) > limit:
            raise too_large
        await self.app(scope, self._counted(receive, limit, too_large), send)

    def _counted(self, receive: Receive, limit: int, too_large: HTTPException) -> Receive:
        seen, waited_seconds, is_complete = 0, 0.0, False

        async def count() -> Message:
            nonlocal seen, waited_seconds, is_complete
            if is_complete:
                return await receive()  # from here on it only waits for the client to go away
            began = time.monotonic()
            try:
                with anyio.fail_after(self.first_seconds + seen / self.bytes_a_second - waited_seconds):
                    message = await receive()
            except TimeoutError as error:
                raise HTTPException(status.HTTP_408_REQUEST_TIMEOUT, _TOO_SLOW, {"Connection": "close"}) from error
            waited_seconds += time.monotonic() - began  # what we ourselves take is not the sender's fault
            seen += len(message.get("body", b""))
            is_complete = not message.get("more_body", False)
            if seen > limit:
                raise too_large
            return message

        return count


class Authentication:
    """Finds out who is asking, once a request, before anything of its body is read.

    It leaves a `Principal`, or None, in `request.state.principal`; what the roles allow is decided by
    `policy.POLICY`. A key that is presented has to be good, also where none is needed. Under /v1/ nothing but
    reading works without one, whatever a route forgets to declare.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or refuse it."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request = Request(scope)
        request.state.principal = await _principal(request)
        if "authorization" not in request.headers and not same_origin(request):
            raise NotPermittedError(
                "This was sent from a page of another site. Open the registry's own page and try again there.",
                reason="other-site",
            )
        await self.app(scope, receive, send)


def same_origin(request: Request) -> bool:
    """Whether a request that changes something comes from our own pages, or from no page at all.

    Browsers say where a request comes from in Sec-Fetch-Site, older ones in Origin; a script cannot forge either. A
    request with neither is no browser's, and is believed only if it carries no cookie.

    Source: Filippo Valsorda, "Cross-Site Request Forgery" (2025), as in Go's net/http.CrossOriginProtection.
    """
    if request.method in SAFE_METHODS:
        return True
    settings = resources_of(request).settings
    origin = request.headers.get("origin")
    ours = {_host(settings.public_url), request.headers.get("host", "")} - {""}
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site in {"same-origin", "none"} or (origin is not None and _host(origin) in ours)
    if origin is not None:
        return _host(origin) in ours
    return session_cookie(settings) not in request.cookies


async def _principal(request: Request) -> Principal | None:
    authorization = request.headers.get("authorization")
    cookie = request.cookies.get(session_cookie(resources_of(request).settings))
    principal = None
    if authorization is not None:
        principal = await run_in_threadpool(_of_key, request, _bearer(authorization))
    elif cookie is not None:
        principal = await run_in_threadpool(_of_cookie, request, cookie)
    if principal is None and request.method not in SAFE_METHODS and request.url.path.startswith(API_PREFIX):
        raise NotAuthenticatedError(
            f"This needs a key: send it as `Authorization: Bearer crk_{resources_of(request).settings.environment}_…`."
            " The registry's operator makes keys with `mediamanager keys create`."
        )
    return principal


def _bearer(authorization: str) -> str:
    scheme, _, secret = authorization.partition(" ")
    if scheme.lower() != "bearer" or not secret.strip():
        raise NotAuthenticatedError("The Authorization header has to be `Bearer`, a space, and your key.")
    return secret.strip()


def _of_key(request: Request, secret: str) -> Principal:
    resources = resources_of(request)
    with reading(resources.sessions) as session:
        principal = accounts.authenticate(session, secret, environment=resources.settings.environment)
    if principal.key_id is not None:
        resources.uses.of_key(principal.key_id)
    return principal


def _of_cookie(request: Request, token: str) -> Principal | None:
    resources = resources_of(request)
    try:
        with reading(resources.sessions) as session:
            idle = timedelta(hours=resources.settings.session_idle_hours)
            principal = sessions.authenticate(session, token, idle=idle)
    except NotAuthenticatedError:
        # A sign-in that has run out makes a visitor of its owner, who can still read public pages and sign in again.
        return None
    resources.uses.of_session(sessions.digest(token))
    return principal


def _host(origin: str) -> str:
    return urlsplit(origin).netloc


def _too_large(max_bytes: int) -> RefusedRequestError:
    detail = f"The request is larger than {max_bytes / 1e6:,.1f} MB. Split the batch, and send its parts one by one."
    return RefusedRequestError(
        status.HTTP_413_CONTENT_TOO_LARGE, detail, reason="content-too-large", max_bytes=max_bytes
    )


def _too_large_form(max_bytes: int) -> RefusedRequestError:
    detail = (
        f"The form is larger than {max_bytes / 1e6:,.1f} MB, the most that this registry takes at once. Send a smaller"
        " version of the file, or register it by fingerprints made on your own device."
    )
    return RefusedRequestError(
        status.HTTP_413_CONTENT_TOO_LARGE, detail, reason="form-too-large", field=FILE, max_bytes=max_bytes
    )
