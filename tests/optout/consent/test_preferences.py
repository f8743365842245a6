import pytest
from hypothesis import given
from hypothesis import strategies as st

from optout.consent.preferences import PRESETS, Preset, expand, parse, parse_all, preset_of
from optout.consent.vocabulary import LEAVES, Preference, Use
from optout.errors import InvalidInputError

PREFERENCES = st.dictionaries(st.sampled_from(Use), st.sampled_from(Preference))


@given(PREFERENCES)
def test_expanding_gives_all_six_leaves_and_no_aggregate(preferences: dict[Use, Preference]) -> None:
    assert tuple(expand(preferences)) == LEAVES


@given(PREFERENCES)
def test_expanding_twice_changes_nothing(preferences: dict[Use, Preference]) -> None:
    assert expand(expand(preferences)) == expand(preferences)


@given(PREFERENCES)
def test_a_leaf_that_is_named_beside_its_aggregates_wins(preferences: dict[Use, Preference]) -> None:
    leaves = expand(preferences)

    assert all(leaves[leaf] is preferences[leaf] for leaf in LEAVES if leaf in preferences)


def test_the_narrower_of_two_aggregates_wins_in_any_order() -> None:
    said = [(Use.ALL, Preference.DISALLOWED), (Use.TRAIN_AI, Preference.ALLOWED)]

    assert expand(dict(said)) == expand(dict(reversed(said)))
    assert expand(dict(said))[Use.TRAIN_GENAI] is Preference.ALLOWED
    assert expand(dict(said))[Use.AI_INPUT] is Preference.DISALLOWED


def test_a_leaf_that_nothing_covers_is_unknown() -> None:
    assert expand({Use.TRAIN_AI: Preference.DISALLOWED})[Use.SEARCH] is Preference.UNKNOWN


def test_a_preference_is_read_from_use_equals_word() -> None:
    assert parse(" train-ai = disallowed ") == (Use.TRAIN_AI, Preference.DISALLOWED)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("train-ai", "USE=PREFERENCE"),
        ("trian-ai=disallowed", "`trian-ai`"),
        ("train-ai=forbidden", "`forbidden`"),
        ("train-ai=unknown", "`unknown`"),
        ("train-ai=", "``"),
        ("=disallowed", "``"),
        ("TRAIN-AI=disallowed", "`TRAIN-AI`"),
    ],
)
def test_a_wrong_word_is_named_and_refused(text: str, named: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        parse(text)

    assert named in str(caught.value)
    assert caught.value.parameters["field"] == "prefer"


def test_a_preset_is_spelt_out_and_what_is_said_beside_it_wins() -> None:
    assert expand(parse_all(["no-ai"])) == PRESETS[Preset.NO_AI]
    said = expand(parse_all(["no-ai", "train-ai=conditional", "search=allowed"]))
    assert said[Use.TRAIN_GENAI] is said[Use.TRAIN_OTHER] is Preference.CONDITIONAL
    assert said[Use.AI_INPUT] is Preference.DISALLOWED
    assert said[Use.SEARCH] is Preference.ALLOWED
    assert said[Use.TDM_OTHER] is Preference.UNKNOWN


def test_two_presets_contradict_one_another() -> None:
    with pytest.raises(InvalidInputError, match="no-ai and ask-first"):
        parse_all(["no-ai", "ask-first"])
    assert parse_all(["no-ai", "no-ai"]) == parse_all(["no-ai"])


@pytest.mark.parametrize("word", ["no-AI", "noai"])
def test_a_word_that_is_no_preset_is_told_which_there_are(word: str) -> None:
    with pytest.raises(InvalidInputError, match="no-ai, search-only, ask-first, all-welcome"):
        parse_all([word])


def test_an_unknown_word_lists_the_known_ones() -> None:
    with pytest.raises(InvalidInputError, match="train-genai, train-other"):
        parse("x=disallowed")
    with pytest.raises(InvalidInputError, match="allowed, conditional, disallowed"):
        parse("all=x")


def test_two_different_things_about_one_use_are_refused() -> None:
    with pytest.raises(InvalidInputError, match="both disallowed and allowed"):
        parse_all(["all=disallowed", "all=allowed"])


def test_saying_the_same_thing_twice_is_fine() -> None:
    assert parse_all(["all=disallowed", "all=disallowed"]) == {Use.ALL: Preference.DISALLOWED}


@pytest.mark.parametrize("preset", Preset)
def test_a_preset_covers_every_leaf_and_is_recognised(preset: Preset) -> None:
    assert tuple(PRESETS[preset]) == LEAVES
    assert preset_of(PRESETS[preset]) is preset


def test_no_preset_but_all_welcome_opens_training() -> None:
    opens = [preset for preset, said in PRESETS.items() if said[Use.TRAIN_GENAI] is Preference.ALLOWED]

    assert opens == [Preset.ALL_WELCOME]


def test_a_choice_of_ones_own_is_no_preset() -> None:
    assert preset_of({Use.SEARCH: Preference.DISALLOWED}) is None
