from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from itertools import permutations
from random import Random
from typing import Any, TypeAlias

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optout.consent.combining import combine, combine_uses, combine_works
from optout.consent.decisions import MAX_TRACED, Decision
from optout.consent.grants import Grant
from optout.consent.policy import decide
from optout.consent.reasons import Code, Reason
from optout.consent.replay import replay
from optout.consent.statements import Statement
from optout.consent.vocabulary import LEAVES, Carrier, EvidenceLevel, Preference, Scope, Use
from optout.errors import InvalidInputError

A, C, D, U = Preference.ALLOWED, Preference.CONDITIONAL, Preference.DISALLOWED, Preference.UNKNOWN
NOW = datetime(2026, 6, 1, tzinfo=UTC)
RESTRICTION = {A: 0, U: 1, C: 2, D: 3}  # how far a verdict is from letting an asset through

moments = st.integers(-3, 3).map(lambda days: NOW + timedelta(days=days))
locations = st.sampled_from([None, None, "https://h.example/a.jpg", "https://h.example/b.jpg"])
statements = st.builds(
    Statement,
    id=st.uuids().map(str),
    source=st.sampled_from(["alice", "bob"]),
    carrier=st.sampled_from([Carrier.CLAIM, Carrier.HTTP_HEADER]),
    evidence=st.sampled_from(EvidenceLevel),
    uses=st.dictionaries(st.sampled_from(LEAVES), st.sampled_from(Preference)),
    valid_from=moments,
    valid_until=st.none() | moments,
    recorded_at=moments,
    scope=st.sampled_from(Scope),
    series=st.sampled_from([None, "one", "two"]),
    withdrawn_at=st.none() | moments,
    location=locations,
    unread=st.sampled_from([None, None, None, "malformed"]),
)
grants = st.lists(
    st.builds(
        Grant,
        id=st.uuids().map(str),
        grantor=st.sampled_from(["alice", "bob"]),
        grantee=st.sampled_from(["pia", "quinn"]),
        evidence=st.sampled_from(EvidenceLevel),
        uses=st.frozensets(st.sampled_from(LEAVES)),
        valid_from=moments,
        valid_until=st.none() | moments,
        recorded_at=moments,
        revoked_at=st.none() | moments,
    ),
    max_size=3,
)
histories = st.lists(statements, max_size=6)
uses = st.sampled_from(Use)
levels = st.sampled_from(EvidenceLevel)
requesters = st.sampled_from([None, "pia"])
questions = st.fixed_dictionaries(
    {"min_evidence": levels, "known_at": st.none() | moments, "grants": grants, "location": locations}
)
Question: TypeAlias = dict[str, Any]


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


@given(histories, statements, uses, questions)
def test_a_further_no_never_makes_a_verdict_more_permissive(
    said: list[Statement], more: Statement, use: Use, question: Question
) -> None:
    # Of a claim of its own: an amendment is its author's change of mind.
    refusing = replace(more, uses=dict.fromkeys(more.uses, D), series=None)

    before = decide(said, use, None, NOW, **question).verdict
    after = decide([*said, refusing], use, None, NOW, **question).verdict

    assert RESTRICTION[after] >= RESTRICTION[before]


@given(histories, statements, uses, requesters, questions)
def test_a_further_no_of_somebody_else_never_makes_a_verdict_more_permissive_whatever_is_granted(
    said: list[Statement], more: Statement, use: Use, requester: str | None, question: Question
) -> None:
    refusing = replace(more, uses=dict.fromkeys(more.uses, D), source="carol")

    before = decide(said, use, requester, NOW, **question).verdict
    after = decide([*said, refusing], use, requester, NOW, **question).verdict

    assert RESTRICTION[after] >= RESTRICTION[before]


def test_nobody_replaces_a_version_of_what_another_one_said() -> None:
    no = Statement("no", "ann", Carrier.CLAIM, EvidenceLevel.VERIFIED, {Use.SEARCH: D}, NOW, None, NOW, series="one")
    later = NOW + timedelta(seconds=1)
    yes = replace(no, id="yes", source="bob", uses={Use.SEARCH: A}, recorded_at=later)

    assert decide([no, yes], Use.SEARCH, None, later).verdict is D
    assert decide([no, replace(yes, source="ann")], Use.SEARCH, None, later).verdict is A


