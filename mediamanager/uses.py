"""Notes when keys and sign-ins were last used: coarsely, and aside from the requests that use them."""

import logging
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Final

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session, sessionmaker

from optout.errors import OptoutError
from optout.registry import accounts, sessions
from optout.store import db

logger = logging.getLogger(__name__)

_MOST_REMEMBERED: Final = 50_000


class Uses:
    """Remembers what it noted within the hour (or, for sign-ins, the last minutes), and writes the rest in a thread.

    A request never waits for it, nor for the write lock that it takes: a note that gets lost makes a key look less
    used, or a sign-in end earlier, and nothing more.
    """

    def __init__(self, of: sessionmaker[Session]) -> None:
        self._sessions = of
        self._lock = threading.Lock()
        self._noted: dict[str | bytes, float] = {}
        self._waiting: set[str | bytes] = set()
        self._is_writing = False
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="uses")

    def of_key(self, key_id: str) -> None:
        """An API key was used."""
        self._note(key_id, accounts.USE_NOTED)

    def of_session(self, digest: bytes) -> None:
        """A sign-in was used; `digest` is what is stored of its token."""
        self._note(digest, sessions.USE_NOTED)

    def close(self) -> None:
        """Write what waits, and stop."""
        self._thread.shutdown()

    def _note(self, name: str | bytes, every: timedelta) -> None:
        moment = time.monotonic()
        with self._lock:
            if moment - self._noted.get(name, float("-inf")) < every.total_seconds():
                return
            if len(self._noted) >= _MOST_REMEMBERED:
                self._noted.clear()  # the database leaves alone what was noted lately: forgetting costs a write
            self._noted[name] = moment
            self._waiting.add(name)
            if not self._is_writing:
                self._is_writing = True
                self._thread.submit(self._write)

    def _write(self) -> None:
        with self._lock:
            waiting, self._waiting, self._is_writing = self._waiting, set(), False
        try:
            with db.transaction(self._sessions) as session:
                accounts.note_uses(session, [name for name in waiting if isinstance(name, str)])
                sessions.note_uses(session, [name for name in waiting if isinstance(name, bytes)])
        except (OptoutError, SQLAlchemyError) as error:
            logger.warning("could not note when keys were used", exc_info=error)
