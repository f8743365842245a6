"""`mediamanager encryption` replaces keys, and `keys` shows names only to who has the master key."""

import json
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from mediamanager.app import create_app
from mediamanager.cli import main
from optout.errors import MasterKeyError
from optout.store.settings import Settings
from workers.resources import open_resources


class Registry:
    """Runs commands against one data folder."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.key_file = folder / "keys" / "master.key"
        self.folder = folder
        self._capsys = capsys

    def run(self, *words: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            main([*words, "--data", str(self.folder)])
        output = self._capsys.readouterr()
        return int(ended.value.code or 0), output.out, output.err

    def names(self) -> list[tuple[str, str]]:
        status, printed, _error = self.run("keys", "list", "--json")
        assert status == 0
        return [(one["name"], one["contact"]) for one in map(json.loads, printed.splitlines())]


@pytest.fixture
def registry(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Registry:
    made = Registry(tmp_path / "data", capsys)
    made.run("keys", "create", "--role", "creator", "--name", "Ada", "--contact", "ada@example.org", "--json")
    return made


def test_names_survive_every_rotation(registry: Registry) -> None:
    _status, printed, _error = registry.run("keys", "list", "--json")
    account = json.loads(printed)["account"]

    rotated = registry.run("encryption", "rotate-master", "--json")
    resealed = registry.run("encryption", "rotate-account", account, "--json")

    assert (rotated[0], json.loads(rotated[1])["rewrapped"]) == (0, 1)
    assert (resealed[0], json.loads(resealed[1])) == (0, {"account": account, "resealed": 3})
    assert registry.names() == [("Ada", "ada@example.org")]


def test_the_status_names_the_key_and_its_source(registry: Registry) -> None:
    status, printed, _error = registry.run("encryption", "status", "--json")

    found = json.loads(printed)
    assert status == 0
    assert found["source"] == str(registry.key_file)
    assert (found["subjects"], found["foreign"], found["left_over"]) == (1, 0, 0)
    assert registry.key_file.read_text().strip() not in printed


@pytest.mark.parametrize(
    "words", [("keys", "list"), ("encryption", "status"), ("encryption", "rotate-master"), ("serve", "--port", "0")]
)
def test_without_the_master_key_a_command_says_so_and_changes_nothing(
    registry: Registry, words: tuple[str, ...]
) -> None:
    key = registry.key_file.read_text()
    registry.key_file.unlink()

    status, printed, error = registry.run(*words)

    assert (status, printed) == (2, "")
    assert error.startswith("error: the master key is missing")
    assert not registry.key_file.exists()
    registry.key_file.write_text(key)
    registry.key_file.chmod(0o600)
    assert registry.names() == [("Ada", "ada@example.org")]


def test_neither_the_api_nor_a_worker_starts_without_the_master_key(registry: Registry) -> None:
    settings = Settings(data_folder=registry.folder)
    registry.key_file.unlink()

    with pytest.raises(MasterKeyError, match="missing"):
        open_resources(settings)
    with pytest.raises(MasterKeyError, match="missing"), TestClient(create_app(settings)):
        pass


def test_no_key_is_made_under_a_wrong_master_key(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        patched.setenv("MEDIAMANAGER_MASTER_KEY", bytes(range(32)).hex())
        status, printed, error = registry.run("keys", "create", "--role", "creator", "--name", "Bob")

    assert (status, printed) == (2, "")
    assert "MEDIAMANAGER_MASTER_KEY" in error
    assert bytes(range(32)).hex() not in error
    assert registry.names() == [("Ada", "ada@example.org")]


@pytest.mark.parametrize(
    "contact", ["ada", "ada@", "@example.org", "ada@host", "a da@example.org", "x" * 250 + "@a.de"]
)
def test_a_contact_that_is_no_address_is_refused_and_no_account_is_made(registry: Registry, contact: str) -> None:
    status, _printed, error = registry.run("keys", "create", "--role", "creator", "--name", "Bob", "--contact", contact)

    assert status == 64
    assert "contact" in error
    assert len(registry.names()) == 1
