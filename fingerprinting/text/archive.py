"""Read members of a ZIP archive that a document is, however it was made: none unpacks to more than is allowed."""

import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import BinaryIO, Final

from fingerprinting.errors import LimitExceededError, LockedDocumentError, UnreadableMediaError

# APPNOTE.TXT, 4.3.15 and 4.3.16: the record at the end, before a comment, and what points to a larger one before it.
_END: Final = b"PK\x05\x06"
_END_BYTES: Final = 22
_LARGE_END: Final = b"PK\x06\x07"
_LARGE_END_BYTES: Final = 20
_MAX_COMMENT_BYTES: Final = 0xFFFF

_MAX_MEMBERS: Final = 20_000
_MAX_DIRECTORY_BYTES: Final = 4 * 1024**2
"""A member takes 46 bytes and its name here, and several hundred in memory before anybody can count the members."""

_PIECE_BYTES: Final = 1 << 16
_IS_ENCRYPTED: Final = 1
_METHODS: Final = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
"""All that EPUB and Office Open XML allow."""

_UNREADABLE: Final = (zipfile.BadZipFile, zlib.error, struct.error, EOFError, OSError, RuntimeError, ValueError)


class Archive:
    """The members of an archive, by name.

    Attributes:
        max_bytes: that all that is read may unpack to, together.
    """

    def __init__(self, members: zipfile.ZipFile, max_bytes: int) -> None:
        self._members = members
        self._left_bytes = self.max_bytes = max_bytes

    def names(self) -> list[str]:
        """The names of the members that are no folders, in the order of the archive, each once."""
        return [name for name, member in self._members.NameToInfo.items() if not member.is_dir()]

    def holds(self, name: str) -> bool:
        """Whether there is a member of this name."""
        return name in self._members.NameToInfo

    def pieces(self, name: str) -> Iterator[bytes]:
        """Unpack a member piece by piece.

        Raises:
            UnreadableMediaError: there is none, it is damaged, packed in a way of its own, or needs a password.
            LimitExceededError: more than is left of `max_bytes`, whatever the archive says its size is.
        """
        member = self._members.NameToInfo.get(name)
        if member is None:
            raise damaged()
        if member.flag_bits & _IS_ENCRYPTED:
            raise locked()
        if member.compress_type not in _METHODS:
            raise damaged()
        try:
            with self._members.open(member) as unpacked:
                while piece := unpacked.read(_PIECE_BYTES):
                    self._left_bytes -= len(piece)
                    if self._left_bytes < 0:
                        raise _too_large(self.max_bytes)
                    yield piece
        except _UNREADABLE as error:
            raise damaged() from error

    def read(self, name: str, max_bytes: int) -> bytes:
        """Unpack a member whole.

        Raises:
            UnreadableMediaError, LimitExceededError: as of `pieces`; `max_bytes` are for this member.
        """
        read = bytearray()
        for piece in self.pieces(name):
            read += piece
            if len(read) > max_bytes:
                raise _too_large(max_bytes)
        return bytes(read)


@contextmanager
def opened(path: Path, max_bytes: int) -> Iterator[Archive]:
    """Open a document that is an archive.

    Raises:
        UnreadableMediaError: it is damaged, incomplete, or cannot be opened.
        LimitExceededError: it has too many members.
    """
    with ExitStack() as open_files:
        try:
            file = open_files.enter_context(path.open("rb"))
            _check_directory(file)
            members = open_files.enter_context(zipfile.ZipFile(file))
        except _UNREADABLE as error:
            raise damaged() from error
        if len(members.filelist) > _MAX_MEMBERS:
            raise _too_many()
        yield Archive(members, max_bytes)


def damaged() -> UnreadableMediaError:
    """What is said of a document that breaks off, or is not put together as it has to be."""
    return UnreadableMediaError(
        "This document is damaged or incomplete. Export it again, or save its text as a .txt file."
    )


def locked() -> LockedDocumentError:
    """What is said of a document that nobody can read who does not know its password."""
    return LockedDocumentError(
        "This document is protected by a password. Save it without one, or save its text as a .txt file."
    )


def _check_directory(file: BinaryIO) -> None:
    """Refuse an archive with a huge list of members before anybody reads it."""
    size_bytes = file.seek(0, 2)
    file.seek(max(0, size_bytes - _MAX_COMMENT_BYTES - _END_BYTES - _LARGE_END_BYTES))
    tail = file.read()
    file.seek(0)
    at = tail.rfind(_END)
    if at < 0 or len(tail) - at < _END_BYTES:
        raise damaged()
    is_large = tail.startswith(_LARGE_END, max(0, at - _LARGE_END_BYTES))  # for archives beyond 4 GB or 65,535 members
    if is_large or int.from_bytes(tail[at + 12 : at + 16], "little") > _MAX_DIRECTORY_BYTES:
        raise _too_many()


def _too_large(max_bytes: int) -> LimitExceededError:
    return LimitExceededError(
        f"This document, or a part of it, unpacks to more than the {max_bytes / 1e6:,.0f} MB that are read. Save its"
        " text as a .txt file, in parts if it is long, and use that.",
        max_bytes=max_bytes,
    )


def _too_many() -> LimitExceededError:
    return LimitExceededError(
        f"This document consists of more than the {_MAX_MEMBERS:,} parts that are read. Save its text as a .txt file.",
        max_members=_MAX_MEMBERS,
    )
