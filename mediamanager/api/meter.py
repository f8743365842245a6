"""Counts requests and how long they took, and writes numbers in the Prometheus text format.

By hand, without `prometheus_client`: most of what is exposed is read from the database at the moment of the question
(which that library does through custom collectors), one process answers one scrape, and the text format is the forty
lines below. What it would add is a dependency, and a registry that is global to the process.
"""

import threading
import time
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from starlette.types import ASGIApp, Message, Receive, Scope, Send

MEDIA_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
UNMATCHED: Final = "unmatched"
"""The route of a request that no route took. Its path is a stranger's text and would make a series each."""

BUCKETS_SECONDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
"""Upper bounds of the histogram: from a cached tile to a batch of 10,000 assets."""

Labels: TypeAlias = tuple[tuple[str, str], ...]

_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


@dataclass(frozen=True, slots=True)
class Metric:
    """One number for each set of labels. `kind` is counter or gauge."""

    name: str
    kind: str
    help: str
    samples: Mapping[Labels, float]

    def lines(self) -> Iterator[str]:
        """Its samples in the text format."""
        return (f"{self.name}{_labels(labels)} {_number(value)}" for labels, value in sorted(self.samples.items()))


@dataclass(slots=True)
class Spread:
    """How observations spread over the buckets; the last one is for what is larger than every bound."""

    total: float = 0.0
    counts: list[int] = field(default_factory=lambda: [0] * (len(BUCKETS_SECONDS) + 1))

    def add(self, seconds: float) -> None:
        """Count one observation."""
        self.total += seconds
        self.counts[bisect_left(BUCKETS_SECONDS, seconds)] += 1

    def copy(self) -> "Spread":
        """The same as it is now."""
        return Spread(self.total, list(self.counts))


@dataclass(frozen=True, slots=True)
class Histogram:
    """A spread for each set of labels."""

    name: str
    help: str
    spreads: Mapping[Labels, Spread]
    kind: str = "histogram"

    def lines(self) -> Iterator[str]:
        """Its samples in the text format; buckets are cumulative there."""
        for labels, spread in sorted(self.spreads.items(), key=lambda pair: pair[0]):
            seen = 0
            for bound, count in zip((*map(_number, BUCKETS_SECONDS), "+Inf"), spread.counts, strict=True):
                seen += count
                yield f"{self.name}_bucket{_labels((*labels, ('le', bound)))} {seen}"
            yield f"{self.name}_sum{_labels(labels)} {_number(spread.total)}"
            yield f"{self.name}_count{_labels(labels)} {seen}"


class Counters:
    """The counts of one process, written by all its requests."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._requests: dict[Labels, float] = defaultdict(float)
        self._seconds: dict[Labels, Spread] = defaultdict(Spread)

    def add(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count one answered request."""
        where = (("method", method if method in _METHODS else "other"), ("route", route))
        with self._lock:
            self._requests[(*where, ("status", str(status)))] += 1
            self._seconds[where].add(seconds)

    def metrics(self) -> list[Metric | Histogram]:
        """The counts as they are now."""
        with self._lock:
            requests = dict(self._requests)
            seconds = {labels: spread.copy() for labels, spread in self._seconds.items()}
        return [
            Metric("mediamanager_requests_total", "counter", "Requests answered by this process.", requests),
            Histogram("mediamanager_request_seconds", "Time until an answer was sent.", seconds),
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


def render(metrics: Iterable[Metric | Histogram]) -> str:
    """Write metrics in the text exposition format, version 0.0.4."""
    lines: list[str] = []
    for metric in metrics:
        lines += [f"# HELP {metric.name} {metric.help}", f"# TYPE {metric.name} {metric.kind}", *metric.lines()]
    return "\n".join(lines) + "\n"


def _number(value: float) -> str:
    return f"{value:.17g}" if value == int(value) else repr(value)


def _labels(labels: Labels) -> str:
    quoted = ((name, value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")) for name, value in labels)
    return "{" + ",".join(f'{name}="{value}"' for name, value in quoted) + "}" if labels else ""
