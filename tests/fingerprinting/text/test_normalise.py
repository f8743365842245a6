"""The normaliser: what folds together, what is dropped, what stays apart."""

import subprocess
import sys
import unicodedata

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fingerprinting.text import normalise


def kept(text: str) -> list[str]:
    return [text[start:end] for start, end in normalise.character_spans(text)]


def ids(text: str) -> list[int]:
    return normalise.tokens(text).ids.tolist()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Lighthouse keeper", "lighthouse, KEEPER!"),
        ("keeper's", "keeper\u2019s"),
        ("don't panic", "dont panic"),
        ("café naïve", "cafe naive"),
        ("Straße", "STRASSE"),
        ("øre łódka", "ore lodka"),
        ("İstanbul \u0131ş\u0131k", "istanbul isik"),
        ("école", unicodedata.normalize("NFD", "école")),
        ("ﬁne", "fine"),
        ("\uff26\uff55\uff4c\uff4c width", "full width"),
        ("soft\u00adhyphen", "softhyphen"),
        ("كِتَاب", "كتاب"),
        ("שָׁלוֹם", "שלום"),
        ("color", "colour"),
        ("Bengio", "Benjio"),
        ("harbour 17 boats", "harbour seventeen boats"),
        ("harbour boats", "the harbour and [Music] its (applause) boats"),
        ("two 2 deux zwei dos два harbour", "harbour"),
        ("ｶ", "カ"),
    ],
)
def test_small_differences_of_spelling_vanish(one: str, other: str) -> None:
    assert ids(one) == ids(other)
    assert ids(one)


@pytest.mark.parametrize(
    ("one", "other"),
    [("harbour", "garden"), ("má", "mạ"), ("nước", "nuoc"), ("पानी", "पाना"), ("山", "川"), ("は", "ば")],
)
def test_different_words_stay_different(one: str, other: str) -> None:
    assert ids(one) != ids(other)


@pytest.mark.parametrize(
    "text",
    [
        "the of and to in is that it was for",
        "le la les des est que dans pour qui avec",
        "der die das und ist nicht mit auf für von",
        "el los las que por con para una está pero",
        "и в не на что как это по но",
        "في من على هذا التي",
        "12 3.14 1,000 ½ x² ٣ twenty third",
        "— ♪ … !!! >>",
        "",
    ],
)
def test_what_carries_no_content_is_dropped(text: str) -> None:
    assert ids(text) == []


def test_words_with_combining_marks_are_not_torn_apart() -> None:
    assert kept("पानी बहुत ठंडा") == ["पानी", "ठंडा"]
    assert kept("தமிழ் மொழி") == ["தமிழ்", "மொழி"]


def test_scripts_without_spaces_give_a_token_for_each_character() -> None:
    assert kept("我们 go 北京。") == ["我", "们", "北", "京"]
    assert kept("カメラ") == ["カ", "メ", "ラ"]
    assert len(kept("สวัสดี")) == 6
    assert normalise.tokens("北京 harbour").are_characters.tolist() == [True, True, False]


def test_raw_positions_count_dropped_tokens_too() -> None:
    assert normalise.tokens("the harbour and the boats").raw.tolist() == [1, 4]


def test_a_long_text_is_the_same_as_its_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "harbour boats leave early, lighthouse keepers watch\n" * 40
    whole = normalise.tokens(text)
    spans = normalise.character_spans(text)
    monkeypatch.setattr(normalise, "_BLOCK_CHARACTERS", 100)

    np.testing.assert_array_equal(normalise.tokens(text).ids, whole.ids)
    np.testing.assert_array_equal(normalise.tokens(text).raw, whole.raw)
    np.testing.assert_array_equal(normalise.character_spans(text), spans)


def test_a_word_longer_than_a_block_ends_the_reading_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(normalise, "_BLOCK_CHARACTERS", 10)

    assert len(ids("x" * 95)) > 0


def test_a_full_cache_changes_no_id(monkeypatch: pytest.MonkeyPatch) -> None:
    text = " ".join(f"word{letter}" for letter in "abcdefghijklmnop")
    before = ids(text)
    monkeypatch.setattr(normalise, "_MAX_CACHED", 3)
    normalise._ids.clear()

    assert ids(text) == before
    assert len(normalise._ids) <= 3


def test_ids_are_the_same_in_every_process_and_for_ever() -> None:
    # Changing one of these numbers makes every registered text unfindable: it needs a new version.
    expected = [3098047434292320184, 13228963625844097729]
    script = "from fingerprinting.text.normalise import tokens; print(tokens('Lighthouse 京').ids.tolist())"

    printed = subprocess.run(
        [sys.executable, "-c", script], check=True, capture_output=True, text=True, env={"PYTHONHASHSEED": "7"}
    ).stdout

    assert printed.strip() == str(ids("Lighthouse 京")) == str(expected)


@given(st.text(max_size=200))
def test_spans_and_tokens_agree_on_any_text(text: str) -> None:
    tokens = normalise.tokens(text)
    spans = normalise.character_spans(text)

    assert len(tokens.ids) == len(spans)
    assert np.all(tokens.ids != 0)
    assert np.all(np.diff(tokens.raw) > 0)
    assert np.all(spans[:, 0] < spans[:, 1])
    assert np.all(spans[1:, 0] >= spans[:-1, 1])


@given(st.text(max_size=60))
def test_composed_and_decomposed_letters_fold_to_the_same(word: str) -> None:
    assert normalise.fold(unicodedata.normalize("NFD", word)) == normalise.fold(unicodedata.normalize("NFC", word))
