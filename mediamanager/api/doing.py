"""What this process is doing at the moment under an idempotency key, so that the same is not begun twice."""

import threading
from uuid import UUID

from optout.store.idempotency import Slot


class Doing:
    """The slots in use. The database has the last word; this spares a second request the work, and the wait."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._slots: set[tuple[UUID, bytes]] = set()

    def begin(self, slot: Slot) -> bool:
        """Take a slot; False: somebody has it."""
        with self._lock:
            is_free = _name(slot) not in self._slots
            self._slots.add(_name(slot))
            return is_free

    def end(self, slot: Slot) -> None:
        """Give a slot back."""
        with self._lock:
            self._slots.discard(_name(slot))


def _name(slot: Slot) -> tuple[UUID, bytes]:
    return slot.account_id, slot.key_digest
