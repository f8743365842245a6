"""All pages, in one router for the application."""

from fastapi import APIRouter

from mediamanager.web import check, design, frontdoor, sign_in, static_files
from mediamanager.web.auditor import log
from mediamanager.web.creator import claims, new_works, works

router = APIRouter(include_in_schema=False)
for part in (static_files, frontdoor, sign_in, new_works, works, claims, check, log, design):
    router.include_router(part.router)
