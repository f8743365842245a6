"""The key files: made once, readable by their owner alone, never mixed up."""

import stat
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest
from memory_storage import MemoryStorage
from sqlalchemy.orm import Session, sessionmaker

from optout.errors import InvalidInputError, LogIntegrityError, StorageUnavailableError
from optout.ledger import consentlog, keys, publish
from optout.proof.entries import EntryType
from optout.proof.notes import Verifier
from optout.store import db
from optout.store.settings import Settings

ORIGIN = "registry.example/log1"


def test_keys_are_made_once_and_loaded_after(tmp_path: Path) -> None:
    made = keys.load_or_create(tmp_path, ORIGIN)

    assert keys.load_or_create(tmp_path, ORIGIN) == made
    assert made.log.seed != made.promise.seed
    assert [Verifier.parse(line).name for line in made.published.split()] == [ORIGIN, f"{ORIGIN}/promise"]


def test_key_files_may_be_read_by_their_owner_alone(tmp_path: Path) -> None:
    keys.load_or_create(tmp_path, ORIGIN)

    assert {stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "keys").iterdir()} == {0o600}


def test_a_key_that_others_may_read_is_not_used(tmp_path: Path) -> None:
    keys.load_or_create(tmp_path, ORIGIN)
    (tmp_path / "keys" / "log.key").chmod(0o644)

    with pytest.raises(LogIntegrityError, match="chmod 600"):
        keys.load_or_create(tmp_path, ORIGIN)


def test_another_origin_does_not_get_the_keys_of_a_log(tmp_path: Path) -> None:
    keys.load_or_create(tmp_path, ORIGIN)

    with pytest.raises(InvalidInputError, match="log_origin can't change"):
        keys.load_or_create(tmp_path, "registry.example/log2")


def test_a_damaged_key_is_an_error_and_is_not_replaced(tmp_path: Path) -> None:
    keys.load_or_create(tmp_path, ORIGIN)
    (tmp_path / "keys" / "log.key").write_text("PRIVATE+KEY+")

    with pytest.raises(LogIntegrityError, match="not a key"):
        keys.load_or_create(tmp_path, ORIGIN)

    assert (tmp_path / "keys" / "log.key").read_text() == "PRIVATE+KEY+"


def test_starters_at_one_moment_end_with_the_same_keys(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: keys.load_or_create(tmp_path, ORIGIN), range(8)))

    assert set(made) == {made[0]}
    assert sorted(path.name for path in (tmp_path / "keys").iterdir()) == ["log.key", "promise.key"]


def test_a_folder_that_can_not_be_made_is_said_plainly(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(StorageUnavailableError, match="can't be used"):
        keys.load_or_create(tmp_path / "file", ORIGIN)


def several_machines(tmp_path: Path, **more: str) -> Settings:
    return Settings(data_folder=tmp_path, database_url="postgresql://somewhere/registry", log_origin=ORIGIN, **more)


def test_keys_can_be_given_as_text(tmp_path: Path) -> None:
    made = keys.load_or_create(tmp_path / "first", ORIGIN)
    elsewhere = several_machines(tmp_path, log_key=made.log.skey, promise_key=f"{made.promise.skey}\n")

    assert keys.open_keys(elsewhere) == made
    assert made.log.skey not in repr(elsewhere)
    assert made.promise.skey not in repr(elsewhere)


def test_half_of_the_keys_is_not_enough_and_a_swapped_one_is_noticed(tmp_path: Path) -> None:
    made = keys.load_or_create(tmp_path / "first", ORIGIN)

    with pytest.raises(InvalidInputError, match="set both"):
        keys.open_keys(several_machines(tmp_path, log_key=made.log.skey))
    with pytest.raises(InvalidInputError, match="named"):
        keys.open_keys(several_machines(tmp_path, log_key=made.promise.skey, promise_key=made.log.skey))
    with pytest.raises(LogIntegrityError, match="MEDIAMANAGER_LOG_KEY is not a key"):
        keys.open_keys(several_machines(tmp_path, log_key="nonsense", promise_key=made.promise.skey))


def test_no_process_of_several_machines_draws_keys_of_its_own(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="mediamanager migrate"):
        keys.open_keys(several_machines(tmp_path))

    assert not (tmp_path / "keys").exists()


def test_keys_are_drawn_for_a_new_registry_and_never_for_one_that_has_entries(session: Session, tmp_path: Path) -> None:
    settings = several_machines(tmp_path / "one")

    made = keys.prepare(session, settings)
    consentlog.append(session, type=EntryType.CLAIM_FILED, subject=uuid4(), body={}, recorded_at=datetime.now(UTC))

    assert keys.prepare(session, settings) == keys.open_keys(settings) == made
    with pytest.raises(LogIntegrityError, match="bring them back"):
        keys.prepare(session, several_machines(tmp_path / "two"))
    assert not (tmp_path / "two").exists()


def test_keys_that_did_not_sign_the_log_are_noticed(sessions: sessionmaker[Session], tmp_path: Path) -> None:
    settings = several_machines(tmp_path)
    with db.transaction(sessions) as session:
        made = keys.prepare(session, settings)
    publish.publish(sessions, MemoryStorage(), made.log)
    for path in (tmp_path / "keys").iterdir():
        path.unlink()
    keys.load_or_create(tmp_path, settings.log_origin)

    with pytest.raises(LogIntegrityError, match="another key"), db.transaction(sessions) as session:
        keys.prepare(session, settings)
