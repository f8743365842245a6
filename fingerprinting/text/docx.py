"""Read the text of a DOCX: its paragraphs, those in tables and boxes included, then its footnotes and endnotes.

Source: ECMA-376, part 1 (WordprocessingML) and part 2 (Open Packaging Conventions).
"""

import posixpath
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from fingerprinting.errors import UnsupportedMediaError, WordlessDocumentError
from fingerprinting.media import Limits, check_text_size
from fingerprinting.text import archive, xml_parts
from fingerprinting.text.archive import Archive

_RELATIONS: Final = "_rels/.rels"
_USUAL_BODY: Final = "word/document.xml"
_IS_BODY: Final = "/officeDocument"  # how the type of the relation ends, in both editions of the standard
_NOTES: Final = ("footnotes.xml", "endnotes.xml")
_WORDS: Final = frozenset(
    {
        "http://schemas.openxmlformats.org/wordprocessingml/2006/main",
        "http://purl.oclc.org/ooxml/wordprocessingml/main",
    }
)
_MARKUP: Final = 8
"""How many bytes are unpacked for one byte of text that is accepted: every few words have their own format."""

_SIGNS: Final = {"tab": "\t", "br": "\n", "cr": "\n", "p": "\n", "noBreakHyphen": "-"}
# What was moved away, and what is written a second time for old programs.
_LEFT_OUT: Final = frozenset({"moveFrom", "Fallback"})


def text_of(path: Path, limits: Limits) -> str:
    """Read the text of a document, a paragraph on each line.

    Raises:
        UnsupportedMediaError: an office document of another kind.
        UnreadableMediaError: damaged or incomplete; `LockedDocumentError`, protected; `WordlessDocumentError`, no text.
        LimitExceededError: it unpacks to too much, or has too many parts.
    """
    with archive.opened(path, _MARKUP * limits.max_text_bytes) as document:
        body = _body(document)
        found = _Words(limits)
        found.read(document, body)
        if found.root != "document":
            raise UnsupportedMediaError(
                "Office documents other than DOCX are not supported. Save its text as a .txt file and use that.",
                kind="office",
            )
        for name in _NOTES:
            notes = posixpath.join(posixpath.dirname(body), name)
            if document.holds(notes):
                found.read(document, notes)
    text = "".join(found.said).strip()
    if not text:
        raise WordlessDocumentError(
            "There is no text in this document. If it holds pictures, use those as JPEG or PNG instead."
        )
    return text


def _body(document: Archive) -> str:
    found: list[str] = []

    def begin(_name: str, attributes: Mapping[str, str]) -> None:
        if attributes.get("Type", "").endswith(_IS_BODY):
            found.append(posixpath.normpath(attributes.get("Target", "")).lstrip("/"))

    if document.holds(_RELATIONS):
        xml_parts.walk(document.pieces(_RELATIONS), begin)
    return found[0] if found else _USUAL_BODY


class _Words:
    """Collects the words of WordprocessingML.

    Attributes:
        said: in order.
        root: what the first part read is, by its first element; None where that is of another kind.
    """

    def __init__(self, limits: Limits) -> None:
        self.said: list[str] = []
        self.root: str | None = None
        self._limits = limits
        self._size_bytes = 0
        self._begun = False
        self._text = 0
        self._left_out = 0

    def read(self, document: Archive, name: str) -> None:
        xml_parts.walk(document.pieces(name), self._begin, self._end, self._characters)

    def _begin(self, name: str, _attributes: Mapping[str, str]) -> None:
        namespace, _, element = name.rpartition(xml_parts.SEPARATOR)
        is_words = namespace in _WORDS
        if not self._begun:
            self._begun = True
            self.root = element if is_words else None
        self._left_out += element in _LEFT_OUT
        if is_words and not self._left_out:
            self._text += element == "t"
            if element != "p" and element in _SIGNS:
                self._say(_SIGNS[element])

    def _end(self, name: str) -> None:
        namespace, _, element = name.rpartition(xml_parts.SEPARATOR)
        if namespace in _WORDS and not self._left_out:
            self._text -= element == "t"
            if element == "p":
                self._say(_SIGNS[element])
        self._left_out -= element in _LEFT_OUT

    def _characters(self, said: str) -> None:
        if self._text and not self._left_out:
            self._say(said)

    def _say(self, said: str) -> None:
        self._size_bytes += len(said.encode("utf-8", "replace"))
        check_text_size(self._size_bytes, self._limits)
        self.said.append(said)
