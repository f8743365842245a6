"""The nursery of this process: started when needed, lent to a few threads at a time, replaced when it broke."""

import contextlib
import logging
import threading
from collections.abc import Callable, Iterator

from workers import seats
from workers.isolation import Isolation, Way, choose
from workers.nursery import Nursery
from workers.turns import Turns

logger = logging.getLogger(__name__)


class Pool:
    """One nursery, and at most `size` children of it at once: more would only fight for cores and memory."""

    def __init__(self, size: int, find: Callable[[], tuple[Way, Nursery]] = choose) -> None:
        """Start nothing yet; `find` says how nurseries are started, and brings the first."""
        self._find = find
        self._turns = Turns(size)
        self._starting = threading.Lock()
        self._nursery: Nursery | None = None
        self._way: Way | None = None

    @property
    def isolation(self) -> Isolation:
        """How tight decoders are shut in here. The first to ask waits for a second, while it is tried out.

        Raises:
            SandboxUnavailableError: no decoder can be started.
        """
        way = self._way
        if way is not None:  # without waiting: who waits here is not counted in the queue
            return way.isolation
        with self._starting:
            return self._chosen().isolation

    @contextlib.contextmanager
    def lend(self, deadline: float, seats_wanted: int) -> Iterator[Nursery]:
        """The warm nursery, and seats for one child of it, for the length of the block.

        Raises:
            SandboxBusyError: all are busy until the deadline, or too many wait.
            SandboxUnavailableError: none can be started.
        """
        with self._turns.taken(deadline), seats.of_this_machine().taken(seats_wanted, deadline):
            yield self._living()

    def close(self) -> None:
        """End the nursery with all that it does."""
        with self._starting:
            if self._nursery is not None:
                self._nursery.end()

    def forget(self) -> None:
        """Let go of it without ending it: for a fork of the process that it belongs to."""
        if self._nursery is not None:
            self._nursery.forget()
            self._nursery = None

    def _living(self) -> Nursery:
        with self._starting:
            way = self._chosen()
            if self._nursery is None or not self._nursery.is_alive:
                if self._nursery is not None:
                    self._nursery.end()
                self._nursery = Nursery(way.command)
            return self._nursery

    def _chosen(self) -> Way:
        if self._way is None:
            self._way, self._nursery = self._find()
            if not self._way.isolation.is_complete:
                logger.warning(self._way.isolation.sentence)
        return self._way
