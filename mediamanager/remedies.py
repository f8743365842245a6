"""Says what is wrong with a field of a request, and what would be right, in words for the person who sent it."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

from mediamanager.schemas.problems import FieldProblem

MAX_SHOWN: Final = 100
"""A batch of 10,000 can be wrong 10,000 times; this many are enough to see why."""

_MAX_ECHO_CHARACTERS: Final = 40

_SENTENCES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "missing": "This is missing: add it.",
        "missing_choice": "This is missing: add it, or {instead}.",
        "extra_forbidden": "This is not known here: remove it, or correct its spelling.",
        "enum": "{input} is not known: use {expected}.",
        "literal_error": "{input} is not known: use {expected}.",
        "too_long": "At most {max_length} are accepted: send the rest in another request.",
        "too_short": "At least {min_length} is needed: add it.",
        "string_too_long": "This is too long: shorten it to {max_length} characters.",
        "string_too_short": "This is empty: give at least {min_length} character.",
        "string_pattern_mismatch": "This does not have the right form: it has to match {pattern}.",
        "string_type": "This has to be a text in quotes.",
        "string_unicode": "This holds characters that are not Unicode text: remove them.",
        "uuid_parsing": "This is not an id: use one that the registry gave, like 123e4567-e89b-12d3-a456-426614174000.",
        "url_parsing": "This is not an address: give a complete one, like https://example.org/song.mp3.",
        "url_scheme": "Only http and https addresses are accepted: give one that begins with https://.",
        "url_too_long": "This address is too long: at most {max_length} characters are accepted.",
        "int_parsing": "This has to be a whole number.",
        "int_type": "This has to be a whole number.",
        "float_parsing": "This has to be a number.",
        "float_type": "This has to be a number.",
        "finite_number": "This has to be a finite number.",
        "bool_parsing": "This has to be true or false.",
        "bool_type": "This has to be true or false.",
        "list_type": "This has to be a list, in [ and ].",
        "dict_type": "This has to be an object, in {{ and }}.",
        "model_type": "This has to be an object, in {{ and }}.",
        "model_attributes_type": "This has to be an object, in {{ and }}.",
        "greater_than_equal": "This is too small: use {ge} or more.",
        "less_than_equal": "This is too large: use {le} or less.",
        "timezone_aware": "This time has no zone: add one, for instance Z for UTC.",
        "datetime_parsing": "This is not a time: write it like 2026-01-31T12:00:00Z.",
        "datetime_from_date_parsing": "This is not a time: write it like 2026-01-31T12:00:00Z.",
        "value_error": "{error}.",
    }
)


def field_problems(errors: Sequence[Mapping[str, Any]]) -> list[FieldProblem]:
    """Translate pydantic's list of errors: a path, a sentence with the remedy, a stable code; at most MAX_SHOWN."""
    return [
        FieldProblem(field=_path(error["loc"]), message=_sentence(error), code=str(error["type"]).replace("_", "-"))
        for error in errors[:MAX_SHOWN]
    ]


def summary(problems: Sequence[FieldProblem]) -> str:
    """One sentence for the whole request, which names the first field."""
    first = problems[0]
    more = f" ({len(problems) - 1} more under errors)" if len(problems) > 1 else ""
    return f"{first.field}: {first.message}{more}"


def _path(location: Sequence[str | int]) -> str:
    """Name a field as its sender would; where in HTTP it stood (body, query, path) goes without saying."""
    steps = [str(step) for step in location if step != "[key]"]
    return ".".join(steps[1:]) or steps[0]


def _sentence(error: Mapping[str, Any]) -> str:
    template = _SENTENCES.get(error["type"])
    if template is None:
        return f"{error['msg']}."
    context = {key: str(value) for key, value in error.get("ctx", {}).items()}
    return template.format_map({**context, "input": _echo(error.get("input"))})


def _echo(value: object) -> str:
    """Repeat a short word that was not understood; never something long, which may be anything."""
    if isinstance(value, str) and len(value) <= _MAX_ECHO_CHARACTERS:
        return ascii(value)
    return "This"
