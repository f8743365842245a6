"""How many decoders of this machine work at once, in whatever process of ours, so that their memory has a bound.

A seat is a locked file. An ordinary file takes one seat; a large one takes several, which together may hold as much as
it. The kernel unlocks what a process held, however that ended, so nothing has to be cleaned up.
"""

import contextlib
import fcntl
import os
import stat
import tempfile
import time
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final

from workers.errors import SandboxBusyError

LARGE: Final = 3
"""Seats of a large file."""

_LOOK_AGAIN_SECONDS: Final = 0.01


class Seats:
    """The seats of one folder; at least as many as a large file takes."""

    def __init__(self, folder: Path, count: int) -> None:
        """Two objects of the same folder share its seats, also across processes."""
        self._folder = folder
        self._count = max(count, LARGE)

    @contextlib.contextmanager
    def taken(self, wanted: int, deadline: float) -> Iterator[None]:
        """Have some seats for the length of the block.

        Args:
            wanted: how many.
            deadline: how long to wait for them, a moment of `time.monotonic()`.

        Raises:
            SandboxBusyError: they were not free in time.
        """
        with contextlib.ExitStack() as held:
            with contextlib.ExitStack() as collecting:
                if wanted > 1:  # one at a time collects several, or two could wait for each other's for ever
                    _wait_for(["collecting"], self._folder, collecting, deadline)
                names = [str(number) for number in range(self._count)]
                for _ in range(wanted):
                    names.remove(_wait_for(names, self._folder, held, deadline))
            yield


def _wait_for(names: list[str], folder: Path, held: contextlib.ExitStack, deadline: float) -> str:
    """Lock the first of some files that is free; it is unlocked with the stack."""
    while True:
        for name in names:
            file = os.open(folder / name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(file)
            else:
                held.callback(os.close, file)
                return name
        if time.monotonic() >= deadline:
            raise SandboxBusyError("all media decoders are busy; try again in a moment")
        time.sleep(_LOOK_AGAIN_SECONDS)


@cache
def of_this_machine() -> Seats:
    """The seats of all our processes of this user; where somebody else made their folder, of this process alone."""
    folder = Path(tempfile.gettempdir()) / f"mediamanager-seats-{os.geteuid()}"
    with contextlib.suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o022:
        folder = Path(tempfile.mkdtemp(prefix="mediamanager-seats-"))
    return Seats(folder, os.cpu_count() or 1)
