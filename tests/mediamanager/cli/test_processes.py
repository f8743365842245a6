"""What `mediamanager worker` and `beat` do before they can work; that they work is shown by tests/flows."""

from pathlib import Path

import pytest

from mediamanager.cli import main


@pytest.mark.parametrize("command", ["worker", "beat"])
def test_the_word_of_a_process_that_was_killed_does_not_count_for_the_next_one(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("signal.signal", lambda *_given: None)  # this process keeps its own handlers
    left = tmp_path / "ready"
    left.write_text("1\n")

    with pytest.raises(SystemExit) as ended:
        main([command, "--data", str(tmp_path), "--ready-file", str(left)])

    assert ended.value.code == 2
    assert "not up to date" in capsys.readouterr().err
    assert not left.exists()
