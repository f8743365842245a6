"""Each store is broken in turn, and the doctor says so, with a remedy."""

import os
import shutil
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace

import pytest
from sqlalchemy import text, update

from mediamanager.doctor import stores
from mediamanager.doctor.findings import Deployment, Finding, Grade
from optout.store import db
from optout.store.models import LogEntry, LogHead
from optout.store.settings import Settings
from optout.store.storage import FolderStore

pytestmark = pytest.mark.heavy

CHECKS = (stores.data_folder, stores.disk, stores.index_folder, stores.database, stores.storage, stores.log)


def broken(finding: Finding, *words: str) -> None:
    assert finding.grade is Grade.FAILED, finding
    assert finding.remedy
    assert [word for word in words if word not in finding.sentence] == [], finding.sentence


def with_settings(deployment: Deployment, **changes: object) -> Deployment:
    return Deployment(Settings(**{**deployment.settings.model_dump(), **changes}))  # type: ignore[arg-type]


def files(deployment: Deployment, pattern: str) -> list[Path]:
    found = sorted((deployment.settings.data_folder / "storage" / "log").rglob(pattern))
    assert found, pattern
    return [file for file in found if file.is_file()]


def test_a_registry_that_is_well_has_nothing_to_mend(healthy: Deployment) -> None:
    findings = [check(healthy) for check in CHECKS]

    assert [finding for finding in findings if finding.grade is not Grade.OK or finding.remedy] == []


def test_looking_leaves_nothing_behind(healthy: Deployment) -> None:
    def content() -> set[Path]:
        return {
            path for path in healthy.settings.data_folder.rglob("*") if not path.name.startswith("registry.sqlite3")
        }

    before = content()
    for check in CHECKS:
        check(healthy)

    assert {path for path in content() - before if path.is_file()} == set()


def test_a_misspelt_variable_is_named_with_the_right_spelling(healthy: Deployment) -> None:
    environment = {"MEDIAMANAGER_PUBLIC_ULR": "x", "MEDIAMANAGER_KEY": "x", "HOME": "/"}

    finding = stores.settings(healthy, environment)

    assert finding.grade is Grade.WARNING
    assert "MEDIAMANAGER_PUBLIC_ULR" in finding.sentence
    assert "MEDIAMANAGER_PUBLIC_URL" in str(finding.remedy)
    assert stores.settings(healthy, {"MEDIAMANAGER_DATA_FOLDER": "x"}).grade is Grade.OK


def test_a_folder_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    deployment = Deployment(Settings(data_folder=tmp_path / "typo"))

    broken(stores.data_folder(deployment), "typo")

    assert not (tmp_path / "typo").exists()


def elsewhere(folder: Path, **changes: object) -> Deployment:
    """Settings of a machine that has nothing in its data folder."""
    return Deployment(
        Settings(
            data_folder=folder,
            **{
                "database_url": "postgresql://localhost/x",
                "broker_url": "redis://localhost/0",
                "storage_url": "s3://bucket/x",
                "log_key": "log",
                "promise_key": "promise",
                "master_key": "master",
                **changes,
            },  # type: ignore[arg-type]
        )
    )


def test_a_folder_in_which_nothing_lies_may_be_missing(tmp_path: Path) -> None:
    assert stores.data_folder(elsewhere(tmp_path / "none")).grade is Grade.OK
    for needs_it in (
        {"log_key": None},
        {"promise_key": None},
        {"master_key": None},
        {"database_url": "sqlite:///here.sqlite3"},
        {"broker_url": "filesystem://"},
        {"storage_url": f"file://{tmp_path}/none/storage"},
    ):
        broken(stores.data_folder(elsewhere(tmp_path / "none", **needs_it)), "none")


def test_a_folder_with_keys_alone_may_be_mounted_for_reading_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Root may write everywhere but on a file system that is mounted so.
    monkeypatch.setattr("os.access", lambda _path, mode: not mode & os.W_OK)

    assert stores.data_folder(elsewhere(tmp_path, log_key=None)).grade is Grade.OK
    broken(stores.data_folder(elsewhere(tmp_path, broker_url="filesystem://")), "can't write")


def test_a_database_that_is_not_there_is_not_made(healthy: Deployment, tmp_path: Path) -> None:
    elsewhere = with_settings(healthy, database_url=f"sqlite:///{tmp_path}/none.sqlite3")

    broken(stores.database(elsewhere), "none.sqlite3")

    assert not (tmp_path / "none.sqlite3").exists()


@pytest.mark.parametrize("version", [None, "0000"])
def test_a_schema_of_another_version_is_told(healthy: Deployment, version: str | None) -> None:
    with healthy.engine.begin() as connection:
        connection.execute(text("DELETE FROM alembic_version"))
        if version:
            connection.execute(text("INSERT INTO alembic_version VALUES (:version)"), {"version": version})

    broken(stores.database(healthy))


