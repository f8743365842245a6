import json
import subprocess
import sys
import textwrap
from pathlib import Path

import fake_youtube
import pytest
import synthetic_media
from inline_pool import InlinePool

from fingerprinting.index.registry import decode
from mediamanager.cli import fingerprint as module
from mediamanager.cli.filter import filter_input
from mediamanager.cli.invoke import invoke
from workers import youtube


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
    assert fingerprint("--json", "https://example.org/fox.png") == 0

    line = json.loads(capsys.readouterr().out)
    assert [one["algorithm"] for one in line["fingerprints"]] == ["key-url"]


@pytest.mark.heavy
def test_the_captions_of_a_video_are_fetched_and_fingerprinted_here(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    youtube_of = fake_youtube.of(fake_youtube.HEARD_EN, lines=synthetic_media.prose(5, 400).split(". "))
    monkeypatch.setattr(youtube, "guarded_client", lambda guard: youtube_of.client)

    assert fingerprint("--json", f"https://youtu.be/{fake_youtube.VIDEO}") == 0
    line = json.loads(capsys.readouterr().out)
    assert (line["path"], line["modality"]) == (f"https://youtu.be/{fake_youtube.VIDEO}", "text")
    algorithms = [one["algorithm"] for one in line["fingerprints"]]
    assert algorithms == ["key-youtube", "key-url", "sha256", "shingle-3"]


@pytest.mark.heavy
def test_a_video_whose_captions_can_not_be_had_says_why_beside_its_keys(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(youtube, "guarded_client", lambda guard: fake_youtube.of(status="LOGIN_REQUIRED").client)

    assert fingerprint("--json", f"https://www.youtube.com/shorts/{fake_youtube.VIDEO}") == 2
    line = json.loads(capsys.readouterr().out)
    assert line["error"].startswith("This video is private")
    assert [one["algorithm"] for one in line["fingerprints"]] == ["key-youtube", "key-url"]


@pytest.mark.heavy
def test_a_command_does_not_say_that_it_comes_back(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(youtube, "guarded_client", lambda guard: fake_youtube.of().client)

    assert fingerprint("--json", f"https://youtu.be/{fake_youtube.VIDEO}") == 2
    line = json.loads(capsys.readouterr().out)
    assert line["error"].startswith("It has no captions yet. Try again later.")
    assert "come back" not in line["error"]


def test_without_yt_dlp_the_extra_is_named(
    inbox: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)

    assert fingerprint("--json", f"https://youtu.be/{fake_youtube.VIDEO}", inbox) == 2
    first, *others = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert "[fetch]" in first["error"]
    assert [one["error"] for one in others] == [None, None]


def test_the_light_installation_is_enough_to_fetch_captions() -> None:
    """What only a server has may not be needed: neither by what asks YouTube nor by the child that runs yt-dlp."""
    server = ["sqlalchemy", "alembic", "fastapi", "starlette", "celery", "kombu", "boto3", "psycopg", "jinja2", "babel"]
    server += ["pydantic_settings", "uvicorn", "cv2"]
    child = "workers.sandbox_child, workers.sandbox_decode, workers.youtube_child, workers.landlock, workers.seccomp"
    code = f"""
        import sys
        sys.modules.update(dict.fromkeys({server}))
        import mediamanager.cli.videos, workers.youtube, workers.network, {child}
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(code)], check=True, timeout=60)


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