def test_a_claim_that_could_not_be_read_hides_no_wider_one() -> None:
    wide = Statement("wide", "ann", Carrier.CLAIM, EvidenceLevel.VERIFIED, {Use.SEARCH: D}, NOW, None, NOW)
    wide = replace(wide, scope=Scope.ACCOUNT)
    narrow = replace(wide, id="narrow", scope=Scope.WORK, uses={Use.SEARCH: A}, unread="malformed")

    assert decide([wide, narrow], Use.SEARCH, None, NOW).verdict is D


def test_which_of_two_grants_lifts_a_statement_does_not_depend_on_their_order() -> None:
    no = Statement("no", "ann", Carrier.CLAIM, EvidenceLevel.VERIFIED, {Use.SEARCH: D}, NOW, None, NOW)
    leaf = frozenset({Use.SEARCH})
    given = [Grant(name, "ann", "pia", EvidenceLevel.VERIFIED, leaf, NOW, None, NOW) for name in ("g1", "g2")]

    for order in (given, given[::-1]):
        assert decide([no], Use.SEARCH, "pia", NOW, grants=order).trace[-1].parameters["grant"] == "g1"


@given(histories, uses, requesters, questions)
def test_a_no_in_force_that_no_grant_lifts_is_the_verdict(
    said: list[Statement], use: Use, requester: str | None, question: Question
) -> None:
    no = Statement("no", "carol", Carrier.CLAIM, EvidenceLevel.VERIFIED, dict.fromkeys(LEAVES, D), NOW, None, NOW)

    assert decide([*said, no], use, requester, NOW, **{**question, "known_at": None}).verdict is D


@given(histories, st.randoms(use_true_random=False), uses, requesters, questions)
def test_order_never_matters(
    said: list[Statement], shuffler: Random, use: Use, requester: str | None, question: Question
) -> None:
    shuffled, granted = list(said), list(question["grants"])
    shuffler.shuffle(shuffled)
    shuffler.shuffle(granted)

    first = decide(said, use, requester, NOW, **question)
    second = decide(shuffled, use, requester, NOW, **{**question, "grants": granted})

    assert (first.verdict, first.deciding, first.trace) == (second.verdict, second.deciding, second.trace)


@given(histories, uses, requesters, questions)
def test_every_trace_replayed_gives_the_verdict(
    said: list[Statement], use: Use, requester: str | None, question: Question
) -> None:
    decision = decide(said, use, requester, NOW, **question)

    assert replay(decision.trace, use) is decision.verdict


@given(histories, uses, requesters, questions)
def test_only_an_authenticated_yes_for_every_leaf_allows(
    said: list[Statement], use: Use, requester: str | None, question: Question
) -> None:
    decision = decide(said, use, requester, NOW, **question)

    if decision.verdict is A:
        for leaf in use.leaves:
            yes = [one for one in said if one.uses.get(leaf) is A]
            assert (
                any(one.evidence is EvidenceLevel.VERIFIED for one in yes)
                or any(one.evidence is EvidenceLevel.DOMAIN and one.location is not None for one in yes)
                or any(leaf in one.uses and one.grantee == requester for one in question["grants"])
            )


@given(histories, uses, questions)
def test_a_grant_changes_nothing_for_anybody_else(said: list[Statement], use: Use, question: Question) -> None:
    with_grants = decide(said, use, "somebody", NOW, **question)
    without = decide(said, use, "somebody", NOW, **{**question, "grants": []})

    assert (with_grants.verdict, with_grants.trace) == (without.verdict, without.trace)


@given(histories, statements, uses, requesters, questions)
def test_what_is_recorded_later_never_changes_an_answer_as_it_was_known(
    said: list[Statement], later: Statement, use: Use, requester: str | None, question: Question
) -> None:
    known = {**question, "known_at": NOW}
    backdated = replace(later, recorded_at=NOW + timedelta(seconds=1), valid_from=NOW - timedelta(days=9))

    before = decide(said, use, requester, NOW, **known)
    after = decide([*said, backdated], use, requester, NOW, **known)

    assert after.verdict is before.verdict


