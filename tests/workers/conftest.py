"""What the tests of the workers share: open resources, and jobs that run without a child process."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from fingerprinting.extract import extract
from fingerprinting.media import Limits
from optout.store.settings import Settings
from workers import sandbox
from workers.resources import Resources, open_resources


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
