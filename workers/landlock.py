"""Taking the file system and TCP away from a process for good, where the kernel has Landlock (Linux 5.13 and later).

It needs no privilege and no program, so it works in containers where bubblewrap does not. What is opened already stays
open; what is opened from here on is a listed place, for reading.

Source: Linux `Documentation/userspace-api/landlock.rst`.
"""

import ctypes
import errno
import os
import struct
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Final

_CREATE_RULESET: Final = 444  # the same numbers on every architecture
_ADD_RULE: Final = 445
_RESTRICT_SELF: Final = 446
_VERSION_FLAG: Final = 1
_PATH_BENEATH: Final = 1
_PR_SET_NO_NEW_PRIVS: Final = 38

_READ_FILE: Final = 1 << 2
_READ_FOLDER: Final = 1 << 3

# What each version of the kernel's interface can forbid: bits of file accesses, of TCP, of reaching other processes.
_FIRST_FILES: Final = (1 << 13) - 1
_FILES: Final = {2: 1 << 13, 3: 1 << 14, 5: 1 << 15}
_TCP_SINCE: Final = 4
_TCP: Final = 0b11
_SCOPES_SINCE: Final = 6
_SCOPES: Final = 0b11


def restrict(readable: Iterable[str], open_file: int | None) -> None:
    """Restrict this thread and all that it starts, for good. Call it before there are other threads.

    Args:
        readable: folders and files that may still be read; those that do not exist are skipped.
        open_file: a descriptor whose file may be opened again for reading, by way of `/proc/self/fd`.

    Raises:
        OSError: the kernel does not have it; nothing was taken away.
    """
    if sys.platform != "linux":
        raise OSError(errno.ENOSYS, "there is no Landlock here")
    libc = ctypes.CDLL(None, use_errno=True)
    version = _checked(libc.syscall(_CREATE_RULESET, None, 0, _VERSION_FLAG))
    attributes = _attributes(version)
    ruleset = _checked(libc.syscall(_CREATE_RULESET, attributes, len(attributes), 0))
    try:
        for place in readable:
            _allow(libc, ruleset, place)
        if open_file is not None:
            _add(libc, ruleset, open_file, _READ_FILE)
        _checked(libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
        _checked(libc.syscall(_RESTRICT_SELF, ruleset, 0))
    finally:
        os.close(ruleset)


def _attributes(version: int) -> bytes:
    files = _FIRST_FILES
    for since, bit in _FILES.items():
        files |= bit if version >= since else 0
    if version < _TCP_SINCE:
        return struct.pack("=Q", files)
    if version < _SCOPES_SINCE:
        return struct.pack("=QQ", files, _TCP)
    return struct.pack("=QQQ", files, _TCP, _SCOPES)


def _allow(libc: ctypes.CDLL, ruleset: int, place: str) -> None:
    try:
        descriptor = os.open(place, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    try:
        is_folder = Path(place).is_dir()
        _add(libc, ruleset, descriptor, _READ_FILE | (_READ_FOLDER if is_folder else 0))
    finally:
        os.close(descriptor)


def _add(libc: ctypes.CDLL, ruleset: int, descriptor: int, access: int) -> None:
    rule = struct.pack("=Qi", access, descriptor)
    _checked(libc.syscall(_ADD_RULE, ruleset, _PATH_BENEATH, rule, 0))


def _checked(result: int) -> int:
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return result
