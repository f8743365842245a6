"""Shows a result: a table on the terminal, a page for the documentation, and its bars as SVG."""
# ruff: noqa: ISC004

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from math import comb
from pathlib import Path
from statistics import mean
from typing import Any

from benchmarks.image import speed
from benchmarks.image.measure import DEPTHS, PDQ_BITS, PEERS, PHASH_BITS
from fingerprinting import thresholds as limits

METHODS = (*reversed(DEPTHS), *PEERS)
_COLOURS = {"thorough": "#1b6e53", "standard": "#4ea98a", "fast": "#a7d8c6", PEERS[0]: "#b9772f", PEERS[1]: "#8a8f98"}
_CHANCE = 0.05
_BAR, _GAP, _LEFT, _WIDE = 9, 10, 170, 420


def recall(rows: Sequence[Mapping[str, Any]], method: str) -> float:
    """The mean over kinds of copies, each of the same weight."""
    return mean(row["matched"][method] / max(1, row["asked"]) for row in rows)


def families(found: Mapping[str, Any]) -> dict[str, list[Mapping[str, Any]]]:
    by_family: defaultdict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for row in found["rows"]:
        by_family[row["family"]].append(row)
    return dict(by_family)


def show(found: Mapping[str, Any]) -> None:
    print(f"{found['works']} works, {found['copies']} of them copied, {found['strangers']} strangers")
    for family, rows in families(found).items():
        print(f"{family:24}" + "".join(f"{method} {recall(rows, method):.2f}  " for method in METHODS))
    print(f"{'all':24}" + "".join(f"{method} {recall(found['rows'], method):.3f}  " for method in METHODS))
    overlaps = [each for row in found["rows"] for each in row["overlap"]]
    if overlaps:
        print(f"box: mean overlap {mean(overlaps):.3f}, above 0.5 in {mean(each > 0.5 for each in overlaps):.1%}")
    print(
        "a second on this core: " + ", ".join(f"{depth} {1 / each:.1f}" for depth, each in found["query_cpu_s"].items())
    )
    print(f"registering: {1 / found['register_cpu_s']:.1f} a second, {found['bytes_a_work']:.0f} bytes a work")
    for told in found["wrong_works"]:
        print(f"wrong work: {told}")
    for method, false in found["strangers_matched"].items():
        print(f"strangers taken for a work by {method}: {len(false)}")
        if method not in PEERS:
            for told in false:
                print(f"  {told}")


