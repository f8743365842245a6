"""Keeps the embedded worker running: starts it as a child, again when it dies, and takes it along at the end."""

import contextlib
import json
import logging
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Final

from optout.store.settings import Settings
from workers.embedded import SLACK_SECONDS

logger = logging.getLogger(__name__)

_FIRST_WAIT_SECONDS: Final = 0.2
_LONGEST_WAIT_SECONDS: Final = 30.0
_HEALTHY_SECONDS: Final = 30.0
GRACE_SECONDS: Final = SLACK_SECONDS + 2.0
"""How long after `stop_seconds` a worker is killed that has not ended by itself."""
_COMMAND: Final = (sys.executable, "-m", "workers.embedded")
_ROOT: Final = Path(__file__).resolve().parent.parent


class Supervisor:
    """One worker process, as long as this object is running.

    The child ends with this process even if this one is killed: see `workers.embedded`. It has a session of its own,
    so that Ctrl-C in the terminal reaches only us, and we stop it in order.
    """

    def __init__(self, settings: Settings, *, log_level: str = "INFO") -> None:
        self._settings = settings
        self._log_level = log_level
        self._stopping = threading.Event()
        self._child: subprocess.Popen[bytes] | None = None
        self._starts = 0
        # The kernel's parent-death signal follows the thread that started the child: this one lives until `stop`.
        self._thread = threading.Thread(target=self._run, name="supervisor", daemon=True)

    @property
    def worker_pid(self) -> int | None:
        """The worker's process id; None while it is not running."""
        child = self._child
        return child.pid if child is not None and child.poll() is None else None

    @property
    def starts(self) -> int:
        """How often a worker was started."""
        return self._starts

    def start(self) -> None:
        """Start the worker, and keep it running from now on."""
        self._thread.start()

    def stop(self) -> None:
        """Let the worker finish what it does, for a while, and end it."""
        self._stopping.set()
        child = self._child
        if child is not None and child.stdin is not None:
            with contextlib.suppress(BrokenPipeError):
                child.stdin.close()
            try:
                child.wait(self._settings.stop_seconds + GRACE_SECONDS)
            except subprocess.TimeoutExpired:
                logger.warning("the worker did not stop in time; its jobs are found by the next sweep")
                child.kill()
        self._thread.join(GRACE_SECONDS)

    def _run(self) -> None:
        wait = _FIRST_WAIT_SECONDS
        while not self._stopping.is_set():
            began = time.monotonic()
            status = self._one_life()
            if self._stopping.is_set():
                return
            lived = time.monotonic() - began
            wait = _FIRST_WAIT_SECONDS if lived > _HEALTHY_SECONDS else min(wait * 2, _LONGEST_WAIT_SECONDS)
            logger.error("the worker ended (%s) after %.1f s; starting it again in %.1f s", status, lived, wait)
            self._stopping.wait(wait)

    def _one_life(self) -> int | str:
        """Start a worker and wait for its end; its exit status, or why there is none."""
        order = {
            "parent": os.getpid(),
            "log_level": self._log_level,
            "settings": self._settings.model_dump(mode="json"),
        }
        try:
            # Settings go through the pipe: neither `ps` nor /proc shows them to others.
            child = subprocess.Popen(_COMMAND, stdin=subprocess.PIPE, cwd=_ROOT, start_new_session=True)  # noqa: S603
        except OSError as error:
            return f"could not be started: {error}"
        self._child = child
        self._starts += 1
        if child.stdin is not None:
            try:
                child.stdin.write(json.dumps(order).encode() + b"\n")
                child.stdin.flush()
            except BrokenPipeError:
                logger.warning("the worker ended before it was told what to do")
        if self._stopping.is_set() and child.stdin is not None:
            child.stdin.close()  # `stop` came while we were starting, and saw no child
        status = child.wait()
        if child.stdin is not None:
            with contextlib.suppress(BrokenPipeError):
                child.stdin.close()
        return status
