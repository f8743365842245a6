"""Registers pictures, asks about copies and strangers, and counts."""

import io
import multiprocessing
import tempfile
import time
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import imagehash
import numpy as np
from PIL import Image, ImageOps

from benchmarks.image import canvas, speed
from benchmarks.image.canvas import Box
from benchmarks.image.material import Picture
from benchmarks.image.transformations import TRANSFORMATIONS, make
from fingerprinting.errors import FingerprintingError
from fingerprinting.extract import extract
from fingerprinting.image import views
from fingerprinting.image.pdq import bits
from fingerprinting.index.segment import Index
from fingerprinting.types import Depth, Fingerprint, Match, Role, Strength

PHASH_BITS = 8
PDQ_BITS = 31
PEERS = ("ImageHash pHash", "PDQ")
DEPTHS = tuple(each.value for each in Depth)
_LONGEST = 1280
_TIMED = 16
_NOT_CONTENT = frozenset({"sha256", "pixels-sha256"})


@dataclass
class Row:
    """What became of the copies of one kind: by method, how many were found."""

    name: str
    family: str
    asked: int = 0
    matched: dict[str, int] = field(default_factory=lambda: dict.fromkeys((*DEPTHS, *PEERS), 0))
    likely: dict[str, int] = field(default_factory=lambda: dict.fromkeys(DEPTHS, 0))
    overlap: list[float] = field(default_factory=list)
    missed: list[str] = field(default_factory=list)


class Registry:
    """The works, searchable by us and by the peers."""

    def __init__(self, works: Sequence[Picture]) -> None:
        self.names = [f"{one.package}/{one.path.name}" for one in works]
        started = time.process_time()
        entries = [(row, each) for row, one in enumerate(works) for each in prints(one.path, Role.WORK, Depth.THOROUGH)]
        self.seconds_a_work = (time.process_time() - started) / max(1, len(works))
        self.index = Index.build(entries)
        looks = [_peers(shown(one.path, None)) for one in works]
        self._phash = np.stack([look[0] for look in looks])
        self._pdq = np.stack([look[1] for look in looks])
        self.bytes_a_work = sum(len(each.value) for _, each in entries) / max(1, len(works))

    def peers(self, image: Image.Image) -> dict[str, set[int]]:
        """The works that each peer takes a picture for."""
        phash, pdq = _peers(image)
        near = np.bitwise_count(self._phash ^ phash).sum(axis=1) <= PHASH_BITS
        close = np.bitwise_count(self._pdq ^ pdq).sum(axis=1) <= PDQ_BITS
        return {PEERS[0]: set(np.flatnonzero(near).tolist()), PEERS[1]: set(np.flatnonzero(close).tolist())}

    def found(self, path: Path) -> tuple[dict[str, list[Match]], dict[str, float]]:
        """What each depth finds in a file, and the CPU seconds it takes."""
        found, seconds = {}, {}
        for depth in Depth:
            started = time.process_time()
            asked = prints(path, Role.QUERY, depth)
            found[depth.value] = self.index.search([asked], depth=depth) if asked else []
            seconds[depth.value] = time.process_time() - started
        return found, seconds


def prints(path: Path, role: Role, depth: Depth) -> list[Fingerprint]:
    """All fingerprints that look at the content: equal bytes would prove nothing here."""
    try:
        found = extract(path, role=role, depth=depth).fingerprints
    except FingerprintingError as error:
        print(f"{path}: {error}")
        return []
    return [each for each in found if each.algorithm not in _NOT_CONTENT]


def shown(path: Path, longest: int | None = _LONGEST) -> Image.Image:
    """A picture as people see it: upright, on white."""
    with Image.open(path) as opened:
        upright = ImageOps.exif_transpose(opened)
        if upright.has_transparency_data:
            layered = upright.convert("RGBA")
            upright = Image.new("RGBA", layered.size, "white")
            upright.alpha_composite(layered)
        image = upright.convert("RGB")
    factor = 1.0 if longest is None else min(1.0, longest / max(image.size))
    return canvas.resized(image, factor) if factor < 1 else image


def _peers(image: Image.Image) -> tuple[np.ndarray, np.ndarray]:
    phash = np.packbits(imagehash.phash(image).hash)
    return phash, np.frombuffer(bits(views.whole(image).coefficients), np.uint8)


