"""Where the files of a log come from: a running registry, or a folder; and how the one becomes the other."""

import http.client
import os
import secrets
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from mediamanager.audit import verifier
from mediamanager.audit.signatures import NOTE_LIMIT, Key, MissingError, UndecidedError
from mediamanager.audit.verifier import Checkpoint, Source

_SECONDS = 30
_NOT_FOUND = 404
_TRIES = 5


class FolderSource:
    """A log as a folder of files."""

    def __init__(self, folder: Path) -> None:
        if not folder.is_dir():
            raise UndecidedError(f"{folder} is not a folder with a log in it")
        self._folder = folder

    def read(self, path: str, limit: int) -> bytes:
        """See Source."""
        try:
            with (self._folder / path).open("rb") as file:
                data = file.read(limit + 1)
        except FileNotFoundError as error:
            raise MissingError(f"{path} is not there") from error
        except OSError as error:
            raise UndecidedError(f"{path} can't be read: {error.strerror}") from error
        return _within(data, limit, path)


class HttpSource:
    """A log as a registry serves it. The address is the registry's, or that of the log itself below `/v1/log`."""

    def __init__(self, url: str) -> None:
        try:
            parts = urlsplit(url)
        except ValueError as error:
            raise UndecidedError(f"the address of a registry is malformed: {error}") from error
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise UndecidedError("the address of a registry begins with http:// or https://")
        base = url.rstrip("/")
        self._base = base if base.endswith("/v1/log") else f"{base}/v1/log"

    def read(self, path: str, limit: int) -> bytes:
        """See Source."""
        request = urllib.request.Request(f"{self._base}/{path}")  # noqa: S310 - the scheme was checked
        try:
            with urllib.request.urlopen(request, timeout=_SECONDS) as answer:  # noqa: S310 - as above
                data: bytes = answer.read(limit + 1)
        except urllib.error.HTTPError as error:
            error.close()
            if error.code == _NOT_FOUND:
                raise MissingError(f"{self._base}/{path} is not there") from error
            raise UndecidedError(f"{self._base}/{path} was answered with status {error.code}") from error
        except (OSError, ValueError, http.client.HTTPException) as error:  # ValueError: a port or host of nonsense
            raise UndecidedError(f"{self._base} does not answer: {getattr(error, 'reason', error)}") from error
        return _within(data, limit, path)


def open_source(where: str) -> Source:
    """Open a registry's address or a folder.

    Raises:
        UndecidedError: it is neither.
    """
    return HttpSource(where) if "://" in where else FolderSource(Path(where))


def download(
    source: Source,
    key: Key,
    folder: Path,
    progress: Callable[[int, int], None] = lambda done, count: None,  # noqa: ARG005
) -> Checkpoint:
    """Copy a log into a folder of the same paths; the checkpoint comes last, so that what it covers is there.

    Files that are there are not fetched again: run it anew after an interruption, or to bring a copy up to date. What
    was copied is not verified yet.

    Raises:
        MisbehaviourError, UndecidedError: the checkpoint does not open, or a file can't be had or written.
    """
    try:
        for _ in range(_TRIES):
            note = source.read("checkpoint", NOTE_LIMIT)
            checkpoint = verifier.open_checkpoint(note, key)
            try:
                _copy_files(source, checkpoint.size, folder, progress)
            except MissingError:
                # A partial tile goes when the log has grown past it: then there is a newer checkpoint to copy.
                if source.read("checkpoint", NOTE_LIMIT) == note:
                    raise
                continue
            _write(folder / "key", f"{key.vkey}\n".encode())
            _write(folder / "checkpoint", note)
            return checkpoint
    except OSError as error:
        raise UndecidedError(f"{folder} can't be written: {error.strerror}") from error
    raise UndecidedError("the log grows faster than it can be copied: try again")


def _copy_files(source: Source, size: int, folder: Path, progress: Callable[[int, int], None]) -> None:
    wanted = verifier.count_paths(size)
    for done, (path, limit) in enumerate(verifier.paths(size), start=1):
        if not (folder / path).is_file():
            _write(folder / path, source.read(path, limit))
        progress(done, wanted)


def _within(data: bytes, limit: int, path: str) -> bytes:
    if len(data) > limit:
        raise UndecidedError(f"{path} is longer than such a file can be")
    return data


def _write(path: Path, data: bytes) -> None:
    """Whole or not at all: an interrupted copy must not look like a tampered one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f".{path.name}.{secrets.token_hex(6)}")
    try:
        aside.write_bytes(data)
        os.replace(aside, path)  # noqa: PTH105 - one word for one system call
    finally:
        aside.unlink(missing_ok=True)
