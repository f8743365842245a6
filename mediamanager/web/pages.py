"""How a page is made: its template, its language, who looks at it, and how its errors look."""

import json
import re
from collections.abc import Callable, Coroutine, Mapping
from datetime import UTC, datetime
from functools import cache
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final, cast

import jinja2
from babel.dates import format_datetime, format_timedelta
from babel.numbers import format_decimal
from babel.support import NullTranslations
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

import mediamanager.cli
from fingerprinting.errors import FingerprintingError
from mediamanager import problems
from mediamanager.dependencies import resources_of
from mediamanager.multipart import FormRequest
from mediamanager.problems import RefusedRequestError
from mediamanager.security import API_PREFIX
from mediamanager.web import sentences, static_files
from mediamanager.web.language import language_of, own_name, translations
from optout.consent import explain, remarks
from optout.consent.explain import LANGUAGES, Language
from optout.consent.vocabulary import LEAVES, Preference, Use
from optout.errors import NotAuthenticatedError, OptoutError
from optout.registry.accounts import Principal
from optout.store.models.accounts import Role

THEME_COOKIE: Final = "theme"
_UUID: Final = re.compile(r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b")
THEMES: Final = ("auto", "light", "dark")


def render(
    request: Request,
    template: str,
    context: Mapping[str, object] | None = None,
    *,
    status: int | None = None,
    block: str | None = None,
) -> Response:
    """Render a page, or one block of it for a part that refreshes itself, in the reader's language.

    Where nothing else is said, a page with `problems`, which asks for something to be mended, is a 422.
    """
    language = language_of(request)
    page = _environment(language).get_template(template)
    values = {**_frame(request, language), **(context or {})}
    if status is None:
        status = HTTPStatus.UNPROCESSABLE_ENTITY if values.get("problems") else HTTPStatus.OK
    if block is None:
        return HTMLResponse(page.render(values), status)
    parts = page.blocks[block](page.new_context(values))
    return HTMLResponse("".join(parts), status)


def see_other(address: str) -> Response:
    """Send a browser on after a form was taken, so that a reload sends nothing twice."""
    return RedirectResponse(address, HTTPStatus.SEE_OTHER)


def words(request: Request) -> NullTranslations:
    """The sentences of the reader's language."""
    return translations(language_of(request))


def local(address: str) -> str:
    """An address to go on to, if it is one of ours; else the first page: no one is sent to another site by a link."""
    is_ours = address.startswith("/") and not address.startswith(("//", "/\\"))
    return address if is_ours else "/"


def is_fragment(request: Request) -> bool:
    """Whether htmx asks, which wants only the part that changes."""
    return request.headers.get("hx-request") == "true"


class PageRoute(APIRoute):
    """A route whose errors are pages: what happened, what it means, what to do; signing in comes back to the page.

    Its forms are read strictly, and whole.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Wrap the handler so that domain errors become pages."""
        handler = super().get_route_handler()

        async def handle(request: Request) -> Response:
            try:
                return await handler(FormRequest(request.scope, request.receive))
            except NotAuthenticatedError:
                return see_other(f"/sign-in?next={request.url.path}")
            except (OptoutError, FingerprintingError, RequestValidationError, HTTPException) as error:
                return _of_problem(request, error, await problems.handle(request, error))

        return handle


async def answer(request: Request, error: Exception) -> Response:
    """Answer any error: a browser gets a page; a program, and everything under the API's prefix, a problem."""
    problem = await problems.handle(request, error)
    wants_page = "text/html" in request.headers.get("accept", "") and not request.url.path.startswith(API_PREFIX)
    return _of_problem(request, error, problem) if wants_page else problem


def _of_problem(request: Request, error: Exception, problem: Response) -> Response:
    """The page that says what a problem says; what lies behind a 5xx stays in the log, under the number shown."""
    said, status = words(request), problem.status_code
    if isinstance(error, RequestValidationError):
        fields = [str(one["loc"][1]) for one in error.errors() if len(one["loc"]) > 1]
        if all(one["loc"][0] == "path" for one in error.errors()):
            return error_page(request, HTTPStatus.NOT_FOUND, None)
        text: str | None = sentences.unusable(fields, said)
    elif status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        number = json.loads(bytes(problem.body)).get("instance")
        text = sentences.ours(getattr(error, "code", ""), number, said)
    elif isinstance(error, OptoutError | FingerprintingError):
        text = sentences.error(error, said)
    elif isinstance(error, RefusedRequestError):
        text = sentences.refused_request(error.reason, error.field, error.parameters, said)
    else:
        text = sentences.of_status(status, said)
    # Of those who may not, most need another key; who comes from another site does not.
    is_elsewhere = isinstance(error, OptoutError) and error.parameters.get("reason") == sentences.OTHER_SITE
    page = error_page(request, status, text, shown_as=HTTPStatus.BAD_REQUEST if is_elsewhere else None)
    for name in _KEPT:
        if name in problem.headers:
            page.headers[name] = problem.headers[name]
    return page


_KEPT: Final = ("Allow", "Retry-After", "Connection")
"""Headers of a problem that its page has as well."""


def error_page(request: Request, status: int, text: str | None, *, shown_as: int | None = None) -> Response:
    """An error as a page, headed by what its status (or another) means; without a text that is all it says."""
    response = render(request, "error.html", {"status": shown_as or status, "text": text}, status=status)
    if is_fragment(request):
        # A fragment that fails must replace the page, not land inside it.
        response.headers["HX-Retarget"] = "body"
    return response


def _frame(request: Request, language: Language) -> dict[str, object]:
    # Nobody, where a request was refused before anybody looked who sent it.
    principal = cast(Principal | None, getattr(request.state, "principal", None))
    theme = request.cookies.get(THEME_COOKIE, "auto")
    return {
        "request": request,
        "language": language,
        "languages": [(code, own_name(code)) for code in LANGUAGES],
        "theme": theme if theme in THEMES else "auto",
        "principal": principal,
        "is_creator": principal is not None and Role.CREATOR in principal.roles,
        "is_admin": principal is not None and Role.ADMIN in principal.roles,
        "is_moderator": principal is not None and Role.MODERATOR in principal.roles,
        "operator": resources_of(request).settings.operator_name,
        "here": request.url.path,
        "version": mediamanager.cli.version(),
    }


@cache
def _environment(language: Language) -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        extensions=["jinja2.ext.i18n"],
        trim_blocks=True,
        lstrip_blocks=True,
    )
    said = translations(language)
    environment.install_gettext_translations(said, newstyle=True)  # type: ignore[attr-defined]  # added by the extension
    environment.globals.update(
        static=static_files.address,
        uses=LEAVES,
        choices=[Preference.ALLOWED, Preference.CONDITIONAL, Preference.DISALLOWED, Preference.UNKNOWN],
        use_name=lambda use: sentences.capital(explain.use_name(Use(use), language)),
        preference_name=lambda preference: sentences.capital(explain.preference_name(Preference(preference), language)),
        say=lambda preferences: explain.choice(preferences, language),
        reason=lambda reason: explain.sentence(reason, language),
        remarks=lambda notes: remarks.remarks(notes, language),
        clock=remarks.clock,
    )
    environment.filters.update(
        moment=lambda moment: format_datetime(moment.astimezone(UTC), "d MMM y, HH:mm 'UTC'", locale=language),
        ago=lambda moment: format_timedelta(moment - datetime.now(UTC), add_direction=True, locale=language),
        number=lambda value: format_decimal(value, locale=language),
        short=lambda value: str(value)[:8],
        briefly=lambda text: _UUID.sub(lambda found: found[0][:8], text),
    )
    # Not imported by each template, because a block that is rendered alone has only what is global.
    environment.globals["ui"] = environment.get_template("components.html").module
    environment.globals["evidence"] = environment.get_template("evidence.html").module
    return environment
