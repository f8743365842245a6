from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optout.consent.policy import Decision, combine, combine_uses, combine_works, decide
from optout.consent.reasons import Code, Reason
from optout.consent.statements import Statement
from optout.consent.vocabulary import LEAVES, Carrier, EvidenceLevel, Preference, Use
from optout.errors import InvalidInputError

A, C, D, U = Preference.ALLOWED, Preference.CONDITIONAL, Preference.DISALLOWED, Preference.UNKNOWN
NOW = datetime(2026, 6, 1, tzinfo=UTC)
RESTRICTION = {A: 0, U: 1, C: 2, D: 3}  # how far a verdict is from letting an asset through

moments = st.integers(-3, 3).map(lambda days: NOW + timedelta(days=days))
statements = st.builds(
    Statement,
    id=st.uuids().map(str),
    source=st.sampled_from(["alice", "bob"]),
    carrier=st.just(Carrier.CLAIM),
    evidence=st.sampled_from(EvidenceLevel),
    uses=st.dictionaries(st.sampled_from(LEAVES), st.sampled_from(Preference)),
    valid_from=moments,
    valid_until=st.none() | moments,
    recorded_at=moments,
)
histories = st.lists(statements, max_size=5)
uses = st.sampled_from(Use)
levels = st.sampled_from(EvidenceLevel)


def ask(said: Sequence[Statement], use: Use = Use.TRAIN_GENAI, **more: EvidenceLevel | datetime) -> Decision:
    return decide(said, use, None, NOW, **more)  # type: ignore[arg-type] # one helper for every optional argument


@pytest.mark.parametrize(
    ("said", "statements_say", "all_must_allow"),
    [
        ([], U, U),
        ([U], U, U),
        ([A], A, A),
        ([A, U], A, U),
        ([A, C], C, C),
        ([U, C], C, C),
        ([A, C, D], D, D),
        ([U, D], D, D),
    ],
)
def test_statements_combine_by_restriction_and_works_and_uses_must_all_allow(
    said: list[Preference], statements_say: Preference, all_must_allow: Preference
) -> None:
    for order in permutations(said):
        assert combine(order) is statements_say
        assert combine_uses(order) is all_must_allow
        assert combine_works(order) is all_must_allow


def test_a_word_that_is_none_of_ours_never_permits() -> None:
    strange = "permitted-by-a-newer-version"

    assert combine([strange]) is U  # type: ignore[list-item] # what a file or a peer may hold at run time
    assert combine_uses([strange, A]) is U  # type: ignore[list-item] # as above


def test_nothing_said_is_unknown_with_its_reason() -> None:
    decision = ask([])

    assert decision.verdict is U
    assert decision.deciding == ()
    assert decision.trace == (Reason(Code.NO_RESERVATION_FOUND, {"use": Use.TRAIN_GENAI}),)


def test_a_self_declared_no_counts(statement: Callable[..., Statement]) -> None:
    decision = ask([statement({Use.TRAIN_AI: D}, id="c1")])

    assert decision.verdict is D
    assert decision.deciding == ("c1",)
    assert decision.trace[0].code == Code.STATEMENT_DISALLOWS


@pytest.mark.parametrize("level", [level for level in EvidenceLevel if level is not EvidenceLevel.VERIFIED])
def test_a_yes_from_somebody_who_is_not_verified_is_unknown(
    statement: Callable[..., Statement], level: EvidenceLevel
) -> None:
    decision = ask([statement({Use.ALL: A}, evidence=level)])

    assert decision.verdict is U
    assert [reason.code for reason in decision.trace] == [Code.ALLOW_NOT_AUTHENTICATED, Code.NO_RESERVATION_FOUND]


def test_a_verified_yes_allows(statement: Callable[..., Statement]) -> None:
    assert ask([statement({Use.ALL: A}, evidence=EvidenceLevel.VERIFIED)]).verdict is A


def test_an_aggregate_is_allowed_only_when_every_leaf_is(statement: Callable[..., Statement]) -> None:
    half = statement({Use.TRAIN_GENAI: A}, evidence=EvidenceLevel.VERIFIED)

    assert ask([half], Use.TRAIN_AI).verdict is U


def test_one_reserved_leaf_reserves_the_aggregate(statement: Callable[..., Statement]) -> None:
    decision = ask([statement({Use.ALL: A, Use.TRAIN_OTHER: D}, evidence=EvidenceLevel.VERIFIED)], Use.ALL)

    assert decision.verdict is D
    assert decision.trace[0].parameters["use"] == Use.TRAIN_OTHER
    assert decision.trace[-1] == Reason(Code.USES_COMBINED, {"use": Use.ALL, "preference": D})


