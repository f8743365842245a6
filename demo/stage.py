"""The stage of the demo: a registry of its own, commands as people type them, and what is printed."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.panel import Panel
from rich.text import Text

ROOT: Final = Path(__file__).resolve().parent.parent
START_SECONDS: Final = 60
# A pipe has no width of its own; 100 columns hold the table.
console: Final = Console(highlight=False, width=None if sys.stdout.isatty() else 100)


class DemoError(Exception):
    """Something did not go as promised; the message says what."""


@dataclass(frozen=True, slots=True)
class Person:
    """Who acts: a name, a colour, and an environment that holds their credential and nobody else's."""

    name: str
    colour: str
    environment: Mapping[str, str] = field(default_factory=dict)

    def says(self, text: str) -> None:
        """Print a sentence of this person's part."""
        console.print(Text(f"{self.name:>9}  ", style=f"bold {self.colour}"), Text(text), sep="", end="\n")

    def types(self, *words: str | Path, expect: Sequence[int] = (0,), shown: str | None = None) -> str:
        """Run a `mediamanager` command as this person; its standard output.

        Raises:
            DemoError: it ended with another exit status.
        """
        arguments = [str(word) for word in words]
        console.print(Text(f"{'$':>9}  mediamanager {shown or ' '.join(arguments)}", style="dim"))
        done = subprocess.run(  # noqa: S603 - our own command, no shell
            [sys.executable, "-m", "mediamanager", *arguments],
            capture_output=True,
            text=True,
            cwd=ROOT,
            env={**os.environ, **self.environment},
            check=False,
        )
        if done.returncode not in expect:
            raise DemoError(f"`mediamanager {arguments[0]}` ended with {done.returncode}: {done.stderr.strip()}")
        return done.stdout

    def types_for_json(self, *words: str | Path, **options: Any) -> list[dict[str, Any]]:
        """Run a command with --json; its lines."""
        lines = self.types(*words, "--json", **options).splitlines()
        return [json.loads(line) for line in lines]


@dataclass(frozen=True, slots=True)
class Running:
    """A registry that answers."""

    url: str
    sign_in: str
    process: subprocess.Popen[bytes]


@contextmanager
def registry(data: Path, *, keep: bool) -> Iterator[Running]:
    """A registry with a fresh data folder on a free port; stopped at the end, also after an error, unless kept.

    Raises:
        DemoError: it did not start.
    """
    ready = data.parent / "ready.json"
    command = [
        sys.executable,
        "-m",
        "mediamanager",
        "serve",
        "--data",
        str(data),
        "--port",
        "0",
        "--ready-file",
        str(ready),
    ]
    log = (data.parent / "serve.log").open("wb")
    process = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log, start_new_session=keep)  # noqa: S603
    log.close()
    kept = False
    try:
        deadline = time.monotonic() + START_SECONDS
        while not ready.exists():
            if process.poll() is not None or time.monotonic() > deadline:
                raise DemoError(f"the registry did not start: see {data.parent / 'serve.log'}")
            time.sleep(0.05)
        told = json.loads(ready.read_text(encoding="utf-8"))
        yield Running(told["url"], told["sign_in"], process)
        kept = keep
    finally:
        if not kept:
            stop(process)


def stop(process: subprocess.Popen[bytes]) -> None:
    """End the registry in order; by force if it does not."""
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(timeout=15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def headline(text: str) -> None:
    """Begin a part."""
    console.print()
    console.rule(Text(text, style="bold"), align="left", style="dim")


def verdict(ok: bool, text: str) -> None:  # noqa: FBT001 - reads as a sentence where it is used
    """The last word."""
    console.print()
    console.print(Panel(Text(text), border_style="green" if ok else "red"))
