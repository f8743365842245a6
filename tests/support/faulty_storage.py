"""A store that fails as stores do: at chosen calls, in each way that a client of a network store can see.

After FiloSottile/sunlight, whose tests let each call of the backend fail, with and without being carried out.
"""

import io
import time
from collections.abc import Callable, Iterator, Mapping
from enum import StrEnum
from typing import BinaryIO, TypeVar

from optout.errors import StorageUnavailableError
from optout.store.storage import Storage, Stored

T = TypeVar("T")

SLOW_SECONDS = 0.005
"""Enough to change the order of things; how long it takes proves nothing more."""


class Fault(StrEnum):
    """What happens to one call."""

    ERROR = "error"
    TIMEOUT = "time-out"
    PERSISTED = "error, but persisted"
    SLOW = "slow"
    PARTIAL = "partial read"


class FaultyStorage:
    """Passes on to another store, but for the calls whose numbers, from 1, have a fault. `calls` names them all."""

    def __init__(self, inner: Storage, faults: Mapping[int, Fault] | None = None) -> None:
        self.inner = inner
        self.faults: Mapping[int, Fault] = faults or {}
        self.calls: list[str] = []

    def put(self, key: str, stream: BinaryIO) -> int:
        return self._call(f"put {key}", lambda: self.inner.put(key, stream))

    def put_if_absent(self, key: str, data: bytes) -> bool:
        return self._call(f"put_if_absent {key}", lambda: self.inner.put_if_absent(key, data))

    def get(self, key: str) -> bytes:
        return self._call(f"get {key}", lambda: self.inner.get(key), _half)

    def open(self, key: str) -> BinaryIO:
        def cut(stream: BinaryIO) -> BinaryIO:
            with stream:
                return io.BytesIO(_half(stream.read()))

        return self._call(f"open {key}", lambda: self.inner.open(key), cut)

    def move(self, source: str, target: str) -> None:
        self._call(f"move {source}", lambda: self.inner.move(source, target))

    def delete(self, key: str) -> None:
        self._call(f"delete {key}", lambda: self.inner.delete(key))

    def exists(self, key: str) -> bool:
        return self._call(f"exists {key}", lambda: self.inner.exists(key))

    def list(self, prefix: str) -> Iterator[Stored]:
        """A list that breaks off fails, as that of a real store does."""

        def cut(found: Iterator[Stored]) -> Iterator[Stored]:
            whole = list(found)
            yield from whole[: len(whole) // 2]
            raise StorageUnavailableError("the store stopped in the middle of a list", key=prefix)

        return self._call(f"list {prefix}", lambda: self.inner.list(prefix), cut)

    def _call(self, name: str, call: Callable[[], T], cut: Callable[[T], T] | None = None) -> T:
        self.calls.append(name)
        fault = self.faults.get(len(self.calls))
        if fault in {Fault.TIMEOUT, Fault.SLOW}:
            time.sleep(SLOW_SECONDS)
        if fault in {Fault.ERROR, Fault.TIMEOUT}:
            raise StorageUnavailableError(f"{name}: {fault}")
        carried_out = call()
        if fault is Fault.PERSISTED:
            if isinstance(carried_out, io.IOBase):
                carried_out.close()
            raise StorageUnavailableError(f"{name}: {fault}")
        return cut(carried_out) if fault is Fault.PARTIAL and cut else carried_out


def _half(data: bytes) -> bytes:
    return data[: len(data) // 2]
