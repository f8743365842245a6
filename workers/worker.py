"""A worker process: Celery with jobs in threads, its heart, and its end in order.

Jobs run in threads, because the heavy part of each is a child process of its own (`workers.sandbox`); so there are no
pool processes that could be orphaned.
"""

import os
import warnings
from collections.abc import Callable
from typing import Final

from celery import Celery
from celery.platforms import SecurityWarning
from celery.signals import worker_ready

from workers import stopping, tasks
from workers.heart import Heart
from workers.resources import Resources

_MAX_THREADS: Final = 8


def default_threads() -> int:
    """How many jobs run at once if nobody says so: one a core, two at least."""
    return min(_MAX_THREADS, max(2, os.cpu_count() or 2))


def run(
    resources: Resources,
    app: Celery,
    *,
    threads: int,
    log_level: str,
    when_ready: Callable[[], None] = lambda: None,
    when_cut_off: Callable[[], None] = lambda: None,
) -> int:
    """Work until told to stop by SIGTERM or SIGINT; the exit status.

    `when_ready` is called once, when the first message could be taken; `when_cut_off` if it has to end in mid-work.
    """
    # Celery warns root of pickled messages; this worker takes JSON only, and decodes strangers' files in a sandbox.
    warnings.filterwarnings("ignore", category=SecurityWarning)
    tasks.register(app, resources)
    stopping.prepare(resources, when_cut_off)
    heart = Heart(resources)

    def begin(**_signal: object) -> None:
        heart.start()
        when_ready()

    worker_ready.connect(begin, weak=False)
    worker = app.Worker(
        pool="threads", concurrency=threads, quiet=True, without_gossip=True, without_mingle=True,
        without_heartbeat=True, loglevel=log_level,
    )  # fmt: skip
    worker.start()
    heart.stop()
    resources.engine.dispose()
    return int(worker.exitcode or 0)
