"""What applied to a work on a date, as it was known on another."""

from collections.abc import Mapping
from datetime import UTC, datetime
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.responses import Response

from mediamanager.dependencies import CallerDep, ReadingDep
from mediamanager.web import pages
from mediamanager.web.check import ASKED
from mediamanager.web.creator.rows import row
from optout.consent.preferences import parse_use
from optout.consent.vocabulary import Use
from optout.errors import InvalidInputError
from optout.registry import histories

router = APIRouter(route_class=pages.PageRoute, include_in_schema=False)


@router.get("/works/{work_id}/applied")
def applied(
    request: Request,
    session: ReadingDep,
    creator: CallerDep,
    work_id: UUID,
    use: str = Use.TRAIN_AI,
    at: str = "",
    known_at: str = "",
) -> Response:
    """Ask for two moments, and answer with every step. Left empty, both are now."""
    shown = row(session, work_id=work_id, account_id=creator.account_id, words=pages.words(request))
    problems: dict[str, str] = {}
    moments = {name: _moment(text, name, problems, request) for name, text in (("at", at), ("known_at", known_at))}
    try:
        asked = parse_use(use)
    except InvalidInputError:
        asked = Use.TRAIN_AI
        problems["use"] = pages.words(request).gettext("Choose one of the uses in the list.")
    decision = None
    if not problems:
        decision = histories.applied(
            session,
            work_id=work_id,
            account_id=creator.account_id,
            use=asked,
            at=moments["at"],
            known_at=moments["known_at"],
        )
    context: Mapping[str, object] = {
        "row": shown,
        "asked": ASKED,
        "use": asked,
        "at": at,
        "known_at": known_at,
        "decision": decision,
        "problems": problems,
    }
    return pages.render(request, "applied.html", context)


def _moment(text: str, name: str, problems: dict[str, str], request: Request) -> datetime | None:
    """Read what a browser sends for a date with a time, which is without zone: the page says that it is UTC."""
    if not text.strip():
        return None
    try:
        found = datetime.fromisoformat(text.strip())
        found = found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError):
        problems[name] = pages.words(request).gettext("Choose a date and a time, or leave it empty for now.")
        return None
    return found
