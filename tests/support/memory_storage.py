"""Storage in a dictionary, for tests that look at what is stored or end the process ahead of a write."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from io import BytesIO
from typing import BinaryIO

from optout.errors import NotFoundError
from optout.store.storage import Stored


class MemoryStorage:
    """Storage in a dictionary, which calls `before` with a name ahead of each write."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.checkpoints: list[str] = []
        self.before: Callable[[str], None] = lambda step: None

    def put(self, key: str, stream: BinaryIO) -> int:
        self.before(f"put {key}")
        self.files[key] = stream.read()
        self.checkpoints.append(self.files[key].decode())
        return len(self.files[key])

    def put_if_absent(self, key: str, data: bytes) -> bool:
        self.before(f"put_if_absent {key}")
        return self.files.setdefault(key, data) is data

    def get(self, key: str) -> bytes:
        if key not in self.files:
            raise NotFoundError(f"there is no stored object {key}", key=key)
        return self.files[key]

    def open(self, key: str) -> BinaryIO:
        return BytesIO(self.get(key))

    def move(self, source: str, target: str) -> None:
        self.files[target] = self.files.pop(source)

    def delete(self, key: str) -> None:
        self.before(f"delete {key}")
        self.files.pop(key, None)

    def exists(self, key: str) -> bool:
        return key in self.files

    def list(self, prefix: str) -> Iterator[Stored]:
        return (Stored(key, len(data), datetime.now(UTC)) for key, data in self.files.items() if key.startswith(prefix))
