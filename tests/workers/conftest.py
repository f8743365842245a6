"""What the tests of the workers share: open resources, and jobs that run without a child process."""

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import pytest
from decoder_stand_ins import command, pool_of
from sqlalchemy import Engine

from fingerprinting.extract import extract
from fingerprinting.media import Limits
from optout.store.settings import Settings
from workers import sandbox, seats
from workers.resources import Resources, open_resources
from workers.sandbox_pool import Pool

_WORDS: Final = "the quick brown fox jumps over a lazy dog while seven wizards brew strange potions in copper kettles "


@pytest.fixture
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return Settings(data_folder=tmp_path_factory.mktemp("data"), job_backoff_seconds=0.001)


@pytest.fixture
def resources(settings: Settings, live_engine: Engine) -> Iterator[Resources]:
    """What a worker process opens, on a database of the test's own."""
    opened = open_resources(settings)
    yield opened
    opened.engine.dispose()


@pytest.fixture
def in_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Decode here instead of in a child, where the child is not what the test is about."""

    def here(path: object, *, name: str | None = None, limits: Limits) -> object:
        return extract(path, name=name, limits=limits)  # type: ignore[arg-type]

    monkeypatch.setattr(sandbox, "extract", here)


@pytest.fixture
def prose(tmp_path: Path) -> Path:
    path = tmp_path / "prose.txt"
    path.write_text("\n".join(f"{n} {_WORDS} {n * 7}" for n in range(30)), encoding="utf-8")
    return path


@pytest.fixture
def instead(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Pool]]:
    """Have other children: a decoder that was taken over can do anything that it is let.

    They have seats of their own: tests beside these take those of the machine.
    """
    own = seats.Seats(tmp_path_factory.mktemp("seats"), 2)
    monkeypatch.setattr(seats, "of_this_machine", lambda: own)
    with contextlib.ExitStack() as stack:

        def use(act: str, *, walls: bool = True, size: int = 2) -> Pool:
            pool = stack.enter_context(pool_of(*command(act, walls=walls), size=size))
            monkeypatch.setattr(sandbox, "_pool", pool)
            return pool

        yield use
