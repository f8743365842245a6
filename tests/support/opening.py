"""Whether anybody opens a file."""

import contextlib
import ctypes
import os
from collections.abc import Callable, Iterator
from pathlib import Path

_IN_OPEN = 0x20


@contextlib.contextmanager
def opening_of(path: Path) -> Iterator[Callable[[], bool]]:
    """Watch a file: whether anybody has opened it since it was last asked."""
    libc = ctypes.CDLL(None, use_errno=True)
    watch = libc.inotify_init1(os.O_NONBLOCK)
    libc.inotify_add_watch(watch, bytes(path), _IN_OPEN)

    def opened() -> bool:
        with contextlib.suppress(BlockingIOError):
            return bool(os.read(watch, 4096))
        return False

    path.read_bytes()
    assert opened()  # the watch works
    yield opened
    os.close(watch)
