"""Counts requests and how long they took, and writes numbers in the Prometheus text format."""

import threading
import time
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

from starlette.types import ASGIApp, Message, Receive, Scope, Send

MEDIA_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
UNMATCHED: Final = "unmatched"
"""The route of a request that no route took. Its path is a stranger's text and would make a series each."""

Labels: TypeAlias = tuple[tuple[str, str], ...]

_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


@dataclass(frozen=True, slots=True)
class Metric:
    """One number for each set of labels. `kind` is counter or gauge."""

    name: str
    kind: str
    help: str
    samples: Mapping[Labels, float]


class Counters:
    """The counts of one process, written by all its requests."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._requests: dict[Labels, float] = defaultdict(float)
        self._seconds: dict[Labels, float] = defaultdict(float)

    def add(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count one answered request."""
        where = (("method", method if method in _METHODS else "other"), ("route", route))
        with self._lock:
            self._requests[(*where, ("status", str(status)))] += 1
            self._seconds[where] += seconds

    def metrics(self) -> list[Metric]:
        """The counts as they are now."""
        with self._lock:
            return [
                Metric(
                    "mediamanager_requests_total", "counter", "Requests answered by this process.", dict(self._requests)
                ),
                Metric(
                    "mediamanager_request_seconds_total", "counter", "Time spent on answering.", dict(self._seconds)
                ),
            ]


class Meter:
    """Middleware that counts each answer under its route's template, never under its path."""

    def __init__(self, app: ASGIApp, counters: Counters) -> None:
        self.app = app
        self._counters = counters

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on and time it."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        status = 500
        started = time.perf_counter()

        async def watch(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, watch)
        finally:
            route = getattr(scope.get("route"), "path", UNMATCHED)
            self._counters.add(scope["method"], route, status, time.perf_counter() - started)


def render(metrics: Iterable[Metric]) -> str:
    """Write metrics in the text exposition format, version 0.0.4."""
    lines: list[str] = []
    for metric in metrics:
        lines += [f"# HELP {metric.name} {metric.help}", f"# TYPE {metric.name} {metric.kind}"]
        lines += [f"{metric.name}{_labels(labels)} {value:.17g}" for labels, value in sorted(metric.samples.items())]
    return "\n".join(lines) + "\n"


def _labels(labels: Labels) -> str:
    quoted = ((name, value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")) for name, value in labels)
    return "{" + ",".join(f'{name}="{value}"' for name, value in quoted) + "}" if labels else ""
