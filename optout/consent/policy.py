"""The verdict: from statements, a use, a requester and a time to one word, with every step that led to it."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from optout.consent import moments
from optout.consent.combining import combine, combine_leaf, combine_uses, combine_works
from optout.consent.decisions import Decision, Weighed, WeighedGrant
from optout.consent.grants import Grant
from optout.consent.reasons import Code
from optout.consent.statements import Statement
from optout.consent.vocabulary import Carrier, EvidenceLevel, Preference, Scope, Use

__all__ = ["AUTHENTICATED_FROM", "Decision", "Weighed", "combine", "combine_uses", "combine_works", "decide"]

AUTHENTICATED_FROM: Final = EvidenceLevel.VERIFIED
"""From this level on, an `allowed` counts, and so does a grant. A verified domain shows who speaks for an address: it
opens what lies there, and not what content was matched to wherever it lies."""

# Looked up instead of asked for: this is the inner loop of every batch.
_RANK = {level: level.rank for level in EvidenceLevel}
_AUTHENTICATED_RANK = AUTHENTICATED_FROM.rank
_DOMAIN_RANK = EvidenceLevel.DOMAIN.rank
_SCOPE_RANK = {scope: scope.rank for scope in Scope}

_COUNTS = {
    Preference.DISALLOWED: Code.STATEMENT_DISALLOWS,
    Preference.CONDITIONAL: Code.STATEMENT_CONDITIONAL,
    Preference.ALLOWED: Code.STATEMENT_ALLOWS,
}


def decide(
    statements: Sequence[Statement],
    use: Use,
    requester: str | None,
    at: datetime,
    min_evidence: EvidenceLevel = EvidenceLevel.SELF_DECLARED,
    *,
    known_at: datetime | None = None,
    grants: Sequence[Grant] = (),
    location: str | None = None,
) -> Decision:
    """Decide whether one work may be put to one use, from all that was said about the work.

    Deterministic, and independent of the statements' order. A statement that does not count (too early, too late,
    too little evidence, an `allowed` from somebody unknown) is in the trace with its reason.

    The rules and their order: docs/reference/consent.md.

    Args:
        statements: about this one work.
        use: a leaf or an aggregate.
        requester: pseudonymous id of the asking account; None is nobody in particular, and has no grants.
        at: the moment that the verdict is for, with time zone.
        min_evidence: statements below this level do not count.
        known_at: leave out what was recorded later than this moment: the verdict as it was known then.
        grants: those that cover this work; others than the requester's are passed over in silence.
        location: canonical address that the asset was got from, if it is known: what is bound to an address counts
            only there.

    Raises:
        InvalidInputError: a time without zone.
    """
    moments.require(at, "at")
    moments.require(known_at, "known_at")
    newest = _newest(statements, at, known_at) if len(statements) > 1 else {}
    standing = [
        (one, _out_of_force(one, at, known_at, newest) or _not_here(one, min_evidence, location)) for one in statements
    ]
    narrowest = _narrowest(standing) if any(one.scope is not Scope.WORK for one in statements) else {}
    asked = [(one, _grant_code(one, at, known_at)) for one in grants if requester and one.grantee == requester]
    weighed: list[Weighed] = []
    licences: list[WeighedGrant] = []
    verdicts: list[Preference] = []
    for leaf in use.leaves:
        granted = [WeighedGrant(one, leaf, code) for one, code in asked if leaf in one.uses]
        lifting = sorted((one.grant for one in granted if one.counts), key=lambda grant: grant.id)
        found = [
            _weigh(one, leaf, code, narrowest, lifting)
            for one, code in standing
            if one.unread is not None or one.uses.get(leaf, Preference.UNKNOWN) != Preference.UNKNOWN
        ]
        counted = {one.counts for one in found} | ({Preference.ALLOWED} if lifting else set())
        verdicts.append(combine_leaf(counted, unread=any(one.code is Code.SOURCE_UNREAD for one in found)))
        weighed += found
        licences += granted
    verdict = verdicts[0] if len(verdicts) == 1 else combine_uses(verdicts)
    return Decision(
        verdict, tuple(verdicts), use, requester, at, known_at, min_evidence, tuple(weighed), tuple(licences)
    )


def _newest(
    statements: Sequence[Statement], at: datetime, known_at: datetime | None
) -> Mapping[tuple[str, str], datetime]:
    """When the version that speaks was recorded, by who speaks and series: nobody replaces what another one said."""
    newest: dict[tuple[str, str], datetime] = {}
    for one in statements:
        if one.series is None or at < one.valid_from or (known_at is not None and one.recorded_at > known_at):
            continue
        series = one.source, one.series
        if series not in newest or newest[series] < one.recorded_at:
            newest[series] = one.recorded_at
    return newest


def _out_of_force(
    statement: Statement, at: datetime, known_at: datetime | None, newest: Mapping[tuple[str, str], datetime]
) -> Code | None:
    """Say why a statement is not in force, whatever it says; None when it is."""
    if known_at is not None and statement.recorded_at > known_at:
        return Code.RECORDED_LATER
    if at < statement.valid_from:
        return Code.NOT_YET_VALID
    # Versions that were recorded at one moment all speak: nobody can tell which of them is the last word.
    if statement.series is not None:
        last_word = newest.get((statement.source, statement.series), statement.recorded_at)
        if statement.recorded_at < last_word:
            return Code.SUPERSEDED
    gone = statement.withdrawn_at
    if gone is not None and gone <= at and (known_at is None or gone <= known_at):
        return Code.WITHDRAWN
    if statement.valid_until is not None and at >= statement.valid_until:
        return Code.NO_LONGER_VALID
    return None


def _not_here(statement: Statement, min_evidence: EvidenceLevel, location: str | None) -> Code | None:
    """Say why a statement that is in force does not count for this asset and this asker."""
    if statement.location is not None and statement.location != location:
        return Code.BOUND_ELSEWHERE
    if _RANK[statement.evidence] < _RANK[min_evidence]:
        return Code.BELOW_MIN_EVIDENCE
    return None


def _narrowest(standing: Sequence[tuple[Statement, Code | None]]) -> Mapping[tuple[str, Use], int]:
    """How narrow the narrowest claim is by which a claimant says something about a leaf."""
    narrowest: dict[tuple[str, Use], int] = {}
    for one, code in standing:
        if code is None and one.carrier is Carrier.CLAIM and one.unread is None:
            rank = _SCOPE_RANK[one.scope]
            for leaf, said in one.uses.items():
                if said in _COUNTS:
                    narrowest[one.source, leaf] = max(rank, narrowest.get((one.source, leaf), 0))
    return narrowest


def _grant_code(grant: Grant, at: datetime, known_at: datetime | None) -> Code:
    if known_at is not None and grant.recorded_at > known_at:
        return Code.GRANT_RECORDED_LATER
    if _RANK[grant.evidence] < _AUTHENTICATED_RANK:
        return Code.GRANT_NOT_AUTHENTICATED
    if at < grant.valid_from:
        return Code.GRANT_NOT_YET_VALID
    gone = grant.revoked_at
    if gone is not None and gone <= at and (known_at is None or gone <= known_at):
        return Code.GRANT_REVOKED
    if grant.valid_until is not None and at >= grant.valid_until:
        return Code.GRANT_NO_LONGER_VALID
    return Code.GRANT_ALLOWS


def _weigh(
    statement: Statement,
    leaf: Use,
    code: Code | None,
    narrowest: Mapping[tuple[str, Use], int],
    lifting: Sequence[Grant],
) -> Weighed:
    word = Preference.UNKNOWN if statement.unread is not None else statement.uses[leaf]
    unread = word not in _COUNTS  # also a word that is none of ours: it may have been meant as a reservation
    said = Preference.UNKNOWN if unread else Preference(word)
    if code is not None:
        return Weighed(statement, leaf, said, Preference.UNKNOWN, code)
    is_claim = statement.carrier is Carrier.CLAIM
    if narrowest and is_claim and not unread and _SCOPE_RANK[statement.scope] < narrowest[statement.source, leaf]:
        return Weighed(statement, leaf, said, Preference.UNKNOWN, Code.NARROWER_SAID)
    for grant in lifting:
        if statement.source == grant.grantor or _RANK[statement.evidence] < _RANK[grant.evidence]:
            return Weighed(statement, leaf, said, Preference.UNKNOWN, Code.OVERRIDDEN_BY_GRANT, grant.id)
    if unread:
        return Weighed(statement, leaf, said, Preference.UNKNOWN, Code.SOURCE_UNREAD)
    if said is Preference.ALLOWED and not _is_authenticated(statement):
        return Weighed(statement, leaf, said, Preference.UNKNOWN, Code.ALLOW_NOT_AUTHENTICATED)
    return Weighed(statement, leaf, said, said, _COUNTS[said])


def _is_authenticated(statement: Statement) -> bool:
    """Whether the source may open: it is verified, or speaks for the address that the asset was got from."""
    rank = _RANK[statement.evidence]
    return rank >= _AUTHENTICATED_RANK or (statement.location is not None and rank >= _DOMAIN_RANK)
