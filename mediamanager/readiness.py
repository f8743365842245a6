"""Whether this process can serve, part by part, each with its reason: what `/readyz` answers.

Reasons are sentences of ours and name no host, path or password: anybody may ask.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Final

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from fingerprinting.errors import FingerprintingError
from mediamanager.dependencies import Resources
from optout.errors import OptoutError
from optout.ledger.lag import lag
from optout.store import heartbeats
from optout.store.db import reading
from optout.store.models.base import utc_now
from optout.store.models.log import LogHead
from workers import dispatch
from workers.heart import weakness

_PROBE: Final = "log/checkpoint"
PROMISED: Final = timedelta(seconds=60)
"""Within this time of being recorded an entry has to be public: promises say so."""


class State(StrEnum):
    """How a part does. Where one has failed, requests should go elsewhere; one that is degraded needs its operator."""

    OK = "ok"
    DEGRADED = "degraded"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the registry and how it does; `reason` says why it does not do well."""

    name: str
    state: State
    reason: str | None = None


def inspect(resources: Resources) -> list[Part]:
    """Look at every part. Without the database, storage, or index nothing can be answered; the rest can wait."""
    parts = [_part("storage", State.FAILED, "the storage does not answer", lambda: _storage(resources))]
    try:
        with reading(resources.sessions) as session:
            parts.insert(0, _part("database", State.FAILED, _NO_DATABASE, lambda: _database(session)))
            if parts[0].state is State.OK:
                parts += _in_database(resources, session)
    except (OptoutError, SQLAlchemyError):
        parts.insert(0, Part("database", State.FAILED, _NO_DATABASE))
    parts.append(_part("broker", State.DEGRADED, _NO_BROKER, _broker))
    parts.append(_part("sandbox", State.DEGRADED, "it can't be started", weakness))
    return parts


def worst(parts: Sequence[Part]) -> State:
    """How all of them do together."""
    states = {part.state for part in parts}
    return next((state for state in (State.FAILED, State.DEGRADED) if state in states), State.OK)


_NO_DATABASE: Final = "the database does not answer, or its tables are not those of this version"
_NOT_ON_DISK: Final = (
    "it can't be written to its disk, and grows in memory: make room, or let the registry write there; see the log"
)
_NO_BROKER: Final = "the broker does not answer; jobs are kept, and done when it is back"


def _in_database(resources: Resources, session: Session) -> list[Part]:
    return [
        _index(resources, session),
        _part("worker", State.DEGRADED, "it can't be seen", lambda: _worker(resources, session)),
        _part("log", State.DEGRADED, "it can't be seen", lambda: _log(session)),
    ]


def _part(name: str, unwell: State, otherwise: str, look: Callable[[], str | None]) -> Part:
    """A part by its check, which returns what is wrong, or raises; then `otherwise` is what can be said."""
    try:
        reason = look()
    except (OptoutError, FingerprintingError, SQLAlchemyError, OSError):
        reason = otherwise
    return Part(name, State.OK if reason is None else unwell, reason)


def _database(session: Session) -> None:
    session.get(LogHead, 1)


def _storage(resources: Resources) -> None:
    resources.storage.exists(_PROBE)


def _broker() -> str | None:
    return None if dispatch.is_reachable() else _NO_BROKER


def _index(resources: Resources, session: Session) -> Part:
    part = _part("index", State.FAILED, "the index can't be built", lambda: _warm(resources, session))
    if part.state is State.OK and resources.lookups.status().problem is not None:
        return Part("index", State.DEGRADED, _NOT_ON_DISK)
    return part


def _warm(resources: Resources, session: Session) -> None:
    resources.lookups.warm(session)


def _worker(resources: Resources, session: Session) -> str | None:
    since = utc_now() - heartbeats.patience(resources.settings)
    alive = heartbeats.alive(session, heartbeats.WORKER, since=since)
    if not alive:
        return "no worker was seen lately: registered works wait until one is started"
    swept = heartbeats.last_seen(session, heartbeats.SWEEP)
    if swept is None or swept < since:
        return "nobody looks for due jobs: start the scheduler (beat); a lost message waits for it"
    return next((f"a worker says: {one.note}" for one in alive if one.note), None)


def _log(session: Session) -> str | None:
    behind = lag(session)
    if behind.seconds <= PROMISED.total_seconds():
        return None
    return f"{behind.waiting} entries are not public after {behind.seconds:.0f} s, promised are {PROMISED.seconds} s"
