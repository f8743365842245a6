"""Sentences, English and French: why a verdict is what it is, and what a person has just chosen."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from types import ModuleType
from typing import Literal, TypeAlias, get_args

from optout.consent.preferences import Preset, expand, preset_of
from optout.consent.reasons import Parameter, Reason
from optout.consent.vocabulary import LEAVES, Preference, Use
from optout.consent.wordings import en, fr

Language: TypeAlias = Literal["en", "fr"]
LANGUAGES: tuple[Language, ...] = get_args(Language)

_WORDINGS: Mapping[str, ModuleType] = {"en": en, "fr": fr}

# Which table translates a parameter; the others are dates, or stand as they are (ids, addresses, names of algorithms).
_TABLES = {
    "use": "USES",
    "preference": "PREFERENCES",
    "evidence": "EVIDENCE",
    "minimum": "EVIDENCE",
    "strength": "STRENGTHS",
    "scope": "SCOPES",
}
_TIMES = {"valid_from", "valid_until", "recorded_at", "withdrawn_at", "revoked_at"}

# Narrower names for what several leaves have in common, widest first.
_TOGETHER = (Use.ALL, Use.AI_ALL, Use.TRAIN_AI)


def sentence(reason: Reason, language: Language = "en") -> str:
    """Put one step into a sentence that a creator understands.

    A code that this version does not know (from a newer registry) gives a sentence that says so and names it; a
    parameter that is missing stands as `?`.
    """
    wording = _WORDINGS[language]
    sentences: Mapping[str, str] = wording.SENTENCES
    # A sentence may have a richer form for when a further parameter is there.
    richer = next((code for name in reason.parameters if (code := f"{reason.code}+{name}") in sentences), reason.code)
    if richer not in sentences:
        unknown: str = wording.UNKNOWN_CODE
        return unknown.format(code=reason.code)
    said = sentences[richer]
    # How to ask is told wholly, and what ends says so before it does, whatever else is said.
    also: Mapping[str, str] = wording.ALSO
    untold = [name for name in also if name in reason.parameters and f"{{{name}}}" not in said]
    said = " ".join([said, *(also[name] for name in untold)])
    words = {name: _word(wording, name, value) for name, value in reason.parameters.items()}
    return said.format_map(_Forgiving(words))


def choice(preferences: Mapping[Use, Preference], language: Language = "en") -> str:
    """Say back what somebody chose: a preset in its own words, else use by use, most restrictive first.

    Uses that have a common name are named by it.
    """
    wording = _WORDINGS[language]
    preset = preset_of(preferences)
    if preset is not None:
        preset_says: Mapping[str, str] = wording.PRESET_SAYS
        return preset_says[preset]
    says: Mapping[str, str] = wording.SAYS
    leaves = expand(preferences)
    order = (Preference.DISALLOWED, Preference.CONDITIONAL, Preference.ALLOWED, Preference.UNKNOWN)
    said = {preference: [leaf for leaf in LEAVES if leaves[leaf] is preference] for preference in order}
    return " ".join(
        says[preference].format(uses=_list(wording, _named(uses))) for preference, uses in said.items() if uses
    )


def preset_name(preset: Preset, language: Language = "en") -> str:
    """Name a preset as it stands on a button."""
    names: Mapping[str, str] = _WORDINGS[language].PRESETS
    return names[preset]


def use_name(use: Use, language: Language = "en") -> str:
    """Name a use as it stands in a sentence."""
    names: Mapping[str, str] = _WORDINGS[language].USES
    return names[use]


def preference_name(preference: Preference, language: Language = "en") -> str:
    """Name a preference or verdict."""
    names: Mapping[str, str] = _WORDINGS[language].PREFERENCES
    return names[preference]


class _Forgiving(dict[str, str]):
    def __missing__(self, key: str) -> str:
        return "?"


def _word(wording: ModuleType, name: str, value: Parameter) -> str:
    if name in _TIMES:
        return _moment(wording, str(value))
    if name in _TABLES:
        table: Mapping[str, str] = getattr(wording, _TABLES[name])
        return table.get(str(value), str(value))
    return str(value)


def _moment(wording: ModuleType, text: str) -> str:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return text
    months: Sequence[str] = wording.MONTHS
    number = wording.FIRST_DAY if moment.day == 1 else str(moment.day)
    day = f"{number} {months[moment.month - 1]} {moment.year}"
    if moment.time().replace(microsecond=0).isoformat() == "00:00:00":
        return day
    return f"{day}, {moment:%H:%M} {moment.tzname() or ''}".rstrip()


def _named(uses: Sequence[Use]) -> list[Use]:
    """Replace leaves by the widest name that covers exactly some of them."""
    left = list(uses)
    named: list[Use] = []
    for aggregate in _TOGETHER:
        if set(aggregate.leaves) <= set(left):
            named.append(aggregate)
            left = [use for use in left if use not in aggregate.leaves]
    return named + left


def _list(wording: ModuleType, uses: Sequence[Use]) -> str:
    names: Mapping[str, str] = wording.USES
    words = [names[use] for use in uses]
    last_link: str = wording.AND
    return words[0] if len(words) == 1 else ", ".join(words[:-1]) + last_link + words[-1]
