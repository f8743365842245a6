"""Shows a result: tables on the terminal, a page for the documentation, and its bars as SVG."""

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from scipy import stats

from benchmarks.audio import model
from benchmarks.audio.measure import AUDFPRINT, PEERS

Result = Mapping[str, Any]
_CHOSEN = """\
How unseen this material is: nobody who chose a limit had heard any of these recordings, and no rule was changed after
they were asked. Limits were chosen on the halves `tuning`, `seen` and `reporting`, of which earlier pages were made;
300 of the 500 synthetic pieces, and the nine that are registered, were among what the last of them was chosen on. Some
recordings are what players make of tracker modules and MIDI files: their notes have the same samples wherever they are
played, as those of the synthetic instruments do, so pieces that share some are among the strangers.
Left out are recordings of which the product says at registration that more than a tenth can't be recognised, versions
of one another, and voices of a speaker that is mixed in. What is called wrong is compared by its waveforms.

What is called wrong below was looked at. Thoroughly it is 7 sounds of two pairs, which should have been left out as
versions: six are parts of one tracker module of a game, of which another module is registered, and one is a song that
another mix of its loops is taken for. The waveforms of the first pair correlate at 0.58 over 5 s, with the 12 other
modules of that game at 0.18 at most; those of the second at 0.49, with other songs of that game at 0.11 at most. Both
pairs repeat themselves, so they correlate some seconds away, too, and the rule by which the list tells the same
samples does not see them. Tracker modules repeat themselves: of the matches that begin elsewhere by more than 0.25 s,
163 of 172 lie at one of 14 distances that recur (38.4 s, 25.6 s, 12.8 s, …)."""
DEPTHS = ("thorough", "standard", "fast")
EQUALLY_FALSE = f"{AUDFPRINT}, as few wrong"
METHODS = (*DEPTHS, *PEERS, EQUALLY_FALSE)
_COLOURS = dict(
    zip(METHODS, ("#1b6e53", "#4ea98a", "#a7d8c6", "#b9772f", "#8a8f98", "#d9b8d4", "#8e4585"), strict=True)
)
_BAR, _GAP, _LEFT, _WIDE = 9, 10, 110, 420
_AUDFPRINT_VOTES = 5
_WHOLE_SECONDS, _WEAK = 5.0, 0.75
_GROUPS = ("core", "hard", "extreme", "ultra")


def show(found: Result) -> None:
    """Print the tables."""
    found = _with_as_few_wrong(found)
    print("\n".join(_body(found)))


def write(found: Result, path: Path, scales: Sequence[Result] = ()) -> None:
    """Write the page, and its picture beside it; with results of `benchmarks.audio.scale`, if there are any."""
    found = _with_as_few_wrong(found)
    bars = path.with_suffix(".svg")
    bars.write_text(_bars(found), encoding="utf-8")
    kinds = len({row["kind"] for row in found["rows"]})
    told = (
        f"{found['works']} excerpts of up to 75 s ({found['work_hours']} h) are registered; parts of {_copied(found)}"
        f" of them are asked, altered in {kinds} ways, and {_strangers(found):,} sounds that nobody registered: parts"
        f" of {found['other_recordings']} other recordings, many of the same games and voices, as they are and altered;"
        " other pieces that three synthetic instruments play, of which nine are registered beside the excerpts; and"
        " silence, hum, noise and drones. `match` alone counts as found."
        f" A row of one length holds {_copied(found)} parts and tells little; a group's holds enough to tell 90"
        " from 99 %, not 99 from 99.9. Times are of a machine that was busy with other things."
    )
    peers = (
        "Beside them, in the same run, of the same works and parts: Chromaprint's codes alone, searched and aligned by"
        " us, where what is only worth a look counts, too; `acoustid.compare_fingerprints` above 0.5, which is told"
        " which work to compare with; and audfprint at 70 landmarks a second with queries in four shifts, its strong"
        " setting: the right work first with more than 5 votes, its own limit, and with so many that it takes no"
        " more strangers for a work than `thorough` does."
    )
    head = [
        "# Parts of recordings that are found",
        "",
        told,
        "",
        _CHOSEN,
        "",
        peers,
        "",
        f"![By group and length]({bars.name})",
        "",
    ]
    scaled = ["", *model.table(scales)] if scales else []
    path.write_text("\n".join([*head, *_body(found), *scaled, *_sources(found)]) + "\n", encoding="utf-8")


