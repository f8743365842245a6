"""How well clips of films are found: `python -m benchmarks.video --folder DIR [--footage DIR] [--clips N]`.

Clips are kept in the folder, too, so that only the first run makes them.
"""

import argparse
import json
import time
from collections import defaultdict
from collections.abc import Iterator
from itertools import chain
from math import comb
from pathlib import Path

from PIL import Image

from benchmarks.video import material, transformations
from benchmarks.video.transformations import KINDS, RATE, Kind
from fingerprinting.errors import FingerprintingError
from fingerprinting.extract import extract
from fingerprinting.index.segment import Index
from fingerprinting.types import Depth, Match, Role, Span, Strength

Part = tuple[Path, float, float]

STRANGERS = (
    *("re-encoded", "half the size", "bars", "subtitles", "logo", "mirrored"),
    *("cropped to 75 %", "upright, blurred sides"),
)
"""How clips of what is not registered are changed."""


def main() -> None:
    """Register, ask, print a line a kind and the sums."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, required=True, help="where the material is kept")
    parser.add_argument("--footage", type=Path, help="films of your own instead of the packages'")
    parser.add_argument("--clips", type=int, default=4, help="of how many works clips are taken, a kind")
    parser.add_argument("--depth", type=Depth, default=Depth.THOROUGH)
    arguments = parser.parse_args()
    films = material.fetch(arguments.folder) if arguments.footage is None else sorted(arguments.footage.iterdir())
    registered, strangers = material.halves(films)
    clips: Path = arguments.folder / "clips"
    clips.mkdir(parents=True, exist_ok=True)
    index, speed = _registered(registered, clips)
    print(f"{len(registered)} works, fingerprinted at {speed:.1f} x real time", flush=True)
    sums: defaultdict[str, list[tuple[bool, bool, bool]]] = defaultdict(list)
    for nth, (name, kind) in enumerate(KINDS.items()):
        asked = [
            _ask(index, registered, (nth + 3 * clip) % len(registered), kind, clips, arguments.depth)
            for clip in range(arguments.clips)
        ]
        sums[kind.row] += asked
        print(json.dumps({"kind": name, **_shares(asked)}), flush=True)
    for row, asked in sums.items():
        print(json.dumps({"row": row, "clips": len(asked), **_shares(asked)}), flush=True)
    asked_about, wrong = _strangers(index, strangers, clips, arguments.depth)
    most = _most_false(len(wrong), asked_about)
    named = {"strangers": asked_about, "named": len(wrong), "upper_bound_95": round(most, 3), "which": wrong}
    print(json.dumps(named), flush=True)


def _shares(asked: list[tuple[bool, bool, bool]]) -> dict[str, float]:
    names = ("found", "span_within_1_s", "wrong_named")
    return {name: round(sum(each) / len(asked), 3) for name, each in zip(names, zip(*asked, strict=True), strict=True)}


def _registered(works: list[Part], clips: Path) -> tuple[Index, float]:
    entries, spent, seconds = [], 0.0, 0.0
    for row, (path, start, end) in enumerate(works):
        part = path
        if start > 0 or end < material.length(path) - 1:
            part = clips / f"work-{row}.mp4"
            _written(part, material.frames(path, start, end, RATE), Kind("", lambda frame: frame, crf=20))
        began = time.process_time()
        entries += [(row, one) for one in extract(part).fingerprints if one.algorithm.startswith("video")]
        spent += time.process_time() - began
        seconds += end - start
    return Index.build(entries), seconds / spent


def _strangers(index: Index, parts: list[Part], clips: Path, depth: Depth) -> tuple[int, list[str]]:
    """Ask about clips of what is not registered, changed as copies are: how many, and those that were named."""
    asked, wrong = 0, []
    for nth, (path, low, high) in enumerate(parts):
        for start, end in _windows(low, high):
            for name in STRANGERS:
                clip = clips / f"stranger-{nth}-{start:.1f}-{_file_name(name)}.mp4"
                frames = map(KINDS[name].change, material.frames(path, start, end, RATE))
                _written(clip, frames, KINDS[name])
                asked += 1
                wrong += [f"{path.name}, {start:.0f} s, {name}, as {match}" for match in _found(index, clip, depth)]
    return asked, wrong


def _windows(low: float, high: float) -> Iterator[tuple[float, float]]:
    """Give clips of a part: the first 10 s, then 4 s each."""
    yield low, min(high, low + 10)
    start = low + 10
    while start + 4 <= high + 0.01:
        yield start, start + 4
        start += 4


def _most_false(named: int, asked: int) -> float:
    """Give the share of strangers named, at most, with 95 % confidence (Clopper and Pearson's upper bound)."""
    low, high = named / asked, 1.0
    for _ in range(50):
        middle = (low + high) / 2
        fewer = sum(comb(asked, k) * middle**k * (1 - middle) ** (asked - k) for k in range(named + 1))
        low, high = (middle, high) if fewer > 0.05 else (low, middle)
    return high


def _written(clip: Path, frames: Iterator[Image.Image], kind: Kind) -> None:
    if not clip.exists():
        part = clip.with_stem("part")
        transformations.write(part, frames, kind)
        part.replace(clip)


def _file_name(kind: str) -> str:
    return "".join(letter if letter.isalnum() else "-" for letter in kind)


def _ask(index: Index, works: list[Part], row: int, kind: Kind, clips: Path, depth: Depth) -> tuple[bool, bool, bool]:
    path, low, high = works[row]
    seconds = min(kind.seconds, high - low)
    start = low + (high - low - seconds) * 0.5
    shown = material.frames(path, start, start + seconds, RATE, kind.speed)
    lead = 0.0
    changed: Iterator[Image.Image] = map(kind.change, shown)
    if kind.within:
        lead = (kind.within - seconds) / 2
        size = next(material.frames(path, low, low + 1, 1)).size
        changed = chain(_other(lead, size, 1), changed, _other(lead, size, 2))
    name = next(name for name, each in KINDS.items() if each is kind)
    clip = clips / f"{row}-{_file_name(name)}{kind.ending}"
    _written(clip, changed, kind)
    found = _found(index, clip, depth)
    of_work = [match for match in found if match.work == row]
    end = start if kind.ending == ".jpg" else start + seconds
    is_exact = any(
        _near(match.work_span, (start - low, end - low))
        and (kind.ending == ".jpg" or _near(match.query_span, (lead, lead + seconds / kind.speed)))
        for match in of_work[:1]
    )
    return bool(of_work), is_exact, len(of_work) < len(found)


def _other(seconds: float, size: tuple[int, int], seed: int) -> Iterator[Image.Image]:
    """Give frames of something else: a picture that moves past."""
    page = transformations.KINDS["inset, half"].change(Image.new("RGB", (64, 36), (90 * seed, 120, 60)))
    for nth in range(round(seconds * RATE)):
        left = (nth * seed) % 200
        yield page.resize(size, box=(left, 20, left + 400, 320))


def _near(span: Span | None, truth: tuple[float, float]) -> bool:
    if span is None or len(span) != len(truth):
        return False
    if truth[0] == truth[1]:  # a still: anywhere within a second
        return span[0] - 1 <= truth[0] <= span[1] + 1
    return max(abs(ours - theirs) for ours, theirs in zip(span, truth, strict=True)) <= 1


def _found(index: Index, clip: Path, depth: Depth) -> list[Match]:
    try:
        prints = extract(clip, role=Role.QUERY, depth=depth).fingerprints
    except FingerprintingError:
        return []
    found = index.search([prints], depth=depth)
    best: dict[int, Match] = {}
    for match in found:
        if match.strength is not Strength.LIKELY:
            best.setdefault(match.work, match)
    return list(best.values())


if __name__ == "__main__":
    main()
