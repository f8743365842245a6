"""A verdict with what it stands on; its trace is built when somebody asks for it."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from optout.consent.combining import STATED
from optout.consent.grants import Grant
from optout.consent.reasons import Code, Parameter, Reason
from optout.consent.statements import Statement
from optout.consent.vocabulary import Carrier, EvidenceLevel, Preference, Use

MAX_TRACED: Final = 50
"""Statements that a trace shows for one leaf use, those that decide first. All are decided from."""

_HEARD_WITHOUT_COUNTING: Final = frozenset({Code.OVERRIDDEN_BY_GRANT, Code.ALLOW_NOT_AUTHENTICATED})
_TRACED_FIRST: Final = (*STATED, Preference.UNKNOWN)


@dataclass(frozen=True, slots=True)
class Weighed:
    """What one statement says about one leaf use, and whether it counts.

    Attributes:
        use: the leaf.
        said: what the statement says about it.
        counts: what it counts as; UNKNOWN when it does not count.
        code: why.
        grant: the grant that lifts it, if one does.
    """

    statement: Statement
    use: Use
    said: Preference
    counts: Preference
    code: Code
    grant: str | None = None


@dataclass(frozen=True, slots=True)
class WeighedGrant:
    """Whether one grant to the requester counts for one leaf use, and why."""

    grant: Grant
    use: Use
    code: Code

    @property
    def counts(self) -> bool:
        """Whether it permits."""
        return self.code is Code.GRANT_ALLOWS


@dataclass(frozen=True, slots=True)
class Decision:
    """A verdict and what it stands on. The trace is built when it is asked for: most are never read.

    Attributes:
        verdict: holds for this requester, this use and this moment only.
        leaves: the verdict for each leaf of `use`, in its order.
        known_at: what was recorded later was left out; None: nothing was.
        weighed: each statement that says anything about a leaf of `use`, in no particular order.
        grants: each grant to this requester that names a leaf of `use`, in no particular order.
    """

    verdict: Preference
    leaves: tuple[Preference, ...]
    use: Use
    requester: str | None
    at: datetime
    known_at: datetime | None
    min_evidence: EvidenceLevel
    weighed: tuple[Weighed, ...]
    grants: tuple[WeighedGrant, ...]

    @property
    def deciding(self) -> tuple[str, ...]:
        """Ids of the statements and grants that the verdict follows from, sorted; empty when it is UNKNOWN."""
        if self.verdict is Preference.UNKNOWN:
            return ()
        ids = {one.statement.id for one in self.weighed if one.counts is self.verdict}
        if self.verdict is Preference.ALLOWED:
            ids.update(one.grant.id for one in self.grants if one.counts)
        return tuple(sorted(ids))

    @property
    def incomplete(self) -> bool:
        """Whether something that was said could not be read."""
        return any(one.code is Code.SOURCE_UNREAD for one in self.weighed)

    @property
    def contested(self) -> tuple[Use, ...]:
        """Leaf uses about which claimants whose word counts differ."""
        return tuple(leaf for leaf in self.use.leaves if _differ(self.weighed, leaf))

    @property
    def in_dispute(self) -> frozenset[str]:
        """Ids of the claims whose word counts for a leaf use about which claimants differ."""
        return frozenset(one.statement.id for leaf in self.contested for one in self.heard(leaf))

    def heard(self, leaf: Use) -> Sequence[Weighed]:
        """The claims whose word about a leaf counts, or would count if their claimants were authenticated."""
        return _heard(self.weighed, leaf)

    @property
    def trace(self) -> tuple[Reason, ...]:
        """Every step: the leaves that decide first, within each what counts first. It does not depend on order."""
        reasons: list[Reason] = []
        by_leaf = sorted(zip(self.use.leaves, self.leaves, strict=True), key=lambda pair: pair[1] is not self.verdict)
        for leaf, verdict in by_leaf:
            reasons.extend(_of_grants([one for one in self.grants if one.use is leaf]))
            reasons.extend(self._of_statements([one for one in self.weighed if one.use is leaf], leaf))
            if _differ(self.weighed, leaf):
                reasons.append(Reason(Code.CLAIMANTS_DIFFER, {"use": leaf}))
            if verdict is Preference.UNKNOWN:
                reasons.append(Reason(Code.NO_RESERVATION_FOUND, {"use": leaf}))
        if len(by_leaf) > 1:
            reasons.append(Reason(Code.USES_COMBINED, {"use": self.use, "preference": self.verdict}))
        return tuple(reasons)

    def _of_statements(self, weighed: Sequence[Weighed], leaf: Use) -> Iterator[Reason]:
        # What could not be read decides, too: it must not be among what is left out.
        ordered = sorted(
            weighed,
            key=lambda one: (
                _TRACED_FIRST.index(one.counts),
                one.code is not Code.SOURCE_UNREAD,
                one.statement.id,
                one.code,
                one.said,
            ),
        )
        shown = ordered[:MAX_TRACED]
        if not any(one.code is Code.SOURCE_UNREAD for one in shown):
            shown += [one for one in ordered[MAX_TRACED:] if one.code is Code.SOURCE_UNREAD][:1]
        yield from (_of_statement(one, self.min_evidence) for one in shown)
        if len(ordered) > len(shown):
            yield Reason(Code.MORE_STATEMENTS, {"use": leaf, "count": len(ordered) - len(shown)})


def differ_about(decisions: Iterable[Decision], use: Use) -> tuple[Use, ...]:
    """Leaf uses about which claimants differ across several works of the same content, each with its own decision."""
    together = [one for decision in decisions for one in decision.weighed]
    return tuple(leaf for leaf in use.leaves if _differ(together, leaf))


def _differ(weighed: Iterable[Weighed], leaf: Use) -> bool:
    """Whether two claimants say different things about a leaf. What does not count makes no dispute."""
    said: dict[str, set[Preference]] = {}
    for one in _heard(weighed, leaf):
        said.setdefault(one.statement.source, set()).add(one.said)
    return len(said) > 1 and len(set().union(*said.values())) > 1


def _heard(weighed: Iterable[Weighed], leaf: Use) -> list[Weighed]:
    claims = [one for one in weighed if one.use is leaf and one.statement.carrier is Carrier.CLAIM]
    return [one for one in claims if one.counts is not Preference.UNKNOWN or one.code in _HEARD_WITHOUT_COUNTING]


def _of_grants(weighed: Iterable[WeighedGrant]) -> Iterator[Reason]:
    for one in sorted(weighed, key=lambda one: (not one.counts, one.grant.id)):
        grant = one.grant
        parameters: dict[str, Parameter] = {"grant": grant.id, "use": one.use}
        if one.code in {Code.GRANT_ALLOWS, Code.GRANT_NO_LONGER_VALID} and grant.valid_until is not None:
            parameters["valid_until"] = grant.valid_until.isoformat()
        elif one.code is Code.GRANT_NOT_YET_VALID:
            parameters["valid_from"] = grant.valid_from.isoformat()
        elif one.code is Code.GRANT_REVOKED and grant.revoked_at is not None:
            parameters["revoked_at"] = grant.revoked_at.isoformat()
        elif one.code is Code.GRANT_RECORDED_LATER:
            parameters["recorded_at"] = grant.recorded_at.isoformat()
        elif one.code is Code.GRANT_NOT_AUTHENTICATED:
            parameters["evidence"] = grant.evidence
        yield Reason(one.code, parameters)


def _of_statement(weighed: Weighed, min_evidence: EvidenceLevel) -> Reason:
    statement = weighed.statement
    parameters: dict[str, Parameter] = {
        "statement": statement.id,
        "use": weighed.use,
        "preference": weighed.said,
        "evidence": statement.evidence,
    }
    further = {name: _text(read(weighed)) for name, read in _FURTHER.get(weighed.code, {}).items()}
    parameters.update({name: value for name, value in further.items() if value})
    if weighed.code is Code.BELOW_MIN_EVIDENCE:
        parameters["minimum"] = min_evidence
    return Reason(weighed.code, parameters)


# What a step tells beside what every step about a statement tells.
_FURTHER: Mapping[Code, Mapping[str, Callable[[Weighed], str | datetime | None]]] = {
    # What ends says so before it does.
    Code.STATEMENT_DISALLOWS: {"valid_until": lambda one: one.statement.valid_until},
    Code.STATEMENT_ALLOWS: {"valid_until": lambda one: one.statement.valid_until},
    Code.STATEMENT_CONDITIONAL: {
        "terms_url": lambda one: one.statement.terms_url,
        "contact": lambda one: one.statement.contact,
        "languages": lambda one: ", ".join(one.statement.languages),
        "valid_until": lambda one: one.statement.valid_until,
    },
    Code.NOT_YET_VALID: {"valid_from": lambda one: one.statement.valid_from},
    Code.NO_LONGER_VALID: {"valid_until": lambda one: one.statement.valid_until},
    Code.WITHDRAWN: {"withdrawn_at": lambda one: one.statement.withdrawn_at},
    Code.RECORDED_LATER: {"recorded_at": lambda one: one.statement.recorded_at},
    Code.NARROWER_SAID: {"scope": lambda one: one.statement.scope},
    Code.BOUND_ELSEWHERE: {"location": lambda one: one.statement.location},
    Code.OVERRIDDEN_BY_GRANT: {"grant": lambda one: one.grant},
    Code.SOURCE_UNREAD: {
        "carrier": lambda one: one.statement.carrier,
        "error": lambda one: one.statement.unread or "unknown_word",
    },
}


def _text(value: str | datetime | None) -> str | None:
    return value.isoformat() if isinstance(value, datetime) else value
