"""The page that shows every component once."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from mediamanager.web import pages, sentences
from mediamanager.web.language import language_of

router = APIRouter(route_class=pages.PageRoute, include_in_schema=False)


@router.get("/design")
def design(request: Request) -> Response:
    """For whoever builds a page, and for the tests that look at one."""
    return pages.render(
        request, "design.html", {"presets": sentences.presets(language_of(request), pages.words(request))}
    )
