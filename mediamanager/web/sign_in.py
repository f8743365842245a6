"""Signing in with a key or a one-time link, and out again."""

from datetime import timedelta
from http import HTTPStatus
from typing import Annotated

from babel.support import NullTranslations
from fastapi import APIRouter, Form, Request
from starlette.responses import Response

from mediamanager.dependencies import ResourcesDep, SessionDep, resources_of
from mediamanager.security import session_cookie
from mediamanager.web import pages
from optout.errors import NotAuthenticatedError
from optout.registry import accounts, sessions
from optout.registry.accounts import Principal
from optout.store.models.accounts import Role

router = APIRouter(route_class=pages.PageRoute, include_in_schema=False)


@router.get("/sign-in")
def sign_in_form(request: Request, onward: str = "/works") -> Response:
    """Ask for a key."""
    onward = request.query_params.get("next", onward)
    return pages.render(request, "sign_in.html", {"next": pages.local(onward), "problems": {}})


@router.post("/sign-in")
def sign_in(
    request: Request,
    session: SessionDep,
    key: Annotated[str, Form(max_length=500)] = "",
    onward: Annotated[str, Form(alias="next", max_length=500)] = "/works",
) -> Response:
    """Take a key, and go where the person was going."""
    try:
        principal = accounts.authenticate(session, key.strip(), environment=resources_of(request).settings.environment)
    except NotAuthenticatedError as error:
        text = _refusal(error, pages.words(request))
        context = {"next": pages.local(onward), "problems": {"key": text}}
        return pages.render(request, "sign_in.html", context, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    return _signed_in(request, session, principal, pages.local(onward))


@router.get("/sign-in/link/{token}")
def sign_in_link_form(request: Request, token: str) -> Response:
    """Ask for a press of a button first: programs that look at links before people do must not use them up."""
    return pages.render(request, "sign_in_link.html", {"token": token})


@router.post("/sign-in/link/{token}")
def sign_in_link(request: Request, session: SessionDep, token: str) -> Response:
    """Use the link up."""
    try:
        principal = sessions.use_link(session, token)
    except NotAuthenticatedError:
        text = pages.words(request).gettext("This link was used already or has expired. Ask for a new one.")
        return pages.error_page(request, HTTPStatus.UNAUTHORIZED, text)
    onward = "/works" if Role.CREATOR in principal.roles else "/"
    return _signed_in(request, session, principal, onward)


@router.post("/sign-out")
def sign_out(request: Request, resources: ResourcesDep, session: SessionDep) -> Response:
    """Forget this browser."""
    cookie = session_cookie(resources.settings)
    sessions.close(session, request.cookies.get(cookie, ""))
    response = pages.see_other("/")
    response.delete_cookie(cookie, path="/", secure=_is_https(request), httponly=True, samesite="lax")
    return response


def _signed_in(request: Request, session: SessionDep, principal: Principal, onward: str) -> Response:
    settings = resources_of(request).settings
    lifetime = timedelta(hours=settings.session_hours)
    # Whoever signs in gets a new token, and the one that this browser had before opens nothing any more.
    sessions.close(session, request.cookies.get(session_cookie(settings), ""))
    token = sessions.open(session, principal, lifetime=lifetime)
    response = pages.see_other(onward)
    response.set_cookie(
        session_cookie(settings),
        token,
        max_age=int(lifetime.total_seconds()),
        path="/",
        secure=_is_https(request),
        httponly=True,
        samesite="lax",
    )
    return response


def _refusal(error: NotAuthenticatedError, words: NullTranslations) -> str:
    match error.parameters.get("reason"):
        case "expired":
            return words.gettext("This key has expired. Ask the operator for a new one.")
        case "revoked":
            return words.gettext("This key was revoked. Ask the operator for a new one.")
        case "environment":
            return words.gettext("This key is for another kind of registry: a trial, or the real one.")
    return words.gettext("This key is not known here: copy it again, complete, and try once more.")


def _is_https(request: Request) -> bool:
    return resources_of(request).settings.public_url.startswith("https://")
