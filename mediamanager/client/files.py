"""Writing files so that nobody ever sees half of one, copies and parts of others among them, and their checksums."""

import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, BinaryIO, Final

_AT_ONCE: Final = 1 << 20


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """Write beside `path`, flush to the disk, and take its place at the end; on an error nothing changes."""
    partial = path.with_name(f".{path.name}.partial")
    try:
        with partial.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def link(source: Path, target: Path) -> None:
    """Link a file under another name, or copy it where a link can't be made; what lies there is replaced."""
    target.unlink(missing_ok=True)
    try:
        os.link(source.resolve(), target)
    except OSError:  # another file system, or one without links
        partial = target.with_name(f".{target.name}.partial")
        shutil.copy2(source, partial)
        partial.replace(target)


def copy_part(source: IO[bytes], offset: int, size: int, target: IO[bytes]) -> bool:
    """Copy `size` bytes of a file from `offset` on; says whether all of them were there."""
    source.seek(offset)
    left = size
    while left and (some := source.read(min(left, _AT_ONCE))):
        target.write(some)
        left -= len(some)
    return not left


def checksum_line(sha256: str, name: str) -> bytes:
    """Write a line as GNU coreutils does: a name with a line break or backslash is escaped, and its line marked."""
    escaped = name.replace("\\", "\\\\").replace("\n", "\\n").replace("\r", "\\r")
    mark = "" if escaped == name else "\\"
    return os.fsencode(f"{mark}{sha256}  {escaped}\n")


def sha256_of(path: Path) -> str:
    """Give a file's SHA-256, hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
