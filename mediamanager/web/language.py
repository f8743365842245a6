"""Which language a page speaks: the one chosen, else the browser's; and its translations."""

import re
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Final

from babel import Locale
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import NullTranslations, Translations
from starlette.requests import Request

from optout.consent.explain import LANGUAGES, Language

COOKIE: Final = "language"

_NO_BREAK: Final = "\N{NO-BREAK SPACE}"
_BEFORE_MARK: Final = re.compile(" (?=[:;?!»])")
_FOLDER: Final = Path(__file__).parent / "locales"


def language_of(request: Request) -> Language:
    """The language chosen by cookie, else the first one of Accept-Language that we speak, else English."""
    chosen = request.cookies.get(COOKIE, "")
    for language in LANGUAGES:
        if chosen == language:
            return language
    return _negotiate(request.headers.get("accept-language", ""))


@cache
def translations(language: Language) -> NullTranslations:
    """The sentences of one language. Catalogues are read from their sources, so that there is nothing to build."""
    if language == "en":
        return NullTranslations()  # the sentences in the templates are English
    with (_FOLDER / language / "LC_MESSAGES" / "messages.po").open("rb") as source:
        catalog = read_po(source, locale=language)
    for message in catalog:
        message.string = _unbroken(message.string or "")
    compiled = BytesIO()
    write_mo(compiled, catalog)
    compiled.seek(0)
    return Translations(compiled)


def _unbroken(said: str | tuple[str, ...] | list[str]) -> str | tuple[str, ...]:
    """Keep marks with their word: French has a space before `:` and inside `« »`, which may not end or begin a line."""
    if isinstance(said, str):
        return _BEFORE_MARK.sub(_NO_BREAK, said).replace("« ", f"«{_NO_BREAK}")
    return tuple(str(_unbroken(one)) for one in said)


def own_name(language: Language) -> str:
    """What a language calls itself, for the switch."""
    return str(Locale(language).get_display_name(language)).capitalize()


def _negotiate(header: str) -> Language:
    wanted: list[tuple[float, str]] = []
    for part in header.split(","):
        tag, _, weight = part.strip().partition(";q=")
        try:
            wanted.append((float(weight or 1), tag.split("-")[0].lower()))
        except ValueError:
            continue  # a weight that is no number says nothing about what to prefer
    for _, tag in sorted(wanted, key=lambda pair: -pair[0]):
        for language in LANGUAGES:
            if tag == language:
                return language
    return LANGUAGES[0]
