"""What whoever only asks has to install and load."""

import importlib.metadata
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType

import pytest
from packaging.requirements import Requirement

import fingerprinting
import mediamanager
import optout

MOST_INSTALLED_MB = 600  # measured: 536, of which llvmlite 179, SciPy 114, PyAV 106
HEAVY = {"numba", "llvmlite", "sqlalchemy", "fastapi", "celery", "boto3"}


def needed(roots: Iterable[str]) -> set[str]:
    """The distributions that some need, themselves among them, without extras."""
    found: set[str] = set()
    waiting = [Requirement(root) for root in roots]
    while waiting:
        requirement = waiting.pop()
        name = requirement.name.lower().replace("_", "-")
        if name not in found and (requirement.marker is None or requirement.marker.evaluate({"extra": ""})):
            found.add(name)
            waiting += [Requirement(one) for one in importlib.metadata.requires(name) or ()]
    return found


def test_the_installed_size_of_the_light_client_stays_below_its_limit() -> None:
    names = needed(importlib.metadata.requires("mediamanager") or ())
    files = [file for name in names for file in importlib.metadata.files(name) or () if file.suffix != ".pyc"]

    assert sum(file.size or 0 for file in files) < MOST_INSTALLED_MB * 1e6


@pytest.mark.parametrize(
    "module", ["mediamanager.client", "mediamanager.client.offline", "fingerprinting.index.segment"]
)
def test_nothing_heavy_is_loaded_before_it_is_needed(module: str) -> None:
    code = f"import sys, {module}; print(*sys.modules)"

    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()

    assert not HEAVY & set(loaded)


@pytest.mark.parametrize("package", [fingerprinting, optout, mediamanager])
def test_who_uses_a_package_is_told_its_types(package: ModuleType) -> None:
    assert (Path(package.__file__ or "").parent / "py.typed").is_file()
