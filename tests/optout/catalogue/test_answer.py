from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fingerprinting.index import shared_text
from fingerprinting.types import Depth, EvidenceValue, Fingerprint, FoundText, Match, Modality, Passage, Strength
from optout.catalogue.answer import FoundWork, answer
from optout.catalogue.answers import Answer, Asset
from optout.consent.explain import sentence
from optout.consent.grants import Grant
from optout.consent.reasons import Code
from optout.consent.statements import Statement
from optout.consent.vocabulary import Carrier, EvidenceLevel, Preference, Use
from optout.errors import InvalidInputError

A, C, D, U = Preference.ALLOWED, Preference.CONDITIONAL, Preference.DISALLOWED, Preference.UNKNOWN
ASSET = Asset((Fingerprint("sha256", 1, bytes(32)),))
Make = Callable[..., Statement]


@dataclass
class FakeView:
    """A catalogue that finds what it is told to find."""

    said: Mapping[str, Sequence[Statement]]
    found: list[FoundWork] = field(default_factory=list)
    failure: Exception | None = None
    granted: Sequence[Grant] = ()
    rejected: frozenset[tuple[str, bytes]] = frozenset()
    owners: Mapping[str, str] = field(default_factory=dict)

    @property
    def size(self) -> int:
        return len(self.said)

    def search(self, assets: Sequence[Asset], depth: Depth, room: int | None = None) -> list[FoundWork]:
        if self.failure:
            raise self.failure
        return self.found

    def statements(self, work: str) -> Sequence[Statement]:
        return self.said[work]

    def owner(self, work: str) -> str:
        return self.owners.get(work, work)

    def grants(self, work: str, requester: str) -> Sequence[Grant]:
        return [one for one in self.granted if one.grantee == requester and one.covers(work, one.grantor)]

    def non_matches(self, pairs: Collection[tuple[str, bytes]]) -> frozenset[tuple[str, bytes]]:
        return self.rejected & set(pairs)


def seen(
    work: str, strength: Strength = Strength.MATCH, *, asset: int = 0, distance: int = 4, algorithm: str = "pdq-256"
) -> FoundWork:
    match = Match(asset, 0, algorithm, 1, strength, distance=distance, threshold=31.0)
    return FoundWork(asset, work, match)


def ask(view: FakeView, now: datetime, use: Use = Use.TRAIN_GENAI, **more: int | EvidenceLevel) -> Answer:
    [one] = answer(view, [ASSET], use, None, now, **more)  # type: ignore[arg-type] # one helper for every option
    return one


def test_nothing_found_is_unknown_and_says_so(now: datetime) -> None:
    one = ask(FakeView({}), now)

    assert one.verdict is U
    assert [reason.code for reason in one.reasons] == [Code.NO_MATCH_FOUND, Code.NO_RESERVATION_FOUND]


def test_a_copy_of_a_reserved_work_is_disallowed_with_evidence_and_reason(now: datetime, make_statement: Make) -> None:
    one = ask(FakeView({"w": [make_statement({Use.ALL: D})]}, [seen("w")]), now)

    assert one.verdict is D
    [match] = one.matches
    assert (match.work, match.strength, match.distance, match.threshold) == ("w", Strength.MATCH, 4, 31.0)
    assert match.modality is Modality.IMAGE
    assert [reason.code for reason in one.reasons] == [Code.WORK_FOUND, Code.STATEMENT_DISALLOWS]


def test_a_likely_match_never_decides_and_is_shown_for_review(now: datetime, make_statement: Make) -> None:
    one = ask(FakeView({"w": [make_statement({Use.ALL: D})]}, [seen("w", Strength.LIKELY)]), now)

    assert one.verdict is U
    assert one.matches[0].verdict is D
    assert [reason.code for reason in one.reasons] == [Code.NO_RESERVATION_FOUND, Code.LIKELY_MATCH_FOR_REVIEW]


