"""What one worker process opens once and every job uses."""

from dataclasses import dataclass

from sqlalchemy import Engine
from sqlalchemy.orm import Session, sessionmaker

from optout.ledger.keys import LogKeys, open_keys
from optout.store import db, encryption
from optout.store.settings import Settings
from optout.store.storage import Storage
from optout.store.storage_url import open_storage
from workers.network import Guard, guard_for


@dataclass(frozen=True, slots=True)
class Resources:
    """The open things of a worker."""

    settings: Settings
    engine: Engine
    sessions: sessionmaker[Session]
    storage: Storage
    keys: LogKeys
    guard: Guard


def open_resources(settings: Settings) -> Resources:
    """Open everything that jobs need. The tables have to be there.

    Raises:
        InvalidInputError, LogIntegrityError, MasterKeyError, StorageUnavailableError: as the parts say.
        ValueError: a pair of `fetch_allowed_networks` is misspelt.
    """
    engine = db.engine(settings)
    sessions = db.sessions(engine)
    with db.transaction(sessions) as session:
        encryption.prepare(session)
    return Resources(
        settings=settings,
        engine=engine,
        sessions=sessions,
        storage=open_storage(settings),
        keys=open_keys(settings),
        guard=guard_for(settings.fetch_allowed_networks),
    )
