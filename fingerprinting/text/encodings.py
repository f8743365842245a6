"""From a file's bytes to text: which encoding, or that it is no text at all."""

import codecs
import re
from contextlib import suppress
from typing import Final

from fingerprinting.errors import UnreadableMediaError
from fingerprinting.text import charsets

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


def decode(raw: bytes) -> str:
    r"""Decode text: by its byte order mark, else UTF-8, else as it says itself, else by the words in it.

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
        if b"\0" in raw:
            raise
    said = charsets.said(raw)
    if said is not None:
        with suppress(UnreadableMediaError):  # what it says of itself may be wrong
            return _strict(raw, said)
    guessed = charsets.guessed(raw)
    if guessed is None:
        raise _not_text()
    return _strict(raw, guessed)


def _strict(raw: bytes, encoding: str) -> str:
    try:
        return raw.decode(encoding)
    except UnicodeDecodeError as error:
        cut_bytes = len(raw) - error.start
        if error.start > 0 and cut_bytes <= _MAX_CUT_BYTES and error.end == len(raw) and _is_of_several_bytes(encoding):
            return raw[: error.start].decode(encoding)
        raise _not_text() from error


def _is_of_several_bytes(encoding: str) -> bool:
    return not encoding.startswith(("cp12", "iso8859", "koi8", "mac", "cp866", "cp874"))


def _not_text() -> UnreadableMediaError:
    return UnreadableMediaError(
        "This is not text, or its encoding cannot be told. Save it as UTF-8, or choose another file."
    )
