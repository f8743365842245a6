"""Folds the index on the disk in a child process, of which there is one at a time on a host."""

import contextlib
import json
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from sqlalchemy import Engine
from sqlalchemy.orm import Session, sessionmaker

from optout.registry.index_folder import IndexFolder, Mark

_COMMAND: Final = (sys.executable, "-m", "optout.registry.index_folding")
_ROOT: Final = Path(__file__).resolve().parents[2]


class Folder:
    """Starts the child, and ends it with this process's work."""

    def __init__(self, sessions: sessionmaker[Session], folder: IndexFolder) -> None:
        self._sessions = sessions
        self._folder = folder
        self._child: subprocess.Popen[str] | None = None
        self._lock = threading.Lock()
        self._closed = False

    def fold(self, seen: Mark | None, *, wait: bool, everything: bool = False) -> str | None:
        """Bring the index on the disk up to the database.

        Args:
            seen: the version that is known; if there is another one, somebody else has just done it.
            wait: until another process that does it is ready; without, that is left to it.
            everything: see `index_folding.fold`.

        Returns:
            What went wrong; None if nothing did.
        """
        try:
            with self._folder.locked(wait=wait) as lock:
                if lock is None or (self._folder.mark() != seen and not everything):
                    return None
                return self._run(lock, everything=everything)
        except OSError as error:
            return f"{self._folder.path} can't be written to: {error.strerror or error}"

    def close(self) -> None:
        """End a child that is at work: the version that is on the disk stays."""
        with self._lock:
            self._closed = True
            child = self._child
        if child is not None:
            with contextlib.suppress(ProcessLookupError):
                child.terminate()
            child.wait()

    def _run(self, lock: int, *, everything: bool) -> str | None:
        engine = self._sessions.kw["bind"]
        if not isinstance(engine, Engine):
            raise TypeError("an index on the disk needs an engine")
        # Through the pipe: neither `ps` nor /proc shows the database's password to others.
        url = engine.url
        if url.get_backend_name() == "sqlite" and url.database:
            url = url.set(database=str(Path(url.database).absolute()))  # the child has another working folder
        order = json.dumps(
            {
                "database_url": url.render_as_string(hide_password=False),
                "folder": str(self._folder.path.absolute()),
                "everything": everything,
            }
        )
        # The child holds the lock as well: if this process is killed, no other one begins before it has ended.
        child = self._start(_COMMAND, lock)
        if child is None:
            return None
        _, said = child.communicate(order + "\n")
        with self._lock:
            self._child = None
        return (
            None
            if child.returncode == 0 or self._closed
            else said.strip() or f"the child ended with {child.returncode}"
        )

    def _start(self, command: Sequence[str], lock: int) -> "subprocess.Popen[str] | None":
        with self._lock:
            if self._closed:
                return None
            self._child = subprocess.Popen(  # noqa: S603 - our own module
                command, stdin=subprocess.PIPE, stderr=subprocess.PIPE, cwd=_ROOT, pass_fds=(lock,), text=True
            )
            return self._child
