import json
from collections.abc import Callable
from pathlib import Path

import pytest

from mediamanager.cli.catalogue import app
from mediamanager.cli.invoke import invoke


def run(*words: object) -> int:
    return invoke(app, "mediamanager catalogue", [str(word) for word in words])


@pytest.fixture
def references(tmp_path: Path, make_text: Callable[..., str], inline: None) -> Path:
    (tmp_path / "references").mkdir()
    (tmp_path / "references" / "fox.txt").write_text(make_text("fox"))
    return tmp_path / "references"


def test_without_a_preference_everything_is_disallowed_and_that_is_said(
    references: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("build", references, "--output", tmp_path / "c") == 0

    shown = capsys.readouterr()
    assert shown.err == "note: no --prefer given: every work is registered with all=disallowed\n"
    assert "Nobody may use it for: any automated use." in shown.out


def test_a_preference_is_said_back_in_words(
    references: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--prefer", "train-ai=disallowed", "--prefer", "search=allowed"]

    assert run("build", references, "-o", tmp_path / "c", *words) == 0

    shown = capsys.readouterr()
    assert shown.err == ""
    assert "Nobody may use it for: training AI. It may be used for: search engines." in shown.out


def test_unreadable_files_are_listed_and_end_with_2(
    references: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (references / "broken.png").write_bytes(b"")

    assert run("build", references, "--output", tmp_path / "c", "--json") == 2

    shown = capsys.readouterr()
    assert "skipped: broken.png: " in shown.err
    facts = json.loads(shown.out)
    assert (facts["works"], list(facts["skipped"])) == (1, ["broken.png"])


@pytest.mark.parametrize("prefer", ["train=disallowed", "train-ai", "train-ai=no"])
def test_a_wrong_preference_is_64_and_builds_nothing(references: Path, tmp_path: Path, prefer: str) -> None:
    assert run("build", references, "--output", tmp_path / "c", "--prefer", prefer) == 64
    assert not (tmp_path / "c").exists()


def test_info_and_verify_say_what_a_catalogue_holds(catalogue: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("info", catalogue, "--json") == 0
    info = json.loads(capsys.readouterr().out)
    assert run("verify", catalogue, "--json") == 0
    assert json.loads(capsys.readouterr().out) == info
    assert info["works"] == 2
    assert run("info", catalogue) == 0
    assert info["digest"] in capsys.readouterr().out


def test_verify_of_an_altered_catalogue_is_2_and_one_line(catalogue: Path, capsys: pytest.CaptureFixture[str]) -> None:
    raw = (catalogue / "works.jsonl").read_bytes()
    (catalogue / "works.jsonl").write_bytes(raw.replace(b"disallowed", b"allowedxxx"))

    assert run("verify", catalogue) == 2

    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err == f"error: the catalogue {catalogue} is damaged: works.jsonl has been altered\n"


def test_an_output_that_holds_something_else_is_refused(references: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("build", references, "--output", references.parent, "--prefer", "all=disallowed") == 2
    assert "choose another place" in capsys.readouterr().err
