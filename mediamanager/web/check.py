"""The page that answers "is this work registered?" for one file or one link."""

from collections.abc import Mapping
from typing import Final

from fastapi import APIRouter, Request
from starlette.datastructures import FormData, UploadFile
from starlette.responses import Response

from fingerprinting.errors import FingerprintingError
from fingerprinting.types import Role
from mediamanager.api import uploads
from mediamanager.dependencies import CallerDep, ReadingDep, Resources, ResourcesDep
from mediamanager.web import pages, sentences
from mediamanager.web.creator.new_works import FormDep
from optout.catalogue.answers import Asset
from optout.consent.identifiers import canonical_url, fingerprints_for
from optout.consent.preferences import parse_use
from optout.consent.vocabulary import Use
from optout.errors import InvalidInputError
from optout.registry.accounts import get_account
from optout.registry.lookups import Question
from workers import sandbox, tally

router = APIRouter(route_class=pages.PageRoute, include_in_schema=False)

ASKED: Final = (Use.TRAIN_AI, Use.TRAIN_GENAI, Use.TRAIN_OTHER, Use.AI_INPUT, Use.AI_INDEX, Use.SEARCH, Use.TDM_OTHER)

_MAX_USE: Final = 40
"""Characters of a use that nobody knows, of which a page says so."""


@router.get("/check")
def check_form(request: Request) -> Response:
    """Ask for a file or a link."""
    return _page(request, None, {})


@router.post("/check")
def check(request: Request, resources: ResourcesDep, session: ReadingDep, asker: CallerDep, form: FormDep) -> Response:
    """Answer for one file or one link. Nothing of it is kept."""
    file, link = form.get("file"), str(form.get("link", "")).strip()
    field = "use"
    try:
        use = parse_use(str(form.get("use", Use.TRAIN_AI))[:_MAX_USE])
        field = "link"
        if isinstance(file, UploadFile) and file.filename:
            field, name = "file", file.filename
            asset = _asset(resources, file)
        elif link:
            name, asset = link, Asset(fingerprints_for(url=link), location=canonical_url(link))
        else:
            return _page(request, form, {"file": pages.words(request).gettext("Choose a file or paste a link.")})
    except (InvalidInputError, FingerprintingError) as error:
        return _page(request, form, {field: sentences.error(error, pages.words(request))})
    question = Question(use, get_account(session, asker.account_id).pseudonym)
    found = resources.lookups.answer(session, [asset], question)
    return _page(request, form, {}, {"answer": found.answers[0], "name": name})


def _asset(resources: Resources, file: UploadFile) -> Asset:
    with uploads.at_hand(file, resources.settings.max_upload_bytes) as path, tally.failures(tally.SANDBOX_FAILURES):
        extraction = sandbox.extract(path, name=uploads.name_of(file), role=Role.QUERY)
    return Asset(extraction.fingerprints, extraction.identifiable)


def _page(
    request: Request,
    form: FormData | None,
    problems: Mapping[str, str],
    found: Mapping[str, object] | None = None,
) -> Response:
    context = {
        "problems": problems,
        "link": "" if form is None or found else str(form.get("link", "")),
        "asked": ASKED,
        "use": Use.TRAIN_AI if form is None else str(form.get("use", Use.TRAIN_AI)),
        "answer": None,
        **(found or {}),
    }
    return pages.render(request, "check.html", context)
