"""How long JPEG pictures of one megapixel take: to be decoded and fingerprinted, and to be searched for.

Each time is the least of several turns, in which everything takes its turn after everything else, in CPU time of one
core: other work on the machine then troubles all of them alike, and ratios say more than milliseconds.
"""

import os
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median

import imagehash
from PIL import Image

from benchmarks.image.material import Picture
from fingerprinting.extract import extract
from fingerprinting.index.segment import Index
from fingerprinting.types import Depth, Role

PEER = "imagehash.phash(Image.open)"
_PIXELS = 1_000_000
_QUALITY = 85
_TURNS = 7


def measure(pictures: Sequence[Picture], index: Index, shown: Callable[[Path], Image.Image]) -> dict[str, object]:
    """Time some pictures: medians in milliseconds by what is done, and how busy the machine was meanwhile."""
    times: dict[str, list[float]] = {}
    for one in pictures:
        image = shown(one.path)
        factor = (_PIXELS / (image.width * image.height)) ** 0.5
        image = image.resize((round(image.width * factor), round(image.height * factor)), Image.Resampling.LANCZOS)
        with tempfile.NamedTemporaryFile(suffix=".jpg") as file:
            image.save(file, "JPEG", quality=_QUALITY)
            file.flush()
            for name, each in _least(Path(file.name), index).items():
                times.setdefault(name, []).append(each * 1000)
    return {
        "pictures": len(pictures),
        "cpu_ms": {name: round(median(each), 2) for name, each in times.items()},
        "load": round(os.getloadavg()[0], 1),
    }


def _least(path: Path, index: Index) -> dict[str, float]:
    least: dict[str, float] = {}

    def took(name: str, started: float) -> None:
        least[name] = min(least.get(name, 1e9), time.process_time() - started)

    for _ in range(_TURNS):
        started = time.process_time()
        with Image.open(path) as opened:
            imagehash.phash(opened)
        took(PEER, started)
        for depth in Depth:
            started = time.process_time()
            asked = extract(path, role=Role.QUERY, depth=depth).fingerprints
            took(f"{depth} fingerprints", started)
            index.search([asked], depth=depth)
            took(depth.value, started)
    return least
