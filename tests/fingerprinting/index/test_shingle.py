"""Texts are found by passages, however much is around them, and not by stray phrases."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from fingerprinting.index import shingle
from fingerprinting.index.segment import Index
from fingerprinting.types import Depth, Fingerprint, Match, Strength

Shingles = NDArray[np.uint64]
Text = Callable[..., Fingerprint]


@pytest.fixture
def fresh(rng: np.random.Generator) -> Callable[[int], Shingles]:
    def make(count: int) -> Shingles:
        return rng.integers(0, 2**64, count, dtype=np.uint64)

    return make


@pytest.fixture
def texts(fresh: Callable[[int], Shingles]) -> list[Shingles]:
    return [fresh(600) for _ in range(5)]


@pytest.fixture
def index(texts: list[Shingles], text: Text) -> Index:
    return Index.build([(work, text(shingles)) for work, shingles in enumerate(texts)])


def search_one(index: Index, asset: Fingerprint) -> Match:
    (match,) = index.search([[asset]])
    return match


def test_a_passage_in_another_text_is_a_match_and_its_place_is_told(
    index: Index, texts: list[Shingles], text: Text, fresh: Callable[[int], Shingles]
) -> None:
    asset = text(np.concatenate([fresh(400), texts[2][100:160], fresh(300)]))

    match = search_one(index, asset)

    assert (match.work, match.strength, match.score, match.threshold) == (2, Strength.MATCH, 21.0, 6.0)
    assert (match.evidence["query_first_token"], match.evidence["query_last_token"]) == (400, 461)
    assert (match.evidence["work_first_token"], match.evidence["work_last_token"]) == (100, 161)
    assert match.evidence["matched_tokens"] == 62
    assert match.evidence["work_share"] == 0.1


def test_a_passage_with_most_of_its_shingles_changed_is_still_found(
    index: Index, texts: list[Shingles], text: Text, fresh: Callable[[int], Shingles], rng: np.random.Generator
) -> None:
    passage = texts[4][50:150].copy()
    changed = rng.random(100) < 0.7
    passage[changed] = fresh(100)[changed]

    assert search_one(index, text(passage)).work == 4


def test_words_left_out_and_put_in_do_not_break_a_match(
    index: Index, texts: list[Shingles], text: Text, fresh: Callable[[int], Shingles]
) -> None:
    pieces = []
    for start in range(0, 600, 60):
        pieces += [texts[0][start : start + 50], fresh(3)]  # drifts away by 7 words at each piece

    match = search_one(index, text(np.concatenate(pieces)))

    assert match.work == 0
    assert match.evidence["work_share"] == pytest.approx(5 / 6, abs=0.02)


@pytest.mark.parametrize(
    ("count", "strength"), [(18, Strength.MATCH), (15, Strength.LIKELY), (12, Strength.LIKELY), (9, None)]
)
def test_the_evidence_decides_how_sure_a_match_is(
    index: Index, texts: list[Shingles], text: Text, fresh: Callable[[int], Shingles], count: int, strength: Strength
) -> None:
    # Every second block of three is shared: `count` shingles over twice as many words.
    asset = fresh(count * 2)
    for start in range(0, count * 2, 6):
        asset[start : start + 3] = texts[1][start : start + 3]

    found = index.search([[text(asset)]])

    assert [match.strength for match in found] == ([strength] if strength else [])


@pytest.mark.parametrize(("a_second", "strength"), [(1.5, Strength.LIKELY), (1.0, Strength.MATCH)])
@pytest.mark.parametrize("is_work_captions", [True, False])
def test_what_takes_less_than_twenty_seconds_to_say_is_a_quotation_however_many_words_it_has(
    texts: list[Shingles],
    text: Text,
    fresh: Callable[[int], Shingles],
    a_second: float,
    strength: Strength,
    is_work_captions: bool,  # noqa: FBT001 - pytest gives it by name
) -> None:
    of_work, of_asset = (a_second, None) if is_work_captions else (None, a_second)
    index = Index.build([(0, text(texts[0], tokens_a_second=of_work))])

    match = search_one(
        index, text(np.concatenate([fresh(100), texts[0][100:124], fresh(100)]), tokens_a_second=of_asset)
    )

    assert (match.strength, match.evidence["matched_tokens"]) == (strength, 26)
    assert match.evidence["is_quotation"] is (strength is Strength.LIKELY)


def test_a_short_video_that_is_taken_whole_is_no_quotation(
    text: Text, fresh: Callable[[int], Shingles], texts: list[Shingles]
) -> None:
    index = Index.build([(0, text(texts[0][:30], tokens_a_second=3.0))])

    assert search_one(index, text(np.concatenate([fresh(300), texts[0][:30]]))).strength is Strength.MATCH


def test_a_larger_registry_asks_for_more_evidence(index: Index, texts: list[Shingles], text: Text) -> None:
    asset = [text(texts[1][:21])]

    assert index.search([asset])[0].strength is Strength.MATCH
    (match,) = index.search([asset], registry_size=1_000_000)
    assert (match.strength, match.score, match.threshold) == (Strength.LIKELY, 7.0, 6.0)
    assert index.search([asset], registry_size=1_000_000, depth=Depth.FAST) == []


def test_one_long_phrase_is_no_match(index: Index, texts: list[Shingles], text: Text) -> None:
    assert index.search([[text(texts[1][:17])]], depth=Depth.FAST) == []


def test_one_phrase_again_and_again_is_no_match(index: Index, texts: list[Shingles], text: Text) -> None:
    assert index.search([[text(np.tile(texts[1][:6], 40))]]) == []


def test_the_same_shingles_in_the_opposite_order_are_no_match(index: Index, texts: list[Shingles], text: Text) -> None:
    assert index.search([[text(texts[1][::-1])]], depth=Depth.FAST) == []


def test_a_text_that_many_registered_is_found_under_each_also_by_an_excerpt(
    text: Text, fresh: Callable[[int], Shingles], texts: list[Shingles]
) -> None:
    shared = fresh(500)
    copies = [(work, text(np.concatenate([shared, fresh(20)]))) for work in range(30)]
    index = Index.build([*copies, (99, text(texts[0]))])

    found = index.search([[text(shared)], [text(shared[200:260])]])

    assert [(match.asset, match.work) for match in found] == [(asset, work) for asset in (0, 1) for work in range(30)]


def test_a_work_buried_under_padded_copies_of_it_is_still_found_as_a_whole(
    text: Text, fresh: Callable[[int], Shingles]
) -> None:
    victim = fresh(200)
    flood = [(work, text(np.concatenate([fresh(2000), victim, fresh(2000)]))) for work in range(1, 26)]
    index = Index.build([(0, text(victim)), *flood])

    found = index.search([[text(victim)]])

    assert 0 in {match.work for match in found if match.strength is Strength.MATCH}


def test_a_passage_is_found_that_thousands_of_loops_repeat(
    text: Text, fresh: Callable[[int], Shingles], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a question reads is bounded; nobody can use it up by repeating a work's words without end."""
    monkeypatch.setattr(shingle, "_BUDGET", 6_000)
    victim = fresh(300)
    loops = [(work, text(np.tile(np.roll(victim[100:160], 5 * work), 400))) for work in range(1, 11)]
    index = Index.build([(0, text(victim)), *loops])

    assert 0 in {match.work for match in index.search([[text(victim[100:160])]])}


