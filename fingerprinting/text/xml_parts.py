"""Pass through the XML parts of a document with expat: no tree, no entities of its own, nothing outside it."""

from collections.abc import Callable, Iterable, Mapping
from typing import Final
from xml.parsers import expat

from fingerprinting.text.archive import damaged

_MAX_DEPTH: Final = 1_000

SEPARATOR: Final = " "
"""Between the namespace and the local name of an element or attribute."""


class _UnwantedError(Exception):
    """Something that no honest document holds."""


def walk(
    pieces: Iterable[bytes],
    begin: Callable[[str, Mapping[str, str]], None],
    end: Callable[[str], None] = lambda _name: None,
    characters: Callable[[str], None] = lambda _said: None,
) -> None:
    """Tell what elements begin and end and what characters stand between them, in order.

    Old packages name a document type in public, which is never fetched; one that declares anything is refused.

    Raises:
        UnreadableMediaError: it is no XML, breaks off, declares entities, or is nested too deep.
    """
    parser = expat.ParserCreate(namespace_separator=SEPARATOR)
    parser.buffer_text = True
    depth = 0

    def opening(name: str, attributes: dict[str, str]) -> None:
        nonlocal depth
        depth += 1
        if depth > _MAX_DEPTH:
            raise _UnwantedError
        begin(name, attributes)

    def closing(name: str) -> None:
        nonlocal depth
        depth -= 1
        end(name)

    parser.StartElementHandler = opening
    parser.EndElementHandler = closing
    parser.CharacterDataHandler = characters
    parser.StartDoctypeDeclHandler = _refuse_declarations
    try:
        for piece in pieces:
            parser.Parse(piece, False)
        parser.Parse(b"", True)
    except (expat.ExpatError, _UnwantedError, ValueError, LookupError) as error:
        raise damaged() from error


def local(name: str) -> str:
    """An element's name without its namespace."""
    return name.rpartition(SEPARATOR)[2]


def _refuse_declarations(_name: str, _system: str | None, _public: str | None, declares: bool) -> None:  # noqa: FBT001
    if declares:
        raise _UnwantedError
