from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fingerprinting.types import Strength
from mediamanager.client.filter.choices import Action, Choice, Choices, ErrorChoice
from mediamanager.client.verdicts import Checked, Verdict
from optout.catalogue.answers import WorkMatch
from optout.consent.vocabulary import Preference, Use

KEEP, DROP = Choice.KEEP, Choice.DROP
K, X, S = Action.KEPT, Action.EXCLUDED, Action.STOP
EVERYTHING_KEPT = Choices(KEEP, KEEP, KEEP, ErrorChoice.KEEP)


def checked(
    verdict: Verdict, *, error: str | None = None, strength: Strength | None = None, match: str = "disallowed"
) -> Checked:
    matches = () if strength is None else (_match(strength, Preference(match)),)
    return Checked("x", verdict, Use.TRAIN_GENAI, matches=matches, error=error)


def _match(strength: Strength, verdict: Preference) -> WorkMatch:
    return WorkMatch("w", strength, None, "pdq-256", 1, 40, None, 48.0, None, None, verdict)


def test_by_default_unknown_and_likely_are_kept_and_conditional_and_errors_are_not() -> None:
    choose = Choices().action

    assert choose(checked(Verdict.ALLOWED)) is K
    assert choose(checked(Verdict.UNKNOWN)) is K
    assert choose(checked(Verdict.UNKNOWN, strength=Strength.LIKELY)) is K
    assert choose(checked(Verdict.CONDITIONAL)) is X
    assert choose(checked(Verdict.DISALLOWED)) is X
    assert choose(checked(Verdict.UNCHECKED, error="x")) is X


@pytest.mark.parametrize(
    ("choices", "one", "action"),
    [
        (Choices(on_unknown=DROP), checked(Verdict.UNKNOWN), X),
        (Choices(on_unknown=DROP), checked(Verdict.ALLOWED), K),
        (Choices(on_likely=DROP), checked(Verdict.UNKNOWN, strength=Strength.LIKELY), X),
        (Choices(on_likely=DROP), checked(Verdict.ALLOWED, strength=Strength.LIKELY), X),
        (Choices(on_likely=DROP), checked(Verdict.UNKNOWN, strength=Strength.LIKELY, match="allowed"), K),
        (Choices(on_conditional=KEEP), checked(Verdict.CONDITIONAL), K),
        (Choices(on_conditional=KEEP), checked(Verdict.CONDITIONAL, error="x"), X),
        (Choices(on_error=ErrorChoice.KEEP), checked(Verdict.UNCHECKED, error="x"), K),
        (Choices(on_error=ErrorChoice.KEEP), checked(Verdict.CONDITIONAL, error="x"), X),
        (Choices(on_error=ErrorChoice.RAISE), checked(Verdict.UNCHECKED, error="x"), S),
        (Choices(on_error=ErrorChoice.RAISE), checked(Verdict.DISALLOWED, error="x"), X),
    ],
)
def test_each_choice_does_what_it_says(choices: Choices, one: Checked, action: Action) -> None:
    assert choices.action(one) is action


@given(
    st.builds(
        Choices, st.sampled_from(Choice), st.sampled_from(Choice), st.sampled_from(Choice), st.sampled_from(ErrorChoice)
    ),
    st.none() | st.just("x"),
    st.none() | st.sampled_from(Strength),
)
def test_no_choice_whatever_keeps_what_is_disallowed(
    choices: Choices, error: str | None, strength: Strength | None
) -> None:
    assert choices.action(checked(Verdict.DISALLOWED, error=error, strength=strength)) is X


def test_the_widest_choices_keep_all_but_that() -> None:
    for verdict, error in product(Verdict, (None, "x")):
        kept = EVERYTHING_KEPT.action(checked(verdict, error=error)) is K
        assert kept == (verdict is not Verdict.DISALLOWED)


def test_choices_are_written_by_name() -> None:
    assert Choices().as_json() == {
        "on_unknown": "keep",
        "on_likely": "keep",
        "on_conditional": "drop",
        "on_error": "drop",
    }
