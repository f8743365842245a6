import json
from pathlib import Path

import pytest
from inline_pool import InlinePool

from fingerprinting.index.registry import decode
from mediamanager.cli import fingerprint as module
from mediamanager.cli.filter import filter_input
from mediamanager.cli.invoke import invoke


@pytest.fixture(autouse=True)
def in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ExtractionPool", InlinePool)


def fingerprint(*words: object) -> int:
    return invoke(module.fingerprint, "mediamanager fingerprint", [str(word) for word in words])


def test_a_line_per_file_holds_fingerprints_that_can_be_read_back(
    inbox: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert fingerprint("--json", inbox) == 0

    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["modality"] for line in lines] == ["text", "text"]
    for line in lines:
        for one in line["fingerprints"]:
            decode(one["algorithm"], one["version"], one["value"], one["quality"], one["span"])


def test_an_address_gives_its_keys_and_nothing_is_fetched(capsys: pytest.CaptureFixture[str]) -> None:
    assert fingerprint("--json", "https://youtu.be/dQw4w9WgXcQ") == 0

    line = json.loads(capsys.readouterr().out)
    assert [one["algorithm"] for one in line["fingerprints"]] == ["key-youtube", "key-url"]


def test_what_can_not_be_read_is_in_the_table_and_ends_with_2(inbox: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (inbox / "broken.png").write_bytes(b"")

    assert fingerprint(inbox) == 2

    shown = capsys.readouterr().out
    assert "shingle-3" in shown
    assert "This file is empty" in " ".join(shown.split())


def test_filter_prints_its_report_as_json(
    catalogue: Path, inbox: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [str(inbox), "--output", str(tmp_path / "out"), "--catalogue", str(catalogue)]

    assert invoke(filter_input, "mediamanager filter", [*words, "--json"]) == 1
    first = json.loads(capsys.readouterr().out)
    assert (first["kept"], first["excluded"], first["verdicts"]) == (1, 1, {"disallowed": 1, "unknown": 1})
    assert invoke(filter_input, "mediamanager filter", [*words, "--json"]) == 1
    assert json.loads(capsys.readouterr().out) == first


def test_filter_tells_a_person_where_everything_lies(
    catalogue: Path, inbox: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "out"

    invoke(filter_input, "filter", [str(inbox), "-o", str(output), "--catalogue", str(catalogue)])

    shown = capsys.readouterr()
    assert "2 files: 1 disallowed, 1 unknown" in shown.out
    assert str(output / "receipt.json") in shown.out
    assert shown.err == "note: 1 hidden file or folder was skipped\n"


def test_filter_counts_the_rows_of_a_jsonl_file_as_rows(
    catalogue: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "crawl.jsonl").write_text('{"url": "https://example.org/a"}\n{"url": "https://example.org/b"}\n')
    words = [str(tmp_path / "crawl.jsonl"), "-o", str(tmp_path / "out"), "--catalogue", str(catalogue)]

    for _ in range(2):  # the second time from the receipt
        invoke(filter_input, "filter", words)
        assert "2 rows: 2 unknown" in capsys.readouterr().out


@pytest.mark.parametrize(
    "words",
    [
        ["--on-error", "keep", "--on-unknown", "raise"],
        ["--on-error", "ignore"],
        ["--field", "url"],
        ["--field", "url=x"],
    ],
)
def test_wrong_choices_are_64_and_leave_nothing(catalogue: Path, inbox: Path, tmp_path: Path, words: list[str]) -> None:
    output = tmp_path / "out"

    status = invoke(filter_input, "filter", [str(inbox), "-o", str(output), "--catalogue", str(catalogue), *words])

    assert status == 64
    assert not output.exists()


def test_filter_of_a_missing_input_is_64(catalogue: Path, tmp_path: Path) -> None:
    words = [str(tmp_path / "missing"), "-o", str(tmp_path / "out"), "--catalogue", str(catalogue)]

    assert invoke(filter_input, "filter", words) == 64
