"""A registry of several processes for tests: migrations, APIs, workers and beats, started as an operator would."""

import contextlib
import json
import secrets
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx2
import patience
from registry_process import COMMAND, ROOT, clean_environment, run, wait_for


@dataclass
class Process:
    """A command that was started, and its log."""

    popen: subprocess.Popen[bytes]
    log: Path
    ready: Path

    def wait(self) -> "Process":
        """Wait until it says that it is ready."""
        wait_for(lambda: self.ready.exists() or self.popen.poll() is not None)
        assert self.ready.exists(), self.log.read_text()
        return self

    @property
    def url(self) -> str:
        """Where an API listens here; what it calls itself is its public address."""
        return f"http://127.0.0.1:{json.loads(self.ready.read_text())['port']}"

    def http(self, key: str | None = None) -> httpx2.Client:
        """A client of an API."""
        headers = {} if key is None else {"Authorization": f"Bearer {key}"}
        return httpx2.Client(base_url=self.url, headers=headers, timeout=patience.SECONDS)

    def stop(self) -> int:
        """Ask it to stop; its exit status."""
        self.popen.send_signal(signal.SIGTERM)
        return self.popen.wait(patience.SECONDS)

    def kill(self) -> None:
        """Kill -9, and wait until it is gone."""
        self.popen.kill()
        self.popen.wait(patience.SECONDS)


@dataclass
class Production:
    """Processes that share one environment, which names database, broker, storage and keys."""

    folder: Path
    environment: dict[str, str]
    processes: list[Process] = field(default_factory=list)

    def migrate(self, *words: str) -> None:
        """Run the command that prepares a registry."""
        done = run(*(words or ("migrate",)), **self.environment)
        assert done.returncode == 0, done.stdout + done.stderr

    def start(self, *words: str) -> Process:
        """Start a command that says when it is ready; wait for that yourself, so that several start at once."""
        ready = self.folder / f"ready-{secrets.token_hex(4)}"
        log = ready.with_suffix(".log")
        with log.open("wb") as said:
            popen = subprocess.Popen(
                [*COMMAND, *words, "--ready-file", str(ready)],
                env=clean_environment(self.environment),
                cwd=ROOT,
                stdout=said,
                stderr=said,
            )
        self.processes.append(Process(popen, log, ready))
        return self.processes[-1]

    def key(self, *roles: str) -> str:
        """A key from `mediamanager keys create`."""
        words = [word for role in roles for word in ("--role", role)]
        made = run("keys", "create", *words, "--name", "Ada", "--json", **self.environment)
        assert made.returncode == 0, made.stderr
        return str(json.loads(made.stdout)["secret"])

    def logs(self) -> str:
        """What all of them said."""
        return "\n".join(process.log.read_text() for process in self.processes)


@contextlib.contextmanager
def production(folder: Path, environment: dict[str, str]) -> Iterator[Production]:
    """Processes of which none is left at the end."""
    made = Production(folder, environment)
    try:
        yield made
    finally:
        for process in made.processes:
            if process.popen.poll() is None:
                process.kill()
