"""Where media and the published log lie: a small protocol, and its implementation on a folder.

`s3` is the other one; `storage_url` opens the one that the settings name.
"""

import os
import re
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import BinaryIO, Protocol

from optout.errors import InvalidInputError, NotFoundError, StorageUnavailableError

INCOMING = "incoming/"
"""Prefix of what belongs to no row yet: uploads on their way, and half-written files. Old ones are swept."""

_KEY = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*(/[A-Za-z0-9_-][A-Za-z0-9._-]*)*")
_MAX_KEY = 500


@dataclass(frozen=True, slots=True)
class Stored:
    """One stored object. `modified_at` is aware UTC."""

    key: str
    size_bytes: int
    modified_at: datetime


class Storage(Protocol):
    """Objects by key. Keys are segments of letters, digits, `_`, `-` and inner `.`, joined by `/`.

    Every method raises StorageUnavailableError when the store does not answer, InvalidInputError for a malformed key,
    and, where it reads, NotFoundError for a key that is not there. What a method has returned from is durable, and
    every later call of any process sees it. A method that raised StorageUnavailableError may have been carried out
    all the same: call it again.
    """

    def put(self, key: str, stream: BinaryIO) -> int:
        """Store what a stream holds, whole or not at all, over what was there; the number of bytes.

        The stream stays open; it is read from where it stands to its end, once.
        """

    def put_if_absent(self, key: str, data: bytes) -> bool:
        """Store unless the key exists; False says that it existed and was left alone. Of several at once, one wins."""

    def get(self, key: str) -> bytes:
        """All bytes of a small object; use `open` for media."""

    def open(self, key: str) -> BinaryIO:
        """A stream of an object's bytes; the caller closes it."""

    def move(self, source: str, target: str) -> None:
        """Give an object another key, over what was there. A crash may leave it under both keys, never under none."""

    def delete(self, key: str) -> None:
        """Remove an object; one that is not there is fine."""

    def exists(self, key: str) -> bool:
        """Whether an object has this key."""

    def list(self, prefix: str) -> Iterator[Stored]:
        """Objects whose key begins with a prefix, in no order."""


def check_key(key: str) -> None:
    """Raise InvalidInputError unless a key is one of ours: it can't leave its folder or prefix then."""
    if len(key) > _MAX_KEY or not _KEY.fullmatch(key):
        raise InvalidInputError("a storage key has a character or a length that is not allowed", field="key")


class FolderStore:
    """Objects as files of one folder: written aside, flushed to disk, then renamed: no reader ever sees half of one."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def put(self, key: str, stream: BinaryIO) -> int:
        """See Storage."""
        target = self._path(key)
        with _unavailable(key), self._written(stream) as (written, size):
            target.parent.mkdir(parents=True, exist_ok=True)
            written.replace(target)
            self._flush_folders(target)
        return size

    def put_if_absent(self, key: str, data: bytes) -> bool:
        """See Storage. A hard link fails if the name exists, and so decides between two writers."""
        target = self._path(key)
        with _unavailable(key):
            if target.exists():
                return False
            with self._written(BytesIO(data)) as (written, _size):
                target.parent.mkdir(parents=True, exist_ok=True)
                try:
                    os.link(written, target)
                except FileExistsError:
                    return False
                self._flush_folders(target)
        return True

    def get(self, key: str) -> bytes:
        """See Storage."""
        with self.open(key) as stream, _unavailable(key):
            return stream.read()

    def open(self, key: str) -> BinaryIO:
        """See Storage."""
        path = self._path(key)
        with _unavailable(key):
            return path.open("rb")

    def move(self, source: str, target: str) -> None:
        """See Storage."""
        old, new = self._path(source), self._path(target)
        with _unavailable(source):
            new.parent.mkdir(parents=True, exist_ok=True)
            old.replace(new)
            self._flush_folders(new)
            _flush_folder(old.parent)

    def delete(self, key: str) -> None:
        """See Storage."""
        path = self._path(key)
        with _unavailable(key), suppress(FileNotFoundError):
            path.unlink()
            _flush_folder(path.parent)

    def exists(self, key: str) -> bool:
        """See Storage."""
        path = self._path(key)
        with _unavailable(key):
            return path.is_file()

    def list(self, prefix: str) -> Iterator[Stored]:
        """See Storage. A file that goes away meanwhile is left out."""
        folder = self._root / prefix.rpartition("/")[0]
        for path in folder.rglob("*"):
            key = path.relative_to(self._root).as_posix()
            with suppress(FileNotFoundError):
                if key.startswith(prefix) and path.is_file():
                    facts = path.stat()
                    yield Stored(key, facts.st_size, datetime.fromtimestamp(facts.st_mtime, UTC))

    def _path(self, key: str) -> Path:
        check_key(key)
        return self._root / key

    @contextmanager
    def _written(self, stream: BinaryIO) -> Iterator[tuple[Path, int]]:
        """A file with the stream's bytes, on disk, under a name that the sweep removes if we die."""
        aside = self._root / f"{INCOMING}part-{secrets.token_hex(12)}"
        aside.parent.mkdir(parents=True, exist_ok=True)
        try:
            with aside.open("xb") as file:
                shutil.copyfileobj(stream, file, 1 << 17)
                file.flush()
                os.fsync(file.fileno())
                size = file.tell()
            yield aside, size
        finally:
            aside.unlink(missing_ok=True)

    def _flush_folders(self, path: Path) -> None:
        # A new folder is itself an entry that a power cut can lose, so every level up to the root is flushed.
        for folder in path.parents:
            _flush_folder(folder)
            if folder == self._root:
                return


def _flush_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _unavailable(key: str) -> Iterator[None]:
    try:
        yield
    except (FileNotFoundError, IsADirectoryError) as error:
        raise NotFoundError(f"there is no stored object {key}", key=key) from error
    except OSError as error:
        raise StorageUnavailableError(f"the storage folder can't be used: {error.strerror}", key=key) from error
