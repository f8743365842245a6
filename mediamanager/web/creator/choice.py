"""What a person chose on a form: a preset, or use by use."""

from collections.abc import Mapping

from starlette.datastructures import FormData

from optout.consent.preferences import PRESETS, Preset, preset_of
from optout.consent.vocabulary import LEAVES, Preference, Use

BY_USE = "details"


class NothingChosenError(ValueError):
    """No preset was chosen, or an unknown one, or nothing was said about any use."""


def read(form: FormData) -> Mapping[Use, Preference]:
    """Read a preference per leaf use from the fields `preset` and `use-…`.

    Raises:
        NothingChosenError: there is nothing to file; a page asks again.
    """
    chosen = str(form.get("preset", ""))
    if chosen in set(Preset):
        return PRESETS[Preset(chosen)]
    if chosen != BY_USE:
        raise NothingChosenError
    said = {use: _preference(str(form.get(f"use-{use}", ""))) for use in LEAVES}
    if all(preference is Preference.UNKNOWN for preference in said.values()):
        raise NothingChosenError
    return said


def shown(form: FormData | None, preferences: Mapping[Use, Preference] | None) -> tuple[str, dict[str, str]]:
    """What a form shows as chosen: what was sent, else what holds, else the first preset as a start."""
    if form is not None:
        return str(form.get("preset", "")), {use: str(form.get(f"use-{use}", "unknown")) for use in LEAVES}
    if preferences is not None:
        return str(preset_of(preferences) or BY_USE), {str(use): str(said) for use, said in preferences.items()}
    return str(Preset.NO_AI), {}


def _preference(word: str) -> Preference:
    if word not in set(Preference):
        raise NothingChosenError
    return Preference(word)
