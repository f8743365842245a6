"""All pages."""

from fastapi import APIRouter, FastAPI

from mediamanager.web import check, design, frontdoor, media, sign_in, static_files
from mediamanager.web.auditor import log
from mediamanager.web.creator import (
    applied,
    claims,
    collection_claims,
    collection_works,
    collections,
    defaults,
    listings,
    new_works,
    permissions,
    permitted_works,
    reports,
    works,
)
from mediamanager.web.moderator import overlaps
from mediamanager.web.operator import jobs

router = APIRouter(include_in_schema=False)
for part in (
    static_files,
    frontdoor,
    sign_in,
    new_works,
    works,
    media,
    applied,
    claims,
    defaults,
    collections,
    collection_claims,
    collection_works,
    listings,
    permissions,
    permitted_works,
    reports,
    check,
    log,
    overlaps,
    jobs,
    design,
):
    router.include_router(part.router)


def install(app: FastAPI) -> None:
    """Add the pages to the application."""
    app.include_router(router)
