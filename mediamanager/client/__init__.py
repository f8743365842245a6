"""The pipeline client: ask a registry or a catalogue about files. Nothing is loaded before it is used."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mediamanager.client.checkable import Sources
    from mediamanager.client.offline import Catalogue
    from mediamanager.client.queries import Query
    from mediamanager.client.registry import Registry
    from mediamanager.client.verdicts import Checked, Verdict

__all__ = ["Catalogue", "Checked", "Query", "Registry", "Sources", "Verdict"]

_HOMES = {
    "Catalogue": "mediamanager.client.offline",
    "Checked": "mediamanager.client.verdicts",
    "Query": "mediamanager.client.queries",
    "Registry": "mediamanager.client.registry",
    "Sources": "mediamanager.client.checkable",
    "Verdict": "mediamanager.client.verdicts",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module  # noqa: PLC0415 - only the first use of a name pays for it

    return getattr(import_module(_HOMES[name]), name)
