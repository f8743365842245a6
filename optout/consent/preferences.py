"""What a person says, made exact: aggregates expanded to leaves, words checked, the four presets."""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from types import MappingProxyType

from optout.consent.vocabulary import AGGREGATES, LEAVES, Preference, Use
from optout.errors import InvalidInputError

# What a person can say. `unknown` is what follows from silence; nobody states it.
STATABLE: tuple[Preference, ...] = (Preference.ALLOWED, Preference.CONDITIONAL, Preference.DISALLOWED)

# Widest first, so that what is said more narrowly is applied later and wins.
_WIDEST_FIRST: tuple[Use, ...] = (*sorted(AGGREGATES, key=lambda use: -len(use.leaves)), *LEAVES)


class Preset(StrEnum):
    """The four choices that cover what most people want to say."""

    NO_AI = "no-ai"
    SEARCH_ONLY = "search-only"
    ASK_FIRST = "ask-first"
    ALL_WELCOME = "all-welcome"


def expand(preferences: Mapping[Use, Preference]) -> dict[Use, Preference]:
    """Spell out preferences as one per leaf use, all six leaves present, in the order of the vocabulary.

    Of two that cover the same leaf, the narrower use wins: a leaf beside its aggregate, `train-ai` beside `all`.
    A leaf that nothing covers is UNKNOWN.
    """
    leaves = dict.fromkeys(LEAVES, Preference.UNKNOWN)
    for use in _WIDEST_FIRST:
        if use in preferences:
            leaves.update(dict.fromkeys(use.leaves, preferences[use]))
    return leaves


def parse(text: str) -> tuple[Use, Preference]:
    """Read `train-ai=disallowed`. A preset says several at once: `parse_all` reads those, too.

    Raises:
        InvalidInputError: no `=`, or a word that we do not know; the message names it and lists the known ones.
    """
    use_word, equals, preference_word = (part.strip() for part in text.partition("="))
    if not equals:
        raise InvalidInputError(
            f"`{text}` is not of the form USE=PREFERENCE, for instance train-ai=disallowed, "
            f"and none of {', '.join(Preset)}",
            field="prefer",
        )
    return parse_use(use_word, field="prefer"), parse_preference(preference_word, field="prefer")


def parse_all(texts: Iterable[str]) -> dict[Use, Preference]:
    """Read several; saying two different things about one use is an error, not a matter of order.

    A preset is spelt out first, leaf by leaf where it says something, and what is said beside it wins.

    Raises:
        InvalidInputError: as `parse`, a use that is named twice with different preferences, or two presets.
    """
    said = list(texts)
    presets = list(dict.fromkeys(text for text in said if text in list(Preset)))
    if len(presets) > 1:
        raise InvalidInputError(f"{presets[0]} and {presets[1]} contradict one another: say one", field="prefer")
    preferences: dict[Use, Preference] = {}
    for text in said:
        if text in presets:
            continue
        use, preference = parse(text)
        if preferences.setdefault(use, preference) is not preference:
            raise InvalidInputError(
                f"{use} is said to be both {preferences[use]} and {preference}: say one of them", field="prefer"
            )
    return {**(_spelt(Preset(presets[0]), preferences) if presets else {}), **preferences}


def parse_use(word: str, field: str = "use") -> Use:
    """Read one use; InvalidInputError names the word and the known words."""
    try:
        return Use(word)
    except ValueError:
        raise InvalidInputError(f"`{word}` is not a use: the known ones are {', '.join(Use)}", field=field) from None


def parse_preference(word: str, field: str = "preference") -> Preference:
    """Read one preference that a person can state; InvalidInputError names the word and the known words."""
    if word not in STATABLE:
        known = ", ".join(STATABLE)
        raise InvalidInputError(f"`{word}` is not a preference: the known ones are {known}", field=field)
    return Preference(word)


def _spelt(preset: Preset, beside: Mapping[Use, Preference]) -> dict[Use, Preference]:
    """What a preset says about the leaves that nothing beside it covers: a leaf would win over an aggregate."""
    covered = {leaf for use in beside for leaf in use.leaves}
    return {use: said for use, said in PRESETS[preset].items() if use not in covered and said in STATABLE}


def _preset(preferences: Mapping[Use, Preference]) -> Mapping[Use, Preference]:
    return MappingProxyType(expand(preferences))


PRESETS: Mapping[Preset, Mapping[Use, Preference]] = MappingProxyType(
    {
        # Says nothing about search and other mining: whoever picks it speaks of AI.
        Preset.NO_AI: _preset({Use.AI_ALL: Preference.DISALLOWED}),
        Preset.SEARCH_ONLY: _preset({Use.ALL: Preference.DISALLOWED, Use.SEARCH: Preference.ALLOWED}),
        # Search is left unsaid: an engine can't ask, and few who want to be asked want to vanish from it.
        Preset.ASK_FIRST: _preset({Use.AI_ALL: Preference.CONDITIONAL, Use.TDM_OTHER: Preference.CONDITIONAL}),
        Preset.ALL_WELCOME: _preset({Use.ALL: Preference.ALLOWED}),
    }
)
"""What each preset says, as a preference per leaf use."""


def preset_of(preferences: Mapping[Use, Preference]) -> Preset | None:
    """Find the preset that says exactly this; None when it was chosen use by use."""
    leaves = expand(preferences)
    return next((preset for preset, said in PRESETS.items() if said == leaves), None)
