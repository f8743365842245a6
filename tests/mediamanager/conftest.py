"""Texts as media: the smallest files that can be recognised, and a catalogue of some of them."""

import hashlib
import random
from collections.abc import Callable
from pathlib import Path

import pytest
from inline_pool import InlinePool

from mediamanager.client import building, checking
from optout.consent.vocabulary import Preference, Use


def words(seed: str, count: int = 300) -> str:
    """A text of made-up words that only `seed` decides."""
    random_of_seed = random.Random(hashlib.sha256(seed.encode()).digest())
    made_up = ["".join(random_of_seed.choices("abcdefghijklmnoprstuvwz", k=7)) for _ in range(count)]
    return " ".join(made_up)


@pytest.fixture
def make_text() -> Callable[..., str]:
    return words


@pytest.fixture
def inline(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fingerprint in this process."""
    monkeypatch.setattr(checking, "ExtractionPool", InlinePool)
    monkeypatch.setattr(building, "ExtractionPool", InlinePool)


@pytest.fixture
def make_catalogue(tmp_path: Path, inline: None) -> Callable[..., Path]:
    """A catalogue of texts, each with its own preference for every use."""

    def make(name: str = "catalogue", preference: Preference = Preference.DISALLOWED, **texts: str) -> Path:
        source = tmp_path / f"references of {name}"
        source.mkdir()
        for title, text in texts.items():
            (source / f"{title}.txt").write_text(text)
        building.build(source, tmp_path / name, {Use.ALL: preference})
        return tmp_path / name

    return make


@pytest.fixture
def catalogue(make_catalogue: Callable[..., Path]) -> Path:
    """Disallows two texts: `fox` and `crow`."""
    return make_catalogue(fox=words("fox"), crow=words("crow"))


@pytest.fixture
def inbox(tmp_path: Path) -> Path:
    """A folder with a copy of `fox` (other case, other punctuation, in other words), a stranger, and a hidden file."""
    folder = tmp_path / "inbox"
    (folder / "deep").mkdir(parents=True)
    passage = ", ".join(words("fox").split()[50:250]).upper()
    (folder / "a-stranger.txt").write_text(words("stranger"))
    (folder / "deep" / "copy.txt").write_text(f"{words('before', 40)} {passage} {words('after', 40)}")
    (folder / ".hidden").write_text("x")
    return folder
