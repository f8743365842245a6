import json
import wave
from collections.abc import Callable
from pathlib import Path

import pytest

from fingerprinting.types import Strength
from mediamanager.cli import asking
from mediamanager.cli.check import check
from mediamanager.cli.invoke import invoke
from mediamanager.cli.tables import _found
from mediamanager.client.verdicts import Checked, Verdict
from optout.catalogue.answers import WorkMatch
from optout.consent.vocabulary import Preference, Use
from optout.errors import InvalidInputError


def run(*words: object) -> int:
    return invoke(check, "mediamanager check", [str(word) for word in words])


@pytest.fixture(autouse=True)
def no_registry_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MEDIAMANAGER_URL", raising=False)
    monkeypatch.delenv("MEDIAMANAGER_KEY", raising=False)


def test_a_line_per_file_in_order_and_1_for_something_reserved(
    catalogue: Path, inbox: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status = run("--catalogue", catalogue, "--json", inbox)

    shown = capsys.readouterr()
    lines = [json.loads(line) for line in shown.out.splitlines()]
    assert status == 1
    assert [line["verdict"] for line in lines] == ["unknown", "disallowed"]
    assert [Path(line["path"]).name for line in lines] == ["a-stranger.txt", "copy.txt"]
    assert lines[0]["reasons"][-1]["code"] == "no_reservation_found"
    assert shown.err == "note: 1 hidden file or folder was skipped\n"


def test_0_where_nothing_is_reserved(catalogue: Path, inbox: Path) -> None:
    assert run("--catalogue", catalogue, inbox / "a-stranger.txt") == 0


def test_the_table_says_why_what_is_unknown_could_not_have_been_recognised(
    catalogue: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with wave.open(str(tmp_path / "a.wav"), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(bytes(16_000 * 5))

    assert run("--catalogue", catalogue, tmp_path / "a.wav") == 0

    assert " silent" in capsys.readouterr().out


def test_2_where_something_could_not_be_checked_even_beside_something_reserved(catalogue: Path, inbox: Path) -> None:
    (inbox / "broken.png").write_bytes(b"")

    assert run("--catalogue", catalogue, inbox) == 2


def test_rows_of_a_table_have_a_line_each_also_after_one_that_could_not_be_checked(
    catalogue: Path, inbox: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    copy = next(inbox.rglob("copy.txt")).read_text()
    rows = [{"words": ""}, {"words": copy}, {"words": 7}, {"words": "These few words are nobody's."}]
    (inbox / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))

    status = run("--catalogue", catalogue, "--json", "--field", "text=words", inbox / "rows.jsonl")

    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["path"] for line in lines] == [f"{inbox / 'rows.jsonl'} line {number}" for number in range(1, 5)]
    assert [line["verdict"] for line in lines] == ["unchecked", "disallowed", "unchecked", "unknown"]
    assert status == 2


def test_the_table_says_file_verdict_work_score_and_reason(
    catalogue: Path, inbox: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run("--catalogue", catalogue, inbox)

    shown = capsys.readouterr().out
    assert "No reservation was found" in shown
    for told in ("copy.txt", "✗ disallowed", "fox.txt", "score", "shingle-3", "The rightsholder says no", "2 files"):
        assert told in shown


def test_of_several_catalogues_the_most_restrictive_wins(
    catalogue: Path,
    inbox: Path,
    make_catalogue: Callable[..., Path],
    make_text: Callable[..., str],
    capsys: pytest.CaptureFixture[str],
) -> None:
    allowing = make_catalogue("allowing", Preference.ALLOWED, fox=make_text("fox"))
    copy = inbox / "deep" / "copy.txt"

    assert run("--catalogue", allowing, "--json", copy) == 0
    assert json.loads(capsys.readouterr().out)["verdict"] == "allowed"
    for order in ((allowing, catalogue), (catalogue, allowing)):
        assert run("--catalogue", order[0], "--catalogue", order[1], "--json", copy) == 1
        line = json.loads(capsys.readouterr().out)
        assert line["verdict"] == "disallowed"
        assert {match["evidence"]["source"] for match in line["matches"]} == {str(allowing), str(catalogue)}


@pytest.mark.parametrize(
    "words",
    [
        ["a.txt"],
        ["--catalogue", "c"],
        ["--catalogue", "c", "--use", "trian-ai", "a.txt"],
        ["--catalogue", "c", "--depth", "deepest", "a.txt"],
        ["--catalogue", "c", "--min-evidence", "gossip", "a.txt"],
        ["--catalogue", "c", "--workers", "0", "a.txt"],
        ["--catalogue", "c", "--unheard-of", "a.txt"],
        ["--registry", "http://a.test", "--registry", "http://b.test", "--key", "k", "a.txt"],
    ],
)
def test_wrong_usage_is_64_and_one_line(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(*words) == 64
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith("error: ")
    assert shown.err.count("\n") == 1


def test_a_catalogue_that_is_none_is_2_and_one_line(
    tmp_path: Path, inbox: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("--catalogue", tmp_path, inbox) == 2
    assert capsys.readouterr().err == f"error: {tmp_path} is not a catalogue: it has no manifest.json\n"


def test_the_environment_names_a_registry_only_where_nothing_else_is_asked(
    catalogue: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MEDIAMANAGER_URL", "http://registry.test")
    monkeypatch.setenv("MEDIAMANAGER_KEY", "crk_live_x")

    assert [source.name for source in asking.open_sources([], [], [])] == ["http://registry.test"]
    assert [source.name for source in asking.open_sources([], [catalogue], [])] == [str(catalogue)]


def test_a_key_is_never_sent_to_a_registry_that_it_was_not_given_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEDIAMANAGER_KEY", "crk_live_x")

    keyless = asking.open_sources(["http://a.test", "http://b.test"], [], [])

    assert all("Authorization" not in source._client.headers for source in keyless)  # type: ignore[attr-defined] # Registry
    with pytest.raises(InvalidInputError, match="one --key for each"):
        asking.open_sources(["http://a.test", "http://b.test"], [], ["k"])


def test_a_name_can_not_take_over_the_terminal(
    catalogue: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    evil = tmp_path / "evil\x1b[31m[bold]\udcff.txt"
    evil.write_text("A few words.")

    run("--catalogue", catalogue, evil)

    shown = capsys.readouterr().out
    assert "\x1b[31m" not in shown
    assert "[bold]" in shown


def test_the_work_in_the_table_is_the_one_that_decides() -> None:
    def match(work: str, verdict: Preference) -> WorkMatch:
        return WorkMatch(work, Strength.EXACT, None, "sha256", 1, 0, None, 0.0, None, None, verdict)

    matches = (match("open", Preference.ALLOWED), match("closed", Preference.DISALLOWED))

    shown = _found(Checked("copy.txt", Verdict.DISALLOWED, Use.TRAIN_GENAI, matches=matches)).plain

    assert shown.startswith("closed\n")
    assert shown.endswith("and 1 more")