def test_a_word_in_a_statement_that_is_none_of_ours_never_permits() -> None:
    words: Any = {Use.SEARCH: "granted"}  # what a file or a peer may hold at run time
    strange = Statement("s", "alice", Carrier.CLAIM, EvidenceLevel.VERIFIED, words, NOW, None, NOW)

    assert decide([strange], Use.SEARCH, None, NOW).verdict is U


def test_a_word_that_is_none_of_ours_keeps_others_from_permitting() -> None:
    words: Any = {Use.SEARCH: "reserved"}  # may have been meant as a reservation
    strange = Statement("s", "host", Carrier.METADATA, EvidenceLevel.SELF_DECLARED, words, NOW, None, NOW)
    yes = Statement("yes", "alice", Carrier.CLAIM, EvidenceLevel.VERIFIED, dict.fromkeys(LEAVES, A), NOW, None, NOW)

    decision = decide([yes, strange], Use.SEARCH, None, NOW)

    assert decision.verdict is U
    assert decision.incomplete
    assert replay(decision.trace, Use.SEARCH) is U
    assert "unknown_word" in {step.parameters.get("error") for step in decision.trace}
    assert decide([yes, strange], Use.TRAIN_GENAI, None, NOW).verdict is A  # it says nothing about this use


@pytest.mark.parametrize("hours", [-14, 14])
def test_a_moment_that_utc_does_not_have_is_refused(hours: int) -> None:
    edge = datetime(1, 1, 1, tzinfo=UTC) if hours > 0 else datetime(9999, 12, 31, tzinfo=UTC)
    beyond = edge.replace(tzinfo=timezone(timedelta(hours=hours)), hour=12)

    for at, known_at in ((beyond, None), (NOW, beyond)):
        with pytest.raises(InvalidInputError, match="years 1 to 9999"):
            decide([], Use.SEARCH, None, at, known_at=known_at)


def test_an_unread_source_is_named_and_marks_the_answer() -> None:
    yes = Statement("yes", "alice", Carrier.CLAIM, EvidenceLevel.VERIFIED, {Use.SEARCH: A}, NOW, None, NOW)
    unread = Statement(
        "x", "host", Carrier.LICENCE, EvidenceLevel.DOMAIN, {}, NOW, None, NOW, unread="licence_unreachable"
    )

    decision = decide([yes, unread], Use.SEARCH, None, NOW)

    assert decision.incomplete
    assert decision.verdict is U
    assert (
        Reason(
            Code.SOURCE_UNREAD,
            {
                "statement": "x",
                "use": Use.SEARCH,
                "preference": U,
                "evidence": EvidenceLevel.DOMAIN,
                "carrier": Carrier.LICENCE,
                "error": "licence_unreachable",
            },
        )
        in decision.trace
    )


def test_very_many_statements_are_all_decided_from_and_few_are_shown() -> None:
    yes = [
        Statement(f"y{n:06}", f"p{n}", Carrier.CLAIM, EvidenceLevel.VERIFIED, {Use.SEARCH: A}, NOW, None, NOW)
        for n in range(20_000)
    ]
    no = Statement("z", "last", Carrier.CLAIM, EvidenceLevel.SELF_DECLARED, {Use.SEARCH: D}, NOW, None, NOW)

    decision = decide([*yes, no], Use.SEARCH, None, NOW)

    assert decision.verdict is D
    assert decision.trace[0].parameters["statement"] == "z"
    assert len(decision.trace) < MAX_TRACED + 5
    assert replay(decision.trace, Use.SEARCH) is D


def test_claimants_who_differ_are_told_of_as_a_dispute() -> None:
    def says(who: str, preference: Preference) -> Statement:
        return Statement(who, who, Carrier.CLAIM, EvidenceLevel.VERIFIED, {Use.SEARCH: preference}, NOW, None, NOW)

    assert decide([says("a", A), says("b", D)], Use.ALL, None, NOW).contested == (Use.SEARCH,)
    assert decide([says("a", D), says("b", D)], Use.ALL, None, NOW).contested == ()
