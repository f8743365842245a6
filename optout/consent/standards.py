"""What the words of each opt-out standard mean in our six uses; the words themselves are kept beside the mapping.

Names collide between standards (`train-ai` of AIPREF is generative AI only, `ai-train` of Content Signals any model,
`ai_training` of CAWG any but generative), so a word is only read together with its standard. A word that only ever
reserves has no positive effect here: nobody's clumsy wording opens anything.
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final, TypeAlias

from optout.consent.vocabulary import LEAVES, Preference, Use
from optout.errors import InvalidInputError

Effects: TypeAlias = Mapping[Use, Preference]


class Said(StrEnum):
    """How a word was said: AIPREF `n` or `y`, TDMRep 1 or 0, prohibits or permits, with terms."""

    NO = "no"
    TERMS = "terms"
    YES = "yes"


STANDARDS: Mapping[str, str] = MappingProxyType(
    {
        "claim": "1",
        "aipref": "draft-ietf-aipref-vocab-08",
        "aipref-legacy": "draft-ietf-aipref-vocab-03",
        "robots": "RFC 9309",
        "content-signals": "2025-09",
        "tdmrep": "CG-FINAL 2024-05-10",
        "robots-directives": "2022-11",
        "ai.txt": "2023",
        "cawg": "1.1",
        "plus": "LDF 2.0.1",
        "rsl": "1.0",
        "tdm-ai": "2025-11",
    }
)
"""The standards, each with the version that the table was written from. A newer one is a new row, never an edit."""

# Columns: train-genai, train-other, ai-input, ai-index, search, tdm-other. D: no reserves it, C: terms make it
# conditional, A: yes allows it; `-`: the word says nothing about the use.
_TABLE: Final[Mapping[str, Mapping[str, str]]] = {
    "claim": {
        "train-genai": "DCA - - - - -",
        "train-other": "- DCA - - - -",
        "ai-input": "- - DCA - - -",
        "ai-index": "- - - DCA - -",
        "search": "- - - - DCA -",
        "tdm-other": "- - - - - DCA",
        "train-ai": "DCA DCA - - - -",
        "ai-all": "DCA DCA DCA DCA - -",
        "all": "DCA DCA DCA DCA DCA DCA",
    },
    "aipref": {"train-ai": "DA - - - - -", "ai-use": "- - DA D - -", "search": "- - - - DA -"},
    # Early drafts: their words reserve, and open nothing.
    "aipref-legacy": {
        "tdm": "D D D D D D",
        "all": "D D D D D D",
        "bots": "D D D D D D",
        "ai": "D D - - - -",
        "train-ai": "D D - - - -",
        "genai": "D - - - - -",
        "train-genai": "D - - - - -",
        "inference": "- - D D - -",
        "ai-output": "- - D D - -",
    },
    # Of one operator's token that is for training; a Disallow for everybody is about fetching, not about uses.
    "robots": {"training-token": "D D - - - -", "Google-Extended": "D D D - - -"},
    "content-signals": {"ai-train": "DA DA - - - -", "ai-input": "- - DA D - -", "search": "- - - - DA -"},
    "tdmrep": {"tdm-reservation": "DCA DCA DC DC - DCA"},
    "robots-directives": {
        "noai": "D D D - - -",
        "noimageai": "D D D - - -",
        "noindex": "- - - D D -",
        "none": "- - - D D -",
    },
    "ai.txt": {"Disallow": "D D - - - -"},
    "cawg": {
        "cawg.ai_generative_training": "DCA - - - - -",
        "cawg.ai_training": "- DCA - - - -",
        "cawg.ai_inference": "- - DCA - - -",
        "cawg.data_mining": "- - - - - DCA",
    },
    "plus": {
        "DMI-PROHIBITED-GENAIMLTRAINING": "D - - - - -",
        "DMI-PROHIBITED-AIMLTRAINING": "D D - - - -",
        "DMI-PROHIBITED-EXCEPTSEARCHENGINEINDEXING": "D D D D A D",
        "DMI-PROHIBITED": "D D D D D D",
        "DMI-PROHIBITED-SEECONSTRAINT": "C C C C C C",
        "DMI-PROHIBITED-SEEEMBEDDEDRIGHTSEXPR": "C C C C C C",
        "DMI-PROHIBITED-SEELINKEDRIGHTSEXPR": "C C C C C C",
        "DMI-ALLOWED": "A A A A A A",
    },
    "rsl": {
        "ai-train": "DCA DCA - - - -",
        "ai-input": "- - DCA - - -",
        "ai-index": "- - - DCA - -",
        "search": "- - - - DCA -",
        "ai-all": "DCA DCA DCA DCA - -",
        "all": "DCA DCA DCA DCA DCA DCA",
    },
    "tdm-ai": {
        "all": "DA DA D D D DA",
        "train-ai": "DA DA - - - -",
        "train-genai": "DA - - - - -",
        "ai-use": "- - DA D - -",
        "search": "- - - - DA -",
    },
}

_LETTERS: Final = {Said.NO: "D", Said.TERMS: "C", Said.YES: "A"}
_MEANS: Final = {"D": Preference.DISALLOWED, "C": Preference.CONDITIONAL, "A": Preference.ALLOWED}


def tokens(standard: str) -> tuple[str, ...]:
    """The words of a standard that mean something; InvalidInputError names the known standards."""
    return tuple(_words(standard))


def meaning(standard: str, token: str, said: Said) -> Effects:
    """Read one word of one standard: a preference for each leaf use that it says something about, perhaps none.

    A word that only reserves says nothing when it is said with yes. A word whose sense lies in itself (PLUS) reads the
    same however it is said.

    Raises:
        InvalidInputError: an unknown standard, or a word that it does not have; the known ones are named.
    """
    words = _words(standard)
    if token not in words:
        raise InvalidInputError(
            f"`{token}` is not a word of {standard} {STANDARDS[standard]}: the known ones are {', '.join(words)}",
            field="token",
        )
    letters = words[token].split()
    wanted = _LETTERS[said]
    effects: dict[Use, Preference] = {}
    for leaf, cell in zip(LEAVES, letters, strict=True):
        if standard == "plus" and cell != "-":
            effects[leaf] = _MEANS[cell]
        elif wanted in cell:
            effects[leaf] = _MEANS[wanted]
    return MappingProxyType(effects)


def permitting_only(effects: Effects) -> Effects:
    """What a licence that permits only these uses says: every leaf that it does not permit is reserved (RSL 1.0)."""
    return MappingProxyType({leaf: effects.get(leaf, Preference.DISALLOWED) for leaf in LEAVES})


def _words(standard: str) -> Mapping[str, str]:
    if standard not in _TABLE:
        raise InvalidInputError(
            f"`{standard}` is not a standard that is read here: the known ones are {', '.join(_TABLE)}",
            field="standard",
        )
    return _TABLE[standard]
