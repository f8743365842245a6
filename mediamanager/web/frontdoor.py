"""The first page, and the switches of language and colours that every page carries."""

from typing import Annotated, Final

from fastapi import APIRouter, Form, Request
from starlette.responses import Response

from mediamanager.web import language, pages
from optout.consent.explain import LANGUAGES

router = APIRouter(route_class=pages.PageRoute, include_in_schema=False)

_A_YEAR_SECONDS: Final = 365 * 24 * 3600


@router.get("/")
def home(request: Request) -> Response:
    """What this is, in three steps, and where to begin."""
    return pages.render(request, "home.html")


@router.post("/language")
def choose_language(
    request: Request,
    chosen: Annotated[str, Form(alias="language", max_length=10)],
    onward: Annotated[str, Form(alias="next", max_length=500)] = "/",
) -> Response:
    """Remember the language and go back to the page."""
    return _remember(request, language.COOKIE, chosen, LANGUAGES, onward)


@router.post("/theme")
def choose_theme(
    request: Request,
    chosen: Annotated[str, Form(alias="theme", max_length=10)],
    onward: Annotated[str, Form(alias="next", max_length=500)] = "/",
) -> Response:
    """Remember the colours and go back to the page."""
    return _remember(request, pages.THEME_COOKIE, chosen, pages.THEMES, onward)


def _remember(request: Request, cookie: str, chosen: str, known: tuple[str, ...], onward: str) -> Response:
    response = pages.see_other(pages.local(onward))
    if chosen in known:
        secure = request.url.scheme == "https"
        response.set_cookie(cookie, chosen, max_age=_A_YEAR_SECONDS, samesite="lax", httponly=True, secure=secure)
    return response
