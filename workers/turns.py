"""A few at once, a few more that wait for their turn, and nobody else: a crowd is told to come back."""

import contextlib
import threading
import time
from collections.abc import Iterator
from typing import Final

from workers.errors import SandboxBusyError

_MAX_WAITING: Final = 16
"""Who waits holds a thread that other requests need."""


class Turns:
    """Turns at reading media, of which `size` are taken at once."""

    def __init__(self, size: int) -> None:
        self._places = threading.BoundedSemaphore(size)
        self._queue = threading.BoundedSemaphore(size + _MAX_WAITING)

    @contextlib.contextmanager
    def taken(self, deadline: float) -> Iterator[None]:
        """Have one for the length of the block.

        Args:
            deadline: how long to wait for it, a moment of `time.monotonic()`.

        Raises:
            SandboxBusyError: none is free until the deadline, or too many wait.
        """
        with contextlib.ExitStack() as held:
            if not self._queue.acquire(blocking=False):
                raise _busy()
            held.callback(self._queue.release)
            if not self._places.acquire(timeout=max(0.0, deadline - time.monotonic())):
                raise _busy()
            held.callback(self._places.release)
            yield


def _busy() -> SandboxBusyError:
    return SandboxBusyError("all media decoders are busy; try again in a moment")
