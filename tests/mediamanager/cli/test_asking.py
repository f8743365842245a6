import io
import json
import sys
from pathlib import Path

import pytest

from mediamanager.cli import asking
from mediamanager.cli.catalogue import app
from mediamanager.cli.check import check
from mediamanager.cli.fingerprint import fingerprint
from mediamanager.cli.invoke import invoke


class Terminal(io.StringIO):
    """A stream that somebody watches."""

    def isatty(self) -> bool:
        return True


def watched(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """Make stderr a terminal; in the test itself, because pytest puts its own stream back when a test begins."""
    terminal = Terminal()
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(sys, "stderr", terminal)
    return terminal


def test_lines_go_where_stdout_goes_while_a_bar_is_shown(
    catalogue: Path, inbox: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    terminal = watched(monkeypatch)

    invoke(check, "mediamanager check", ["--catalogue", str(catalogue), "--json", str(inbox)])

    lines = capsys.readouterr().out.splitlines()
    assert [json.loads(line)["verdict"] for line in lines] == ["unknown", "disallowed"]
    assert "checking" in terminal.getvalue()
    assert '"verdict"' not in terminal.getvalue()


def test_fingerprints_go_where_stdout_goes_while_a_bar_is_shown(
    inbox: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    terminal = watched(monkeypatch)

    invoke(fingerprint, "mediamanager fingerprint", ["--json", str(inbox)])

    assert len(capsys.readouterr().out.splitlines()) == 2
    assert "fingerprinting" in terminal.getvalue()


def test_no_bar_runs_through_lines_that_are_read_on_the_same_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = watched(monkeypatch)
    monkeypatch.setattr(sys, "stdout", Terminal())

    with asking.progress_over([1, 2], 2, "checking", streaming=True) as passing:
        assert list(passing) == [1, 2]

    assert terminal.getvalue() == ""


def test_building_and_merging_show_what_is_indexed(
    inbox: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal = watched(monkeypatch)

    for name in ("one", "two"):
        invoke(app, "mediamanager catalogue", ["build", str(inbox), "-o", str(tmp_path / name)])
    built = terminal.getvalue()
    invoke(
        app,
        "mediamanager catalogue",
        ["merge", *(str(tmp_path / n) for n in ("one", "two")), "-o", str(tmp_path / "c")],
    )

    assert built.index("fingerprinting") < built.index("indexing")
    merged = terminal.getvalue().removeprefix(built)
    checked, read = merged.index("checking bytes"), merged.index("reading works")
    assert checked < read < merged.index("merging fingerprints") < merged.index("indexing")


def test_verifying_shows_how_far_it_is(catalogue: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = watched(monkeypatch)

    invoke(app, "mediamanager catalogue", ["verify", str(catalogue)])

    assert terminal.getvalue().index("checking bytes") < terminal.getvalue().index("reading works")
