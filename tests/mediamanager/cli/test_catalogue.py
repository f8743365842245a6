import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from mediamanager.cli.catalogue import app
from mediamanager.cli.check import check
from mediamanager.cli.filter import filter_input
from mediamanager.cli.invoke import invoke
from optout.consent.vocabulary import Preference


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


def test_merged_catalogues_hold_what_each_held_and_the_most_restrictive_counts(
    make_catalogue: Callable[..., Path],
    make_text: Callable[..., str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    kind = make_catalogue("kind", Preference.ALLOWED, fox=make_text("fox"), hare=make_text("hare"))
    strict = make_catalogue("strict", Preference.DISALLOWED, fox=make_text("fox"))
    words = ["merge", kind, strict, "--output", tmp_path / "merged"]

    assert run(*words, "--json") == 0
    facts = json.loads(capsys.readouterr().out)
    assert run(*words) == 0

    assert facts["works"] == 3
    assert facts["renamed"] == [{"catalogue": str(strict), "work": "fox.txt", "as": "fox.txt#2"}]
    assert f"note: fox.txt of {strict} is now fox.txt#2\n" in capsys.readouterr().err
    (tmp_path / "asked").mkdir()
    for name in ("fox", "hare"):
        (tmp_path / "asked" / f"{name}.txt").write_text(make_text(name))
    together = [f"--catalogue={kind}", f"--catalogue={strict}"]
    for sources in (together, together[::-1], [f"--catalogue={tmp_path / 'merged'}"]):
        status = invoke(check, "mediamanager check", [*sources, "--json", str(tmp_path / "asked")])
        verdicts = [json.loads(line)["verdict"] for line in capsys.readouterr().out.splitlines()]
        assert (status, verdicts[0]) == (1, "disallowed")
        out = tmp_path / f"out {sources}".replace("/", "_")
        chosen = [str(tmp_path / "asked"), "--output", str(out), *sources, "--json"]
        assert invoke(filter_input, "mediamanager filter", chosen) == 1
        assert json.loads(capsys.readouterr().out)["verdicts"]["disallowed"] == 1


def test_merging_needs_two_whole_catalogues(
    catalogue: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("merge", catalogue, "--output", tmp_path / "m") == 64
    assert run("merge", catalogue, tmp_path / "none", "--output", tmp_path / "m") == 2
    assert "is not a catalogue" in capsys.readouterr().err
    assert not (tmp_path / "m").exists()


@pytest.mark.parametrize("command", ["build", "merge"])
@pytest.mark.heavy
def test_a_full_disk_is_one_line_and_leaves_nothing(
    command: str, catalogue: Path, references: Path, tmp_path: Path, make_text: Callable[..., str]
) -> None:
    (tmp_path / "there").mkdir()
    words = [catalogue, catalogue] if command == "merge" else [references, "--workers", "1"]
    limit = "import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (3000, 3000));"
    start = "import signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN); from mediamanager.cli import main; main()"
    ended = subprocess.run(
        [
            sys.executable,
            "-c",
            limit + start,
            "catalogue",
            command,
            *map(str, words),
            "-o",
            str(tmp_path / "there" / "c"),
        ],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )

    assert ended.returncode == 2, ended.stderr
    assert "too large" in ended.stderr.splitlines()[-1]
    assert list((tmp_path / "there").iterdir()) == []
