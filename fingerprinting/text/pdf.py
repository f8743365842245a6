"""Read the text of a PDF page by page, with PDFium."""

import re
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

_one_at_a_time = Lock()
"""PDFium may be used by one thread only."""


def text_of(path: Path, limits: Limits) -> str:
    """Read the text of a document, line by line, with `PAGE_END` between pages.

    Nothing that it names or wants to start is followed. What anybody may open is read, whatever it says of copying.

    Raises:
        UnreadableMediaError: damaged; `LockedDocumentError`, it needs a password; `WordlessDocumentError`, there is no
            text in it, or its letters can't be told.
        LimitExceededError: too many pages, or too long a text.
    """
    import pypdfium2  # noqa: PLC0415 - most texts are none

    try:
        # A file and not its path, which would be resolved: a sandboxed process may open nothing but what it was given.
        with _one_at_a_time, path.open("rb") as file, pypdfium2.PdfDocument(file) as document:
            text = _text(document, limits)
    except pypdfium2.PdfiumError as error:
        if error.err_code in _LOCKED:
            raise archive.locked() from error
        raise archive.damaged() from error
    except OSError as error:
        raise archive.damaged() from error
    letters, others = len("".join(text.split())), len(_NO_LETTER.findall(text))
    if not letters:
        raise WordlessDocumentError(
            "There is no text in this PDF, only pictures, as a scanner makes them. Use a version with text, or its"
            " pages as JPEG or PNG."
        )
    if others > letters * _MAX_NO_LETTER_SHARE:
        raise WordlessDocumentError(
            "The letters of this PDF can't be told from each other, because its fonts don't say what they are. Save its"
            " text as a .txt file."
        )
    return _NO_LETTER.sub("", text)


def is_mostly_pictures(text: str) -> bool:
    """Whether no text was found on most pages, as where a scan has a cover sheet."""
    pages = text.split(PAGE_END)
    return 2 * sum(1 for page in pages if page.strip()) < len(pages)


def _text(document: "PdfDocument", limits: Limits) -> str:
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
    return PAGE_END.join(said)