def write(found: Mapping[str, Any], path: Path) -> None:
    """Write the page, and its picture beside it."""
    by_family = families(found)
    bars = path.with_suffix(".svg")
    bars.write_text(_bars(by_family, found["rows"]), encoding="utf-8")
    overlaps = [each for row in found["rows"] for each in row["overlap"]]
    pairs = found["strangers"] * found["works"] / 1e6
    lines = [
        "# Copies of pictures that are found",
        "",
        f"{found['copies']} of {found['works']} registered pictures, each copied in {len(found['rows'])} ways:"
        f" rows of few copies, so trust the means. {found['strangers']} pictures that are not registered"
        f" ({pairs:.2f} million pairs), most of the same programs, games and series as the works. Taken from Debian"
        " packages of which none was used to choose a rotation, a list or a limit; portraits in one frame among earlier"
        " strangers led to the rules on parts and on the middle, whose limits are of other pictures. `match` alone"
        " counts as found. Beside them, in the same run: ImageHash's pHash within"
        f" {PHASH_BITS} bits, and PDQ within {PDQ_BITS}, the limit that its authors recommend.",
        "",
        f"![Copies found, by family of changes]({bars.name})",
        "",
        "| changes | kinds | " + " | ".join(METHODS) + " |",
        "|---|---|" + "---|" * len(METHODS),
        *(_line(family, rows) for family, rows in by_family.items()),
        _line("**all, each kind of the same weight**", found["rows"]),
        "",
        "| | " + " | ".join(METHODS) + " |",
        "|---|" + "---|" * len(METHODS),
        f"| strangers taken for a work, of {found['strangers']} | "
        + " | ".join(str(len({told.split(" -> ")[0] for told in found["strangers_matched"][each]})) for each in METHODS)
        + " |",
        "| copies a second and core | "
        + " | ".join(f"{1 / found['query_cpu_s'][each]:.0f}" if each in DEPTHS else "" for each in METHODS)
        + " |",
        "",
        f"The box that thorough gives overlaps the true one by {mean(overlaps or [0.0]):.2f} of their union on average."
        f" A work takes {found['bytes_a_work'] / 1000:.1f} kB of fingerprints.",
        "",
        *_others(found),
        *_speed(found),
        "## Strangers that were called a match, by thorough",
        "",
        *dict.fromkeys(f"- {told.partition(' (')[0]}" for told in found["strangers_matched"]["thorough"]),
        "",
        "Figures of one photograph, one picture in two programs, wallpapers in two shapes and screens with one picture"
        " in them are true finds: what they name is shown in them. Windows, maps and portraits that share a frame or a"
        " ground, and not what is in it, are wrong.",
        "",
        *_looked_at(found),
        *([found["note"], ""] if "note" in found else []),
        f"So a match must have the same grey throughout (correlation {limits.FEATURE_SAME_CORRELATION} or more, in the"
        f" middle {limits.FEATURE_SAME_CORE} or more, and {limits.FEATURE_SAME_TILES:.0%} of the tiles or more) or,"
        " where much is drawn over it, the same grey in most tiles and inliers in most parts of the work:"
        f" {limits.FEATURE_MIN_PARTS} or more of each, and {limits.FEATURE_PARTS} in sum, or"
        f" {limits.FEATURE_PARTS_WITH_MIDDLE} where the middle of what is shown has nearly as many of its features"
        f" found as what surrounds it. Where the middle has less than {limits.FEATURE_RIM_MIDDLE} of them, both share"
        " a frame, and that is no match; nor is it where what is found stretches over less than"
        f" {limits.FEATURE_MIN_REACH:.0%} of what should be. A work under letters or a second picture needs"
        f" {limits.FEATURE_MANY_INLIERS} inliers more than another, all of them features that few works have, or"
        f" {limits.FEATURE_OVERLAID_INLIERS} more in {limits.FEATURE_OVERLAID_PARTS:.0%} of its parts where its grey"
        f" says nothing; {limits.FEATURE_DETAIL_STEP} less are enough where grey and edges are the same throughout"
        f" (correlations {limits.FEATURE_DETAIL_CORRELATION} and {limits.FEATURE_DETAIL}). What shares less is"
        " `likely`: shown for review, and never decides.",
        "",
        "## Kind by kind",
        "",
        "| copy | " + " | ".join(METHODS) + " | box |",
        "|---|" + "---|" * (len(METHODS) + 1),
        *(_kind(row) for row in found["rows"]),
        "",
        f"Made by `./run bench image run`; the figures themselves are in [{path.stem}.json]({path.stem}.json).",
    ]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _others(found: Mapping[str, Any]) -> Iterator[str]:
    """Tell how often a copy was said to show another work than the one that it was made of."""
    wrong = found["wrong_works"]
    asked = sum(row["asked"] for row in found["rows"])
    pairs = dict.fromkeys(told.partition(" of ")[2].partition(" (")[0] for told in wrong)
    yield (
        f"{len(wrong)} of {asked} copies at three depths are said to show another registered work, too"
        + (":" if pairs else ".")
    )
    yield ""
    yield from (f"- {pair}" for pair in pairs)
    yield from ([""] if pairs else [])


