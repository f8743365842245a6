import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optout.consent import explain
from optout.consent.preferences import PRESETS, Preset
from optout.consent.reasons import Code, Reason
from optout.consent.vocabulary import EvidenceLevel, Preference, Scope, Use
from optout.consent.wordings import en, fr

LANGUAGES = ("en", "fr")


def placeholders(sentence: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(sentence) if name}


@pytest.mark.parametrize("wording", [en, fr], ids=LANGUAGES)
def test_every_code_and_every_word_has_its_wording(wording: object) -> None:
    assert {code.partition("+")[0] for code in wording.SENTENCES} == set(Code)  # type: ignore[attr-defined] # a module
    assert set(wording.USES) == set(Use)  # type: ignore[attr-defined] # a module
    assert set(wording.PREFERENCES) == set(Preference) == set(wording.SAYS)  # type: ignore[attr-defined] # a module
    assert set(wording.SCOPES) == set(Scope)  # type: ignore[attr-defined] # a module
    assert set(wording.EVIDENCE) == set(EvidenceLevel)  # type: ignore[attr-defined] # a module
    assert set(wording.PRESETS) == set(Preset)  # type: ignore[attr-defined] # a module
    assert len(wording.MONTHS) == 12  # type: ignore[attr-defined] # a module


def test_both_languages_tell_the_same_facts() -> None:
    assert set(en.SENTENCES) == set(fr.SENTENCES)
    for code, sentence in en.SENTENCES.items():
        assert placeholders(sentence) == placeholders(fr.SENTENCES[code]), code


def test_a_no_is_said_in_plain_words() -> None:
    reason = Reason(
        Code.STATEMENT_DISALLOWS,
        {
            "statement": "c1",
            "use": Use.TRAIN_GENAI,
            "evidence": EvidenceLevel.SELF_DECLARED,
            "preference": "disallowed",
        },
    )

    english = explain.sentence(reason)
    french = explain.sentence(reason, "fr")

    assert english == "The rightsholder says no to training generative AI (statement c1, self-declared)."
    assert french == (
        "L'ayant droit refuse l'entraînement d'une IA générative (déclaration c1, sur simple déclaration)."
    )


def test_terms_make_the_sentence_richer() -> None:
    bare = {"statement": "c1", "use": "search", "evidence": "verified"}

    assert "https" not in explain.sentence(Reason(Code.STATEMENT_CONDITIONAL, bare))
    with_terms = {**bare, "terms_url": "https://example.org/terms"}
    assert "https://example.org/terms" in explain.sentence(Reason(Code.STATEMENT_CONDITIONAL, with_terms))


@pytest.mark.parametrize("language", LANGUAGES)
def test_how_to_ask_is_told_wholly_in_whatever_order_it_comes(language: explain.Language) -> None:
    asking = {"terms_url": "https://example.org/terms", "contact": "ann@example.org", "languages": "fr, en"}
    about = {"statement": "c1", "use": "search", "evidence": "verified"}

    for parameters in ({**about, **asking}, {**dict(reversed(asking.items())), **about}):
        told = explain.sentence(Reason(Code.STATEMENT_CONDITIONAL, parameters), language)
        assert [told.count(one) for one in asking.values()] == [1, 1, 1]


def test_times_are_written_as_people_write_them() -> None:
    reason = Reason(
        Code.NOT_YET_VALID,
        {"statement": "c1", "use": "all", "preference": "disallowed", "valid_from": "2026-03-01T14:02:00+00:00"},
    )

    assert "from 1 March 2026, 14:02 UTC on" in explain.sentence(reason)
    assert "à partir du 1er mars 2026, 14:02 UTC" in explain.sentence(reason, "fr")


def test_what_has_ended_says_when_it_did() -> None:
    said = {"statement": "c1", "use": "train-genai", "preference": "disallowed"}
    ended = Reason(Code.NO_LONGER_VALID, {**said, "valid_until": "2026-03-02T00:00:00+00:00"})

    assert explain.sentence(ended) == (
        "Statement c1 said “not allowed” about training generative AI, until 2 March 2026."
    )
    assert explain.sentence(ended, "fr") == (
        "La déclaration c1 disait «\u00a0refusé\u00a0» pour l'entraînement d'une IA générative, jusqu'au 2 mars 2026."
    )


@pytest.mark.parametrize("code", [Code.STATEMENT_DISALLOWS, Code.STATEMENT_CONDITIONAL, Code.STATEMENT_ALLOWS])
@pytest.mark.parametrize("more", [{}, {"terms_url": "https://example.org/terms"}, {"contact": "ann@example.org"}])
def test_what_ends_says_so_before_it_does(code: Code, more: dict[str, str]) -> None:
    said = {"statement": "c1", "use": "train-genai", "evidence": "verified", **more}
    ending = Reason(code, {**said, "valid_until": "2027-01-01T00:00:00+00:00"})

    assert explain.sentence(ending) == f"{explain.sentence(Reason(code, said))} This ends on 1 January 2027."
    french = explain.sentence(Reason(code, said), "fr")
    assert explain.sentence(ending, "fr") == f"{french} Cela prend fin le 1er janvier 2027."


def test_a_grant_that_ends_says_it_once() -> None:
    grant = {"grant": "g1", "use": "search", "valid_until": "2027-01-02T00:00:00+00:00"}

    assert explain.sentence(Reason(Code.GRANT_ALLOWS, grant)).count("2 January 2027") == 1


def test_a_code_from_a_newer_version_is_named_and_not_taken_for_anything_else() -> None:
    assert "moon_phase" in explain.sentence(Reason("moon_phase", {"use": "all"}))


@given(st.sampled_from(Code), st.dictionaries(st.text(max_size=12), st.text() | st.integers(), max_size=4))
def test_no_parameters_whatever_break_a_sentence(code: Code, parameters: dict[str, str | int]) -> None:
    for language in explain.LANGUAGES:
        assert explain.sentence(Reason(code, parameters), language)


def test_a_choice_is_said_back_with_common_names() -> None:
    preferences = {Use.AI_ALL: Preference.DISALLOWED, Use.TDM_OTHER: Preference.DISALLOWED}
    assert explain.choice({**preferences, Use.SEARCH: Preference.CONDITIONAL}) == (
        "Nobody may use it for: any AI use and other text and data mining."
        " You want to be asked first about: search engines."
    )
    assert explain.choice({Use.TRAIN_AI: Preference.DISALLOWED}, "fr").startswith(
        "Personne ne peut l'utiliser pour\u00a0: l'entraînement d'une IA."
    )


@pytest.mark.parametrize("language", explain.LANGUAGES)
def test_every_preset_is_said_back_in_words_of_its_own(language: explain.Language) -> None:
    said = [explain.choice(preferences, language) for preferences in PRESETS.values()]

    assert len(set(said)) == len(Preset)


@given(st.dictionaries(st.sampled_from(Use), st.sampled_from(Preference)))
def test_every_choice_can_be_said_in_both_languages(preferences: dict[Use, Preference]) -> None:
    for language in explain.LANGUAGES:
        assert explain.choice(preferences, language).endswith(".")
