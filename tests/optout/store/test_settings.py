"""Settings come from the environment, and every one says what it is for."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from optout.store.settings import Settings


def test_database_and_storage_lie_in_the_data_folder(tmp_path: Path) -> None:
    settings = Settings(data_folder=tmp_path)

    assert settings.database_url == f"sqlite:///{tmp_path}/registry.sqlite3"
    assert settings.storage_url == f"file://{tmp_path}/storage"


def test_the_environment_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEDIAMANAGER_DATABASE_URL", "postgresql://elsewhere/registry")
    monkeypatch.setenv("MEDIAMANAGER_FETCH_ALLOWED_NETWORKS", "127.0.0.1:8080, localhost:9090")

    settings = Settings()

    assert settings.database_url == "postgresql://elsewhere/registry"
    assert settings.fetch_allowed_networks == ("127.0.0.1:8080", "localhost:9090")


def test_no_private_address_may_be_fetched_by_default() -> None:
    assert Settings().fetch_allowed_networks == ()


@pytest.mark.parametrize(
    ("name", "value"), [("job_attempts", "0"), ("log_origin", "two words"), ("max_upload_bytes", "-1")]
)
def test_a_setting_that_makes_no_sense_is_refused(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(f"MEDIAMANAGER_{name.upper()}", value)

    with pytest.raises(ValidationError, match=name):
        Settings()


def test_every_setting_says_what_it_is_for() -> None:
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []
