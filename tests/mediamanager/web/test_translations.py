"""Every sentence of the pages exists in every language, and no language keeps sentences that nobody says."""

from pathlib import Path

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

import mediamanager.web
from optout.consent.explain import LANGUAGES

WEB = Path(mediamanager.web.__file__).parent
METHODS = [("**.py", "python"), ("templates/**.html", "jinja2")]


def said() -> set[object]:
    found = extract_from_dir(WEB, method_map=METHODS)
    return {message if isinstance(message, str) else tuple(message) for _, _, message, _, _ in found}


@pytest.mark.parametrize("language", [language for language in LANGUAGES if language != "en"])
def test_every_sentence_is_translated_and_none_is_left_over(language: str) -> None:
    with (WEB / "locales" / language / "LC_MESSAGES" / "messages.po").open("rb") as source:
        catalog = read_po(source, locale=language)

    texts = {m.id if isinstance(m.id, str) else tuple(m.id): m.string for m in catalog if m.id}

    assert set(texts) == said()
    missing = [key for key, text in texts.items() if not (all(text) if isinstance(text, tuple) else text)]
    assert missing == []


def test_a_translation_keeps_the_blanks_of_its_sentence() -> None:
    with (WEB / "locales" / "fr" / "LC_MESSAGES" / "messages.po").open("rb") as source:
        catalog = read_po(source, locale="fr")

    problems = [(message.id, [str(error) for error in message.check(catalog)]) for message in catalog if message.id]

    assert [problem for problem in problems if problem[1]] == []
