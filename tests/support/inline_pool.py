"""Fingerprinting in this process instead of in children: the same code without the time that processes take."""

import json
from collections.abc import Iterable, Iterator
from types import TracebackType
from typing import Self

from fingerprinting.types import Depth, Role
from mediamanager.client import extractor
from mediamanager.client.pool import Extracted, request_for
from mediamanager.client.queries import Query


class InlinePool:
    """Stands in for `ExtractionPool` where a test is not about processes."""

    def __init__(self, workers: int | None = None, *, role: Role = Role.QUERY, depth: Depth = Depth.STANDARD) -> None:
        self._role = role
        self._depth = depth

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Nothing to end."""

    def run(self, queries: Iterable[Query]) -> Iterator[Extracted]:
        """Fingerprint one after the other."""
        for query in queries:
            request = request_for(query, self._role, self._depth)
            if request is None:
                yield Extracted(query, error=query.error)
                continue
            found = extractor.read(json.dumps(extractor.answer(json.loads(json.dumps(request)))))
            yield Extracted(query, error=found) if isinstance(found, str) else Extracted(query, extraction=found)
