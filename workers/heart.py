"""The heart of a worker process: it says in the database that the worker lives, and what went wrong in it."""

import logging
import threading
from collections.abc import Callable
from contextlib import suppress

from sqlalchemy.exc import SQLAlchemyError

from optout.errors import StorageUnavailableError
from optout.store import heartbeats
from optout.store.db import transaction
from optout.store.models.base import random_id, utc_now
from workers import sandbox, tally
from workers.errors import SandboxUnavailableError
from workers.resources import Resources

logger = logging.getLogger(__name__)


def weakness() -> str | None:
    """What is weak about the sandbox of this machine, in a sentence; None if nothing is."""
    try:
        found = sandbox.isolation()
    except SandboxUnavailableError as error:
        return str(error)
    return None if found.is_complete else found.sentence


class Heart:
    """Beats from `start` to `stop`, every `sweep_seconds`.

    `note` is asked once, when it starts: a sentence about a weakness of this worker's machine, or None.
    """

    def __init__(self, resources: Resources, *, note: Callable[[], str | None] = weakness) -> None:
        self._resources = resources
        self._note = note
        self._name = random_id()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="heart", daemon=True)

    def start(self) -> None:
        """Begin to beat."""
        self._thread.start()

    def stop(self) -> None:
        """End in order, so that nobody misses this worker."""
        self._ended.set()
        if not self._thread.is_alive():
            return  # it never began to beat
        self._thread.join()
        with suppress(StorageUnavailableError, SQLAlchemyError), transaction(self._resources.sessions) as session:
            heartbeats.end(session, self._name)

    def _run(self) -> None:
        note, started_at = self._note(), utc_now()
        while True:
            counted = tally.take()
            try:
                with transaction(self._resources.sessions) as session:
                    heartbeats.beat(session, self._name, heartbeats.WORKER, note=note, started_at=started_at)
                    for (name, word), count in counted.items():
                        heartbeats.add(session, name, word, count)
            except (StorageUnavailableError, SQLAlchemyError) as error:
                tally.give_back(counted)
                logger.warning("the heartbeat was not written; the next one tries again", exc_info=error)
            if self._ended.wait(self._resources.settings.sweep_seconds):
                return
