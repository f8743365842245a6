"""Read the text of an EPUB, chapter by chapter in the order in which it is read.

Source: EPUB 3.3 and EPUB Open Container Format 3.3 (W3C); what they say is the same in EPUB 2.
"""

import posixpath
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from html import unescape
from pathlib import Path
from typing import Final
from urllib.parse import unquote

from fingerprinting.errors import LimitExceededError, LockedDocumentError, WordlessDocumentError
from fingerprinting.media import Limits, check_text_size
from fingerprinting.text import archive, encodings, kinds, markup, xml_parts
from fingerprinting.text.archive import Archive

_CONTAINER: Final = "META-INF/container.xml"
_ENCRYPTION: Final = "META-INF/encryption.xml"
_CHAPTERS: Final = frozenset({"application/xhtml+xml", "text/html", "application/x-dtbook+xml", "text/x-oeb1-document"})
# Fonts are commonly made unusable outside of their book; the text is not touched by it.
_OF_FONTS: Final = frozenset({"http://www.idpf.org/2008/embedding", "http://ns.adobe.com/pdf/enc#RC"})

_MARKUP: Final = 4
"""How many bytes of markup and text are unpacked for one byte of text that is accepted."""

_MAX_CHAPTERS: Final = 10_000
_BLANKS: Final = re.compile(r"[^\S\n]+")
_EMPTY_LINES: Final = re.compile(r" ?\n[ \n]*")
_DRAWING: Final = "image/svg+xml"
# A picture in a page, or in a drawing that it holds: its address, in quotes of either kind.
_PICTURE: Final = re.compile(
    r"<(?:\w{1,20}:)?(?:img|image)\b[^<>]{0,2000}?\s(?:src|(?:xlink:)?href)\s{0,9}=\s{0,9}(?:\"([^\"<>]{1,1000})\"|'([^'<>]{1,1000})')",
    re.IGNORECASE,
)
_ELSEWHERE: Final = re.compile(r"[a-z][a-z0-9+.-]*:|//", re.IGNORECASE)
_SOFT_HYPHEN: Final = "\u00ad"
# In a web page these would go on to the end of the text.
_EMPTY_ELEMENT: Final = re.compile(r"<(?:script|style|head|template|noscript)\b[^<>]*/>", re.IGNORECASE)


@dataclass(slots=True)
class _Package:
    """What a package document lists: its parts by id, as `(path, media type)`, and the ids in the order of reading."""

    parts: dict[str, tuple[str, str]] = field(default_factory=dict)
    spine: list[str] = field(default_factory=list)


def text_of(path: Path, limits: Limits) -> str:
    """Read the text of a book: chapters one after the other, each from a line of its own.

    Raises:
        UnreadableMediaError: damaged or incomplete; `LockedDocumentError`, protected; `WordlessDocumentError`, no text.
        LimitExceededError: it unpacks to too much, or has too many parts.
    """
    with archive.opened(path, _MARKUP * limits.max_text_bytes) as book:
        package = _package_path(book)
        chapters = _chapters(book, package)
        if _protected(book) & set(chapters):
            raise _locked()
        said, size_bytes = [], 0
        for chapter in chapters:
            raw = book.read(chapter, limits.max_text_bytes)
            text = _plain(encodings.decode(raw)) if raw.strip() else ""
            size_bytes += len(text.encode("utf-8", "replace"))
            check_text_size(size_bytes, limits)
            said.append(text)
    text = "\n".join(each for each in said if each)
    if not text:
        raise WordlessDocumentError(
            "There is no text in this book, and no picture on its pages that could be recognised. Use its pages as JPEG"
            " or PNG, or all of them as a CBZ."
        )
    return text


def pictures_of(path: Path, limits: Limits) -> list[tuple[int, str]]:
    """List the pictures of a book, in the order in which it is read: the page that each is on, from 1 on, and its name.

    Each is listed once, where it is seen first.

    Raises:
        UnreadableMediaError: damaged or incomplete, also where a page shows a picture that is not there;
            `LockedDocumentError`, protected.
        LimitExceededError: it unpacks to too much, or has too many parts.
    """
    with archive.opened(path, _MARKUP * limits.max_text_bytes) as book:
        package = _package_path(book)
        pages = _listed(book, package)
        folder, found = posixpath.dirname(package), dict[str, int]()
        for number, (href, media_type) in enumerate(pages, 1):
            page = _within(folder, href)
            if media_type in _CHAPTERS or media_type == _DRAWING:
                shown = _shown_on(book, page, limits)
            else:
                shown = [page] if media_type.startswith("image/") else []
            for name in shown:
                found.setdefault(name, number)
        if _protected(book) & set(found):
            raise _locked()
        if not all(map(book.holds, found)):
            raise archive.damaged()
    return [(number, name) for name, number in found.items()]


