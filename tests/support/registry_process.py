"""A real registry for tests: `mediamanager serve` as a process of its own, with keys made by the real command."""

import contextlib
import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest import mock

import httpx2
import patience

from mediamanager.cli import main

COMMAND = (sys.executable, "-m", "mediamanager")
ROOT = Path(__file__).resolve().parents[2]


@dataclass
class RegistryProcess:
    """One data folder and, while it runs, the process that serves it; `wrapper` is a command that starts it."""

    data: Path
    environment: dict[str, str] = field(default_factory=dict)
    wrapper: tuple[str, ...] = ()
    process: subprocess.Popen[bytes] | None = None
    url: str = ""
    sign_in: str = ""

    def start(self, *arguments: str) -> "RegistryProcess":
        """Start, and wait until requests are answered."""
        ready = self.data / "ready.json"
        ready.unlink(missing_ok=True)
        serve = ["serve", "--data", str(self.data), "--port", "0", "--ready-file", str(ready)]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [*self.wrapper, *COMMAND, *serve, *arguments],
                env=clean_environment(self.environment),
                cwd=ROOT,
                stdout=log,
                stderr=log,
            )
        wait_for(lambda: ready.exists() or self.process.poll() is not None)
        assert ready.exists(), self.log.read_text()
        told = json.loads(ready.read_text())
        self.url, self.sign_in = told["url"], told["sign_in"]
        return self

    @property
    def log(self) -> Path:
        return self.data / "serve.log"

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    def worker(self) -> int:
        """The worker's process id; waits until there is one."""
        return wait_for(lambda: next((pid for pid in children(self.pid) if "workers.embedded" in command(pid)), 0))

    def stop(self) -> int:
        """Ask it to stop; its exit status."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(patience.SECONDS)

    def kill(self) -> None:
        """Kill -9, and wait until it is gone."""
        assert self.process is not None
        self.process.kill()
        self.process.wait(patience.SECONDS)

    def key(self, *roles: str, name: str = "Ada") -> str:
        """A key from `mediamanager keys create`, in this process: to start one costs each test a second."""
        words = [word for role in roles for word in ("--role", role)]
        told = io.StringIO()
        with (
            mock.patch.dict(os.environ, clean_environment(self.environment), clear=True),
            contextlib.redirect_stdout(told),
            contextlib.suppress(SystemExit),
        ):
            main(["keys", "create", "--data", str(self.data), *words, "--name", name, "--json"])
        return str(json.loads(told.getvalue())["secret"])

    def http(self, key: str | None = None) -> httpx2.Client:
        headers = {} if key is None else {"Authorization": f"Bearer {key}"}
        return httpx2.Client(base_url=self.url, headers=headers, timeout=patience.SECONDS)


@contextlib.contextmanager
def registry(data: Path, wrapper: Sequence[str] = (), **environment: str) -> Iterator[RegistryProcess]:
    """A running registry; whatever happens, nothing of it is left."""
    data.mkdir(parents=True, exist_ok=True)
    made = RegistryProcess(data, environment, tuple(wrapper))
    try:
        yield made.start()
    finally:
        if made.process is not None and made.process.poll() is None:
            try:
                made.stop()
            except subprocess.TimeoutExpired:
                made.kill()


def run(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the command line to its end."""
    return subprocess.run(
        [*COMMAND, *words],
        env=clean_environment(environment),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=patience.SECONDS,
        check=False,
    )


def clean_environment(more: dict[str, str]) -> dict[str, str]:
    """Ours without what would configure a registry."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MEDIAMANAGER_")}
    return {**kept, **more}


def wait_for(condition: Callable[[], Any], seconds: float = patience.SECONDS, *, every: float = 0.05) -> Any:
    """Ask again and again until a condition is true; what it returned."""
    until = time.monotonic() + seconds
    while True:
        found = condition()
        if found:
            return found
        assert time.monotonic() < until, "it did not come in time"
        time.sleep(every)


def children(pid: int) -> Sequence[int]:
    """Process ids of a process's children, whichever thread started them."""
    found: list[int] = []
    for path in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            found += [int(child) for child in path.read_text().split()]
    return found


def descendants(pid: int) -> list[int]:
    """All processes below a process."""
    return [each for child in children(pid) for each in (child, *descendants(child))]


def command(pid: int) -> str:
    """A process's command line; empty if it is gone."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    return ""


def is_gone(pid: int) -> bool:
    """Whether a process has ended; a zombie has."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True
