"""Every sentence of the pages exists in every language, and no language keeps sentences that nobody says."""

import re
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

import mediamanager.web
from mediamanager.web.language import translations
from optout.consent.explain import LANGUAGES

WEB = Path(mediamanager.web.__file__).parent
METHODS = [("**.py", "python"), ("templates/**.html", "jinja2")]


def said() -> set[object]:
    found = extract_from_dir(WEB, method_map=METHODS)
    return {message if isinstance(message, str) else tuple(message) for _, _, message, _, _ in found}


def _french() -> Catalog:
    with (WEB / "locales" / "fr" / "LC_MESSAGES" / "messages.po").open("rb") as source:
        return read_po(source, locale="fr")


@pytest.mark.parametrize("language", [language for language in LANGUAGES if language != "en"])
def test_every_sentence_is_translated_and_none_is_left_over(language: str) -> None:
    with (WEB / "locales" / language / "LC_MESSAGES" / "messages.po").open("rb") as source:
        catalog = read_po(source, locale=language)

    texts = {m.id if isinstance(m.id, str) else tuple(m.id): m.string for m in catalog if m.id}

    assert set(texts) == said()
    missing = [key for key, text in texts.items() if not (all(text) if isinstance(text, tuple) else text)]
    assert missing == []


def test_a_translation_keeps_the_blanks_of_its_sentence() -> None:
    catalog = _french()
    problems = [(message.id, [str(error) for error in message.check(catalog)]) for message in catalog if message.id]

    assert [problem for problem in problems if problem[1]] == []


def test_french_marks_stay_with_their_word() -> None:
    said = translations("fr")
    once = said.gettext("“Nothing known” means that no reservation was found here. It is not a permission.")
    many = said.ngettext("%(num)s work, newest first", "%(num)s works, newest first", 3)

    assert "«\N{NO-BREAK SPACE}Rien de connu\N{NO-BREAK SPACE}»" in once
    assert "%(num)s" in many
    catalogued = [message.id for message in _french() if message.id]
    shown = [said.gettext(one) for one in catalogued if isinstance(one, str)]
    assert [text for text in shown if re.search(r" [:;?!»]|« ", text)] == []
