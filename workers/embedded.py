"""The worker of the embedded set-up: a child of `mediamanager serve` that ends with its parent, whatever happens to it.

It runs as `python -m workers.embedded`. The parent writes one line of JSON to its standard input and keeps that pipe
open; when the pipe ends, or the kernel says that the parent is gone, the worker ends, too.

There is no other process to sweep for due jobs: a thread of this one does.
"""

import gc
import json
import os
import signal
import sys
import threading
from typing import Final

from optout.store import jobs
from optout.store.db import transaction
from optout.store.settings import Settings
from workers import dispatch, lifeline, logs, ticker, worker
from workers.resources import open_resources

SLACK_SECONDS: Final = 3.0
"""How long after `stop_seconds` a worker that was told to stop may take to give back what it did not finish."""


def main() -> None:
    """Read the settings from standard input and work until told to stop, or until the parent is gone."""
    order = json.loads(sys.stdin.buffer.readline())
    settings = Settings(**order["settings"])
    _die_with(int(order["parent"]), settings.stop_seconds + SLACK_SECONDS)
    logs.configure(order["log_level"], settings.log_format, process="worker")
    resources = open_resources(settings)
    with transaction(resources.sessions) as session:
        # There is one worker, and it is this one: whatever is leased was leased by a worker that died.
        jobs.release_leases(session)
    app = dispatch.connect(resources.settings)
    ended = threading.Event()
    ticking = threading.Thread(target=ticker.run, args=(resources, app, ended), name="ticker", daemon=True)
    status = worker.run(
        resources,
        app,
        threads=worker.default_threads(),
        log_level=order["log_level"],
        when_ready=ticking.start,
    )
    ended.set()
    gc.freeze()  # as the command line does: what is left is not looked through once more before the end
    sys.exit(status)


def _die_with(parent: int, grace_seconds: float) -> None:
    """End when the parent ends: by the kernel's word on Linux, and everywhere by the end of our standard input."""
    if not lifeline.end_with(parent):
        os._exit(1)

    def watch() -> None:
        # Raw, because a buffered read that is waiting would hold a lock that the interpreter wants at its end.
        while os.read(sys.stdin.fileno(), 4096):
            pass
        os.kill(os.getpid(), signal.SIGTERM)
        threading.Event().wait(grace_seconds)
        os._exit(1)

    threading.Thread(target=watch, name="parent", daemon=True).start()


if __name__ == "__main__":
    main()
