"""`mediamanager keys` acts on the database of a data folder."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from mediamanager.cli import main
from optout.errors import NotAuthenticatedError
from optout.registry import accounts
from optout.store import db
from optout.store.models import Role
from optout.store.settings import Settings


class Keys:
    """Runs the command against one data folder."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self._capsys = capsys
        self.error = ""

    def run(self, *words: str) -> tuple[int, str]:
        with pytest.raises(SystemExit) as ended:
            main(["keys", *words, "--data", str(self.folder)])
        output = self._capsys.readouterr()
        self.error = output.err
        return int(ended.value.code or 0), output.out

    def authenticate(self, secret: str) -> frozenset[Role]:
        engine = db.engine(Settings(data_folder=self.folder))
        try:
            with db.reading(db.sessions(engine)) as session:
                return accounts.authenticate(session, secret).roles
        finally:
            engine.dispose()


@pytest.fixture
def keys(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Keys:
    return Keys(tmp_path / "data", capsys)


def test_a_key_is_good_as_soon_as_it_is_printed_and_the_database_is_made_for_it(keys: Keys) -> None:
    status, printed = keys.run("create", "--role", "creator", "--role", "auditor", "--name", "Ada", "--json")

    made = json.loads(printed)
    assert status == 0
    assert (made["name"], made["roles"], made["evidence"]) == ("Ada", ["auditor", "creator"], "self-declared")
    assert keys.authenticate(made["secret"]) == {Role.AUDITOR, Role.CREATOR}


def test_for_people_the_secret_is_printed_once_with_a_warning(keys: Keys) -> None:
    _status, printed = keys.run("create", "--role", "pipeline", "--name", "Lab")
    warning = keys.error
    secret = next(line.split()[1] for line in printed.splitlines() if line.startswith("secret"))

    _status, listed = keys.run("list")

    assert keys.authenticate(secret) == {Role.PIPELINE}
    assert secret not in listed
    assert secret.split("_")[2] in listed
    assert "only its hash" in warning


def test_a_second_key_of_an_account_and_its_evidence(keys: Keys) -> None:
    first = json.loads(keys.run("create", "--role", "creator", "--name", "Ada", "--json")[1])

    keys.run("create", "--role", "creator", "--name", "phone", "--account", first["account"], "--evidence", "verified")

    lines = [json.loads(line) for line in keys.run("list", "--json")[1].splitlines()]
    assert [(line["account"], line["label"], line["evidence"]) for line in lines] == [
        (first["account"], "Ada", "verified"),
        (first["account"], "phone", "verified"),
    ]


def test_a_revoked_key_no_longer_opens_anything(keys: Keys) -> None:
    made = json.loads(keys.run("create", "--role", "creator", "--name", "Ada", "--json")[1])

    status, printed = keys.run("revoke", made["key"], "--json")

    assert status == 0
    assert json.loads(printed)["state"] == "revoked"
    with pytest.raises(NotAuthenticatedError):
        keys.authenticate(made["secret"])


def test_a_key_expires_when_it_was_told_to(keys: Keys) -> None:
    made = json.loads(keys.run("create", "--role", "creator", "--name", "Ada", "--expires-in", "90d", "--json")[1])

    lasts = datetime.fromisoformat(made["expires_at"]) - datetime.fromisoformat(made["created_at"])
    assert timedelta(days=89, hours=23) < lasts <= timedelta(days=90)


def test_a_rotated_key_and_its_successor_are_good_for_the_overlap(keys: Keys) -> None:
    old = json.loads(keys.run("create", "--role", "creator", "--role", "auditor", "--name", "Ada", "--json")[1])

    status, printed = keys.run("rotate", old["key"], "--overlap", "2h", "--json")

    new = json.loads(printed)
    assert (status, new["label"], new["account"]) == (0, "Ada", old["account"])
    assert f"old key {old['key']} ends at" in keys.error
    assert keys.authenticate(old["secret"]) == keys.authenticate(new["secret"]) == {Role.CREATOR, Role.AUDITOR}
    listed = {line["key"]: line for line in map(json.loads, keys.run("list", "--json")[1].splitlines())}
    assert (listed[old["key"]]["replaced_by"], listed[new["key"]]["replaced_by"]) == (new["key"], None)
    left = datetime.fromisoformat(listed[old["key"]]["expires_at"]) - datetime.now(UTC)
    assert timedelta(hours=1, minutes=55) < left <= timedelta(hours=2)
    assert keys.run("rotate", old["key"])[0] == 2
    assert new["key"] in keys.error


def test_the_list_shows_when_a_key_was_last_used(keys: Keys) -> None:
    made = json.loads(keys.run("create", "--role", "creator", "--name", "Ada", "--json")[1])
    never = keys.run("list")[1]
    engine = db.engine(Settings(data_folder=keys.folder))
    with db.transaction(db.sessions(engine)) as session:
        accounts.note_uses(session, [made["key"]], now=datetime(2026, 11, 24, 20, 30, tzinfo=UTC))
    engine.dispose()

    shown, line = keys.run("list")[1], json.loads(keys.run("list", "--json")[1])

    assert "never" in never
    assert "2026-11-24 20h" in " ".join(shown.split())
    assert line["last_used_at"] == "2026-11-24T20:30:00+00:00"


def test_the_keys_of_a_trial_say_so_and_open_nothing_else(keys: Keys, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEDIAMANAGER_ENVIRONMENT", "test")
    made = json.loads(keys.run("create", "--role", "creator", "--name", "Ada", "--json")[1])

    assert made["secret"].startswith("crk_test_")
    with pytest.raises(NotAuthenticatedError, match="for test registries"):
        keys.authenticate(made["secret"])


@pytest.mark.parametrize(
    ("words", "status", "says"),
    [
        (("create", "--name", "Ada"), 64, "--role"),
        (("create", "--role", "emperor", "--name", "Ada"), 64, "creator"),
        (("create", "--role", "creator", "--name", " "), 64, "name"),
        (
            ("create", "--role", "creator", "--name", "x", "--account", "00000000-0000-0000-0000-000000000000"),
            2,
            "account",
        ),
        (("create", "--role", "creator", "--name", "x", "--expires-in", "soon"), 64, "90d"),
        (("create", "--role", "creator", "--name", "x", "--expires-in", "0d"), 64, "90d"),
        (("create", "--role", "creator", "--name", "x", "--expires-in", "99999w"), 64, "90d"),
        (("rotate", "0123456789abcdef", "--overlap", "1"), 64, "--overlap"),
        (("rotate", "0123456789abcdef"), 2, "0123456789abcdef"),
        (("revoke", "0123456789abcdef"), 2, "0123456789abcdef"),
    ],
)
def test_wrong_words_are_one_line_and_make_no_key(keys: Keys, words: tuple[str, ...], status: int, says: str) -> None:
    got, printed = keys.run(*words)

    assert got == status
    assert printed == ""
    assert keys.error.startswith("error: ")
    assert keys.error.count("\n") == 1
    assert says in keys.error
    assert keys.run("list", "--json")[1] == ""
