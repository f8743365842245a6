"""All pages, and the page for an address with nothing behind it."""

from http import HTTPStatus
from typing import cast

from fastapi import APIRouter, FastAPI, Request
from starlette.exceptions import HTTPException
from starlette.responses import Response

from mediamanager import problems
from mediamanager.web import check, design, frontdoor, pages, sign_in, static_files
from mediamanager.web.auditor import log
from mediamanager.web.creator import (
    applied,
    claims,
    collection_claims,
    collection_works,
    collections,
    defaults,
    new_works,
    permissions,
    reports,
    works,
)
from mediamanager.web.operator import jobs

router = APIRouter(include_in_schema=False)
for part in (
    static_files,
    frontdoor,
    sign_in,
    new_works,
    works,
    applied,
    claims,
    defaults,
    collections,
    collection_claims,
    collection_works,
    permissions,
    reports,
    check,
    log,
    jobs,
    design,
):
    router.include_router(part.router)


def install(app: FastAPI) -> None:
    """Add the pages to the application."""
    app.include_router(router)
    app.add_exception_handler(HTTPStatus.NOT_FOUND, _nothing_here)


def _nothing_here(request: Request, error: Exception) -> Response:
    """A browser gets a page; a program, and everything under the API's prefix, a problem."""
    wants_page = "text/html" in request.headers.get("accept", "") and not request.url.path.startswith("/v1/")
    if wants_page:
        return pages.error_page(request, HTTPStatus.NOT_FOUND, None)
    return problems.of_http(cast(HTTPException, error))
