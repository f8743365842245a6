"""Counts every durable step of this process and ends it, by kill -9, ahead of a chosen one. Nothing of it is shipped.

A durable step is whatever another process could see afterwards: a file of the data folder that is opened for writing,
renamed, linked or removed (the interpreter's own audit events tell), and each side of a commit (the driver's commit is
wrapped). Nobody has to name crash points in the code, so that no new step can be left out.
"""

import os
import signal
import sys
import threading
from pathlib import Path
from typing import Any

from sqlalchemy.engine.default import DefaultDialect

_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_CHANGES = {"os.rename", "os.link", "os.remove", "os.mkdir", "os.rmdir", "os.truncate"}
# Whether there has to be something at that place already.
_NEEDS = {"mkdir": False, "link": False, "remove": True, "rmdir": True}
# Messages and the queue for SQLite's lock may be lost at any time, by design: they are no steps of their own.
_PASSING = ("broker", "registry.sqlite3.turn")
# When keys were used is noted aside, in a thread of its own, at no certain moment.
_ASIDE = "uses"


class CrashPoints:
    """The steps of this process so far, by name; from `install` on it dies ahead of step number `crash_at`, from 1."""

    def __init__(self, folder: Path, crash_at: int | None = None) -> None:
        self.steps: list[str] = []
        self._folder = folder
        self._crash_at = crash_at
        self._lock = threading.RLock()

    def install(self) -> None:
        """Begin to count. There is no way back: for a process that is made for it."""
        commit = DefaultDialect.do_commit

        def watched(dialect: DefaultDialect, connection: Any) -> None:
            self.step("commit")
            commit(dialect, connection)  # type: ignore[no-untyped-call] # SQLAlchemy's own
            self.step("committed")

        DefaultDialect.do_commit = watched  # type: ignore[method-assign] # the one place that every commit passes
        sys.addaudithook(self._hear)

    def step(self, name: str) -> None:
        """Say what comes next; whoever dies here has not done it."""
        if threading.current_thread().name.startswith(_ASIDE):
            return
        with self._lock:
            self.steps.append(name)
            if len(self.steps) == self._crash_at:
                os.kill(os.getpid(), signal.SIGKILL)

    def _hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open":
            path, _mode, flags = arguments
            if isinstance(flags, int) and flags & _WRITING:
                self._touch("write", path)
        elif event in _CHANGES:
            self._touch(event.removeprefix("os."), arguments[1] if event in {"os.rename", "os.link"} else arguments[0])

    def _touch(self, what: str, path: object) -> None:
        if isinstance(path, str | bytes | os.PathLike):
            named = Path(os.fsdecode(path))
            if named.is_relative_to(self._folder) and _is_change(what, named):
                inside = str(named.relative_to(self._folder))
                if not inside.startswith(_PASSING):
                    self.step(f"{what} {inside}")


def _is_change(what: str, path: Path) -> bool:
    """Whether it can succeed: the rest of those that ask the file system by trying."""
    return path.parent.is_dir() and path.exists() is _NEEDS.get(what, path.exists())