def _strangers(found: Result) -> int:
    return sum(found["stranger_windows"].values())


def _copied(found: Result) -> int:
    return max(row["asked"] for row in found["rows"])


def _body(found: Result) -> Iterator[str]:
    lengths = sorted({row["seconds"] for row in found["rows"]})
    yield "| group | seconds | " + " | ".join(METHODS) + " |"
    yield "|---|---|" + "---|" * len(METHODS)
    for group in _GROUPS:
        for seconds in lengths:
            rows = [row for row in found["rows"] if row["row"] == group and row["seconds"] == seconds]
            if rows:
                yield f"| {group} | {seconds:g} | " + " | ".join(_share(rows, method) for method in METHODS) + " |"
    yield ""
    yield from _summed(found)
    yield from _beside_audfprint(found)
    yield from _places(found)
    yield ""
    yield from _wrong(found)
    yield ""
    yield from _costs(found)
    yield ""
    yield "| transformation | seconds | " + " | ".join(METHODS) + " |"
    yield "|---|---|" + "---|" * len(METHODS)
    by_kind: defaultdict[tuple[str, float], list[Mapping[str, Any]]] = defaultdict(list)
    for row in found["rows"]:
        by_kind[row["kind"], row["seconds"]].append(row)
    for (kind, seconds), rows in by_kind.items():
        yield f"| {kind} | {seconds:g} | " + " | ".join(_share(rows, method) for method in METHODS) + " |"


def _share(rows: Sequence[Mapping[str, Any]], method: str) -> str:
    right, asked = _counted(rows, method)
    if not asked:
        return "-"
    return f"{right}/{asked}" if asked < 30 else f"{right / asked:.1%} of {asked}"


def _counted(rows: Sequence[Mapping[str, Any]], method: str) -> tuple[int, int]:
    of_method = [row for row in rows if row["depth"] == method]
    return sum(row["found"] for row in of_method), sum(row["asked"] for row in of_method)


def _with_as_few_wrong(found: Result) -> Result:
    """Add what audfprint finds at the limit at which it takes as many strangers for a work as we do thoroughly."""
    limit = _equal_limit(found)
    added = [
        {**row, "depth": EQUALLY_FALSE, "found": sum(each > limit for each in row["votes"])}
        for row in found["rows"]
        if row["depth"] == AUDFPRINT
    ]
    return {**found, "rows": [*found["rows"], *added]}


def _equal_limit(found: Result) -> int:
    votes = sorted(found.get("stranger_votes", ()), reverse=True)
    named = int(found.get("strangers_named", 0))
    return max(_AUDFPRINT_VOTES, int(votes[named])) if named < len(votes) else _AUDFPRINT_VOTES


def _beside_audfprint(found: Result) -> Iterator[str]:
    votes = found.get("stranger_votes")
    if not votes:
        return
    ahead: list[str] = []
    even = 0
    behind: list[str] = []
    for kind in dict.fromkeys(row["kind"] for row in found["rows"]):
        rows = [row for row in found["rows"] if row["kind"] == kind]
        ours, theirs = _counted(rows, DEPTHS[0])[0], _counted(rows, EQUALLY_FALSE)[0]
        even += ours == theirs
        if ours != theirs:
            (ahead if ours > theirs else behind).append(kind)
    wrong = sum(each > _AUDFPRINT_VOTES for each in votes)
    kinds = len(ahead) + even + len(behind)
    names = f": {', '.join(behind)}" if behind else ""
    limit = _equal_limit(found)
    yield (
        f"Of {len(votes)} sounds that nobody registered, audfprint names a work for {wrong} at its"
        f" own limit, `thorough` for {found['strangers_named']}. With more than {limit} votes it names one for as few;"
        f" against this, `thorough` finds more in {len(ahead)} of {kinds} transformations, as many in {even}, fewer in"
        f" {len(behind)}{names}."
    )
    yield ""


