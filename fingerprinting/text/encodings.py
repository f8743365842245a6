"""From a file's bytes to text: which encoding, or that it is no text at all."""

import codecs
import re
from typing import Final

from fingerprinting.errors import UnreadableMediaError

# UTF-32's little-endian mark begins with UTF-16's, so it is looked for first.
_BYTE_ORDER_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_MAX_CUT_BYTES: Final = 3
"""How many bytes of a character may be left at the end of a file that was cut."""

_CONTROLS: Final = re.compile("[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]")
_MAX_CONTROL_SHARE: Final = 0.001
# In Western European languages accented letters and typographic signs are rarely a tenth of the text.
_MAX_HIGH_SHARE: Final = 0.3
_HIGH_BYTES: Final = bytes(range(0x80, 0x100))
_HIGH_LETTERS: Final = bytes(range(0xC0, 0x100))
_LETTERS: Final = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"


def decode(raw: bytes) -> str:
    r"""Decode text: by its byte order mark, else UTF-8, else Windows-1252 where that is plausible.

    Line ends become "\n". A character cut in half at the very end is left out.

    Raises:
        UnreadableMediaError: nothing in it, not text, or in an encoding that cannot be told.
    """
    if not raw.strip():
        raise UnreadableMediaError("This file is empty. Choose the text or captions again.")
    text = _decoded(raw)
    controls = sum(1 for _ in _CONTROLS.finditer(text))
    if controls > len(text) * _MAX_CONTROL_SHARE:
        raise _not_text()
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _decoded(raw: bytes) -> str:
    for mark, encoding in _BYTE_ORDER_MARKS:
        if raw.startswith(mark):
            return _strict(raw[len(mark) :], encoding)
    try:
        return _strict(raw, "utf-8")
    except UnreadableMediaError:
        if not _may_be_western(raw):
            raise
    return _strict(raw, "cp1252")


def _strict(raw: bytes, encoding: str) -> str:
    try:
        return raw.decode(encoding)
    except UnicodeDecodeError as error:
        cut_bytes = len(raw) - error.start
        if error.start > 0 and cut_bytes <= _MAX_CUT_BYTES and error.end == len(raw) and encoding != "cp1252":
            return raw[: error.start].decode(encoding)
        raise _not_text() from error


def _may_be_western(raw: bytes) -> bool:
    """Whether bytes that are not UTF-8 look like Windows-1252 rather than like another encoding or like no text.

    Letters are compared with letters: in captions, times and signs are half of the bytes, in whatever script.
    """
    high, high_letters, letters = (_count(raw, each) for each in (_HIGH_BYTES, _HIGH_LETTERS, _LETTERS))
    is_plausible = high_letters <= (high_letters + letters) * _MAX_HIGH_SHARE
    return b"\0" not in raw and is_plausible and high <= len(raw) * _MAX_HIGH_SHARE


def _count(raw: bytes, wanted: bytes) -> int:
    return len(raw) - len(raw.translate(None, wanted))


def _not_text() -> UnreadableMediaError:
    return UnreadableMediaError("This is not text that can be read. Save it as UTF-8, or choose another file.")
