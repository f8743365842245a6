"""Values of nested objects, found by their name or by a path of names with dots."""

from collections.abc import Mapping
from typing import Any


def at(row: Mapping[str, Any], name: str) -> Any:
    """Find a value: `name` as it stands, else step by step (`meta.link`); None where there is none."""
    if name in row:
        return row[name]
    value: Any = row
    for step in name.split("."):
        if not isinstance(value, Mapping):
            return None
        value = value.get(step)
    return value
