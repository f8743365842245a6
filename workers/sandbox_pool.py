"""The nurseries of this process: started when needed, lent to one thread at a time, replaced when they broke."""

import contextlib
import logging
import threading
import time
from collections.abc import Callable, Iterator
from typing import Final

from workers import seats
from workers.errors import SandboxUnavailableError
from workers.isolation import Isolation, Way, choose
from workers.nursery import Nursery

logger = logging.getLogger(__name__)

_MAX_SERVED: Final = 1000
"""A nursery never touches a stranger's bytes, so it does not wear; still nothing here should live for ever."""


_MAX_WAITING: Final = 16
"""Who waits for a decoder holds a thread that other requests need: the rest is told to come back."""


class Pool:
    """At most `size` nurseries. More decoders at once would only fight for cores and memory."""

    def __init__(self, size: int, find: Callable[[], tuple[Way, Nursery]] = choose) -> None:
        """Start nothing yet; `find` says how nurseries are started, and brings the first."""
        self._find = find
        self._places = threading.BoundedSemaphore(size)
        self._queue = threading.BoundedSemaphore(size + _MAX_WAITING)
        self._lock = threading.Lock()
        self._choosing = threading.Lock()
        self._idle: list[Nursery] = []
        self._way: Way | None = None

    @property
    def isolation(self) -> Isolation:
        """How tight decoders are shut in here. The first to ask waits for a second, while it is tried out.

        Raises:
            SandboxUnavailableError: no decoder can be started.
        """
        return self._chosen().isolation

    @contextlib.contextmanager
    def lend(self, deadline: float, seats_wanted: int) -> Iterator[Nursery]:
        """A warm nursery and seats for its child, for the length of the block. If that raises, the nursery is ended.

        Raises:
            SandboxUnavailableError: all are busy until the deadline, too many wait, or none can be started.
        """
        if not self._queue.acquire(blocking=False):
            raise _busy()
        try:
            if not self._places.acquire(timeout=max(0.0, deadline - time.monotonic())):
                raise _busy()
            try:
                with seats.of_this_machine().taken(seats_wanted, deadline):
                    yield from self._lent()
            finally:
                self._places.release()
        finally:
            self._queue.release()

    def _lent(self) -> Iterator[Nursery]:
        nursery = self._take()
        try:
            yield nursery
        except BaseException:
            nursery.end()
            raise
        self._give_back(nursery)

    def close(self) -> None:
        """End those that are idle; those that are lent end when they come back."""
        with self._lock:
            idle, self._idle = self._idle, []
        for nursery in idle:
            nursery.end()

    def forget(self) -> None:
        """Let go of all of them without ending them: for a fork of the process that they belong to."""
        for nursery in self._idle:
            nursery.forget()
        self._idle = []

    def _chosen(self) -> Way:
        with self._choosing:
            if self._way is None:
                self._way, nursery = self._find()
                self._give_back(nursery)
                if not self._way.isolation.is_complete:
                    logger.warning(self._way.isolation.sentence)
            return self._way

    def _take(self) -> Nursery:
        way = self._chosen()
        while True:
            with self._lock:
                nursery = self._idle.pop() if self._idle else None
            if nursery is None:
                return Nursery(way.command)
            if nursery.is_idle:
                return nursery
            nursery.end()

    def _give_back(self, nursery: Nursery) -> None:
        if nursery.served >= _MAX_SERVED:
            nursery.end()
            return
        with self._lock:
            self._idle.append(nursery)


def _busy() -> SandboxUnavailableError:
    return SandboxUnavailableError("all media decoders are busy; try again in a moment")