@pytest.mark.parametrize(("first", "second", "verdict"), [(A, D, D), (A, C, C), (A, A, A), (C, D, D)], ids=str)
def test_all_works_that_an_asset_shows_must_allow(
    now: datetime, make_statement: Make, first: Preference, second: Preference, verdict: Preference
) -> None:
    said = {"a": [make_statement({Use.ALL: first})], "b": [make_statement({Use.ALL: second})]}

    one = ask(FakeView(said, [seen("a"), seen("b")]), now)

    assert one.verdict is verdict
    assert one.reasons[0].parameters["preference"] == verdict
    assert one.reasons[-1].code == Code.WORKS_COMBINED


@pytest.mark.parametrize(
    ("strength", "other", "second", "uses"),
    [
        (Strength.EXACT, "two", D, 1),
        (Strength.EXACT, "two", A, 0),
        (Strength.EXACT, "one", D, 0),
        (Strength.MATCH, "two", D, 0),  # both may be in it, each with claims of its own
    ],
)
def test_two_claimants_who_differ_about_the_same_content_are_named_as_differing(
    now: datetime, make_statement: Make, strength: Strength, other: str, second: Preference, uses: int
) -> None:
    said = {
        "a": [make_statement({Use.ALL: A}, source="one", id="a")],
        "b": [make_statement({Use.ALL: second}, source=other, id="b")],
    }

    one = ask(FakeView(said, [seen("a", strength), seen("b", strength)]), now)

    assert one.verdict is second
    assert [reason.code for reason in one.reasons].count(Code.CLAIMANTS_DIFFER) == uses


def test_a_work_without_statements_beside_an_allowing_one_makes_it_unknown(now: datetime, make_statement: Make) -> None:
    one = ask(FakeView({"a": [make_statement({Use.ALL: A})], "b": []}, [seen("a"), seen("b")]), now)

    assert one.verdict is U
    assert Code.NO_RESERVATION_FOUND in [reason.code for reason in one.reasons]


def test_a_cap_shortens_what_is_shown_and_never_what_is_decided(now: datetime, make_statement: Make) -> None:
    said = {f"w{row:02}": [make_statement({Use.ALL: A})] for row in range(30)}
    said["w29"] = [make_statement({Use.ALL: D})]
    found = [seen(work, distance=row) for row, work in enumerate(said)]

    one = ask(FakeView(said, found), now, max_matches=3)

    assert one.verdict is D
    assert [match.work for match in one.matches] == ["w00", "w01", "w02"]
    assert one.reasons[0].parameters["work"] == "w29"


def test_the_surest_evidence_stands_for_a_work_and_names_the_rest(now: datetime, make_statement: Make) -> None:
    found = [seen("w"), seen("w", Strength.EXACT, distance=0, algorithm="sha256"), seen("w", algorithm="phash-64")]

    one = ask(FakeView({"w": [make_statement({Use.ALL: D})]}, found), now)

    [match] = one.matches
    assert (match.algorithm, match.strength, match.modality) == ("sha256", Strength.EXACT, None)
    assert match.evidence["also_by"] == "pdq-256, phash-64"


def test_a_work_at_a_slant_that_a_hash_finds_surer_keeps_its_corners(now: datetime, make_statement: Make) -> None:
    lies = {"transform": "1 0 0 1 0 0", "asset_size": "10x10", "work_size": "10x10", "corners": "0 0 9 0 10 10 0 10"}
    slanted = FoundWork(
        0, "w", Match(0, 0, "sift-itq-128", 1, Strength.LIKELY, score=9.0, threshold=5.0, evidence=lies)
    )

    one = ask(FakeView({"w": [make_statement({Use.ALL: D})]}, [seen("w"), slanted]), now)

    assert lies.items() <= dict(one.matches[0].evidence).items()


def test_matches_come_best_first(now: datetime, make_statement: Make) -> None:
    said = {work: [make_statement({Use.ALL: D})] for work in ("far", "near", "exact", "likely")}
    found = [
        seen("likely", Strength.LIKELY, distance=1),
        seen("far", distance=30),
        seen("near", distance=2),
        seen("exact", Strength.EXACT, distance=0, algorithm="sha256"),
    ]

    one = ask(FakeView(said, found), now)

    assert [match.work for match in one.matches] == ["exact", "near", "far", "likely"]