def _wrong(found: Result) -> Iterator[str]:
    yield from _wrong_by_group(found)
    shared = [each for each in found["wrong"] if each["is_shared"]]
    others = [each for each in found["wrong"] if not each["is_shared"]]
    yield (
        f"Other works named, by {found['asked']} parts and windows at three depths: {len(found['wrong'])} times. In"
        f" {len(shared)} of them the waveforms agree there and not some seconds away: the same samples are in both. The"
        f" other {len(others)} are wrong."
    )
    yield ""
    for title, listed in (("wrong", others), ("the same samples", shared)):
        for each in listed:
            at, evidence = each["correlation"] or (None, None), each["evidence"]
            told = f"{each['depth']}, {evidence.get('bit_error')} bits over {evidence.get('window_seconds')} s"
            yield f"- {title}: {each['asked']}: {each['named']} ({told}, waveforms {at[0]}, else {at[1]})"


def _wrong_by_group(found: Result) -> Iterator[str]:
    """Say for how many sounds a wrong work is named thoroughly, and what share of such sounds that may be at most."""
    asked = {**found["stranger_windows"], "parts of registered works": found["asked"] - _strangers(found)}
    wrong: defaultdict[str, set[str]] = defaultdict(set)
    for each in found["wrong"]:
        if each["depth"] == DEPTHS[0] and not each["is_shared"]:
            wrong[each["group"]].add(each["asked"])
    counts = {name: len(wrong["copies" if name.startswith("parts") else name]) for name in asked}
    counts["all together"], asked["all together"] = sum(counts.values()), sum(asked.values())
    yield "| asked thoroughly | sounds | of these for which a wrong work is named | at most, with 95 of 100 |"
    yield "|---|---|---|---|"
    for name, number in asked.items():
        most = stats.beta.ppf(0.95, counts[name] + 1, number - counts[name]) if number > counts[name] else 1.0
        yield f"| {name} | {number:,} | {counts[name]} | {most:.2%} |"
    yield ""


def _summed(found: Result) -> Iterator[str]:
    """Say what groups come to from 5 s on, how sure that is, and what is found least."""
    rows = [row for row in found["rows"] if row["seconds"] >= _WHOLE_SECONDS]
    told, over_all = _groups(rows), _groups(found["rows"])
    counts = {
        kind: _counted([row for row in rows if row["kind"] == kind], DEPTHS[0])
        for kind in dict.fromkeys(row["kind"] for row in rows)
    }
    weak = [f"{kind} ({right}/{asked})" for kind, (right, asked) in counts.items() if right < _WEAK * asked]
    if told:
        yield (
            f"From 5 s on, thoroughly, with the interval in which 95 of 100 such samples lie: {', '.join(told)}."
            f" Of all lengths together: {', '.join(over_all)}."
        )
        yield ""
        yield f"Least is found of: {', '.join(weak) or 'nothing below three quarters'}."
        yield ""


