"""A broker that needs no server: a folder in which every message is a file. For the embedded set-up.

Kombu's own file-system transport opens a message under its final name and fills it afterwards, so a reader that polls
often finds half of one, and its exchange table can be read while it is truncated. Here a message appears whole, by
renaming, is taken by renaming, and there is no table: the one direct exchange is known to every process. A message
that can't be read is dropped, because the outbox row is the truth and the sweep sends it again.
"""

import contextlib
import json
import os
import re
import time
from pathlib import Path
from queue import Empty
from typing import Any, Final
from uuid import uuid4

from kombu.transport import TRANSPORT_ALIASES, virtual

ALIAS: Final = "folder"
"""The scheme of the broker URL: `folder://`, with the path in the transport option `folder`."""

_LONGEST_WAIT_SECONDS: Final = 0.25

_QUEUE: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")


class Channel(virtual.Channel):
    """Queues as sub-folders, messages as files in the order of their names."""

    def _folder(self, queue: str) -> Path:
        # The name becomes part of a path, so it has to be a plain word.
        if not _QUEUE.fullmatch(queue):
            raise ValueError(f"a queue can't be called {queue!r}")
        return Path(self.connection.client.transport_options["folder"]) / queue

    def _new_queue(self, queue: str, **_options: object) -> None:
        self._folder(queue).mkdir(parents=True, exist_ok=True)

    def _has_queue(self, queue: str, **_options: object) -> bool:
        return self._folder(queue).is_dir()

    def _put(self, queue: str, message: dict[str, Any], **_options: object) -> None:
        folder = self._folder(queue)
        name = f"{time.time_ns():020d}-{uuid4().hex}"
        aside = folder / f"{name}.part"
        folder.mkdir(parents=True, exist_ok=True)  # whoever wiped the broker may have taken the folder along
        try:
            aside.write_text(json.dumps(message), encoding="utf-8")
            aside.rename(folder / f"{name}.msg")
        except OSError:
            aside.unlink(missing_ok=True)  # half a message, on a disk that is full
            raise

    def _get(self, queue: str, timeout: float | None = None) -> dict[str, Any]:  # noqa: ARG002 - kombu's signature
        for path in self._messages(queue):
            message = _take(path)
            if message is not None:
                return message
        raise Empty

    def _size(self, queue: str) -> int:
        return len(self._messages(queue))

    def _purge(self, queue: str) -> int:
        purged = 0
        for path in self._messages(queue):
            with contextlib.suppress(FileNotFoundError):
                path.unlink()
                purged += 1
        return purged

    def _delete(self, queue: str, *_arguments: object, **_options: object) -> None:
        self._purge(queue)

    def _messages(self, queue: str) -> list[Path]:
        folder = self._folder(queue)
        try:
            names = [name for name in os.listdir(folder) if name.endswith(".msg")]  # noqa: PTH208 - polled often
        except FileNotFoundError:
            return []
        return [folder / name for name in sorted(names)]


def _take(path: Path) -> dict[str, Any] | None:
    """A message, now ours alone; None where another reader was faster or it can't be read."""
    taken = path.with_suffix(".taken")
    try:
        path.rename(taken)  # of several readers, one succeeds
    except OSError:
        return None
    try:
        message = json.loads(taken.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        message = None
    with contextlib.suppress(OSError):
        taken.unlink()
    return message if isinstance(message, dict) else None


class Transport(virtual.Transport):
    """The transport behind `folder://`."""

    Channel = Channel
    driver_type = "folder"
    driver_name = "folder"

    # kombu's own two signatures of this differ, and have no types.
    def drain_events(self, connection: Any, timeout: float | None = None) -> None:  # type: ignore[override]
        """Wait for a message, and not for long: a worker learns between two calls that it is to stop."""
        longest = timeout if timeout is None else min(timeout, _LONGEST_WAIT_SECONDS)
        super().drain_events(connection, timeout=longest)  # type: ignore[no-untyped-call]


TRANSPORT_ALIASES.setdefault(ALIAS, f"{__name__}:Transport")
