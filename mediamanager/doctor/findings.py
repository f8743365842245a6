"""What a check finds, and what it is given to look at."""

import fcntl
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import Final, TypeAlias

from sqlalchemy import Engine
from sqlalchemy.orm import Session, sessionmaker

from optout.store import db
from optout.store.settings import Settings

LOCK_FILE: Final = "serve.lock"
"""In the data folder: held by `mediamanager serve` while it runs; it holds the address at which that answers."""


class Grade(StrEnum):
    """How bad a finding is. Only FAILED makes the doctor's exit status 1; SKIPPED waits for another to be mended."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found, in a sentence, and what mends it; nothing to mend where all is well."""

    grade: Grade
    sentence: str
    remedy: str | None = None


class Deployment:
    """A registry to look at. Looking changes nothing in it, but for a probe object that is taken away again."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    @cached_property
    def engine(self) -> Engine:
        """The database, opened when a check first asks: opening makes the folder of a SQLite file."""
        return db.engine(self.settings)

    @cached_property
    def sessions(self) -> sessionmaker[Session]:
        """Sessions of the database."""
        return db.sessions(self.engine)

    @property
    def lock_file(self) -> Path:
        """See LOCK_FILE."""
        return self.settings.data_folder / LOCK_FILE

    def served_at(self) -> str | None:
        """Where `mediamanager serve` answers for this data folder at this moment; None: it does not run."""
        try:
            with self.lock_file.open() as lock:
                try:
                    fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
                except BlockingIOError:
                    return lock.read().strip() or self.settings.public_url
                return None
        except FileNotFoundError:
            return None


Check: TypeAlias = Callable[[Deployment], Finding]


def fine(sentence: str) -> Finding:
    """Nothing to mend."""
    return Finding(Grade.OK, sentence)


def weak(sentence: str, remedy: str) -> Finding:
    """It works, but not as it should."""
    return Finding(Grade.WARNING, sentence, remedy)


def wrong(sentence: str, remedy: str) -> Finding:
    """It does not work."""
    return Finding(Grade.FAILED, sentence, remedy)