def test_near_copies_of_one_text_hide_no_other(text: Text, fresh: Callable[[int], Shingles]) -> None:
    crowd, victim = fresh(300), fresh(300)
    crowd[100:120] = victim[50:70]
    copies = [np.concatenate([crowd[:280], fresh(20)]) for _ in range(200)]
    index = Index.build([(999, text(victim)), *((work, text(copy)) for work, copy in enumerate(copies))])

    alone, mixed = victim[40:100], np.concatenate([copies[7], victim[100:160]])
    found = index.search([[text(alone)], [text(mixed)]])

    assert found[0].work == 999
    assert {match.work for match in found if match.asset == 1} == {*range(200), 999}


def test_a_text_is_found_of_which_more_near_copies_are_registered_than_can_be_read(
    text: Text, fresh: Callable[[int], Shingles], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Then only few of its shingles are looked up, and what it shares with the work seems thin."""
    monkeypatch.setattr(shingle, "_BUDGET", 4_000)
    victim = fresh(2000)
    crowd = [np.concatenate([victim[:1990], fresh(10)]) for _ in range(40)]
    index = Index.build([(0, text(victim)), *((work, text(copy)) for work, copy in enumerate(crowd, 1))])

    found = index.search([[text(victim[:1900])]])

    assert [match.work for match in found] == list(range(41))
    assert {match.strength for match in found} == {Strength.MATCH}


def test_a_long_text_is_found_of_which_so_many_are_registered_that_few_of_its_shingles_can_be_read(
    text: Text, fresh: Callable[[int], Shingles], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Too few, spread over all of it, would be evidence nowhere."""
    monkeypatch.setattr(shingle, "_BUDGET", 8_000)
    victim = fresh(20_000)
    crowd = [np.concatenate([victim, fresh(3)]) for _ in range(40)]
    index = Index.build([(0, text(victim)), *((work, text(copy)) for work, copy in enumerate(crowd, 1))])

    found = index.search([[text(victim)]])

    assert [match.work for match in found] == list(range(41))
    assert {match.strength for match in found} == {Strength.MATCH}


def test_an_index_built_of_what_another_holds_is_the_same(text: Text, fresh: Callable[[int], Shingles]) -> None:
    index = Index.build([(0, text(np.tile(fresh(5), 100))), (1, text(fresh(300)))])

    once = list(index.entries())

    assert list(Index.build(once).entries()) == once


def test_a_script_without_spaces_needs_longer_passages(text: Text, rng: np.random.Generator) -> None:
    shingles = rng.integers(0, 2**64, 300, dtype=np.uint64)
    index = Index.build([(0, text(shingles, characters=True))])

    assert index.search([[text(shingles[:20], characters=True)]], depth=Depth.FAST) == []
    assert search_one(index, text(shingles[:40], characters=True)).score == 8
