"""Match quality on real files: how many copies are found, and how many strangers are taken for a work.

    python -m benchmarks.matching --pictures FOLDER… --songs FOLDER… --texts FOLDER… --output RESULT.json

The files are split into works, which are registered, and strangers, which are not. A stranger that shows a work all
the same (two scans of one picture) counts as a false match here: look at each one that is listed.
"""

import argparse
import json
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.matching.material import collect
from benchmarks.matching.transformations import TRANSFORMATIONS, Kind
from fingerprinting.errors import FingerprintingError
from fingerprinting.extract import extract
from fingerprinting.index.segment import Index
from fingerprinting.types import Fingerprint, Match, Modality, Role, Strength

_NOT_CONTENT = frozenset({"sha256", "pixels-sha256"})


@dataclass
class Row:
    """What became of all the copies made by one transformation (or of all strangers)."""

    name: str
    modality: Modality
    plain: bool = False
    asked: int = 0
    matched: int = 0
    likely: int = 0
    not_identifiable: int = 0
    wrong: list[str] = field(default_factory=list)
    wrong_likely: list[str] = field(default_factory=list)
    missed: list[str] = field(default_factory=list)


def main() -> None:
    arguments = _arguments()
    rows: list[Row] = []
    timings: dict[str, float] = {}
    sources = {
        Modality.IMAGE: arguments.pictures,
        Modality.AUDIO: arguments.songs,
        Modality.TEXT: arguments.texts,
    }
    material = {
        modality: collect(folders, modality, arguments.works, arguments.strangers, arguments.seed)
        for modality, folders in sources.items()
        if folders
    }
    started = time.process_time()
    registered = {path: _fingerprints(path, Role.WORK) for each in material.values() for path in each.works}
    works = [path for path, prints in registered.items() if prints is not None]
    index = Index.build((row, each) for row, path in enumerate(works) for each in registered[path] or ())
    timings["register_cpu_s"] = round(time.process_time() - started, 1)
    for modality, each in material.items():
        started = time.process_time()
        originals = [path for path in each.works if path in works][: arguments.copies]
        rows += _copies(index, works, originals, modality, arguments.only or tuple(TRANSFORMATIONS))
        rows.append(_strangers(index, works, each.strangers, modality))
        timings[f"ask_{modality}_cpu_s"] = round(time.process_time() - started, 1)
    _print(rows, len(works), index)
    if arguments.output is not None:
        arguments.output.write_text(json.dumps(_report(rows, works, index, timings), indent=1) + "\n")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("pictures", "songs", "texts"):
        parser.add_argument(f"--{name}", type=Path, nargs="*", default=[], metavar="FOLDER")
    parser.add_argument("--works", type=int, default=70, help="registered of each kind")
    parser.add_argument("--copies", type=int, default=50, help="works of each kind that are copied in every way")
    parser.add_argument("--strangers", type=int, default=60, help="not registered, of each kind")
    parser.add_argument("--only", nargs="*", metavar="NAME", choices=TRANSFORMATIONS, help="these kinds of copies")
    parser.add_argument("--seed", default="1", help="draws another split")
    parser.add_argument("--output", type=Path, help="write the result as JSON")
    return parser.parse_args()


def _copies(
    index: Index, works: Sequence[Path], originals: Sequence[Path], modality: Modality, names: Collection[str]
) -> Iterator[Row]:
    for name, kind in TRANSFORMATIONS.items():
        if kind.modality is modality and name in names:
            yield _copied(index, works, originals, name, kind)


def _copied(index: Index, works: Sequence[Path], originals: Sequence[Path], name: str, kind: Kind) -> Row:
    row = Row(name, kind.modality, kind.plain)
    with tempfile.TemporaryDirectory() as folder:
        for number, original in enumerate(originals):
            copy = kind.make(original, Path(folder) / f"copy-{number}")
            if copy is not None:
                _weigh(row, index, works, copy, original)
                copy.unlink()
    return row


def _strangers(index: Index, works: Sequence[Path], strangers: Sequence[Path], modality: Modality) -> Row:
    row = Row("strangers", modality)
    for path in strangers:
        _weigh(row, index, works, path, None)
    return row


def _weigh(row: Row, index: Index, works: Sequence[Path], asset: Path, original: Path | None) -> None:
    prints = _fingerprints(asset, Role.QUERY)
    row.asked += 1
    row.not_identifiable += not prints
    found = index.search([prints or ()])
    strengths = Counter[Strength]()
    for match in found:
        if works[match.work] == original:
            strengths[match.strength] += 1
        elif match.strength is Strength.LIKELY:
            row.wrong_likely.append(_told(asset, original, works, match))
        else:
            row.wrong.append(_told(asset, original, works, match))
    if strengths[Strength.MATCH] or strengths[Strength.EXACT]:
        row.matched += 1
    elif strengths[Strength.LIKELY]:
        row.likely += 1
    if original is not None and not strengths[Strength.MATCH]:
        row.missed.append(original.name)


def _told(asset: Path, original: Path | None, works: Sequence[Path], match: Match) -> str:
    shown = match.distance if match.distance is not None else match.score
    return f"{original or asset} -> {works[match.work]} ({match.algorithm} {shown}, {dict(match.evidence)})"


def _fingerprints(path: Path, role: Role) -> list[Fingerprint] | None:
    """All fingerprints that look at the content: equal bytes would prove nothing here. None if it can't be read."""
    try:
        prints = extract(path, role=role).fingerprints
    except FingerprintingError as error:
        print(f"{path}: {error}")
        return None
    return [each for each in prints if each.algorithm not in _NOT_CONTENT]


def _print(rows: Sequence[Row], works: int, index: Index) -> None:
    print(f"{works} works, {dict(index.counts)}")
    print(f"{'':8}{'':20}{'asked':>6}{'match':>7}{'likely':>7}{'found':>8}{'wrong':>7}{'(likely)':>9}{'flat':>6}")
    for row in rows:
        found = f"{row.matched / row.asked:.1%}" if row.asked and row.name != "strangers" else ""
        counts = f"{row.asked:>6}{row.matched:>7}{row.likely:>7}{found:>8}{len(row.wrong):>7}{len(row.wrong_likely):>9}"
        print(f"{row.modality:8}{row.name:20}{counts}{row.not_identifiable:>6}")
    for row in rows:
        for told in row.wrong:
            print(f"wrong: {row.name}: {told}")


def _report(rows: Sequence[Row], works: Sequence[Path], index: Index, timings: dict[str, float]) -> dict[str, Any]:
    totals: defaultdict[str, int] = defaultdict(int)
    for row in rows:
        if row.plain:
            totals["plain_asked"] += row.asked
            totals["plain_matched"] += row.matched
        if row.name == "strangers":
            totals["strangers_asked"] += row.asked
            totals["strangers_matched"] += len(row.wrong)
    return {
        "works": len(works),
        "fingerprints": dict(index.counts),
        "totals": totals,
        "timings": timings,
        "rows": [{**vars(row)} for row in rows],
    }


if __name__ == "__main__":
    main()
