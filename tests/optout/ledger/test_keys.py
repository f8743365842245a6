"""The key files: made once, readable by their owner alone, never mixed up."""

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from optout.errors import InvalidInputError, LogIntegrityError, StorageUnavailableError
from optout.ledger import keys
from optout.proof.notes import Verifier

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

    with pytest.raises(LogIntegrityError, match="not a key file"):
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
