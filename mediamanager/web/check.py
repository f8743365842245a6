"""The page that answers "is this work registered?" for one file or one link."""

from collections.abc import Mapping
from typing import Final

from fastapi import APIRouter, Request
from sqlalchemy.orm import Session
from starlette.datastructures import FormData, UploadFile
from starlette.responses import Response

from fingerprinting.errors import FingerprintingError
from fingerprinting.types import Depth, Role
from mediamanager.api import uploads
from mediamanager.dependencies import CallerDep, ReadingDep, Resources, ResourcesDep
from mediamanager.web import evidence, pages, sentences
from mediamanager.web.creator.new_works import FormDep
from optout.catalogue.answers import Asset
from optout.consent.identifiers import canonical_url, fingerprints_for
from optout.consent.preferences import parse_use
from optout.consent.vocabulary import Use
from optout.errors import InvalidInputError
from optout.registry.accounts import Principal, get_account
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
        question = Question(use, get_account(session, asker.account_id).pseudonym, depth=_depth(form))
        if isinstance(file, UploadFile) and file.filename:
            field = "file"
            return _page(request, form, {}, _about_file(session, resources, asker, file, question))
        if not link:
            return _page(request, form, {"file": pages.words(request).gettext("Choose a file or paste a link.")})
        field = "link"
        asset = Asset(fingerprints_for(url=link), location=canonical_url(link))
    except (InvalidInputError, FingerprintingError) as error:
        return _page(request, form, {field: sentences.error(error, pages.words(request))})
    answer = resources.lookups.answer(session, [asset], question).answers[0]
    matches = evidence.shown(session, resources, answer.matches, None, asker.account_id)
    return _page(request, form, {}, {"answer": answer, "matches": matches, "name": link})


def _about_file(
    session: Session, resources: Resources, asker: Principal, file: UploadFile, question: Question
) -> Mapping[str, object]:
    """The answer for a file, and where the matches lie in it; it is at hand for as long as that takes."""
    with uploads.at_hand(file, resources.settings.max_upload_bytes) as path:
        with tally.failures(tally.SANDBOX_FAILURES):
            extraction = sandbox.extract(path, name=uploads.name_of(file), role=Role.QUERY, depth=question.depth)
        asset = Asset(extraction.fingerprints, extraction.identifiable)
        answer = resources.lookups.answer(session, [asset], question).answers[0]
        asked = evidence.Asked(path, extraction.media_type)
        matches = evidence.shown(session, resources, answer.matches, asked, asker.account_id)
    return {
        "answer": answer,
        "matches": matches,
        "name": file.filename,
        "notes": extraction.notes,
        "modality": extraction.modality,
        "small": evidence.small_picture(extraction.fingerprints),
    }


def _depth(form: FormData) -> Depth:
    return Depth.THOROUGH if form.get("closer") == "yes" else Depth.STANDARD


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
        "closer": form is not None and form.get("closer") == "yes",
        "answer": None,
        "matches": (),
        "notes": (),
        "modality": None,
        "small": None,
        **(found or {}),
    }
    return pages.render(request, "check.html", context, block="found" if pages.is_fragment(request) else None)