def measure(
    telling: Sequence[Picture],
    poor: Sequence[Picture],
    *,
    works: int,
    copies: int,
    strangers: int,
    only: Collection[str],
    processes: int,
) -> dict[str, Any]:
    """Register the first pictures, copy the first of those in every way, ask about the copies and about the last."""
    registered, rest = telling[:works], [*telling[works:], *poor]
    unknown = rest[:: max(1, len(rest) // strangers)][:strangers] if strangers else []
    run = _Run(Registry(registered), registered[:copies], rest[-copies:])
    timed = speed.measure(registered[:_TIMED], run.registry.index, shown)
    _RUN.append(run)  # forked processes find it there, and need not be sent an index
    rows, wrong, seconds = [], [], defaultdict(list)
    false: dict[str, list[str]] = {each: [] for each in (*DEPTHS, *PEERS)}
    names = [name for name in TRANSFORMATIONS if not only or name in only]
    with multiprocessing.get_context("fork").Pool(processes) as pool:
        for row, told, took in pool.imap(_copied, names):
            rows.append(row)
            wrong += told
            for depth, each in took.items():
                seconds[depth] += each
            shares = " ".join(f"{row.matched[each] / max(1, row.asked):.2f}" for each in row.matched)
            print(f"{row.name:24}{shares}", flush=True)
        for told in pool.imap(_stranger, unknown, chunksize=8):
            for method, each in told.items():
                false[method] += each
    return {
        "works": len(registered),
        "copies": copies,
        "fingerprints": dict(run.registry.index.counts),
        "bytes_a_work": run.registry.bytes_a_work,
        "register_cpu_s": run.registry.seconds_a_work,
        "megapixel": timed,
        "query_cpu_s": {depth: float(np.median(each)) for depth, each in seconds.items()},
        "wrong_works": wrong,
        "strangers": len(unknown),
        "strangers_matched": false,
        "rows": [vars(row) for row in rows],
    }


@dataclass
class _Run:
    registry: Registry
    originals: Sequence[Picture]
    others: Sequence[Picture]


_RUN: list[_Run] = []


def _copied(name: str) -> tuple[Row, list[str], dict[str, list[float]]]:
    run, kind = _RUN[-1], TRANSFORMATIONS[name]
    row = Row(name, kind.family)
    wrong: list[str] = []
    seconds: dict[str, list[float]] = {depth: [] for depth in DEPTHS}
    for number, (work, other) in enumerate(zip(run.originals, run.others, strict=True)):
        copy = make(kind, shown(work.path), shown(other.path), f"{number}{name}")
        _weigh(row, run.registry, number, copy.data, copy.box, wrong, seconds)
    return row, wrong, seconds


def _weigh(
    row: Row, registry: Registry, number: int, data: bytes, box: Box, wrong: list[str], seconds: dict[str, list[float]]
) -> None:
    with tempfile.NamedTemporaryFile() as file:
        file.write(data)
        file.flush()
        by_depth, took = registry.found(Path(file.name))
    row.asked += 1
    for depth, found in by_depth.items():
        seconds[depth].append(took[depth])
        mine = [match for match in found if match.work == number]
        sure = [match for match in mine if match.strength is Strength.MATCH]
        row.matched[depth] += bool(sure)
        row.likely[depth] += bool(mine) and not sure
        wrong += [
            f"{depth}: {row.name} of {registry.names[number]} -> {_told(registry, match)}"
            for match in found
            if match.work != number and match.strength is Strength.MATCH
        ]
        placed = [match.query_span for match in sure if match.query_span is not None]
        if depth == Depth.THOROUGH and placed:
            row.overlap.append(max(_overlap(span, box) for span in placed))
        if depth == Depth.THOROUGH and not sure:
            best = max((match.score or 0 for match in mine if match.score), default=0)
            row.missed.append(f"{registry.names[number]} ({best:g})")
    for peer, works in registry.peers(Image.open(io.BytesIO(data)).convert("RGB")).items():
        row.matched[peer] += number in works


def _stranger(one: Picture) -> dict[str, list[str]]:
    registry = _RUN[-1].registry
    name = f"{one.package}/{one.path.name}"
    by_depth, _ = registry.found(one.path)
    false = {
        depth: [f"{name} -> {_told(registry, match)}" for match in found if match.strength is Strength.MATCH]
        for depth, found in by_depth.items()
    }
    for peer, works in registry.peers(shown(one.path)).items():
        false[peer] = [f"{name} -> {registry.names[work]}" for work in works]
    return false


def _told(registry: Registry, match: Match) -> str:
    measured = match.distance if match.distance is not None else match.score
    return f"{registry.names[match.work]} ({match.algorithm} {measured}, {dict(match.evidence)})"


def _overlap(span: Sequence[float], box: Box) -> float:
    across = max(0.0, min(span[2], box[2]) - max(span[0], box[0]))
    down = max(0.0, min(span[3], box[3]) - max(span[1], box[1]))
    areas = [(each[2] - each[0]) * (each[3] - each[1]) for each in (span, box)]
    return across * down / max(1e-9, sum(areas) - across * down)
