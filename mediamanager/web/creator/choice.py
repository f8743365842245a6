"""What a person chose on a form: a preset, or use by use; and how they want to be asked."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from babel.support import NullTranslations
from fastapi import Request
from starlette.datastructures import FormData

from mediamanager.web import pages, sentences
from mediamanager.web.language import language_of
from optout.consent.preferences import PRESETS, Preset, preset_of
from optout.consent.vocabulary import LEAVES, Preference, Use
from optout.errors import InvalidInputError
from optout.registry import claim_terms
from optout.registry.claim_terms import Asking
from optout.store.models.claims import Claim

BY_USE: Final = "details"
INHERIT: Final = "inherit"
"""Nothing about these works alone: what is said about their collections and about all works counts."""
_BETWEEN_LANGUAGES: Final = re.compile(r"[\s,;]+")


@dataclass(frozen=True, slots=True)
class Choice:
    """A preference per leaf use, and how to ask: all of it as the form has it, empty where it says nothing."""

    preferences: Mapping[Use, Preference]
    asking: Asking

    @property
    def says_how_to_ask(self) -> bool:
        """Whether there is anything in the fields about asking."""
        return any(self.asking.values())


class UnusableChoiceError(ValueError):
    """There is nothing to file, or something that can't be. `problems` has a sentence for each field to mend."""

    def __init__(self, problems: Mapping[str, str]) -> None:
        super().__init__(", ".join(problems))
        self.problems = problems


def read(form: FormData, words: NullTranslations) -> Choice:
    """Read the fields `preset`, `use-…`, `terms_url`, `contact` and `languages`.

    Raises:
        UnusableChoiceError: a page asks again, with everything that was sent.
    """
    problems: dict[str, str] = {}
    preferences = _preferences(form)
    if preferences is None:
        problems["preset"] = words.gettext("Choose what others may do with it.")
    asking = _asking(form)
    problems |= _wrong(asking, words)
    if preferences is None or problems:
        raise UnusableChoiceError(problems)
    return Choice(preferences, asking)


def read_or_inherit(form: FormData, words: NullTranslations) -> Choice | None:
    """As `read`; None where nothing is to be said about these works alone.

    Raises:
        UnusableChoiceError: also where there is something in the fields about asking, which nobody would be shown.
    """
    if form.get("preset") != INHERIT:
        return read(form, words)
    if any(_asking(form).values()):
        told = words.gettext("How to ask you goes with a choice of its own: make one, or leave these fields empty.")
        raise UnusableChoiceError({"preset": told})
    return None


def shown(request: Request, form: FormData | None, claim: Claim | None, told: Asking | None) -> dict[str, object]:
    """What a form shows as chosen: what was sent, else what a claim says, else the first preset as a start.

    Args:
        request: whose language the presets are named in.
        form: what was sent and has to be mended.
        claim: the one in force.
        told: what that one says about asking.
    """
    chosen, preferences = str(Preset.NO_AI), dict.fromkeys(LEAVES, "unknown")
    if form is not None:
        chosen = str(form.get("preset", ""))
        preferences = {use: str(form.get(f"use-{use}", "unknown")) for use in LEAVES}
    elif claim is not None:
        chosen = str(preset_of(claim.preferences) or BY_USE)
        preferences = {use: str(claim.preferences.get(use, "unknown")) for use in LEAVES}
    return {
        "presets": sentences.presets(language_of(request), pages.words(request)),
        "chosen": chosen,
        "preferences": preferences,
        "asking": _fields(form, told or Asking()),
    }


def _fields(form: FormData | None, told: Asking) -> Mapping[str, str]:
    if form is not None:
        return {name: str(form.get(name, "")) for name in ("terms_url", "contact", "languages")}
    return {
        "terms_url": told.get("terms_url") or "",
        "contact": told.get("contact") or "",
        "languages": ", ".join(told.get("languages") or ()),
    }


def _preferences(form: FormData) -> Mapping[Use, Preference] | None:
    """None where no preset was chosen, or an unknown one, or nothing was said about any use."""
    chosen = str(form.get("preset", ""))
    if chosen in set(Preset):
        return PRESETS[Preset(chosen)]
    words = {use: str(form.get(f"use-{use}", "")) for use in LEAVES}
    if chosen != BY_USE or not set(words.values()) <= set(Preference):
        return None
    said = {use: Preference(word) for use, word in words.items()}
    return None if set(said.values()) == {Preference.UNKNOWN} else said


def _asking(form: FormData) -> Asking:
    languages = [tag for tag in _BETWEEN_LANGUAGES.split(str(form.get("languages", ""))) if tag]
    return Asking(
        terms_url=str(form.get("terms_url", "")).strip() or None,
        contact=str(form.get("contact", "")).strip() or None,
        languages=list(dict.fromkeys(languages)),
    )


def _wrong(asking: Asking, words: NullTranslations) -> Mapping[str, str]:
    """A sentence for each field that can't be used."""
    fields: list[tuple[str, Asking, str]] = [
        (
            "terms_url",
            Asking(terms_url=asking["terms_url"]),
            words.gettext("Copy the address of your terms from your browser: it begins with https:// or http://."),
        ),
        (
            "contact",
            Asking(contact=asking["contact"]),
            words.gettext("Give an e-mail address like ada@example.org, or a web address that begins with https://."),
        ),
        (
            "languages",
            Asking(languages=asking["languages"]),
            words.gettext("Write at most ten languages as short tags with commas between them: en, fr, pt-BR."),
        ),
    ]
    problems = {}
    for name, alone, sentence in fields:
        try:
            claim_terms.check_asking(alone)
        except InvalidInputError:
            problems[name] = sentence
    return problems
