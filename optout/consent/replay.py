"""A verdict from its trace alone: whoever keeps the trace can check that the verdict follows from it."""

from collections.abc import Iterable

from optout.consent.combining import combine_leaf, combine_uses
from optout.consent.reasons import Code, Reason
from optout.consent.vocabulary import Preference, Use

_COUNTS = {
    Code.STATEMENT_DISALLOWS: Preference.DISALLOWED,
    Code.STATEMENT_CONDITIONAL: Preference.CONDITIONAL,
    Code.STATEMENT_ALLOWS: Preference.ALLOWED,
    Code.GRANT_ALLOWS: Preference.ALLOWED,
}


def replay(trace: Iterable[Reason], use: Use) -> Preference:
    """Fold the steps about one work into the verdict for a use; a step that is not known permits nothing."""
    steps = list(trace)
    leaves = []
    for leaf in use.leaves:
        codes = {step.code for step in steps if step.parameters.get("use") == leaf}
        counted = {preference for code, preference in _COUNTS.items() if code in codes}
        leaves.append(combine_leaf(counted, unread=Code.SOURCE_UNREAD in codes))
    return combine_uses(leaves)