def _groups(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Say what each group comes to, thoroughly, and how sure that is."""
    told = []
    for group in _GROUPS:
        right, asked = _counted([row for row in rows if row["row"] == group], DEPTHS[0])
        if asked:
            low, high = _interval(right, asked)
            told.append(f"{group} {right / asked:.1%} ({low:.1%} to {high:.1%})")
    return told


def _interval(right: int, asked: int) -> tuple[float, float]:
    """Give Wilson's interval for a share."""
    z = 1.96
    middle = (right + z * z / 2) / (asked + z * z)
    reach = z / (asked + z * z) * math.sqrt(right * (asked - right) / asked + z * z / 4)
    return max(0.0, middle - reach), min(1.0, middle + reach)


def _places(found: Result) -> Iterator[str]:
    rows = [row for row in found["rows"] if row["depth"] == "thorough"]
    starts = np.abs([each for row in rows for each in row["starts"]])
    ends = np.abs([each for row in rows for each in row["ends"]])
    if len(starts):
        yield (
            f"Of {len(starts)} matches, {np.mean(starts <= 0.25):.1%} lie within 0.25 s of where they are in the work"
            f" (median {np.median(starts):.3f} s), {sum(row['repeated'] for row in rows) / len(starts):.1%} where the"
            " work has nearly the same again (of the part, unaltered, at most 6 of 32 bits differ over four fifths"
            f" of it), and {np.mean(ends <= 1):.1%} end within 1 s of the part's end."
            f" {found['unidentifiable']} parts are said not to be identifiable; they count as not found."
        )


def _costs(found: Result) -> Iterator[str]:
    sizes = {name: size for name, size in found["bytes_a_minute"].items() if name != AUDFPRINT}
    speed = found["times_real_time"]
    yield "| cost | |"
    yield "|---|---|"
    yield f"| bytes a minute | {sum(sizes.values())} ({', '.join(f'{name} {size}' for name, size in sizes.items())}) |"
    yield f"| three prints of a work from WAV, times real time | {speed['work']} |"
    yield f"| from MP3 (128 kbit/s, stereo, 44.1 kHz) | {speed['work as MP3']} |"
    yield f"| those of a query that asks thoroughly | {speed['thorough query']} |"
    for depth, times in found["search_ms"].items():
        yield f"| search at {depth}, ms of CPU at the median and the 95th percentile | {times['p50']}, {times['p95']} |"


def _sources(found: Result) -> Iterator[str]:
    yield ""
    yield (
        f"Made by `./run bench audio run --half {found['half']} --works {found['works']} --copied {_copied(found)}"
        f" --strangers {_strangers(found)} --scale SCALE.json --page docs/accuracy/audio.md`, where"
        " `./run bench audio.scale` makes the results named by `--scale`. `./run bench audio collect` fetches the"
        " sources and plays modules and MIDI by openmpt123 and fluidsynth. Sources, with the licences that their"
        " packages name:"
    )
    yield ""
    for package, licence in found["licences"].items():
        yield f"- {package}: {licence}"


def _bars(found: Result) -> str:
    """Draw, for each group and length, a bar a method."""
    parts, top = [], _GAP
    for group in _GROUPS:
        of_group = [row for row in found["rows"] if row["row"] == group]
        for seconds in sorted({row["seconds"] for row in of_group}):
            rows = [row for row in of_group if row["seconds"] == seconds]
            parts.append(f'<text x="4" y="{top + 12}">{group}, {seconds:g} s</text>')
            for method in METHODS:
                right, asked = _counted(rows, method)
                if asked:
                    parts.append(_bar(method, right / asked, top))
                    top += _BAR
            top += _GAP
    for place, method in enumerate(METHODS):
        left, line = 4 + place % 4 * 145, top + place // 4 * 16
        parts.append(f'<rect x="{left}" y="{line}" width="9" height="9" fill="{_COLOURS[method]}"/>')
        parts.append(f'<text x="{left + 13}" y="{line + 9}">{method}</text>')
    size = f'width="{_LEFT + _WIDE + 60}" height="{top + 40}"'
    shown = '<rect width="100%" height="100%" fill="#fff"/>' + "".join(parts)
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="sans-serif" font-size="11">{shown}</svg>\n'


def _bar(method: str, share: float, top: int) -> str:
    end = _LEFT + share * _WIDE
    bar = f'<rect x="{_LEFT}" y="{top}" width="{share * _WIDE:.0f}" height="{_BAR - 1}" fill="{_COLOURS[method]}">'
    told = f'<text x="{end + 3:.0f}" y="{top + _BAR - 2}" font-size="8">{share:.0%}</text>'
    return f"{bar}<title>{method}: {share:.1%}</title></rect>{told}"
