"""Keys are replaced whole or not at all, while others read and write."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID

import pytest
from factories import make_account, make_claim, make_key, make_work
from sqlalchemy import Engine, select, update
from sqlalchemy.orm import Session, sessionmaker

from optout.errors import ConflictError, InvalidInputError, MasterKeyError, SealedDataError
from optout.ledger import consentlog
from optout.registry import identities
from optout.store import db, encryption, rotation
from optout.store.master_keys import MasterKey, MasterKeys
from optout.store.models import Account, ApiKey, LogEntry, MasterKeyHead, SubjectKey
from optout.store.models.base import Sealed
from optout.store.settings import Settings

OLD, NEW = bytes(range(32)).hex(), bytes(range(50, 82)).hex()


class Stopped(Exception):  # noqa: N818 - stands for the process being killed
    pass


def key_file(settings: Settings) -> Path:
    return settings.data_folder / "keys" / "master.key"


def keys_in_file(settings: Settings) -> list[str]:
    return [MasterKey.of(bytes.fromhex(line)).id for line in key_file(settings).read_text().split()]


@contextmanager
def process(settings: Settings) -> Iterator[sessionmaker[Session]]:
    """What another process would open: it has read no key yet."""
    engine = db.engine(settings)
    yield db.sessions(engine)
    engine.dispose()


def names(sessions: sessionmaker[Session]) -> list[str | None]:
    with db.reading(sessions) as session:
        found = session.scalars(select(Account).order_by(Account.created_at)).all()
        who = identities.of_accounts(session, found)
        return [who[one.id].name for one in found]


@pytest.fixture
def registry(settings: Settings, live_sessions: sessionmaker[Session]) -> sessionmaker[Session]:
    """A registry with two accounts."""
    with db.transaction(live_sessions) as session:
        make_account(session, name="Ada")
        make_account(session, name="Bob")
    return live_sessions


def test_after_a_rotation_only_the_new_key_is_needed(settings: Settings, registry: sessionmaker[Session]) -> None:
    old = keys_in_file(settings)

    done = rotation.rotate_master(registry)

    assert (done.old, done.rewrapped) == (old[0], 2)
    assert keys_in_file(settings) == [done.new] != old
    with process(settings) as other:
        assert names(other) == ["Ada", "Bob"]
    with db.transaction(registry) as session:
        assert rotation.standing(session) == rotation.Standing(str(key_file(settings)), done.new, 2, 0, 0)


def test_a_process_that_runs_meanwhile_finds_the_new_key(settings: Settings, registry: sessionmaker[Session]) -> None:
    with process(settings) as other:
        assert names(other) == ["Ada", "Bob"]

        rotation.rotate_master(registry)

        assert names(other) == ["Ada", "Bob"]
        with db.transaction(other) as session:
            make_account(session, name="Cleo")
    with process(settings) as third:
        assert names(third) == ["Ada", "Bob", "Cleo"]


@pytest.mark.parametrize("point", ["before the commit", "after the commit"])
def test_a_crash_leaves_every_name_readable_and_the_next_rotation_goes_on(
    settings: Settings, registry: sessionmaker[Session], monkeypatch: pytest.MonkeyPatch, point: str
) -> None:
    def stop(*_: object) -> None:
        raise Stopped

    before = keys_in_file(settings)
    where = {"before the commit": (rotation, "_rewrap"), "after the commit": (MasterKeys, "keep")}[point]
    with monkeypatch.context() as patched:
        patched.setattr(*where, stop)
        with pytest.raises(Stopped):
            rotation.rotate_master(registry)

    assert len(keys_in_file(settings)) == 2
    assert set(before) < set(keys_in_file(settings))
    with process(settings) as other:
        assert names(other) == ["Ada", "Bob"]
        done = rotation.rotate_master(other)
    assert keys_in_file(settings) == [done.new]
    assert done.new not in before
    with process(settings) as other:
        assert names(other) == ["Ada", "Bob"]


def test_the_same_drawn_key_is_used_after_a_crash_before_the_commit(
    settings: Settings, registry: sessionmaker[Session], monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(rotation, "_rewrap", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            rotation.rotate_master(registry)
    drawn = keys_in_file(settings)[0]

    assert rotation.rotate_master(registry).new == drawn


def test_a_wrapped_key_that_does_not_open_stops_the_rotation_whole(
    settings: Settings, registry: sessionmaker[Session]
) -> None:
    with db.transaction(registry) as session:
        victim = session.scalars(select(SubjectKey).order_by(SubjectKey.subject_id.desc())).first()
        assert victim is not None
        victim.wrapped = bytes(61)
    in_force = keys_in_file(settings)[0]

    with pytest.raises(SealedDataError):
        rotation.rotate_master(registry)

    with db.reading(registry) as session:
        assert session.scalars(select(MasterKeyHead.key_id)).all() == [in_force]
        assert set(session.scalars(select(SubjectKey.master_key_id))) == {in_force}
    assert in_force in keys_in_file(settings)


def test_a_source_of_the_operators_must_hold_the_new_key_first(
    settings: Settings, live_sessions: sessionmaker[Session]
) -> None:
    def with_keys(*keys: str) -> Settings:
        return settings.model_copy(update={"master_key": ",".join(keys)})

    with process(with_keys(OLD)) as sessions, db.transaction(sessions) as session:
        make_account(session, name="Ada")

    with process(with_keys(OLD)) as sessions, pytest.raises(InvalidInputError, match="put a new one before it"):
        rotation.rotate_master(sessions)
    with process(with_keys(OLD, NEW)) as sessions, pytest.raises(InvalidInputError, match="put a new one before it"):
        rotation.rotate_master(sessions)
    with process(with_keys(NEW)) as sessions, pytest.raises(MasterKeyError, match="needs the master key"):
        rotation.rotate_master(sessions)
    with process(with_keys(NEW, OLD)) as sessions:
        assert names(sessions) == ["Ada"]
        done = rotation.rotate_master(sessions)
        with db.transaction(sessions) as session:
            assert rotation.standing(session).left_over == 1

    assert (done.old, done.new) == tuple(MasterKey.of(bytes.fromhex(key)).id for key in (OLD, NEW))
    with process(with_keys(NEW)) as sessions:
        assert names(sessions) == ["Ada"]
    assert not key_file(settings).exists()


def test_a_rotation_of_more_keys_than_fit_one_page(
    registry: sessionmaker[Session], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rotation, "_BATCH", 1)

    assert rotation.rotate_master(registry).rewrapped == 2
    assert names(registry) == ["Ada", "Bob"]


def sealed_of(session: Session, account: UUID) -> list[bytes | None]:
    entries = session.execute(select(LogEntry.body, LogEntry.salt).where(LogEntry.person == account)).all()
    labels = session.scalars(select(ApiKey.label).where(ApiKey.account_id == account))
    owner = session.execute(select(Account.name, Account.contact).where(Account.id == account)).one()
    return [*owner, *labels, *(value for entry in entries for value in entry)]


def test_a_subjects_new_key_seals_all_that_is_theirs_anew_and_nothing_of_others(session: Session) -> None:
    ada, bob = make_account(session, name="Ada"), make_account(session, name="Bob")
    key, _secret = make_key(session, ada)
    claim = make_claim(session, make_work(session, ada))
    make_claim(session, make_work(session, bob))
    before, of_bob = sealed_of(session, ada.id), sealed_of(session, bob.id)
    wrapped = session.get_one(SubjectKey, ada.id).wrapped

    count = rotation.rotate_subject(session, ada.id)

    after = sealed_of(session, ada.id)
    assert count == 4  # name, label, body, salt; there is no contact
    assert not set(before) - {None} & set(after)
    assert sealed_of(session, bob.id) == of_bob
    row = session.get_one(SubjectKey, ada.id)
    assert (row.generation, row.wrapped != wrapped) == (2, True)
    assert identities.of_account(session, ada).name == "Ada"
    assert identities.labels(session, [key]) == {key.id: "test"}
    entry = session.scalars(select(LogEntry).where(LogEntry.id == claim.entry_id)).one()
    assert consentlog.opening(session, entry) is not None


def test_a_subjects_key_stays_as_it_is_when_something_of_theirs_does_not_open(
    registry: sessionmaker[Session],
) -> None:
    with db.transaction(registry) as session:
        account = session.scalars(select(Account).order_by(Account.created_at)).first()
        assert account is not None
        make_key(session, account)
        session.execute(update(ApiKey).values(label=Sealed(b"altered")))

    with pytest.raises(SealedDataError, match="label"), db.transaction(registry) as session:
        rotation.rotate_subject(session, account.id)

    assert names(registry) == ["Ada", "Bob"]


def test_who_was_forgotten_has_no_key_to_rotate(session: Session, account: Account) -> None:
    encryption.forget(session, account.id)

    with pytest.raises(ConflictError, match="erased"):
        rotation.rotate_subject(session, account.id)


@pytest.mark.database("postgresql")
def test_a_writer_that_is_not_done_yet_holds_up_the_rotation_of_its_subject(
    live_engine: Engine, registry: sessionmaker[Session]
) -> None:
    with registry() as writer:
        account = writer.scalars(select(Account)).first()
        assert account is not None
        encryption.for_writing(writer, account.id)

        with live_engine.connect() as other:
            other.exec_driver_sql("SET lock_timeout TO '200ms'")
            with Session(other) as session, pytest.raises(Exception, match="lock timeout"):
                rotation.rotate_subject(session, account.id)
        writer.rollback()
