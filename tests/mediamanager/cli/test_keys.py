"""`mediamanager keys` acts on the database of a data folder."""

import json
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
