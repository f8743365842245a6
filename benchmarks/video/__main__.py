"""How well clips of films are found: `python -m benchmarks.video --folder DIR [--clips N] [--depth DEPTH]`."""

import argparse
import json
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

from PIL import Image

from benchmarks.video import material, transformations
from benchmarks.video.transformations import KINDS, RATE, Kind
from fingerprinting.errors import FingerprintingError
from fingerprinting.extract import extract
from fingerprinting.index.segment import Index
from fingerprinting.types import Depth, Match, Role, Span, Strength

Part = tuple[Path, float, float]


def main() -> None:
    """Register, ask, print a line a kind and the sums."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, required=True, help="where the material is kept")
    parser.add_argument("--clips", type=int, default=4, help="of how many works clips are taken, a kind")
    parser.add_argument("--depth", type=Depth, default=Depth.THOROUGH)
    arguments = parser.parse_args()
    registered, strangers = material.halves(material.fetch(arguments.folder))
    with tempfile.TemporaryDirectory() as scratch:
        index, speed = _registered(registered, Path(scratch))
        print(f"{len(registered)} works, fingerprinted at {speed:.1f} x real time", flush=True)
        wrong = _strangers(index, strangers, Path(scratch), arguments.depth)
        print(f"strangers of the same films and game: {len(strangers)}, named: {len(wrong)} {wrong}", flush=True)
        sums: defaultdict[str, list[tuple[bool, bool, bool]]] = defaultdict(list)
        for nth, (name, kind) in enumerate(KINDS.items()):
            asked = [
                _ask(index, registered, (nth + 3 * clip) % len(registered), kind, Path(scratch), arguments.depth)
                for clip in range(arguments.clips)
            ]
            sums[kind.row] += asked
            print(json.dumps({"kind": name, **_shares(asked)}), flush=True)
        for row, asked in sums.items():
            print(json.dumps({"row": row, "clips": len(asked), **_shares(asked)}), flush=True)


def _shares(asked: list[tuple[bool, bool, bool]]) -> dict[str, float]:
    names = ("found", "span_within_1_s", "wrong_named")
    return {name: round(sum(each) / len(asked), 3) for name, each in zip(names, zip(*asked, strict=True), strict=True)}


def _registered(works: list[Part], scratch: Path) -> tuple[Index, float]:
    entries, spent, seconds = [], 0.0, 0.0
    for row, (path, start, end) in enumerate(works):
        part = path
        if start > 0 or end < material.length(path) - 1:
            part = scratch / f"work-{row}.mp4"
            transformations.write(part, material.frames(path, start, end, RATE), Kind("", lambda frame: frame, crf=20))
        began = time.process_time()
        entries += [(row, one) for one in extract(part).fingerprints if one.algorithm.startswith("video")]
        spent += time.process_time() - began
        seconds += end - start
    return Index.build(entries), seconds / spent


def _strangers(index: Index, parts: list[Part], scratch: Path, depth: Depth) -> list[str]:
    wrong = []
    for path, start, end in parts:
        clip = scratch / "stranger.mp4"
        frames = material.frames(path, start, min(end, start + 10), RATE)
        transformations.write(clip, frames, KINDS["re-encoded"])
        wrong += [f"{path.name} {start:.0f} s as {match}" for match in _found(index, clip, depth)]
    return wrong


def _ask(index: Index, works: list[Part], row: int, kind: Kind, scratch: Path, depth: Depth) -> tuple[bool, bool, bool]:
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
    clip = scratch / f"clip{kind.ending}"
    transformations.write(clip, changed, kind)
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
