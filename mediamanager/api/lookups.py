"""Asking about assets: a batch by keys and fingerprints, or one file."""

import os
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import ExitStack
from typing import Annotated, Final, TypeAlias

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response
from sqlalchemy.orm import Session

from fingerprinting.types import Role
from mediamanager import problems
from mediamanager.api import bodies, forms, uploads
from mediamanager.api.assets import assets_of
from mediamanager.api.forms import Upload
from mediamanager.api.routes import ApiRoute
from mediamanager.api.verdicts import encode
from mediamanager.dependencies import CallerDep, ReadingDep, Resources, ResourcesDep
from mediamanager.schemas.lookups import LookupRequest, LookupResponse, Question
from optout.catalogue.answers import Asset
from optout.registry import lookups
from optout.registry.accounts import Principal, get_account
from workers import sandbox, tally
from workers.turns import Turns

router = APIRouter(prefix="/v1/lookups", tags=["lookups"], route_class=ApiRoute)

_PROBLEMS: Final = problems.documented(400, 401, 403, 413, 415, 422, 503)
_FORM: Final = {"requestBody": {"required": True, "content": {bodies.FORM: {"schema": forms.documented(Question)}}}}

_READING: Final = Turns(max(2, os.cpu_count() or 2))
"""From the file to the answer: what is found in a long file takes memory until it is compared."""

_PATIENCE_SECONDS: Final = 110.0


async def _read_file(request: Request) -> AsyncIterator[Upload[Question]]:
    async with forms.with_file(request, Question) as upload:
        yield upload


_FileDep: TypeAlias = Annotated[Upload[Question], Depends(_read_file)]


@router.post("", response_model=LookupResponse, responses=_PROBLEMS)
def look_up(asker: CallerDep, body: LookupRequest, session: ReadingDep, resources: ResourcesDep) -> Response:
    """Ask about up to 10,000 assets: a verdict each, in the order asked. Nothing about them is kept."""
    return _answer(session, resources, asker, assets_of(body.assets), body)


@router.post("/media", response_model=LookupResponse, responses=_PROBLEMS, openapi_extra=_FORM)
def look_up_media(asker: CallerDep, body: _FileDep, session: ReadingDep, resources: ResourcesDep) -> Response:
    """Ask about one file: it is fingerprinted here, in a sandbox, and forgotten. The answer has one verdict."""
    with ExitStack() as turn:
        with tally.failures(tally.SANDBOX_FAILURES):
            turn.enter_context(_READING.taken(time.monotonic() + _PATIENCE_SECONDS))
            with uploads.at_hand(body.file, resources.settings.max_upload_bytes) as path:
                name = uploads.name_of(body.file)
                extraction = sandbox.extract(path, name=name, role=Role.QUERY, depth=body.fields.depth)
        assets = [Asset(extraction.fingerprints, extraction.identifiable)]
        return _answer(session, resources, asker, assets, body.fields)


def _answer(
    session: Session, resources: Resources, asker: Principal, assets: Sequence[Asset], asked: Question
) -> Response:
    question = lookups.Question(
        asked.use,
        get_account(session, asker.account_id).pseudonym,
        at=asked.at,
        known_at=asked.known_at,
        depth=asked.depth,
        min_evidence=asked.min_evidence,
    )
    return encode(resources.lookups.answer(session, assets, question), explain=asked.explain)
