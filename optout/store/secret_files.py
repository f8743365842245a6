"""Files that hold a secret: written whole, once, and readable by their owner only."""

import os
import secrets
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

_OWNER_ONLY = 0o600
_OTHERS = 0o077


def create_once(path: Path, text: Callable[[], str]) -> None:
    """Write a file unless it is there. Of two processes at once the first one wins, and both find its file.

    It is written whole, aside, then linked under its name, which fails if another process was first. The folder is
    flushed, too: a key that was used and is then lost to a power cut would leave things that nobody can go on with.

    Raises:
        OSError: the folder can't be written.
    """
    if path.exists():
        return
    aside = _aside(path)
    try:
        _write(aside, text())
        with suppress(FileExistsError):
            os.link(aside, path)
        _flush(path.parent)
    finally:
        aside.unlink(missing_ok=True)


def replace(path: Path, text: str) -> None:
    """Write a file over the one that is there: after a crash it is the old one or the new one.

    Raises:
        OSError: the folder can't be written.
    """
    aside = _aside(path)
    try:
        _write(aside, text)
        aside.replace(path)
        _flush(path.parent)
    finally:
        aside.unlink(missing_ok=True)


def is_private(path: Path) -> bool:
    """Whether nobody but its owner may read a file.

    Raises:
        OSError: it is not there, or can't be looked at.
    """
    return not path.stat().st_mode & _OTHERS


def _aside(path: Path) -> Path:
    return path.with_name(f".{path.name}.{secrets.token_hex(8)}")


def _write(path: Path, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _OWNER_ONLY)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def _flush(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
