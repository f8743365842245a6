"""Read the text of a PDF page by page, with PDFium."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Final

from fingerprinting.errors import LimitExceededError, WordlessDocumentError
from fingerprinting.media import Limits, check_text_size
from fingerprinting.text import archive

if TYPE_CHECKING:
    from pypdfium2 import PdfDocument

PAGE_END: Final = "\f"
"""Between the texts of two pages."""

_MAX_PAGES: Final = 20_000
_LOCKED: Final = frozenset({4, 5})  # FPDF_ERR_PASSWORD, FPDF_ERR_SECURITY in fpdfview.h

_CUT_WORD: Final = re.compile("\ufffe\\s*")  # PDFium puts it where a word goes on in the next line
# What stands for a glyph of which the file does not say which letter it is.
_NO_LETTER: Final = re.compile("[\x00-\x08\x0e-\x1f\x7f\ue000-\uf8ff\ufffd]")
_MAX_NO_LETTER_SHARE: Final = 0.2

_FEW_LETTERS: Final = 200
"""Of a page: a number, a running title, the mark of a shop. So few identify nothing, and what is drawn may."""

_one_at_a_time = Lock()
"""PDFium may be used by one thread only."""


@dataclass(frozen=True, slots=True)
class Paper:
    """What a document says, and where it says nothing.

    Attributes:
        text: line by line, with `PAGE_END` between pages; empty where `wordless` says why.
        pictures: the pages, from 1 on, that have no words and may show something instead.
        wordless: why there is no text.
    """

    text: str
    pictures: tuple[int, ...]
    wordless: WordlessDocumentError | None = None


def text_of(path: Path, limits: Limits) -> str:
    """Read the text of a document, as `read` does.

    Raises:
        UnreadableMediaError, LimitExceededError: as `read`; `WordlessDocumentError`, there is no text in it, or its
            letters can't be told.
    """
    paper = read(path, limits)
    if paper.wordless is not None:
        raise paper.wordless
    return paper.text


def read(path: Path, limits: Limits) -> Paper:
    """Read the text of a document.

    Nothing that it names or wants to start is followed. What anybody may open is read, whatever it says of copying.

    Raises:
        UnreadableMediaError: damaged; `LockedDocumentError`, it needs a password.
        LimitExceededError: too many pages, or too long a text.
    """
    with opened(path) as document:
        pages = _pages(document, limits)
    text = PAGE_END.join(pages)
    letters, others = _letters(text), len(_NO_LETTER.findall(text))
    everything = tuple(range(1, len(pages) + 1))
    if not letters:
        return Paper("", everything, _without_text())
    if others > letters * _MAX_NO_LETTER_SHARE:
        return Paper("", everything, _without_letters())
    pictures = tuple(number for number, page in enumerate(pages, 1) if _letters(page) <= _FEW_LETTERS)
    return Paper(_NO_LETTER.sub("", text), pictures)


@contextmanager
def opened(path: Path) -> Iterator["PdfDocument"]:
    """Open a document, for this thread alone.

    Raises:
        UnreadableMediaError: damaged; `LockedDocumentError`, it needs a password.
    """
    import pypdfium2  # noqa: PLC0415 - most texts are none

    try:
        # A file and not its path, which would be resolved: a sandboxed process may open nothing but what it was given.
        with _one_at_a_time, path.open("rb") as file, pypdfium2.PdfDocument(file) as document:
            yield document
    except pypdfium2.PdfiumError as error:
        if error.err_code in _LOCKED:
            raise archive.locked() from error
        raise archive.damaged() from error
    except OSError as error:
        raise archive.damaged() from error


def _letters(text: str) -> int:
    return len("".join(text.split()))


def _without_text() -> WordlessDocumentError:
    return WordlessDocumentError(
        "There is no text in this PDF, and nothing to see on its pages that could be recognised. Use a version with"
        " text, or its pages as JPEG or PNG."
    )


def _without_letters() -> WordlessDocumentError:
    return WordlessDocumentError(
        "The letters of this PDF can't be told from each other, because its fonts don't say what they are. Save its"
        " text as a .txt file."
    )


def _pages(document: "PdfDocument", limits: Limits) -> list[str]:
    if len(document) > _MAX_PAGES:
        raise LimitExceededError(
            f"This document has more than the {_MAX_PAGES:,} pages that are read. Split it into parts.",
            max_pages=_MAX_PAGES,
        )
    said, size_bytes = [], 0
    for number in range(len(document)):
        page = document[number]
        words = page.get_textpage()
        check_text_size(size_bytes + words.count_chars(), limits)
        text = _CUT_WORD.sub("", words.get_text_range().replace("\r\n", "\n"))
        words.close()
        page.close()
        size_bytes += len(text.encode("utf-8", "replace"))
        check_text_size(size_bytes, limits)
        said.append(text)
    return said
