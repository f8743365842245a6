"""audfprint as a peer: its landmarks at 70 a second, queries in four shifts, in an environment of its own.

`./run bench audio` makes that environment from `requirements/bench-audio.txt`. Works and queries are decoded by us and
handed over as WAV at its own rate, so that both hear the same samples.
"""

import json
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from benchmarks.audio.material import RECORDING_HZ, write
from fingerprinting.audio.decode import decode

PYTHON = Path(sys.prefix) / "audfprint" / "bin" / "python"
_BEYOND = 32767


class Audfprint:
    """A child that keeps what it was given. Use it as a context."""

    def __init__(self, python: Path, scratch: Path) -> None:
        self._heard = scratch / "audfprint.wav"
        self._child = subprocess.Popen(
            [str(python), str(Path(__file__).with_name("audfprint_child.py"))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._child.stdin is not None:
            self._child.stdin.close()
        self._child.wait(60)

    def register(self, row: int, path: Path) -> int:
        """Register a work by its row, and give how many hashes it has."""
        return int(self._told("register", path, str(row))["hashes"])

    def ask(self, path: Path) -> tuple[int | None, int, float]:
        """Give the best row, its votes (more than 5, its own limit) and the seconds of CPU time, prints included."""
        answer = self._told("ask", path)
        name = answer.get("name")
        return None if name is None else int(name), int(answer.get("votes", 0)), float(answer["cpu_seconds"])

    def _told(self, do: str, path: Path, name: str = "") -> dict[str, float]:
        write(self._heard, decode(path).astype(np.float32) / _BEYOND, RECORDING_HZ)
        if self._child.stdin is None or self._child.stdout is None:
            raise RuntimeError("the child has no pipes")
        self._child.stdin.write(json.dumps({"do": do, "path": str(self._heard), "name": name}) + "\n")
        self._child.stdin.flush()
        line = self._child.stdout.readline()
        if not line:
            raise RuntimeError("audfprint has ended; its error stands above")
        told: dict[str, float] = json.loads(line)
        return told
