"""The table of words against what each standard says, written out once more from their texts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optout.consent.standards import STANDARDS, Said, meaning, permitting_only, tokens
from optout.consent.vocabulary import LEAVES, Preference, Use
from optout.errors import InvalidInputError

A, C, D = Preference.ALLOWED, Preference.CONDITIONAL, Preference.DISALLOWED
G, N, INPUT, X, S, T = LEAVES


@pytest.mark.parametrize(
    ("standard", "token", "said", "effects"),
    [
        ("aipref", "train-ai", Said.NO, {G: D}),
        ("aipref", "train-ai", Said.YES, {G: A}),
        ("aipref", "ai-use", Said.NO, {INPUT: D, X: D}),
        ("aipref", "ai-use", Said.YES, {INPUT: A}),
        ("aipref-legacy", "train-ai", Said.NO, {G: D, N: D}),
        ("aipref-legacy", "train-ai", Said.YES, {}),
        ("content-signals", "ai-train", Said.YES, {G: A, N: A}),
        ("tdmrep", "tdm-reservation", Said.NO, {G: D, N: D, INPUT: D, X: D, T: D}),
        ("tdmrep", "tdm-reservation", Said.TERMS, {G: C, N: C, INPUT: C, X: C, T: C}),
        ("tdmrep", "tdm-reservation", Said.YES, {G: A, N: A, T: A}),
        ("robots-directives", "noai", Said.NO, {G: D, N: D, INPUT: D}),
        ("robots-directives", "noindex", Said.NO, {X: D, S: D}),
        ("cawg", "cawg.ai_training", Said.NO, {N: D}),
        ("cawg", "cawg.ai_generative_training", Said.TERMS, {G: C}),
        (
            "plus",
            "DMI-PROHIBITED-EXCEPTSEARCHENGINEINDEXING",
            Said.NO,
            {G: D, N: D, INPUT: D, X: D, S: A, T: D},
        ),
        ("plus", "DMI-ALLOWED", Said.YES, dict.fromkeys(LEAVES, A)),
        ("rsl", "ai-all", Said.NO, {G: D, N: D, INPUT: D, X: D}),
        ("tdm-ai", "all", Said.YES, {G: A, N: A, T: A}),
    ],
)
def test_a_word_means_what_its_standard_says(
    standard: str, token: str, said: Said, effects: dict[Use, Preference]
) -> None:
    assert meaning(standard, token, said) == effects


def test_a_licence_that_permits_some_uses_reserves_the_others() -> None:
    permitted = {**meaning("rsl", "search", Said.YES), **meaning("rsl", "ai-input", Said.YES)}

    assert permitting_only(permitted) == {G: D, N: D, INPUT: A, X: D, S: A, T: D}


@pytest.mark.parametrize(("standard", "token"), [("aipref", "ai-train"), ("horoscope", "all"), ("claim", "")])
def test_an_unknown_word_is_an_error_that_names_the_known_ones(standard: str, token: str) -> None:
    with pytest.raises(InvalidInputError, match="the known ones are"):
        meaning(standard, token, Said.NO)


@given(st.sampled_from(sorted(STANDARDS)), st.text(max_size=20), st.sampled_from(Said))
def test_no_text_whatever_permits_by_accident(standard: str, text: str, said: Said) -> None:
    if text not in tokens(standard):
        with pytest.raises(InvalidInputError):
            meaning(standard, text, said)


@pytest.mark.parametrize("standard", sorted(STANDARDS))
def test_a_no_never_permits_except_what_a_word_names_as_its_exception(standard: str) -> None:
    for token in tokens(standard):
        permits = {leaf for leaf, said in meaning(standard, token, Said.NO).items() if said is A}
        named = {"DMI-PROHIBITED-EXCEPTSEARCHENGINEINDEXING": {S}, "DMI-ALLOWED": set(LEAVES)}
        assert permits == named.get(token, set())
