"""A process of a registry on SQLite is paused at a moment at which it keeps no other from writing."""

import fcntl
import os
import signal
import sqlite3
from contextlib import closing
from pathlib import Path

from registry_process import wait_for


def pause(pid: int, data: Path) -> None:
    """Stop a process between its transactions; SIGCONT lets it go on, SIGKILL ends it.

    A process that is stopped in the middle of one would hold the database's write lock, or the queue for it, for as
    long as it sleeps, and the rest of the registry would wait with it. So both are ours while it is stopped.
    """
    database = data / "registry.sqlite3"
    with (
        Path(f"{database}.turn").open("wb") as turn,
        closing(sqlite3.connect(database, timeout=30, isolation_level=None)) as connection,
    ):
        fcntl.flock(turn, fcntl.LOCK_EX)
        connection.execute("BEGIN IMMEDIATE")
        os.kill(pid, signal.SIGSTOP)
        wait_for(lambda: _state(pid) == "T")
        connection.execute("ROLLBACK")


def _state(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
