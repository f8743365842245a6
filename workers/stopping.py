"""How a worker ends in order: what it does may be finished for a while, then it is given back for the next worker."""

import logging
import os
import threading
from collections.abc import Callable

from celery.signals import worker_shutting_down
from kombu.asynchronous import get_event_loop

from workers import runner
from workers.resources import Resources

logger = logging.getLogger(__name__)


def prepare(resources: Resources, when_cut_off: Callable[[], None] = lambda: None) -> None:
    """From the moment that Celery is told to stop, jobs have `stop_seconds`; then their leases end, and the process.

    For workers whose jobs run in threads: leases are known to the process that holds them. `when_cut_off` is called
    before the process ends itself, because nothing else of it is left in order then.
    """

    def begin(**_signal: object) -> None:
        threading.Thread(target=_end, args=(resources, when_cut_off), name="stopping", daemon=True).start()

    worker_shutting_down.connect(begin, weak=False, dispatch_uid="mediamanager.stopping")


def _end(resources: Resources, when_cut_off: Callable[[], None]) -> None:
    _wake()
    # If the jobs end sooner, the process does, and takes this thread along.
    threading.Event().wait(resources.settings.stop_seconds)
    try:
        released = runner.release_all(resources)
        logger.warning("stopped in the middle of %d jobs, which were given back", released)
        when_cut_off()
    finally:
        # Threads can't be ended one by one; whatever they still try, they hold no lease any more.
        os._exit(0)


def _wake() -> None:
    """Have Celery look at once whether it is to stop: with RabbitMQ it sleeps for 10 s, through a signal, too."""
    loop = get_event_loop()
    if loop is not None:
        loop.call_soon(lambda: None)  # type: ignore[no-untyped-call] # kombu has no types