def _looked_at(found: Mapping[str, Any]) -> Iterator[str]:
    """Tell what who looked at each of them found, and what that says of all strangers."""
    wrong = found.get("wrong_by_eye")
    if wrong is None:
        return
    named = len({told.split(" -> ")[0] for told in found["strangers_matched"]["thorough"]})
    count = len({told.split(" -> ")[0] for told in wrong})
    yield (
        f"Looked at one by one, {named - count} of the {named} that are named show what they are said to show, and"
        f" {count} of {found['strangers']} strangers are taken for what they are not: with 95 % confidence no more than"
        f" {_most(count, found['strangers']):.2%} of strangers like these."
    )
    yield ""
    if wrong:
        yield from (f"- wrong: {told}" for told in wrong)
        yield ""


def _most(wrong: int, asked: int) -> float:
    """Give the share that would show no more than so many wrong ones in one of twenty runs (Clopper and Pearson)."""
    low, high = 0.0, 1.0
    for _ in range(60):
        share = (low + high) / 2
        chance = sum(comb(asked, each) * share**each * (1 - share) ** (asked - each) for each in range(wrong + 1))
        low, high = (share, high) if chance > _CHANCE else (low, share)
    return high


def _speed(found: Mapping[str, Any]) -> Iterator[str]:
    """Tell how long a picture of a megapixel takes, beside what ImageHash takes in the same run."""
    told = found.get("megapixel")
    if told is None:
        return
    times = told["cpu_ms"]
    peer = times[speed.PEER]
    yield (
        f"{told['pictures']} JPEG pictures of one megapixel, CPU time of one core at the median, beside what"
        f" `{speed.PEER}` takes of the same file, {peer:.1f} ms here. The machine was busy with other things (load"
        f" {told['load']}), so trust the ratios:"
    )
    yield ""
    yield "| depth | fingerprinted | and searched for | pictures a second | as fast as ImageHash |"
    yield "|---|---|---|---|---|"
    for depth in METHODS[:3]:
        alone, whole = times[f"{depth} fingerprints"], times[depth]
        yield f"| {depth} | {alone:.1f} ms | {whole:.1f} ms | {1000 / whole:.0f} | {peer / whole:.2f} times |"
    yield ""


def _line(name: str, rows: Sequence[Mapping[str, Any]]) -> str:
    return f"| {name} | {len(rows)} | " + " | ".join(f"{recall(rows, method):.2f}" for method in METHODS) + " |"


def _kind(row: Mapping[str, Any]) -> str:
    figures = " | ".join(f"{row['matched'][method] / max(1, row['asked']):.2f}" for method in METHODS)
    box = f"{mean(row['overlap']):.2f}" if row["overlap"] else ""
    return f"| {row['name']} | {figures} | {box} |"


def _bars(by_family: Mapping[str, Sequence[Mapping[str, Any]]], rows: Sequence[Mapping[str, Any]]) -> str:
    groups = {**by_family, "all": rows}
    high = len(groups) * (len(METHODS) * _BAR + _GAP) + 40
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_LEFT + _WIDE + 60} {high}" font-family="sans-serif"'
        ' font-size="11"><rect width="100%" height="100%" fill="white"/>'
    ]
    for at, method in enumerate(METHODS):
        x = 10 + at * 125
        parts.append(f'<rect x="{x}" y="8" width="10" height="10" fill="{_COLOURS[method]}"/>')
        parts.append(f'<text x="{x + 14}" y="17">{escape(method)}</text>')
    y = 30
    for family, members in groups.items():
        parts.append(f'<text x="{_LEFT - 6}" y="{y + 26}" text-anchor="end">{escape(family)}</text>')
        for method in METHODS:
            share = recall(members, method)
            parts.append(
                f'<rect x="{_LEFT}" y="{y}" width="{share * _WIDE:.1f}" height="{_BAR - 1}" fill="{_COLOURS[method]}"/>'
                f'<text x="{_LEFT + share * _WIDE + 4:.1f}" y="{y + 8}" font-size="8">{share:.2f}</text>'
            )
            y += _BAR
        y += _GAP
    return "".join([*parts, "</svg>\n"])