def test_a_database_that_is_no_database_is_told(healthy: Deployment, tmp_path: Path) -> None:
    (tmp_path / "torn.sqlite3").write_bytes(b"\0garbage" * 1000)

    finding = stores.database(with_settings(healthy, database_url=f"sqlite:///{tmp_path}/torn.sqlite3"))

    broken(finding)


def test_a_server_that_does_not_answer_is_told_without_its_password(healthy: Deployment) -> None:
    away = with_settings(healthy, database_url="postgresql+psycopg://me:s3cr3t@127.0.0.1:9/x")

    finding = stores.database(away)

    broken(finding)
    assert "MEDIAMANAGER_DATABASE_URL" in str(finding.remedy)
    assert "s3cr3t" not in finding.sentence


def test_a_storage_that_can_not_be_written_is_told(healthy: Deployment, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")

    broken(stores.storage(with_settings(healthy, storage_url=f"file://{tmp_path}/file")))
    broken(stores.storage(with_settings(healthy, storage_url="ftp://somewhere")))


def test_a_storage_that_forgets_or_overwrites_is_told(
    healthy: Deployment, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    class Forgetful(FolderStore):
        def get(self, key: str) -> bytes:
            return b""

    class Overwriting(FolderStore):
        def put_if_absent(self, key: str, data: bytes) -> bool:
            self.put(key, BytesIO(data))
            return True

    for kind, word in ((Forgetful, "come back"), (Overwriting, "written over")):
        monkeypatch.setattr(stores, "open_storage", lambda _settings, kind=kind: kind(tmp_path))
        broken(stores.storage(healthy), word)


def test_a_disk_that_is_full_or_nearly_is_told(healthy: Deployment, monkeypatch: pytest.MonkeyPatch) -> None:
    def leave(free: int) -> None:
        usage = SimpleNamespace(total=10**12, used=10**12 - free, free=free)
        monkeypatch.setattr(shutil, "disk_usage", lambda _path: usage)

    leave(5 * 10**8)
    broken(stores.disk(healthy), "0.5 GB")
    leave(5 * 10**9)
    assert stores.disk(healthy).grade is Grade.WARNING


def test_an_index_that_can_not_be_used_or_written_is_weak(healthy: Deployment, tmp_path: Path) -> None:
    (tmp_path / "damaged").mkdir()
    (tmp_path / "damaged" / "current.json").write_text("{")
    (tmp_path / "file").write_text("in the way")

    for name, word in (("damaged", "is not JSON"), ("file", "can't write"), ("none", "none on the disk")):
        finding = stores.index_folder(with_settings(healthy, index_folder=tmp_path / name))
        assert word in finding.sentence
        assert finding.grade is (Grade.OK if name == "none" else Grade.WARNING)
        assert not (tmp_path / "none").exists()


def test_a_checkpoint_that_is_gone_is_told(healthy: Deployment) -> None:
    files(healthy, "checkpoint")[0].unlink()

    broken(stores.log(healthy), "missing")


def test_a_tile_that_was_changed_is_told(healthy: Deployment) -> None:
    (tile,) = [file for file in files(healthy, "*") if "/tile/0/" in str(file)]
    tile.write_bytes(bytes([tile.read_bytes()[0] ^ 1]) + tile.read_bytes()[1:])

    broken(stores.log(healthy), "not what was signed")


def test_a_checkpoint_that_somebody_else_signed_is_told(healthy: Deployment) -> None:
    (checkpoint,) = files(healthy, "checkpoint")
    checkpoint.write_text(checkpoint.read_text().replace("registry.localhost", "registry.elsewhere"))

    broken(stores.log(healthy), "not what was signed")


def test_a_database_restored_from_an_older_backup_is_told(healthy: Deployment) -> None:
    with db.transaction(healthy.sessions) as session:
        session.execute(update(LogEntry).where(LogEntry.index == 4).values(index=None))

    broken(stores.log(healthy), "entry 4", "missing from the database")


def test_an_entry_changed_in_the_database_is_told(healthy: Deployment) -> None:
    with db.transaction(healthy.sessions) as session:
        session.execute(update(LogEntry).where(LogEntry.index == 4).values(leaf_hash=bytes(32)))

    broken(stores.log(healthy), "not what was signed")


def test_more_published_than_signed_is_told(healthy: Deployment) -> None:
    older = files(healthy, "checkpoint")[0].read_text()
    with db.transaction(healthy.sessions) as session:
        head = session.get_one(LogHead, 1)
        head.published_size = 4
    assert stores.log(healthy).grade is Grade.OK, older

    files(healthy, "checkpoint")[0].unlink()
    broken(stores.log(healthy))
