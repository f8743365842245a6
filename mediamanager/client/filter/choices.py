"""What a pipeline chooses where the verdict leaves it a choice, and what follows from it for one asset."""

from dataclasses import asdict, dataclass
from enum import StrEnum

from fingerprinting.types import Strength
from mediamanager.client.verdicts import Checked, Verdict
from optout.consent.vocabulary import Preference


class Choice(StrEnum):
    """What to do with an asset of some kind."""

    KEEP = "keep"
    DROP = "drop"


class ErrorChoice(StrEnum):
    """What to do with an asset that could not be checked."""

    DROP = "drop"
    KEEP = "keep"
    RAISE = "raise"


class Action(StrEnum):
    """What becomes of an asset."""

    KEPT = "kept"
    EXCLUDED = "excluded"
    STOP = "stop"


@dataclass(frozen=True, slots=True)
class Choices:
    """All the choices of a run; each goes into its receipt. What is disallowed is always excluded."""

    on_unknown: Choice = Choice.KEEP
    on_likely: Choice = Choice.KEEP
    on_conditional: Choice = Choice.DROP
    on_error: ErrorChoice = ErrorChoice.DROP

    def as_json(self) -> dict[str, str]:
        """Give them by name."""
        return {name: str(value) for name, value in asdict(self).items()}

    def action(self, checked: Checked) -> Action:
        """Decide about one asset. A word that is none of ours can't occur: `Verdict` has refused it before."""
        if checked.verdict is Verdict.DISALLOWED:
            return Action.EXCLUDED
        if checked.error is not None or checked.verdict is Verdict.UNCHECKED:
            return self._on_error(checked)
        if is_likely(checked) and self.on_likely is Choice.DROP:
            return Action.EXCLUDED
        if checked.verdict is Verdict.CONDITIONAL:
            return _action(self.on_conditional)
        if checked.verdict is Verdict.UNKNOWN:
            return _action(self.on_unknown)
        return Action.KEPT

    def _on_error(self, checked: Checked) -> Action:
        if self.on_error is ErrorChoice.RAISE:
            return Action.STOP
        if self.on_error is ErrorChoice.DROP:
            return Action.EXCLUDED
        # Kept in spite of the error, unless what was found without it already says no.
        return _action(self.on_conditional) if checked.verdict is Verdict.CONDITIONAL else Action.KEPT


def is_likely(checked: Checked) -> bool:
    """Say whether a person should look: it may show a work that reserves this use."""
    return any(
        match.strength is Strength.LIKELY and match.verdict in {Preference.DISALLOWED, Preference.CONDITIONAL}
        for match in checked.matches
    )


def _action(choice: Choice) -> Action:
    return Action.KEPT if choice is Choice.KEEP else Action.EXCLUDED