def test_an_asset_that_could_not_have_been_recognised_says_so(now: datetime) -> None:
    [one] = answer(FakeView({}), [Asset(ASSET.fingerprints, identifiable=False)], Use.SEARCH, None, now)

    assert one.identifiable is False
    assert one.reasons[-1].code == Code.NOT_IDENTIFIABLE


def test_answers_come_in_the_order_of_the_assets(now: datetime, make_statement: Make) -> None:
    view = FakeView({"w": [make_statement({Use.ALL: D})]}, [seen("w", asset=2)])

    assets = [Asset((Fingerprint("sha256", 1, bytes([number] * 32)),)) for number in range(4)]
    answers = answer(view, assets, Use.SEARCH, None, now)

    assert [one.verdict for one in answers] == [U, U, D, U]


def test_what_could_not_be_searched_is_an_error_and_no_verdict(now: datetime) -> None:
    with pytest.raises(OSError, match="disk"):
        ask(FakeView({}, failure=OSError("disk")), now)


def test_an_asset_with_nothing_to_look_up_is_refused_by_its_place(now: datetime) -> None:
    with pytest.raises(InvalidInputError) as caught:
        answer(FakeView({}), [ASSET, Asset(())], Use.SEARCH, None, now)

    assert caught.value.parameters["field"] == "assets.1"


@pytest.mark.parametrize("value", [np.zeros(32, np.uint8), bytearray(32), "00" * 32, None])
def test_a_value_that_is_not_bytes_is_refused_by_its_place(value: Any, now: datetime) -> None:
    wrong = Asset((Fingerprint("sha256", 1, bytes(32)), Fingerprint("pdq-256", 1, value)))

    with pytest.raises(InvalidInputError, match="give bytes") as caught:
        answer(FakeView({}), [ASSET, wrong], Use.SEARCH, None, now)

    assert caught.value.parameters["field"] == "assets.1.fingerprints.1.value"


def test_a_time_without_zone_is_refused_even_where_nothing_was_found() -> None:
    with pytest.raises(InvalidInputError, match="time zone"):
        answer(FakeView({}), [ASSET], Use.SEARCH, None, datetime(2026, 1, 1))  # noqa: DTZ001 - the point of the test


def test_no_assets_give_no_answers(now: datetime) -> None:
    assert answer(FakeView({}, failure=OSError("never asked")), [], Use.SEARCH, None, now) == []


def test_the_evidence_asked_for_is_applied_to_every_work(now: datetime, make_statement: Make) -> None:
    said = {"w": [make_statement({Use.ALL: D}, evidence=EvidenceLevel.SELF_DECLARED)]}

    one = ask(FakeView(said, [seen("w")]), now, min_evidence=EvidenceLevel.VERIFIED)

    assert one.verdict is U
    assert Code.BELOW_MIN_EVIDENCE in [reason.code for reason in one.reasons]


@given(st.lists(st.tuples(st.sampled_from([A, C, D, U]), st.sampled_from(Strength)), max_size=6))
def test_an_asset_is_allowed_only_when_every_sure_work_in_it_allows(
    works: list[tuple[Preference, Strength]],
) -> None:
    moment = datetime.fromisoformat("2026-06-01T00:00:00+00:00")
    said = {
        f"w{row}": [] if preference is U else [_verified(preference, moment)]
        for row, (preference, _) in enumerate(works)
    }
    found = [seen(f"w{row}", strength) for row, (_, strength) in enumerate(works)]
    sure = [preference for preference, strength in works if strength is not Strength.LIKELY]

    one = ask(FakeView(said, found), moment)

    assert (one.verdict is A) == (bool(sure) and set(sure) == {A})
    assert (one.verdict is D) == (D in sure)


def _verified(preference: Preference, moment: datetime) -> Statement:

    return Statement(
        "c", "s", Carrier.CLAIM, EvidenceLevel.VERIFIED, {Use.TRAIN_GENAI: preference}, moment, None, moment
    )


