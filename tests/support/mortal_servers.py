"""PostgreSQL and Redis of a test's own, to be killed, stopped for a while and started again; `services` only lends."""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest_socket
import redis
import services
from registry_process import descendants, wait_for

_PATIENCE_SECONDS = 60


@dataclass
class Mortal:
    """A server that listens at the same place in each of its lives."""

    command: list[str]
    folder: Path
    url: str
    answers: Callable[[], bool]
    as_other_user: bool = False
    process: "subprocess.Popen[bytes] | None" = None

    def start(self) -> "Mortal":
        """Begin a life, and wait until questions are answered."""
        with (self.folder / "server.log").open("ab") as log:
            self.process = subprocess.Popen(
                self.command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                start_new_session=True,
                **(services._as_other_user() if self.as_other_user else {}),
            )
        wait_for(self.answers, _PATIENCE_SECONDS)
        return self

    def kill(self) -> None:
        """Kill -9 of every process of it."""
        self._signal(signal.SIGKILL)
        assert self.process is not None
        self.process.wait(_PATIENCE_SECONDS)

    def pause(self, seconds: float) -> None:
        """It hangs: connections stay open and nothing is answered."""
        self._signal(signal.SIGSTOP)
        time.sleep(seconds)
        self._signal(signal.SIGCONT)

    @contextlib.contextmanager
    def alive(self) -> Iterator["Mortal"]:
        """Alive from here on, and gone at the end."""
        pytest_socket.enable_socket()
        try:
            yield self.start()
        finally:
            self.kill()

    def _signal(self, number: signal.Signals) -> None:
        assert self.process is not None
        for pid in (self.process.pid, *descendants(self.process.pid)):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)


def postgresql(folder: Path) -> Mortal:
    """An empty cluster, whose own default loses acknowledged commits in a crash: our connections have to ask for more.

    It does not flush to disk: the processes are killed, the machine is not.
    """
    programs, port, data = services._postgresql_programs(), services.free_port(), folder / "postgresql"
    assert programs is not None, "PostgreSQL is not installed; `./run test` installs it"
    data.mkdir(parents=True)
    services._give_away(data)
    made = [programs / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"]
    subprocess.run(made, check=True, capture_output=True, cwd="/", **services._as_other_user())
    command = [programs / "postgres", "-D", data, "-p", port, "-h", "127.0.0.1", "-k", data, "-c", "fsync=off",
               "-c", "synchronous_commit=off"]  # fmt: skip
    url = f"postgresql://postgres@127.0.0.1:{port}/postgres"

    def answers() -> bool:
        with contextlib.suppress(psycopg.OperationalError), psycopg.connect(url, connect_timeout=2):
            return True
        return False

    return Mortal([str(word) for word in command], folder, url, answers, as_other_user=True)


def redis_server(folder: Path) -> Mortal:
    """A Redis that keeps nothing through a death."""
    folder.mkdir(parents=True)
    port = services.free_port()
    command = [services._program("redis-server"), "--port", str(port), "--bind", "127.0.0.1", "--save", "",
               "--dir", str(folder)]  # fmt: skip
    url = f"redis://127.0.0.1:{port}/0"

    def answers() -> bool:
        with contextlib.suppress(redis.RedisError), contextlib.closing(redis.Redis.from_url(url)) as client:
            return bool(client.ping())
        return False

    return Mortal(command, folder, url, answers)


def flush(server: Mortal) -> None:
    """Lose every message of a Redis."""
    with contextlib.closing(redis.Redis.from_url(server.url)) as client:
        client.flushall()
