"""What `mediamanager serve` makes of its words and its environment; that it runs is shown by tests/flows."""

import json
import shutil
from pathlib import Path

import pytest

from mediamanager import cli
from mediamanager.cli import main, serve
from optout.errors import LogIntegrityError
from optout.store import db
from optout.store.models import Account
from optout.store.settings import Settings


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("DATA_FOLDER", "PUBLIC_URL"):
        monkeypatch.delenv(f"MEDIAMANAGER_{name}", raising=False)


def test_the_data_folder_is_absolute_as_the_worker_stands_elsewhere(tmp_path: Path) -> None:
    assert serve._settings(Path("here"), "127.0.0.1", 80).data_folder == tmp_path / "here"
    assert serve._settings(None, "127.0.0.1", 80).data_folder == tmp_path / "media-manager-data"


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:81"),
        ("0.0.0.0", "http://127.0.0.1:81"),
        ("::1", "http://[::1]:81"),
        ("example.org", "http://example.org:81"),
    ],
)
def test_the_public_address_is_where_it_listens(host: str, url: str) -> None:
    assert serve._settings(None, host, 81).public_url == url


def test_a_public_address_that_was_set_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEDIAMANAGER_PUBLIC_URL", "https://registry.example.org")

    assert serve._settings(None, "0.0.0.0", 81).public_url == "https://registry.example.org"


@pytest.mark.parametrize(
    "words",
    [["serve"], ["serve", "--no-worker"], ["migrate"], ["worker"], ["beat"], ["keys", "list"], ["doctor"], ["reindex"]],
)
def test_each_command_names_a_setting_that_can_not_be_used_without_its_value(
    words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MEDIAMANAGER_JOB_ATTEMPTS", "s3cr3t")

    with pytest.raises(SystemExit) as ended:
        main([*words, "--data", str(tmp_path)])

    said = capsys.readouterr().err
    assert (ended.value.code, said.count("\n")) == (64, 1)
    assert "MEDIAMANAGER_JOB_ATTEMPTS" in said
    assert "s3cr3t" not in said
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_note_of_the_operator_stops_nothing(settings: Settings) -> None:
    serve._prepare(settings)
    (settings.data_folder / "operator.json").write_text("{")

    assert serve._prepare(settings)
    assert "account" in json.loads((settings.data_folder / "operator.json").read_text())


def test_the_operator_keeps_one_account_over_restarts(settings: Settings) -> None:
    links = {serve._prepare(settings) for _ in range(2)}

    note = json.loads((settings.data_folder / "operator.json").read_text())
    engine = db.engine(settings)
    with db.reading(db.sessions(engine)) as session:
        accounts = session.query(Account).all()
    engine.dispose()
    assert [str(account.id) for account in accounts] == [note["account"]]
    assert len(links) == 2
    assert all(link.startswith(f"{settings.public_url}/sign-in/link/") for link in links)


def test_a_new_registry_begins_with_an_empty_log_that_can_be_verified(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    serve._prepare(settings)
    shown = settings.data_folder / "storage" / "log"
    first = (shown / "checkpoint").read_bytes()

    with pytest.raises(SystemExit) as ended:
        cli.main(["audit", "verify", str(shown)])

    said = capsys.readouterr().out
    assert ended.value.code == 0
    assert "an empty log, signed by registry.localhost/log1" in said
    serve._prepare(settings)
    assert (shown / "checkpoint").read_bytes() == first


def test_a_log_that_has_begun_is_not_given_other_keys_though_it_is_empty(settings: Settings) -> None:
    serve._prepare(settings)
    shutil.rmtree(settings.data_folder / "keys")

    with pytest.raises(LogIntegrityError, match="bring them back"):
        serve._prepare(settings)

    assert not (settings.data_folder / "keys").exists()
