"""The verdict: from statements, a use, a requester and a time to one word, with every step that led to it.

The order of restriction follows draft-ietf-aipref-vocab, "Combining Preferences",
with CONDITIONAL added between its two.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from optout.consent.reasons import Code, Parameter, Reason
from optout.consent.statements import Statement
from optout.consent.vocabulary import EvidenceLevel, Preference, Use
from optout.errors import InvalidInputError

AUTHENTICATED_FROM = EvidenceLevel.VERIFIED
"""From this level on, an `allowed` counts. A verified domain shows who speaks for an address, not whose a picture is
wherever it lies, so it does not open what content was matched to."""

_RESTRICTIVE_FIRST = (Preference.DISALLOWED, Preference.CONDITIONAL, Preference.ALLOWED)
_ALL_MUST_ALLOW = (Preference.DISALLOWED, Preference.CONDITIONAL, Preference.UNKNOWN, Preference.ALLOWED)

# Looked up instead of asked for: this is the inner loop of every batch.
_RANK = {level: level.rank for level in EvidenceLevel}
_AUTHENTICATED_RANK = AUTHENTICATED_FROM.rank

_COUNTS = {
    Preference.DISALLOWED: Code.STATEMENT_DISALLOWS,
    Preference.CONDITIONAL: Code.STATEMENT_CONDITIONAL,
    Preference.ALLOWED: Code.STATEMENT_ALLOWS,
}


def combine(preferences: Iterable[Preference]) -> Preference:
    """Fold what several statements say about one use of one work: the most restrictive wins.

    An empty iterable is UNKNOWN, and so is a word that is not one of ours. What to do with UNKNOWN is the caller's
    to choose.
    """
    seen = set(preferences)
    return next((preference for preference in _RESTRICTIVE_FIRST if preference in seen), Preference.UNKNOWN)


def combine_uses(preferences: Iterable[Preference]) -> Preference:
    """Fold across the uses of an aggregate: all must allow, so UNKNOWN outweighs ALLOWED. Empty is UNKNOWN."""
    seen = set(preferences)
    if not seen <= set(_ALL_MUST_ALLOW):  # a word that is not one of ours permits nothing
        seen.add(Preference.UNKNOWN)
    return next((preference for preference in _ALL_MUST_ALLOW if preference in seen), Preference.UNKNOWN)


def combine_works(preferences: Iterable[Preference]) -> Preference:
    """Fold across all the works that an asset shows: the rule of `combine_uses`."""
    return combine_uses(preferences)


@dataclass(frozen=True, slots=True)
class Weighed:
    """What one statement says about one leaf use, and whether it counts.

    Attributes:
        use: the leaf.
        said: what the statement says about it.
        counts: what it counts as; UNKNOWN when it does not count.
        code: why.
    """

    statement: Statement
    use: Use
    said: Preference
    counts: Preference
    code: Code


@dataclass(frozen=True, slots=True)
class Decision:
    """A verdict and what it stands on. The trace is built when it is asked for: most are never read.

    Attributes:
        verdict: holds for this requester, this use and this moment only.
        weighed: each statement that says anything about a leaf of `use`, in no particular order.
    """

    verdict: Preference
    use: Use
    requester: str | None
    at: datetime
    min_evidence: EvidenceLevel
    weighed: tuple[Weighed, ...]

    @property
    def deciding(self) -> tuple[str, ...]:
        """Ids of the statements that the verdict follows from, sorted; empty when it is UNKNOWN."""
        if self.verdict is Preference.UNKNOWN:
            return ()
        return tuple(sorted({weighed.statement.id for weighed in self.weighed if weighed.counts is self.verdict}))

    @property
    def trace(self) -> tuple[Reason, ...]:
        """Every step: the leaves that decide first, within each what counts first. It does not depend on order."""
        by_leaf = {leaf: [weighed for weighed in self.weighed if weighed.use is leaf] for leaf in self.use.leaves}
        combined = {leaf: combine(weighed.counts for weighed in found) for leaf, found in by_leaf.items()}
        reasons: list[Reason] = []
        for leaf in sorted(self.use.leaves, key=lambda leaf: combined[leaf] is not self.verdict):
            weighed = sorted(by_leaf[leaf], key=lambda one: (_ALL_MUST_ALLOW.index(one.counts), one.statement.id))
            reasons.extend(self._reason(one) for one in weighed)
            if combined[leaf] is Preference.UNKNOWN:
                reasons.append(Reason(Code.NO_RESERVATION_FOUND, {"use": leaf}))
        if len(by_leaf) > 1:
            reasons.append(Reason(Code.USES_COMBINED, {"use": self.use, "preference": self.verdict}))
        return tuple(reasons)

    def _reason(self, weighed: Weighed) -> Reason:
        statement = weighed.statement
        parameters: dict[str, Parameter] = {
            "statement": statement.id,
            "use": weighed.use,
            "preference": weighed.said,
            "evidence": statement.evidence,
        }
        if weighed.code is Code.STATEMENT_CONDITIONAL and statement.terms_url:
            parameters["terms_url"] = statement.terms_url
        elif weighed.code is Code.BELOW_MIN_EVIDENCE:
            parameters["minimum"] = self.min_evidence
        elif weighed.code is Code.NOT_YET_VALID:
            parameters["valid_from"] = statement.valid_from.isoformat()
        elif weighed.code is Code.NO_LONGER_VALID and statement.valid_until:
            parameters["valid_until"] = statement.valid_until.isoformat()
        elif weighed.code is Code.RECORDED_LATER:
            parameters["recorded_at"] = statement.recorded_at.isoformat()
        return Reason(weighed.code, parameters)


def decide(
    statements: Sequence[Statement],
    use: Use,
    requester: str | None,
    at: datetime,
    min_evidence: EvidenceLevel = EvidenceLevel.SELF_DECLARED,
    *,
    known_at: datetime | None = None,
) -> Decision:
    """Decide whether one work may be put to one use, from all that was said about the work.

    Deterministic, and independent of the statements' order. A statement that does not count (too early, too late,
    too little evidence, an `allowed` from somebody unknown) is in the trace with its reason.

    Args:
        statements: about this one work.
        use: a leaf or an aggregate.
        requester: pseudonymous id of the asking account; None when nobody in particular asks.
        at: the moment that the verdict is for.
        min_evidence: statements below this level do not count, by the asker's choice.
        known_at: leave out what was recorded after this moment; None takes everything.

    Raises:
        InvalidInputError: `at` or `known_at` has no time zone.
    """
    for name, moment in (("at", at), ("known_at", known_at)):
        if moment is not None and moment.utcoffset() is None:
            raise InvalidInputError(f"{name} needs a time zone, for instance 2026-01-31T12:00:00Z", field=name)
    weighed: list[Weighed] = []
    verdicts: list[Preference] = []
    out_of_force = [(one, _out_of_force(one, at, min_evidence, known_at)) for one in statements]
    for leaf in use.leaves:
        found = [_weigh(one, leaf, code) for one, code in out_of_force if one.uses.get(leaf) in _COUNTS]
        verdicts.append(combine(one.counts for one in found))
        weighed.extend(found)
    verdict = verdicts[0] if len(verdicts) == 1 else combine_uses(verdicts)
    return Decision(verdict, use, requester, at, min_evidence, tuple(weighed))


def _out_of_force(
    statement: Statement, at: datetime, min_evidence: EvidenceLevel, known_at: datetime | None
) -> Code | None:
    """Say why a statement counts for nothing, whatever it says; None when it is in force."""
    if known_at is not None and statement.recorded_at > known_at:
        return Code.RECORDED_LATER
    if at < statement.valid_from:
        return Code.NOT_YET_VALID
    if statement.valid_until is not None and at >= statement.valid_until:
        return Code.NO_LONGER_VALID
    if _RANK[statement.evidence] < _RANK[min_evidence]:
        return Code.BELOW_MIN_EVIDENCE
    return None


def _weigh(statement: Statement, leaf: Use, code: Code | None) -> Weighed:
    said = Preference(statement.uses[leaf])
    if code is None and said is Preference.ALLOWED and _RANK[statement.evidence] < _AUTHENTICATED_RANK:
        code = Code.ALLOW_NOT_AUTHENTICATED
    if code is None:
        return Weighed(statement, leaf, said, said, _COUNTS[said])
    return Weighed(statement, leaf, said, Preference.UNKNOWN, code)
