"""compose.yaml as an engine would read it: variables filled in, required ones demanded."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
FILE = ROOT / "compose.yaml"
#: The services that run our own image.
OURS = ("api", "worker", "beat", "migrate")

_VARIABLE = re.compile(r"\$(?:(\$)|\{(\w+)(?:(:\?|:-)([^}]*))?\})")


class MissingVariableError(Exception):
    """A required variable is not set."""


def read(variables: Mapping[str, str]) -> dict[str, Any]:
    """The file with its variables filled in.

    Raises:
        MissingVariableError: a required one is missing or empty.
    """
    return dict(yaml.safe_load(_VARIABLE.sub(lambda found: _value(found, variables), FILE.read_text())))


def required() -> set[str]:
    """The names of the variables that have no default."""
    return {found[2] for found in _VARIABLE.finditer(FILE.read_text()) if found[2] and found[3] == ":?"}


def variables() -> set[str]:
    """The names of all variables."""
    return {found[2] for found in _VARIABLE.finditer(FILE.read_text()) if found[2]}


def _value(found: re.Match[str], given: Mapping[str, str]) -> str:
    dollar, name, kind, word = found.groups()
    if dollar:
        return "$"
    value = given.get(name, "")
    if value:
        return value
    if kind == ":-":
        return str(word)
    raise MissingVariableError(name)
