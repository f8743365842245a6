"""What the fault tests share: how long they are, where they may write quickly, their figures at the end."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

_MEMORY = Path("/dev/shm")
_figures: list[str] = []


@pytest.fixture(scope="session")
def length() -> str:
    """How much is tried: "short" in every run of the tests, "long" in a night, by `./run faults --long`."""
    return "long" if os.environ.get("MEDIAMANAGER_TEST_LONG") else "short"


@pytest.fixture(scope="session")
def quick_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder in memory where there is one: what a kill leaves does not depend on the disk, but its speed does."""
    if not (_MEMORY.is_dir() and os.access(_MEMORY, os.W_OK)):
        yield tmp_path_factory.mktemp("quick")
        return
    folder = Path(tempfile.mkdtemp(prefix="mediamanager-faults-", dir=_MEMORY))
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def figures() -> list[str]:
    """Sentences for the end of the run."""
    return _figures


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for line in _figures:
        terminalreporter.write_line(f"faults: {line}")
