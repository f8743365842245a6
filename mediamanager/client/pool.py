"""Fingerprinting on all cores: child processes that outlive a file, but not a file that crashes or hangs them."""

import contextlib
import json
import os
import queue
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from fingerprinting.types import Depth, Extraction, Role
from mediamanager.client.extractor import READY, Json, read
from mediamanager.client.queries import Query

SECONDS_PER_FILE = 900.0
"""Six hours of sound, the longest that is accepted, take about 100 s on one slow core."""

_EXTRACTOR = "mediamanager.client.extractor"
_AHEAD_PER_WORKER = 8
# Each child computes on one core; libraries that start a thread per core would only fight each other.
_ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
# A child takes and gives back the same few megabytes for each picture. Where glibc keeps them, a thorough look at one
# of a megapixel takes a seventh less time, and the child's memory is the same. Elsewhere nobody reads these.
_KEPT_MEMORY = {
    "MALLOC_MMAP_THRESHOLD_": "33554432",
    "MALLOC_TOP_PAD_": "16777216",
    "MALLOC_TRIM_THRESHOLD_": "268435456",
}
ENVIRONMENT = {**_KEPT_MEMORY, **_ONE_THREAD}
"""What a child is started with, beside what there is."""


@dataclass(frozen=True, slots=True)
class Extracted:
    """A query, and what came of its file: an extraction, an error, or neither where there was nothing to read."""

    query: Query
    extraction: Extraction | None = None
    error: str | None = None


class ExtractionPool:
    """Fingerprints files in child processes, in order.

    Children are new interpreters (never forks), start when they are first needed, and end with the pool.
    """

    def __init__(
        self,
        workers: int | None = None,
        *,
        role: Role = Role.QUERY,
        depth: Depth = Depth.STANDARD,
        seconds_per_file: float = SECONDS_PER_FILE,
        command: Sequence[str] | None = None,
    ) -> None:
        self._workers = workers or _cores()
        self._role = role
        self._depth = depth
        self._seconds = seconds_per_file
        self._command = list(command or (sys.executable, "-P", "-m", _EXTRACTOR))
        self._idle: queue.LifoQueue[_Child] = queue.LifoQueue()
        self._children: set[_Child] = set()
        self._lock = threading.Lock()
        self._closed = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def run(self, queries: Iterable[Query]) -> Iterator[Extracted]:
        """Fingerprint what needs it, in order, reading only a little ahead of whoever takes the results."""
        threads = ThreadPoolExecutor(self._workers, thread_name_prefix="fingerprinting")
        waiting: deque[Future[Extracted]] = deque()
        try:
            for query in queries:
                waiting.append(threads.submit(self._extract, query))
                if len(waiting) > self._workers * _AHEAD_PER_WORKER:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()
            if waiting:  # nobody wants the rest: a child in the middle of a long file is not waited for
                self.close()
            threads.shutdown()

    def close(self) -> None:
        """End the children, whatever they are doing."""
        with self._lock:
            self._closed = True
            children, self._children = self._children, set()
        for child in children:
            child.kill()

    def _extract(self, query: Query) -> Extracted:
        request = request_for(query, self._role, self._depth)
        if request is None:
            return Extracted(query, error=query.error)
        try:
            child = self._child()
        except OSError as error:
            return Extracted(query, error=f"no process could be started to read this file: {error.strerror}.")
        line = child.ask(json.dumps(request), self._seconds)
        try:
            found = read(line)
        except (ValueError, KeyError, TypeError):
            self._discard(child)
            return Extracted(query, error=child.why_it_ended(self._seconds))
        self._idle.put(child)
        if found is None:
            return Extracted(query)
        return Extracted(query, error=found) if isinstance(found, str) else Extracted(query, extraction=found)

    def _child(self) -> "_Child":
        try:
            return self._idle.get_nowait()
        except queue.Empty:
            pass
        with self._lock:
            if self._closed:
                raise OSError(0, "the run is ending")
            child = _Child(self._command)
            self._children.add(child)
        if not child.is_ready():
            self._discard(child)
            raise OSError(0, "it ended before it began")
        return child

    def _discard(self, child: "_Child") -> None:
        child.kill()
        with self._lock:
            self._children.discard(child)


def request_for(query: Query, role: Role, depth: Depth) -> Json | None:
    """Say what a child is to read for a query; None where there is nothing to read."""
    cells = query.cells
    is_read = query.file is not None or query.text is not None or query.parts or cells is not None or query.answers
    if query.error is not None or not is_read:
        return None
    return {
        "role": role,
        "depth": depth,
        "path": None if query.file is None else str(query.file),
        "text": query.text,
        "parts": [(str(part.file), part.offset, part.size, part.name) for part in query.parts],
        "cells": None if cells is None else (str(cells.file), cells.row, cells.columns),
        "answers": [(str(one.file), one.offset) for one in query.answers],
    }


def _cores() -> int:
    """How many cores this process may use, where the system tells; a container may have fewer than the machine."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class _Child:
    """One child process. Only one thread at a time talks to it."""

    def __init__(self, command: Sequence[str]) -> None:
        self._late = False
        self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
            list(command),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            encoding="ascii",
            # What is importable here is importable there, whatever folder the user stands in.
            env={**_KEPT_MEMORY, **os.environ, **_ONE_THREAD, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            # Ctrl-C is for the run, which then ends its children; they have nothing to say about it themselves.
            start_new_session=True,
        )

    def is_ready(self) -> bool:
        """Wait until it has loaded what it needs; False says that it never will."""
        return self._process.stdout is not None and self._process.stdout.readline() == READY

    def ask(self, request: str, seconds: float) -> str:
        """Send a request and wait for its answer; an empty one says that the child ended or was late."""
        if self._process.stdin is None or self._process.stdout is None:
            return ""
        alarm = threading.Timer(seconds, self._too_late)
        alarm.daemon = True
        alarm.start()
        try:
            self._process.stdin.write(request + "\n")
            self._process.stdin.flush()
            return self._process.stdout.readline()
        except (OSError, ValueError):  # the pipe broke, or was closed by `kill`
            return ""
        finally:
            alarm.cancel()

    def why_it_ended(self, seconds: float) -> str:
        """Say what happened to the file that it was reading."""
        if self._late:
            return f"reading this file took more than {seconds:g} seconds, and was given up."
        return "reading this file ended the decoder: the file is damaged, made to do harm, or needs too much memory."

    def kill(self) -> None:
        """End it now and leave no zombie."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):  # bytes that it never read are lost with it
                    pipe.close()

    def _too_late(self) -> None:
        self._late = True
        self._process.kill()