def test_terms_are_named_where_there_are_any(statement: Callable[..., Statement]) -> None:
    decision = ask([statement({Use.ALL: C}, terms_url="https://example.org/terms")])

    assert decision.verdict is C
    assert decision.trace[0].parameters["terms_url"] == "https://example.org/terms"


@pytest.mark.parametrize(
    ("valid_from", "valid_until", "verdict", "code"),
    [
        (NOW, None, D, Code.STATEMENT_DISALLOWS),
        (NOW + timedelta(seconds=1), None, U, Code.NOT_YET_VALID),
        (NOW - timedelta(days=1), NOW, U, Code.NO_LONGER_VALID),
        (NOW - timedelta(days=1), NOW + timedelta(seconds=1), D, Code.STATEMENT_DISALLOWS),
    ],
)
def test_a_statement_counts_from_its_start_until_just_before_its_end(
    statement: Callable[..., Statement],
    valid_from: datetime,
    valid_until: datetime | None,
    verdict: Preference,
    code: Code,
) -> None:
    decision = ask([statement({Use.ALL: D}, valid_from=valid_from, valid_until=valid_until)])

    assert decision.verdict is verdict
    assert decision.trace[0].code == code


def test_what_was_recorded_later_does_not_change_an_answer_as_it_was_known(
    statement: Callable[..., Statement],
) -> None:
    backdated = statement({Use.ALL: D}, recorded_at=NOW + timedelta(days=1))

    assert ask([backdated]).verdict is D
    assert ask([backdated], known_at=NOW).verdict is U
    assert ask([backdated], known_at=NOW).trace[0].code == Code.RECORDED_LATER


def test_what_lies_below_the_evidence_asked_for_is_reported_and_does_not_count(
    statement: Callable[..., Statement],
) -> None:
    decision = ask([statement({Use.ALL: D})], min_evidence=EvidenceLevel.DOMAIN)

    assert decision.verdict is U
    assert decision.trace[0].code == Code.BELOW_MIN_EVIDENCE
    assert decision.trace[0].parameters["minimum"] == EvidenceLevel.DOMAIN


def test_a_time_without_zone_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="time zone"):
        decide([], Use.SEARCH, None, datetime(2026, 1, 1))  # noqa: DTZ001 - the point of the test


@given(histories, statements, uses, levels)
def test_a_further_no_never_makes_a_verdict_more_permissive(
    said: list[Statement], more: Statement, use: Use, level: EvidenceLevel
) -> None:
    refusing = Statement(
        id=more.id,
        source=more.source,
        carrier=more.carrier,
        evidence=more.evidence,
        uses=dict.fromkeys(more.uses, D),
        valid_from=more.valid_from,
        valid_until=more.valid_until,
        recorded_at=more.recorded_at,
    )

    before = ask(said, use, min_evidence=level).verdict
    after = ask([*said, refusing], use, min_evidence=level).verdict

    assert RESTRICTION[after] >= RESTRICTION[before]


@given(histories, st.randoms(use_true_random=False), uses)
def test_order_never_matters(said: list[Statement], shuffler: object, use: Use) -> None:
    shuffled = list(said)
    shuffler.shuffle(shuffled)  # type: ignore[attr-defined] # hypothesis gives a random.Random

    first, second = ask(said, use), ask(shuffled, use)

    assert (first.verdict, first.deciding, first.trace) == (second.verdict, second.deciding, second.trace)


@given(histories, uses, levels)
def test_every_trace_replayed_gives_the_verdict(said: list[Statement], use: Use, level: EvidenceLevel) -> None:
    decision = ask(said, use, min_evidence=level)
    counted = {Code.STATEMENT_DISALLOWS: D, Code.STATEMENT_CONDITIONAL: C, Code.STATEMENT_ALLOWS: A}
    leaves = {
        leaf: combine(
            counted.get(Code(reason.code), U) for reason in decision.trace if reason.parameters["use"] == leaf
        )
        for leaf in use.leaves
    }

    assert combine_uses(leaves.values()) is decision.verdict


@given(histories, uses)
def test_only_an_authenticated_yes_for_every_leaf_allows(said: list[Statement], use: Use) -> None:
    decision = ask(said, use)

    if decision.verdict is A:
        for leaf in use.leaves:
            assert any(one.uses.get(leaf) is A and one.evidence is EvidenceLevel.VERIFIED for one in said)
