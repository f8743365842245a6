"""Units of work and the SQLite set-up."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from factories import make_account
from sqlalchemy import Engine, select, text
from sqlalchemy.exc import IntegrityError, InvalidRequestError, StatementError
from sqlalchemy.orm import Session, sessionmaker

from optout.consent.vocabulary import EvidenceLevel
from optout.errors import StorageUnavailableError
from optout.store import db
from optout.store.models import Account
from optout.store.settings import Settings


def test_what_a_transaction_wrote_is_there_after_it(sessions: sessionmaker[Session]) -> None:
    with db.transaction(sessions) as session:
        account = make_account(session)

    with db.reading(sessions) as session:
        assert session.scalars(select(Account.id)).all() == [account.id]


def test_an_error_undoes_the_whole_transaction(sessions: sessionmaker[Session]) -> None:
    def fails() -> None:
        with db.transaction(sessions) as session:
            make_account(session)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fails()

    with db.reading(sessions) as session:
        assert session.scalars(select(Account)).all() == []


def test_put_off_calls_run_after_the_commit_and_never_after_a_savepoint(sessions: sessionmaker[Session]) -> None:
    seen: list[int] = []

    def count() -> None:
        with db.reading(sessions) as reader:
            seen.append(len(reader.scalars(select(Account)).all()))

    with db.transaction(sessions) as session:
        with session.begin_nested():
            make_account(session)
            db.after_commit(session, count)
        assert seen == []

    assert seen == [1]


def test_put_off_calls_do_not_run_when_the_transaction_fails(sessions: sessionmaker[Session]) -> None:
    called: list[str] = []

    def fails() -> None:
        with db.transaction(sessions) as session:
            db.after_commit(session, lambda: called.append("called"))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fails()

    assert called == []


@pytest.mark.database("sqlite")
def test_all_who_wait_behind_a_writer_that_hangs_give_up_together(
    live_sessions: sessionmaker[Session], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(db, "BUSY_SECONDS", 1)
    bind = live_sessions.kw["bind"]
    bind.dispose()  # connections made before have the patience of before

    def write() -> float:
        with pytest.raises(StorageUnavailableError), db.transaction(live_sessions) as session:
            session.execute(text("SELECT 1"))
        return time.monotonic() - began

    with db.transaction(live_sessions) as hanging, ThreadPoolExecutor(4) as pool:
        hanging.execute(text("SELECT 1"))
        began = time.monotonic()
        waited = [each.result() for each in [pool.submit(write) for _ in range(4)]]
    # One after the other they would have waited a second each, four in all.
    assert min(waited) > 0.9
    assert max(waited) < 2.5
    with bind.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA busy_timeout").scalar_one() == 1000


@pytest.mark.database("sqlite")
def test_sqlite_is_durable_and_keeps_foreign_keys(live_engine: Engine) -> None:
    def pragma(name: str) -> Any:
        with live_engine.connect() as connection:
            return connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()

    full = 2
    assert pragma("journal_mode") == "wal"
    assert pragma("synchronous") == full
    assert pragma("foreign_keys") == 1
    assert pragma("busy_timeout") >= 10_000


@pytest.mark.database("sqlite")
def test_a_writer_holds_the_lock_from_its_first_statement_and_a_reader_does_not_wait(
    live_sessions: sessionmaker[Session],
) -> None:
    reached = threading.Event()

    def write_too() -> None:
        with db.transaction(live_sessions) as session:
            session.execute(text("SELECT 1"))
            reached.set()

    with db.transaction(live_sessions) as session:
        session.execute(text("SELECT 1"))
        second = threading.Thread(target=write_too)
        second.start()
        with db.reading(live_sessions) as reader:
            assert reader.scalars(select(Account)).all() == []
        assert not reached.wait(0.2)

    second.join(10)
    assert reached.is_set()


@pytest.mark.database("sqlite")
def test_a_reader_stays_at_its_moment(live_sessions: sessionmaker[Session]) -> None:
    with db.reading(live_sessions) as reader:
        assert reader.scalars(select(Account)).all() == []
        with db.transaction(live_sessions) as session:
            make_account(session)
        assert reader.scalars(select(Account)).all() == []

    with db.reading(live_sessions) as reader:
        assert len(reader.scalars(select(Account)).all()) == 1


def test_a_session_that_has_ended_can_not_take_the_lock_again(live_sessions: sessionmaker[Session]) -> None:
    with db.transaction(live_sessions) as session:
        account = make_account(session)

    with pytest.raises(InvalidRequestError):
        session.scalars(select(Account)).all()
    assert account.evidence is EvidenceLevel.SELF_DECLARED


@pytest.mark.database("postgresql")
def test_postgresql_is_durable_and_nobody_waits_for_a_lock_for_ever(live_engine: Engine) -> None:
    with live_engine.connect() as connection:
        shown = {
            name: connection.exec_driver_sql(f"SHOW {name}").scalar_one()
            for name in ("synchronous_commit", "lock_timeout", "idle_in_transaction_session_timeout")
        }

    assert shown == {
        "synchronous_commit": "on",
        "lock_timeout": "30s",
        "idle_in_transaction_session_timeout": "2min",
    }


@pytest.mark.database("postgresql")
def test_a_connection_that_breaks_is_a_domain_error_and_the_next_one_is_good(
    live_engine: Engine, live_sessions: sessionmaker[Session]
) -> None:
    def is_cut_off() -> None:
        with db.transaction(live_sessions) as session:
            make_account(session)
            own = session.execute(text("SELECT pg_backend_pid()")).scalar_one()
            with live_engine.connect() as other:
                other.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": own})
            make_account(session)

    with pytest.raises(StorageUnavailableError):
        is_cut_off()

    with db.transaction(live_sessions) as session:
        assert session.scalars(select(Account)).all() == []


def test_a_reading_session_can_let_go_of_what_it_sees_and_a_writing_one_does_not(
    live_sessions: sessionmaker[Session],
) -> None:
    with db.reading(live_sessions) as reading:
        reading.scalars(select(Account)).all()
        with db.transaction(live_sessions) as writing:
            make_account(writing)
            db.release(writing)
        db.release(reading)
        assert len(reading.scalars(select(Account)).all()) == 1


def test_a_database_that_is_away_is_a_domain_error() -> None:
    away = db.engine(Settings(database_url="postgresql://nobody@127.0.0.1:9/none"))

    with pytest.raises(StorageUnavailableError), db.transaction(db.sessions(away)) as session:
        make_account(session)
    with pytest.raises(StorageUnavailableError), db.reading(db.sessions(away)) as session:
        session.scalars(select(Account)).all()


@pytest.mark.database("sqlite")
def test_a_database_that_can_not_be_used_is_a_domain_error(live_sessions: sessionmaker[Session]) -> None:
    with pytest.raises(StorageUnavailableError, match="no such table"), db.transaction(live_sessions) as session:
        session.execute(text("SELECT * FROM absent"))


def test_times_come_back_as_utc_whatever_zone_they_went_in(session: Session) -> None:
    account = make_account(session)
    account.created_at = datetime(2026, 1, 31, 14, 0, tzinfo=timezone(timedelta(hours=2)))
    session.flush()
    session.expire(account)

    assert account.created_at.isoformat() == "2026-01-31T12:00:00+00:00"


def test_a_time_without_zone_is_refused(session: Session) -> None:
    account = make_account(session)
    account.created_at = datetime(2026, 1, 31)  # noqa: DTZ001 - that is the point

    with pytest.raises(StatementError, match="without a zone"):
        session.flush()


def test_the_database_itself_refuses_a_word_that_is_none(session: Session) -> None:
    make_account(session)

    with pytest.raises(IntegrityError), session.begin_nested():
        session.execute(text("UPDATE accounts SET evidence = 'notorised'"))
