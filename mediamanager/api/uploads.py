"""Taking in a file: counted, hashed and looked at on its way to storage, and never whole in memory."""

import hashlib
import io
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO, Final
from uuid import uuid4

from starlette.datastructures import UploadFile

from fingerprinting import media
from fingerprinting.errors import LimitExceededError, UnreadableMediaError, UnsupportedMediaError
from mediamanager.api.forms import FILE
from optout.store.storage import INCOMING, Storage

_PIECE_BYTES: Final = 1 << 17
"""Up to `request_threads` files are on their way at once, each in a few of these."""


@dataclass(frozen=True, slots=True)
class Staged:
    """A file that lies in storage, durably, and belongs to nothing yet. `sha256` has 32 bytes."""

    key: str
    sha256: bytes
    size_bytes: int


@contextmanager
def staged(storage: Storage, upload: UploadFile, max_bytes: int) -> Iterator[Staged]:
    """Store an upload for as long as the block lasts; whoever wants to keep it moves it away meanwhile.

    Raises:
        UnreadableMediaError, UnsupportedMediaError: its first bytes say that it is nothing that we read.
        LimitExceededError: it has more than `max_bytes`.
        StorageUnavailableError: it could not be stored.
    """
    key = f"{INCOMING}{uuid4()}"
    with _naming_its_field():
        _look_at(upload)
        stream = _Watched(upload.file, max_bytes)
        try:
            size_bytes = storage.put(key, io.BufferedReader(stream, _PIECE_BYTES))
            yield Staged(key, stream.sha256(), size_bytes)
        finally:
            storage.delete(key)


@contextmanager
def at_hand(upload: UploadFile, max_bytes: int) -> Iterator[Path]:
    """Put an upload into a file of its own, outside storage, for as long as the block lasts.

    What the block finds wrong with the media is said of the upload's field, too.

    Raises:
        UnreadableMediaError, UnsupportedMediaError, LimitExceededError: as of `staged`.
    """
    with _naming_its_field(), tempfile.NamedTemporaryFile(prefix="mediamanager-") as file:
        _look_at(upload)
        stream = io.BufferedReader(_Watched(upload.file, max_bytes), _PIECE_BYTES)
        while piece := stream.read(_PIECE_BYTES):
            file.write(piece)
        file.flush()
        yield Path(file.name)


def name_of(upload: UploadFile) -> str | None:
    """The file's own name, without the folders that some browsers send along; None if it has none."""
    return PurePosixPath((upload.filename or "").replace("\\", "/")).name or None


@contextmanager
def _naming_its_field() -> Iterator[None]:
    """Name the field of the form in an error about the media: who knows the media does not know of forms."""
    try:
        yield
    except (UnsupportedMediaError, UnreadableMediaError, LimitExceededError) as error:
        error.parameters = {**error.parameters, "field": FILE}
        raise


def _look_at(upload: UploadFile) -> None:
    """Refuse at once what can never be fingerprinted, before a byte is stored."""
    upload.file.seek(0)
    media.sniff(upload.file.read(media.HEAD_BYTES), name_of(upload))
    upload.file.seek(0)


class _Watched(io.RawIOBase):
    """A stream that counts and hashes what is read from it, and fails when it is too much."""

    def __init__(self, source: BinaryIO, max_bytes: int) -> None:
        self._source = source
        self._max_bytes = max_bytes
        self._size_bytes = 0
        self._hash = hashlib.sha256()

    def readable(self) -> bool:
        """It is for nothing else."""
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override] # typeshed has a wider, abstract buffer
        """Read a piece."""
        piece = self._source.read(len(buffer))
        self._size_bytes += len(piece)
        if self._size_bytes > self._max_bytes:
            raise LimitExceededError(
                f"This file is larger than {self._max_bytes / 1e6:,.0f} MB, which is the most that this registry takes."
                " Send a smaller version, or register it by fingerprints made on your own device.",
                max_bytes=self._max_bytes,
            )
        self._hash.update(piece)
        buffer[: len(piece)] = piece
        return len(piece)

    def sha256(self) -> bytes:
        """Of all that was read."""
        return self._hash.digest()
