"""How preferences fold into one: across statements, across the uses of an aggregate, across works.

The order of restriction follows draft-ietf-aipref-vocab, "Combining Preferences",
with CONDITIONAL added between its two.
"""

from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from typing import Final

from optout.consent.vocabulary import Preference

STATED: Final = (Preference.DISALLOWED, Preference.CONDITIONAL, Preference.ALLOWED)
"""What a statement can say, most restrictive first."""
ALL_MUST_ALLOW: Final = (Preference.DISALLOWED, Preference.CONDITIONAL, Preference.UNKNOWN, Preference.ALLOWED)


def combine(preferences: Iterable[Preference]) -> Preference:
    """Fold what several statements say about one use of one work: the most restrictive wins.

    An empty iterable is UNKNOWN, and so is a word that is not one of ours. What to do with UNKNOWN is the caller's
    to choose.
    """
    return _first(STATED, set(preferences))


def combine_uses(preferences: Iterable[Preference]) -> Preference:
    """Fold across the uses of an aggregate: all must allow, so UNKNOWN outweighs ALLOWED. Empty is UNKNOWN."""
    seen = set(preferences)
    if not seen <= set(ALL_MUST_ALLOW):  # a word that is not one of ours permits nothing
        seen.add(Preference.UNKNOWN)
    return _first(ALL_MUST_ALLOW, seen)


def combine_works(preferences: Iterable[Preference]) -> Preference:
    """Fold across all the works that an asset shows: the rule of `combine_uses`."""
    return combine_uses(preferences)


def combine_sources(preferences: Iterable[Preference]) -> Preference:
    """Fold what several registries and catalogues say about one asset: the rule of `combine_works`.

    One that found nothing says UNKNOWN, and so keeps the others from permitting.
    """
    return combine_works(preferences)


def combine_leaf(counted: AbstractSet[Preference], *, unread: bool) -> Preference:
    """Fold what counts about one leaf use; a source that could not be read keeps the others from permitting."""
    found = _first(STATED, counted)
    return Preference.UNKNOWN if unread and found is Preference.ALLOWED else found


def _first(order: Iterable[Preference], seen: AbstractSet[Preference]) -> Preference:
    return next((preference for preference in order if preference in seen), Preference.UNKNOWN)
