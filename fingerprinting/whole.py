"""Folders and files that appear whole or not at all: written beside their place, brought to the disk, then renamed."""

import contextlib
import ctypes
import errno
import fcntl
import glob
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

_INFIX: Final = ".building-"
_NEW: Final = "new"
_OLD: Final = "old"
_AT_FDCWD: Final = -100
_RENAME_EXCHANGE: Final = 2
_FULL: Final = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


@contextmanager
def folder(place: Path, may_replace: Callable[[Path], bool] = lambda _: False) -> Iterator[Path]:
    """Give a new folder to fill, which stands at `place` at the end, and vanishes on any error.

    A folder that is there already is exchanged for the new one in one step; whoever has its files open keeps them. Of
    two processes that write the same place at once, the later wins, whole. A process that is killed leaves a hidden
    folder beside `place`, which the next one that writes there sweeps away.

    Args:
        place: where it will stand.
        may_replace: says of what is there, if it is not an empty folder, whether it may go.

    Raises:
        FileExistsError: it may not.
    """
    _require_free(place, may_replace)
    place.parent.mkdir(parents=True, exist_ok=True)
    sweep(place)
    with _scratch(place) as scratch:
        new = scratch / _NEW
        new.mkdir()
        with _naming(place):
            yield new
            _flush(new)
        _put(scratch, place, may_replace)
        sync(place.parent)


@contextmanager
def _naming(place: Path) -> Iterator[None]:
    """Say of a disk that is full what could not be written to it: an error while writing names no file."""
    try:
        yield
    except OSError as error:
        if error.errno in _FULL and error.filename is None:
            error.filename = str(place)
        raise


def file(place: Path, content: bytes) -> None:
    """Write a file, or replace it, in one step."""
    descriptor, name = tempfile.mkstemp(prefix=f".{place.name}{_INFIX}", dir=place.parent)
    scratch = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as opened:
            opened.write(content)
            opened.flush()
            os.fsync(opened.fileno())
        scratch.replace(place)
    except BaseException:  # also on KeyboardInterrupt: whatever ends the writing, the scratch file must go
        scratch.unlink(missing_ok=True)
        raise
    sync(place.parent)


def sweep(place: Path) -> None:
    """Remove what killed processes left beside `place`: the lock of a scratch folder ends with who held it."""
    for scratch in place.parent.glob(f".{glob.escape(place.name)}{_INFIX}*"):
        try:
            descriptor = os.open(scratch, os.O_RDONLY | os.O_DIRECTORY)
        except (FileNotFoundError, NotADirectoryError):
            continue
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if (scratch / _OLD).is_dir() and not place.exists():
                (scratch / _OLD).rename(place)  # killed between two renames, where the kernel can't exchange
            shutil.rmtree(scratch, ignore_errors=True)
        except BlockingIOError:
            continue  # somebody is writing there right now
        finally:
            os.close(descriptor)


def sync(place: Path) -> None:
    """Bring a file, or the names in a folder, to the disk."""
    descriptor = os.open(place, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _require_free(place: Path, may_replace: Callable[[Path], bool]) -> None:
    is_free = not place.exists() or (place.is_dir() and not any(place.iterdir())) or may_replace(place)
    if not is_free:
        raise FileExistsError(errno.EEXIST, "there is something at that place already", str(place))


@contextmanager
def _scratch(place: Path) -> Iterator[Path]:
    """Give a hidden folder beside `place`, locked for as long as we live, and remove it at the end."""
    scratch, descriptor = _locked(place)
    try:
        yield scratch
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
        os.close(descriptor)


def _locked(place: Path) -> tuple[Path, int]:
    """Make a hidden folder beside `place` and lock it; what locks it is to be closed."""
    while True:
        scratch = Path(tempfile.mkdtemp(prefix=f".{place.name}{_INFIX}", dir=place.parent))
        with contextlib.suppress(FileNotFoundError):
            descriptor = os.open(scratch, os.O_RDONLY)
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            if scratch.exists():
                return scratch, descriptor
            os.close(descriptor)
        # Somebody who swept took it, before it was locked, for what a killed process had left.


def _flush(new: Path) -> None:
    """Bring everything to the disk, so that the rename never outlives the bytes."""
    for path in [*new.rglob("*"), new]:
        sync(path)


def _put(scratch: Path, place: Path, may_replace: Callable[[Path], bool]) -> None:
    new = scratch / _NEW
    for _ in range(100):  # each time somebody else's folder came or went meanwhile
        try:
            new.rename(place)  # over nothing, or over an empty folder
        except OSError as error:
            if error.errno not in {errno.EEXIST, errno.ENOTEMPTY, errno.ENOTDIR}:
                raise
        else:
            return
        _require_free(place, may_replace)
        with contextlib.suppress(FileNotFoundError):
            if not _exchange(new, place):
                place.rename(scratch / _OLD)
                new.rename(place)
            return
    raise FileExistsError(errno.EEXIST, "others keep writing to that place", str(place))


def _exchange(one: Path, other: Path) -> bool:
    """Let two folders change places in one step; False where this system can't."""
    try:
        call = ctypes.CDLL(None, use_errno=True).renameat2
    except (OSError, AttributeError):
        return False
    if call(_AT_FDCWD, os.fsencode(one), _AT_FDCWD, os.fsencode(other), _RENAME_EXCHANGE) == 0:
        return True
    number = ctypes.get_errno()
    if number in {errno.ENOSYS, errno.EINVAL, errno.EOPNOTSUPP}:  # an old kernel, or a file system that can't
        return False
    raise OSError(number, os.strerror(number), str(other))