def _shown_on(book: Archive, page: str, limits: Limits) -> list[str]:
    """The members that are pictures on a page."""
    raw = book.read(page, limits.max_text_bytes)
    text = encodings.decode(raw) if raw.strip() else ""
    named = (unescape(found[1] or found[2]) for found in _PICTURE.finditer(text))
    inside = (each for each in named if not _ELSEWHERE.match(each))
    return [name for name in (_within(posixpath.dirname(page), each) for each in inside) if _is_picture(name)]


def _is_picture(name: str) -> bool:
    return posixpath.splitext(name)[1].lower() in kinds.PICTURE_SUFFIXES


def _locked() -> LockedDocumentError:
    return LockedDocumentError(
        "This book is protected against copying (DRM), so it can't be read. Use an edition without protection, or its"
        " text as a .txt file."
    )


def _package_path(book: Archive) -> str:
    found: list[str] = []

    def begin(name: str, attributes: Mapping[str, str]) -> None:
        if xml_parts.local(name) == "rootfile" and "full-path" in attributes:
            found.append(attributes["full-path"])

    xml_parts.walk(book.pieces(_CONTAINER), begin)
    if not found:
        raise archive.damaged()
    return found[0]


def _listed(book: Archive, package: str) -> list[tuple[str, str]]:
    """What the book consists of, in order: a reference, and a media type."""
    listed = _Package()

    def begin(name: str, attributes: Mapping[str, str]) -> None:
        element = xml_parts.local(name)
        if element == "item" and {"id", "href", "media-type"} <= attributes.keys():
            listed.parts[attributes["id"]] = attributes["href"], attributes["media-type"].strip().lower()
        elif element == "itemref" and "idref" in attributes:
            listed.spine.append(attributes["idref"])
        if max(len(listed.spine), len(listed.parts)) > 2 * _MAX_CHAPTERS:
            raise _too_many()

    xml_parts.walk(book.pieces(package), begin)
    if not listed.spine or not listed.parts.keys() >= set(listed.spine):
        raise archive.damaged()
    return [listed.parts[each] for each in listed.spine]


def _chapters(book: Archive, package: str) -> list[str]:
    """The members that hold text, in order, each once."""
    folder, listed = posixpath.dirname(package), _listed(book, package)
    chapters = list(dict.fromkeys(_within(folder, href) for href, media_type in listed if media_type in _CHAPTERS))
    if len(chapters) > _MAX_CHAPTERS:
        raise _too_many()
    if not all(map(book.holds, chapters)):
        raise archive.damaged()  # part of the text is not there, and nobody may take the rest for all of it
    return chapters


def _protected(book: Archive) -> set[str]:
    """The members that are encrypted, but for fonts."""
    if not book.holds(_ENCRYPTION):
        return set()
    found: set[str] = set()
    algorithm = ""

    def begin(name: str, attributes: Mapping[str, str]) -> None:
        nonlocal algorithm
        element = xml_parts.local(name)
        if element == "EncryptedData":
            algorithm = ""
        elif element == "EncryptionMethod":
            algorithm = algorithm or attributes.get("Algorithm", "")
        elif element == "CipherReference" and algorithm not in _OF_FONTS:
            found.add(_within("", attributes.get("URI", "")))

    xml_parts.walk(book.pieces(_ENCRYPTION), begin)
    return found


def _within(folder: str, href: str) -> str:
    """The member that a reference names."""
    return posixpath.normpath(posixpath.join(folder, unquote(href.partition("#")[0]))).lstrip("/")


def _plain(page: str) -> str:
    prose = markup.without_html(_EMPTY_ELEMENT.sub(" ", page)).replace(_SOFT_HYPHEN, "")
    return _EMPTY_LINES.sub("\n", _BLANKS.sub(" ", prose)).strip()


def _too_many() -> LimitExceededError:
    return LimitExceededError(
        f"This book has more than the {_MAX_CHAPTERS:,} chapters that are read. Save its text as a .txt file.",
        max_chapters=_MAX_CHAPTERS,
    )
