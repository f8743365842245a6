"""Shingles: local, positioned, apart by script, and of long texts fewer."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fingerprinting.text import normalise
from fingerprinting.text.normalise import Tokens
from fingerprinting.text.shingle_bytes import Shingles
from fingerprinting.text.shingles import shingles

SENTENCE = "Lighthouse keepers watch fishing boats leave harbour before winter storms arrive"


def of(text: str) -> Shingles:
    return shingles(normalise.tokens(text))


def made(ids: list[int], raw: list[int] | None = None) -> Tokens:
    return Tokens(ids=np.array(ids, dtype=np.uint64), raw=np.array(raw if raw is not None else range(len(ids))))


def test_every_three_words_make_a_shingle_with_its_place() -> None:
    found = of(SENTENCE)

    count = len(normalise.tokens(SENTENCE).ids)
    assert found.positions.tolist() == list(range(count - 2))
    assert len(set(found.hashes.tolist())) == count - 2


@given(st.lists(st.integers(1, 2**62).map(lambda n: n * 2), min_size=3, max_size=40), st.data())
def test_an_excerpt_has_the_shingles_of_the_whole(ids: list[int], data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(ids) - 3))
    end = data.draw(st.integers(start + 3, len(ids)))
    whole = shingles(made(ids))

    excerpt = shingles(made(ids[start:end]))

    np.testing.assert_array_equal(excerpt.hashes, whole.hashes[start : end - 2])


def test_a_changed_word_changes_the_shingles_that_hold_it_and_no_other() -> None:
    changed = of(SENTENCE.replace("harbour", "castle"))

    assert np.count_nonzero(of(SENTENCE).hashes != changed.hashes) == 3


def test_the_order_of_words_counts() -> None:
    assert of("harbour boats winter").hashes != of("winter boats harbour").hashes


def test_words_far_apart_make_no_shingle() -> None:
    near, far = made([2, 4, 6], [0, 15, 29]), made([2, 4, 6], [0, 15, 30])

    assert len(shingles(near).hashes) == 1
    assert len(shingles(far).hashes) == 0


def test_characters_and_words_have_shingles_of_their_own() -> None:
    text = "我们今天去北京看长城然后吃烤鸭 lighthouse keepers watch 明天再去上海看大海和高楼吧"
    tokens = normalise.tokens(text)

    found = shingles(tokens)

    first_word = int(np.flatnonzero(~tokens.are_characters)[0])
    assert first_word in found.positions
    assert np.all(np.diff(found.positions.astype(int)) >= 0)
    # Of the shingles of characters about half are kept, by value.
    assert found.characters == np.count_nonzero(found.positions != first_word)
    assert 3 <= found.characters < np.count_nonzero(tokens.are_characters) - 4


@pytest.mark.parametrize("text", ["", "harbour", "harbour boats", "北京长城"])
def test_too_few_tokens_make_no_shingle(text: str) -> None:
    assert len(of(text).hashes) == 0


def test_a_long_text_keeps_shingles_by_their_value(monkeypatch: pytest.MonkeyPatch) -> None:
    ids = np.random.default_rng(7).integers(1, 2**62, 4000) * 2
    whole = shingles(made(ids.tolist()))

    monkeypatch.setattr("fingerprinting.text.shingles.MOST_SHINGLES", 1500)
    sampled, excerpt = shingles(made(ids.tolist())), shingles(made(ids[2000:3000].tolist()))

    assert (whole.halvings, sampled.halvings, excerpt.halvings) == (0, 2, 0)
    assert 800 < len(sampled.hashes) < 1200
    assert set(sampled.hashes.tolist()) < set(whole.hashes.tolist())
    inside = (sampled.positions >= 2000) & (sampled.positions < 2998)
    assert set(sampled.hashes[inside].tolist()) < set(excerpt.hashes.tolist())


def test_the_hash_of_a_shingle_is_fixed_for_ever() -> None:
    assert shingles(made([2, 4, 6])).hashes.tolist() == [4603064630723251700 & 0x3FFFFFF]