def of_text(work: str) -> FoundWork:
    passage = Passage((10, 90), (300, 380), tuple(range(10, 90, 3)), 80, 78, query_share=0.4, work_share=0.1)
    match = Match(0, 0, "shingle-3", 3, Strength.LIKELY, text=FoundText((passage,), needed=6))
    return FoundWork(0, work, shared_text.weighed(match))


@pytest.mark.parametrize(
    ("levels", "expected"),
    [
        ([EvidenceLevel.VERIFIED] * 3, U),
        ([EvidenceLevel.VERIFIED] * 2, D),
        ([EvidenceLevel.VERIFIED] * 2 + [EvidenceLevel.DOMAIN] * 9, D),
        ([EvidenceLevel.SELF_DECLARED] * 9, D),
    ],
)
def test_a_text_of_several_verified_owners_decides_nothing_and_one_of_others_does(
    now: datetime, make_statement: Make, levels: list[EvidenceLevel], expected: Preference
) -> None:
    said = {
        f"w{n}": [make_statement({Use.ALL: D}, id=f"c{n}", source=f"w{n}", evidence=level)]
        for n, level in enumerate(levels)
    }

    one = ask(FakeView(said, [of_text(work) for work in said]), now)

    assert one.verdict is expected
    if expected is U:
        assert {match.evidence["shared_by_owners"] for match in one.matches} == {3}
        told = [sentence(reason) for reason in one.reasons if reason.code == Code.LIKELY_MATCH_FOR_REVIEW]
        assert len(told) == len(said)
        assert all("3 owners have a passage of it in works of theirs" in each for each in told)
    else:
        assert not any("owners have a passage" in sentence(reason) for reason in one.reasons)


@pytest.mark.parametrize(
    ("evidence", "says"),
    [
        ({"is_quotation": True}, "takes less than about 20 seconds to say"),
        ({"is_thin": True, "is_quotation": False}, "Only some of the words"),
        ({"repeated_in_works": 4}, "4 works of its owner repeat a passage"),
        ({"shared_by_owners": 7, "of_same_series": True}, "7 owners have a passage"),
        ({"of_same_series": True}, "of the same series"),
    ],
)
def test_why_a_text_is_only_likely_is_said_in_words(
    now: datetime, make_statement: Make, evidence: dict[str, EvidenceValue], says: str
) -> None:
    match = Match(0, 0, "shingle-3", 3, Strength.LIKELY, score=7.0, threshold=6.0, evidence=evidence)
    view = FakeView({"w": [make_statement({Use.ALL: D}, id="c", source="w")]}, [FoundWork(0, "w", match)])

    [told] = [one for one in ask(view, now).reasons if one.code == Code.LIKELY_MATCH_FOR_REVIEW]

    assert says in sentence(told)
    assert len(sentence(told, "fr")) > len(sentence(replace(told, parameters={"work": "w"}), "fr"))


def test_what_is_left_of_shared_text_is_not_called_a_quotation(now: datetime, make_statement: Make) -> None:
    evidence = {"is_quotation": True, "shared_evidence": 21, "shared_by_owners": 7}
    match = Match(0, 0, "shingle-3", 3, Strength.LIKELY, score=7.0, threshold=6.0, evidence=evidence)
    view = FakeView({"w": [make_statement({Use.ALL: D}, id="c", source="w")]}, [FoundWork(0, "w", match)])

    [told] = [one for one in ask(view, now).reasons if one.code == Code.LIKELY_MATCH_FOR_REVIEW]

    assert "7 owners" in sentence(told)
    assert "quotation" not in sentence(told)


def test_one_owner_under_many_names_of_works_is_one_owner(now: datetime, make_statement: Make) -> None:
    said = {
        f"w{n}": [make_statement({Use.ALL: D}, id=f"c{n}", source=owner, evidence=EvidenceLevel.VERIFIED)]
        for n, owner in enumerate(["a", "a", "b", "b"])
    }
    view = FakeView(said, [of_text(work) for work in said], owners={"w0": "a", "w1": "a", "w2": "b", "w3": "b"})

    assert ask(view, now).verdict is D
