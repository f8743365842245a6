"""A registry of several processes for tests: migrations, APIs, workers and beats, started as an operator would."""

import contextlib
import json
import secrets
import signal
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import httpx2
from registry_process import COMMAND, ROOT, clean_environment, run, wait_for


@dataclass
class Process:
    """One running command and its log."""

    popen: subprocess.Popen[bytes]
    log: Path
    ready: Path
    url: str = ""

    def stop(self) -> int:
        """Ask it to stop; its exit status."""
        self.popen.send_signal(signal.SIGTERM)
        return self.popen.wait(60)

    def kill(self) -> None:
        """Kill -9, and wait until it is gone."""
        self.popen.kill()
        self.popen.wait(30)


@dataclass
class Production:
    """Processes that share one environment, which names database, broker, storage and keys."""

    folder: Path
    environment: dict[str, str]
    processes: list[Process] = field(default_factory=list)

    def migrate(self, words: Sequence[str] = ("migrate",)) -> None:
        done = run(*words, **self.environment)
        assert done.returncode == 0, done.stdout + done.stderr

    def api(self, words: Sequence[str] = ("serve", "--no-worker", "--port", "0")) -> Process:
        ready = self._ready_file()
        started = self._start([*words, "--ready-file", str(ready)], ready)
        started.url = json.loads(ready.read_text())["url"]
        return started

    def worker(self, words: Sequence[str] = ("worker",)) -> Process:
        ready = self._ready_file()
        return self._start([*words, "--ready-file", str(ready)], ready)

    def beat(self, words: Sequence[str] = ("beat",)) -> Process:
        return self.worker(words)

    def key(self, *roles: str) -> str:
        """A key from `mediamanager keys create`."""
        words = [word for role in roles for word in ("--role", role)]
        made = run("keys", "create", *words, "--name", "Ada", "--json", **self.environment)
        assert made.returncode == 0, made.stderr
        return str(json.loads(made.stdout)["secret"])

    def http(self, url: str, key: str | None = None) -> httpx2.Client:
        headers = {} if key is None else {"Authorization": f"Bearer {key}"}
        return httpx2.Client(base_url=url, headers=headers, timeout=30)

    def logs(self) -> str:
        """What all of them said."""
        return "\n".join(process.log.read_text() for process in self.processes)

    def _ready_file(self) -> Path:
        return self.folder / f"ready-{secrets.token_hex(4)}"

    def _start(self, words: Sequence[str], ready: Path) -> Process:
        log = ready.with_suffix(".log")
        with log.open("wb") as said:
            popen = subprocess.Popen(
                [*COMMAND, *words], env=clean_environment(self.environment), cwd=ROOT, stdout=said, stderr=said
            )
        started = Process(popen, log, ready)
        self.processes.append(started)
        wait_for(lambda: ready.exists() or popen.poll() is not None, 60)
        assert ready.exists(), log.read_text()
        return started


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
