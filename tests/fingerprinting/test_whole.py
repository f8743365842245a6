"""What appears whole or not at all also does so when somebody sweeps at the worst moment."""

import tempfile
from pathlib import Path

import pytest

from fingerprinting import whole


def test_a_folder_that_is_swept_away_before_it_is_locked_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "place"
    made: list[str] = []
    real = tempfile.mkdtemp

    def make(prefix: str, dir: Path) -> str:  # noqa: A002 - as the real one
        made.append(real(prefix=prefix, dir=dir))
        if len(made) == 1:
            whole.sweep(place)  # another process, which finds the new folder without a lock
        return made[-1]

    monkeypatch.setattr(tempfile, "mkdtemp", make)

    with whole.folder(place) as new:
        (new / "content").write_text("all of it")

    assert len(made) == 2
    assert (place / "content").read_text() == "all of it"
    assert list(tmp_path.iterdir()) == [place]
