import importlib
import os
import subprocess
import sys

import pytest

from mediamanager import cli
from mediamanager.cli.invoke import invoke
from mediamanager.client.errors import RegistryUnavailableError
from optout.errors import InvalidInputError


def run(*words: str) -> subprocess.CompletedProcess[str]:
    code = "import sys; from mediamanager.cli import main; main()"
    return subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True, check=False)


def test_help_names_every_command_with_its_summary(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(["--help"])

    assert ended.value.code == 0
    shown = capsys.readouterr().out
    assert all(name in shown and command.summary in shown for name, command in cli.COMMANDS.items())


def test_no_command_at_all_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main([])

    assert ended.value.code == 64


def test_a_misspelt_command_is_one_line_and_names_the_near_one(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(["chek"])

    assert ended.value.code == 64
    assert capsys.readouterr().err == "error: there is no command `chek`: did you mean `check`?\n"


def test_a_missing_package_names_its_extra(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def missing(name: str) -> object:
        raise ModuleNotFoundError(f"No module named 'celery' ({name})", name="celery")

    monkeypatch.setattr(importlib, "import_module", missing)

    with pytest.raises(SystemExit) as ended:
        cli.main(["serve"])

    assert ended.value.code == 2
    assert (
        capsys.readouterr().err
        == "error: `serve` needs celery, which is not installed: pip install '.[server]' in a clone of mediamanager\n"
    )


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (InvalidInputError("`x` is no use"), 64),
        (RegistryUnavailableError("no answer"), 2),
        (FileNotFoundError(2, "No such file", "a.png"), 2),
        (ZeroDivisionError("oops"), 70),
    ],
)
def test_an_error_is_one_line_and_a_status(
    error: Exception, status: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MEDIAMANAGER_DEBUG", raising=False)

    def command() -> None:
        raise error

    assert invoke(command, "mediamanager test", []) == status
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith("error: ")
    assert shown.err.count("\n") == 1


def test_an_unknown_option_is_wrong_usage_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    def command() -> None:
        """Do nothing."""

    assert invoke(command, "mediamanager test", ["--wrong"]) == 64
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("works status fox", "Invalid value for 'work': this is not an id, like 123e4567-"),
        ("works status", "(see `mediamanager works status --help`)"),
        ("works shwo", "(see `mediamanager works --help`)"),
        ("check --use foo a.png", "Invalid value for '--use': 'foo' is not one of 'train-genai'"),
        ("check --workers many a.png", "Invalid value for '--workers': this has to be a whole number (see"),
        ("check --workers 0 a.png", "Invalid value for '--workers': this has to be greater than or equal to 1 (see"),
    ],
)
def test_wrong_usage_is_told_in_plain_words_and_leads_to_the_right_help(
    words: str, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(words.split())

    said = capsys.readouterr().err
    assert ended.value.code == 64
    assert says in said
    assert "Value error" not in said
    assert "Input should" not in said


def test_the_command_line_and_the_client_load_no_server_package() -> None:
    code = (
        "import sys, time; started = time.process_time()\n"
        "import mediamanager.cli, mediamanager.client\n"
        "spent = time.process_time() - started\n"
        "heavy = {'sqlalchemy', 'fastapi', 'starlette', 'celery', 'boto3', 'alembic'} & set(sys.modules)\n"
        "print(spent, *heavy)"
    )

    best = 60.0
    for _ in range(3):  # the best of three, in processor time: other work on the machine only ever adds to it
        shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
        assert shown[1:] == []
        best = min(best, float(shown[0]))

    assert best < 0.5


def test_a_reader_that_stops_early_gets_no_traceback() -> None:
    read, write = os.pipe()
    os.close(read)
    code = "from mediamanager.cli import main; main(['--help'])"

    ended = subprocess.run([sys.executable, "-c", code], stdout=write, stderr=subprocess.PIPE, check=False)
    os.close(write)

    assert ended.stderr == b""
    assert ended.returncode == 2
