"""What is sealed opens only in its place, under its subject's key, and never again once that is deleted."""

from pathlib import Path
from uuid import UUID, uuid4

import pytest
from factories import make_account, make_claim, make_key, make_work
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, create_engine, select, update
from sqlalchemy.orm import Session, sessionmaker

from optout.errors import ConflictError, MasterKeyError, SealedDataError
from optout.ledger import consentlog
from optout.proof.entries import EntryType
from optout.registry import identities
from optout.store import db, encryption
from optout.store.encryption import DataKey, Place
from optout.store.models import Account, ApiKey, Base, LogEntry, SubjectKey
from optout.store.models.base import Sealed, SealedBytes, utc_now
from optout.store.settings import Settings

PLACE = Place("accounts", "name", "1")
SUBJECT = uuid4()
KEY = DataKey(SUBJECT, 1, bytes(32))


@given(st.binary(max_size=300))
def test_what_is_sealed_opens_again_and_looks_different_each_time(plain: bytes) -> None:
    sealed = KEY.seal(plain, PLACE)

    assert KEY.unseal(sealed, PLACE) == plain
    assert KEY.seal(plain, PLACE) != sealed


@given(st.data())
def test_one_changed_bit_does_not_open(data: st.DataObject) -> None:
    sealed = bytearray(KEY.seal(b"Ada", PLACE))
    bit = data.draw(st.integers(0, len(sealed) * 8 - 1))
    sealed[bit // 8] ^= 1 << (bit % 8)

    with pytest.raises((SealedDataError, ConflictError)):
        KEY.unseal(Sealed(bytes(sealed)), PLACE)


@pytest.mark.parametrize("length", range(34))
def test_what_was_cut_off_does_not_open(length: int) -> None:
    with pytest.raises(SealedDataError):
        KEY.unseal(Sealed(KEY.seal(b"Ada", PLACE)[:length]), PLACE)


@pytest.mark.parametrize(
    "elsewhere", [Place("api_keys", "name", "1"), Place("accounts", "contact", "1"), Place("accounts", "name", "2")]
)
def test_what_is_sealed_for_one_place_does_not_open_in_another(elsewhere: Place) -> None:
    with pytest.raises(SealedDataError, match=elsewhere.column):
        KEY.unseal(KEY.seal(b"Ada", PLACE), elsewhere)


def test_the_key_of_another_subject_does_not_open_it() -> None:
    with pytest.raises(SealedDataError):
        DataKey(uuid4(), 1, bytes(32)).unseal(KEY.seal(b"Ada", PLACE), PLACE)


def test_an_older_key_says_that_one_was_rotated() -> None:
    with pytest.raises(ConflictError, match="rotated"):
        KEY.unseal(DataKey(SUBJECT, 2, bytes(32)).seal(b"Ada", PLACE), PLACE)


def everything(session: Session) -> str:
    """All rows of all tables, as text."""
    found = []
    for table in Base.metadata.sorted_tables:
        found += [repr(row) for row in session.execute(select(table))]
    return "\n".join(found)


def test_nothing_that_identifies_a_person_lies_in_the_database(session: Session) -> None:
    account = make_account(session, name="Ada Lovelace")
    identities_of = identities.of_account(session, account)
    make_key(session, account)
    claim = make_claim(session, make_work(session, account))
    session.flush()

    stored = everything(session)

    assert identities_of.name == "Ada Lovelace"
    assert "Lovelace" not in stored
    assert f'"claim":"{claim.id}"' not in stored
    entry = session.scalars(select(LogEntry).where(LogEntry.id == claim.entry_id)).one()
    opening = consentlog.opening(session, entry)
    assert opening is not None
    assert f'"claim":"{claim.id}"' in opening.body
    assert repr(opening.salt) not in stored


def test_every_sealed_column_says_whose_it_is() -> None:
    sealed = {
        f"{table.name}.{column.name}": (column.info["subject"], column.info["row"])
        for table in Base.metadata.sorted_tables
        for column in table.columns
        if isinstance(column.type, SealedBytes)
    }

    assert set(sealed) == {
        "accounts.name",
        "accounts.contact",
        "api_keys.label",
        "claims.contact",
        "log_entries.body",
        "log_entries.salt",
    }
    for name, columns in sealed.items():
        assert set(columns) <= set(Base.metadata.tables[name.split(".")[0]].columns.keys())


def test_a_name_that_was_moved_to_another_account_is_not_shown_as_theirs(session: Session) -> None:
    ada, bob = make_account(session, name="Ada"), make_account(session, name="Bob")
    session.execute(update(Account).where(Account.id == bob.id).values(name=ada.name))
    session.refresh(bob)

    with pytest.raises(SealedDataError, match="name in accounts"):
        identities.of_account(session, bob)


def test_whoever_is_forgotten_can_not_be_read_and_nothing_new_is_sealed_for_them(session: Session) -> None:
    account = make_account(session)
    key, _secret = make_key(session, account)
    claim = make_claim(session, make_work(session, account))
    entry = session.scalars(select(LogEntry).where(LogEntry.id == claim.entry_id)).one()

    assert encryption.forget(session, account.id)

    assert identities.of_account(session, account) == identities.Identity(None, None)
    assert identities.labels(session, [key]) == {key.id: None}
    assert consentlog.opening(session, entry) is None
    assert not encryption.forget(session, account.id)
    with pytest.raises(ConflictError, match="erased"):
        encryption.for_writing(session, account.id)


@pytest.mark.database("sqlite")
def test_the_key_of_who_was_forgotten_does_not_lie_on_in_the_file(
    settings: Settings, live_sessions: sessionmaker[Session], live_engine: Engine
) -> None:
    with db.transaction(live_sessions) as session:
        account = make_account(session)
        wrapped = session.get_one(SubjectKey, account.id).wrapped
    file = Path(str(live_engine.url.database))
    assert wrapped in file.read_bytes() + file.with_name(file.name + "-wal").read_bytes()

    with db.transaction(live_sessions) as session:
        encryption.forget(session, account.id)
    with live_engine.connect() as connection:
        connection.rollback()
        connection.connection.driver_connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # type: ignore[union-attr]

    left = [path for path in file.parent.glob(f"{file.name}*") if wrapped in path.read_bytes()]
    assert left == []


def test_the_first_use_puts_the_master_key_into_force(settings: Settings, live_sessions: sessionmaker[Session]) -> None:
    with db.transaction(live_sessions) as session:
        key_id = encryption.prepare(session)

    with db.transaction(live_sessions) as session:
        assert encryption.prepare(session) == key_id
    assert (settings.data_folder / "keys" / "master.key").exists()


def test_another_master_key_is_refused_at_the_start_and_nothing_is_written(
    settings: Settings, live_sessions: sessionmaker[Session]
) -> None:
    with db.transaction(live_sessions) as session:
        make_account(session)
    wrong = db.engine(settings.model_copy(update={"master_key": bytes(range(32)).hex()}))

    with pytest.raises(MasterKeyError, match="needs the master key"), db.transaction(db.sessions(wrong)) as session:
        encryption.prepare(session)
    with pytest.raises(MasterKeyError), db.transaction(db.sessions(wrong)) as session:
        make_account(session)
    with db.reading(live_sessions) as session:
        assert len(session.scalars(select(Account)).all()) == len(session.scalars(select(SubjectKey)).all()) == 1
    wrong.dispose()


def test_a_missing_master_key_is_refused_and_no_new_one_is_drawn(
    settings: Settings, live_sessions: sessionmaker[Session]
) -> None:
    with db.transaction(live_sessions) as session:
        make_account(session)
    key_file = settings.data_folder / "keys" / "master.key"
    key_file.unlink()
    later = db.engine(settings)

    with pytest.raises(MasterKeyError, match="missing"), db.transaction(db.sessions(later)) as session:
        encryption.prepare(session)

    assert not key_file.exists()
    later.dispose()


def test_a_wrapped_key_that_was_altered_or_given_to_another_is_noticed(session: Session) -> None:
    ada, bob = make_account(session), make_account(session)
    theirs = session.get_one(SubjectKey, ada.id)
    session.execute(update(SubjectKey).where(SubjectKey.subject_id == bob.id).values(wrapped=theirs.wrapped))

    with pytest.raises(SealedDataError, match="subject_keys"):
        identities.of_account(session, bob)


def test_many_names_are_read_with_one_question(session: Session) -> None:
    owners = [make_account(session, name=f"number {number}") for number in range(3)]

    found = identities.of_accounts(session, owners)

    assert [found[owner.id].name for owner in owners] == ["number 0", "number 1", "number 2"]


def test_a_connection_that_was_not_opened_by_us_seals_nothing(tmp_path: Path) -> None:
    bare = create_engine(f"sqlite:///{tmp_path}/x")

    with Session(bare) as session, pytest.raises(MasterKeyError, match="open the database"):
        encryption.master_keys(session)
    bare.dispose()


def test_an_entry_about_nobody_lies_open(session: Session) -> None:
    entry = consentlog.append(
        session, type=EntryType.POLICY_PUBLISHED, subject=UUID(int=1), body={"policy": "x"}, recorded_at=utc_now()
    )

    assert entry.body == b'{"policy":"x"}'
    assert consentlog.opening(session, entry) == consentlog.Opening('{"policy":"x"}', bytes(entry.salt or b""))


def test_the_label_of_a_key_is_read_back(session: Session, account: Account) -> None:
    key, _secret = make_key(session, account)

    assert identities.labels(session, [key]) == {key.id: "test"}
    assert b"test" not in session.scalars(select(ApiKey.label)).one()
