"""The worker of the embedded set-up: a child of `mediamanager serve` that ends with its parent, whatever happens to it.

It runs as `python -m workers.embedded`. The parent writes one line of JSON to its standard input and keeps that pipe
open; when the pipe ends, or the kernel says that the parent is gone, the worker ends, too.

Jobs run in threads, because the heavy part of each is a child process of its own (`workers.sandbox`); so there are no
pool processes that could be orphaned. The 15-second sweep is a thread of this process, not Celery's beat: embedded beat
is one more process to supervise, keeps a schedule file, and needs the broker for a tick that is only a database query.
"""

import ctypes
import json
import logging
import os
import signal
import sys
import threading
import warnings
from typing import Final

from celery import Celery
from celery.platforms import SecurityWarning
from celery.signals import worker_ready

from optout.store import jobs
from optout.store.db import transaction
from optout.store.settings import Settings
from workers import dispatch, logs, stopping, tasks
from workers.heart import Heart
from workers.resources import Resources, open_resources

logger = logging.getLogger(__name__)

SLACK_SECONDS: Final = 3.0
"""How long after `stop_seconds` a worker that was told to stop may take to give back what it did not finish."""

_PR_SET_PDEATHSIG: Final = 1
_CLEAN_TURNS: Final = 240  # a cleaning every so many sweeps: hourly at the default of 15 s
_MAX_THREADS: Final = 8


def main() -> None:
    """Read the settings from standard input and work until told to stop, or until the parent is gone."""
    order = json.loads(sys.stdin.buffer.readline())
    settings = Settings(**order["settings"])
    _die_with(int(order["parent"]), settings.stop_seconds + SLACK_SECONDS)
    logs.configure(order["log_level"], settings.log_format, process="worker")
    # Celery warns root of pickled messages; this worker takes JSON only, and decodes strangers' files in a sandbox.
    warnings.filterwarnings("ignore", category=SecurityWarning)
    resources = open_resources(settings)
    with transaction(resources.sessions) as session:
        # There is one worker, and it is this one: whatever is leased was leased by a worker that died.
        jobs.release_leases(session)
    app = dispatch.connect(resources.settings)
    tasks.register(app, resources)
    stopping.prepare(resources)
    heart = Heart(resources)
    ended = threading.Event()
    ticker = threading.Thread(target=_tick, args=(resources, app, ended), name="ticker", daemon=True)

    def begin(**_signal: object) -> None:
        ticker.start()
        heart.start()

    worker_ready.connect(begin, weak=False)
    threads = min(_MAX_THREADS, max(2, os.cpu_count() or 2))
    worker = app.Worker(
        pool="threads", concurrency=threads, quiet=True, without_gossip=True, without_mingle=True,
        without_heartbeat=True, loglevel=order["log_level"],
    )  # fmt: skip
    worker.start()
    ended.set()
    heart.stop()
    resources.engine.dispose()
    sys.exit(worker.exitcode or 0)


def _die_with(parent: int, grace_seconds: float) -> None:
    """End when the parent ends: by the kernel's word on Linux, and everywhere by the end of our standard input."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it died before the kernel was asked
        os._exit(1)

    def watch() -> None:
        # Raw, because a buffered read that is waiting would hold a lock that the interpreter wants at its end.
        while os.read(sys.stdin.fileno(), 4096):
            pass
        os.kill(os.getpid(), signal.SIGTERM)
        threading.Event().wait(grace_seconds)
        os._exit(1)

    threading.Thread(target=watch, name="parent", daemon=True).start()


def _tick(resources: Resources, app: Celery, ended: threading.Event) -> None:
    """Sweep at once and then every `sweep_seconds`; clean now and then."""
    turn = 0
    while True:
        try:
            dispatch.sweep(resources, app)
            if turn % _CLEAN_TURNS == 0:
                dispatch.clean(resources)
        except Exception:  # broad: a ticker that dies would be noticed by nobody, and there is always a next turn
            logger.exception("the sweep failed; the next one tries again")
        turn += 1
        if ended.wait(resources.settings.sweep_seconds):
            return


if __name__ == "__main__":
    main()
