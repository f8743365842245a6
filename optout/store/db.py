"""Engines and units of work: how a connection is set up, how a transaction begins, commits and what follows it."""

import fcntl
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.orm import Session, sessionmaker
from sqlalchemy.pool import ConnectionPoolEntry

from optout.errors import StorageUnavailableError
from optout.store.encryption import MASTER_KEYS
from optout.store.master_keys import MasterKeys
from optout.store.settings import Settings

BUSY_SECONDS = 30
"""How long a SQLite writer waits for another one: longer than our transactions, shorter than a client's patience."""

_CACHE_KIB = 512

IDLE_SECONDS = 120
"""How long a transaction may do nothing before PostgreSQL ends it: a process that hangs holds no lock for ever."""

# A server that vanished without a word is noticed after 20 s, not after the quarter of an hour that TCP takes.
_POSTGRESQL_CONNECTION = {"connect_timeout": 5, "keepalives_idle": 10, "tcp_user_timeout": 20_000}

_READ_ONLY = "mediamanager_read_only"
_AFTER_COMMIT = "after_commit"


def engine(settings: Settings) -> Engine:
    """The engine of this process. The folder of a SQLite file is made; tables are `migrate.upgrade`'s to make.

    It carries the master keys of these settings, which are read only when something sealed is touched.

    Errors name the statement and never its values, which are people's: they end in logs.

    Two connections more than request threads, so that a lookup's refresh never waits for a request.
    """
    url = make_url(settings.database_url)
    size = settings.request_threads
    carried = {MASTER_KEYS: MasterKeys(settings)}
    if url.get_backend_name() == "sqlite":
        Path(url.database or "").parent.mkdir(parents=True, exist_ok=True)
        made = create_engine(
            url,
            pool_size=size,
            max_overflow=2,
            connect_args={"timeout": BUSY_SECONDS, "check_same_thread": False},
            hide_parameters=True,
            execution_options=carried,
        )
        event.listen(made, "connect", _prepare_sqlite)
        event.listen(made, "begin", _begin_sqlite)
        return made
    made = create_engine(
        url,
        pool_size=size,
        max_overflow=2,
        # A server that was restarted costs nobody an error.
        pool_pre_ping=True,
        connect_args=_POSTGRESQL_CONNECTION,
        hide_parameters=True,
        execution_options=carried,
    )
    event.listen(made, "connect", _prepare_postgresql)
    return made


def sessions(of: Engine) -> sessionmaker[Session]:
    """Sessions of an engine. Rows stay readable after the commit, as answers are made from them.

    A session that was closed stays closed: used again by mistake, it would take SQLite's write lock and keep it.
    """
    return sessionmaker(of, expire_on_commit=False, close_resets_only=False)


@contextmanager
def transaction(of: sessionmaker[Session]) -> Iterator[Session]:
    """One unit of work: commit at the end, roll back on any error, then run what was put off.

    On SQLite it holds the one write lock from its first statement on, so that it never fails in the middle for want
    of it: do nothing slow inside.

    Raises:
        StorageUnavailableError: the database does not answer, or is locked for too long; nothing was written.
    """
    with _available(), of.begin() as session:
        yield session
    for call in _take_put_off(session):
        call()


@contextmanager
def reading(of: sessionmaker[Session]) -> Iterator[Session]:
    """A session that only reads, all from one moment of the database, and never waits for a writer.

    Read one after the other, what is said about all works and what is said about one would each be as of another
    moment: a preference that somebody moves from the one to the other could be in neither.

    Raises:
        StorageUnavailableError: the database does not answer.
    """
    bind = of.kw["bind"]
    if isinstance(bind, Engine):
        # An engine with options shares the pool and the listeners of the one it came from.
        bind = bind.execution_options(**{_READ_ONLY: True})
        if bind.dialect.name == "postgresql":
            bind = bind.execution_options(postgresql_readonly=True, isolation_level="REPEATABLE READ")
    with _available(), of(bind=bind) as session:
        yield session


def release(session: Session) -> None:
    """End what a reading session sees of the database; its next statement sees what is there then.

    Before something slow: as long as SQLite has a reader, it can't take back what it wrote ahead, and that grows. Of
    any other session nothing is ended.
    """
    if session.in_transaction() and session.connection().get_execution_options().get(_READ_ONLY, False):
        session.rollback()


def after_commit(session: Session, call: Callable[[], None]) -> None:
    """Run a call once this session's transaction has committed; never if it rolls back.

    Only `transaction` runs it: SQLAlchemy's own event also fires for savepoints and outlives a rollback.
    """
    session.info.setdefault(_AFTER_COMMIT, []).append(call)


@contextmanager
def _available() -> Iterator[None]:
    try:
        yield
    except (OperationalError, InterfaceError) as error:
        raise StorageUnavailableError(f"the database can't be used: {error.orig}") from error


def _take_put_off(session: Session) -> list[Callable[[], None]]:
    calls: list[Callable[[], None]] = session.info.pop(_AFTER_COMMIT, [])
    return calls


def _prepare_sqlite(connection: sqlite3.Connection, _entry: ConnectionPoolEntry) -> None:
    # The driver's own transaction handling begins late and without the write lock; ours begins in _begin_sqlite.
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    # NORMAL would lose acknowledged claims when the power goes.
    cursor.execute("PRAGMA synchronous=FULL")
    # Each connection has pages of its own, and there are as many as requests at once; the system's cache has the rest.
    cursor.execute(f"PRAGMA cache_size=-{_CACHE_KIB}")
    cursor.execute("PRAGMA foreign_keys=ON")
    # A key that was deleted to erase somebody must not lie on in a free page.
    cursor.execute("PRAGMA secure_delete=ON")
    cursor.execute(f"PRAGMA busy_timeout={BUSY_SECONDS * 1000}")
    cursor.close()


def _prepare_postgresql(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
    cursor = connection.cursor()
    # Whatever the server's default is: without it, a crash loses acknowledged claims.
    cursor.execute("SET synchronous_commit TO on")
    cursor.execute(f"SET lock_timeout TO '{BUSY_SECONDS}s'")
    cursor.execute(f"SET idle_in_transaction_session_timeout TO '{IDLE_SECONDS}s'")
    cursor.close()
    connection.commit()


def _begin_sqlite(connection: Connection) -> None:
    if connection.get_execution_options().get(_READ_ONLY, False):
        connection.exec_driver_sql("BEGIN")
        return
    # A deferred writer whose snapshot has grown old fails with "database is locked", whatever the time-out is.
    came = time.monotonic()
    with _turn(Path(f"{connection.engine.url.database}.turn")):
        # Who waited in the queue has that much less patience left: behind a process that hangs, all give up together.
        left_seconds = max(0, round(came + BUSY_SECONDS - time.monotonic()))
        if left_seconds == BUSY_SECONDS:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            return
        connection.exec_driver_sql(f"PRAGMA busy_timeout={left_seconds * 1000}")
        try:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        finally:  # whoever has this connection next begins with all of it
            connection.exec_driver_sql(f"PRAGMA busy_timeout={BUSY_SECONDS * 1000}")


@contextmanager
def _turn(file: Path) -> Iterator[None]:
    """Queue up to ask for the write lock; the kernel frees the place of a process that dies.

    SQLite has no queue: waiters ask again up to 100 ms apart, so that busy writers can keep another one waiting until
    it gives up. Measured with four of them: the longest wait is seven times shorter in a queue.
    """
    with file.open("wb") as place:
        fcntl.flock(place, fcntl.LOCK_EX)
        yield
