"""Shows a result of the benchmark of texts: tables on the terminal, and a page for the documentation."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

Result = Mapping[str, Any]


def write(found: Result, path: Path, scaled: Result | None = None) -> None:
    """Write the page; with the result of `benchmarks.text.scale`, if there is one."""
    told = (
        f"{found['works']} texts of ten minutes in {len(found['languages'])} languages are registered as captions"
        f" ({', '.join(found['packages'])}: the half that chose no limit). Asked are excerpts of 30, 60 and 120 s, each"
        " between 300 words (or characters) before and behind of a text that is not registered, with simulated errors"
        " of transcription: of the errors 55 % are other words, 25 % lost, 20 % added, all without capitals and stops."
        " `match` alone counts as found; every work has an owner of its own who is verified. Every cell is of"
        f" {found['excerpts']} excerpts, the line of all languages of {found['excerpts'] * len(found['languages'])}."
        " Those that are listed as wrong were looked at one by one: all are one page of a book in Portuguese, taken"
        " for the same page in Spanish, most of whose words are spelled nearly alike. They count as wrong all the same."
        " Four other pairs that were wrong here, of 10 to 20 s, led to the rule that a passage must take 20 s or be"
        " most of either text; what that costs was weighed on the other half, in which none is wrong."
        " A manual has more names than speech: of 0.42 content words a word, as"
        " speeches and podcasts have, an hour of English takes 18 KB (calculated)."
    )
    scale = [] if scaled is None else _scale(scaled)
    lines = ["# Passages of text that are found", "", told, "", *body(found), *scale, *_source()]
    path.write_text("\n".join(lines) + "\n", "utf-8")


def body(found: Result) -> Iterator[str]:
    """Give the lines of the tables."""
    rows = found["rows"]
    lengths, rates = (sorted({row[name] for row in rows}) for name in ("seconds", "rate"))
    cells = [(seconds, rate) for seconds in lengths for rate in rates]
    yield "| language | " + " | ".join(f"{seconds} s, {rate:.0%}" for seconds, rate in cells) + " | KB an hour |"
    yield "|---|" + "---|" * (len(cells) + 1)
    for language in found["languages"]:
        shown = " | ".join(_share(rows, language, cell) for cell in cells)
        yield f"| {language} | {shown} | {found['kilobytes_an_hour'][language]} |"
    yield "| all | " + " | ".join(_share(rows, None, cell) for cell in cells) + " | |"
    yield ""
    yield _places(rows)
    yield ""
    strangers, planted, speed = found["strangers"], found["advertisement"], found["speed"]
    yield (
        f"Wrong works: {len(strangers['wrong'])} in {strangers['asked']} texts that are not registered"
        f" ({strangers['pairs']:,} pairs; {strangers['likely']} more are likely), {len(found['wrong'])} in excerpts."
    )
    for each in [*strangers["wrong"], *found["wrong"]][:12]:
        languages = f"{each['language']} taken for {each['work_language']}"
        yield f"- {languages}, evidence {each['score']:g}: {each['text'][:140]}"
    yield ""
    yield (
        f"An advertisement of 30 s in 12 works and in {planted['asked']} other texts: {planted['wrong']} of these are"
        f" taken for a work, {planted['wrong_without_owners']} where nothing is known of owners."
    )
    yield ""
    one = found["shows"]
    yield (
        "Of shows whose episodes begin and end alike and read out two of twelve sponsors' texts each (30 to 60 s, a"
        f" word of ten changed each time), {one['registered']} episodes are registered. Of {one['asked']} others"
        f" {one['wrong']} are taken for one of those, {one['wrong_without_owners']} where nothing is known of owners."
    )
    begun = one["beginnings"]
    yield (
        "Of excerpts that begin with what begins all episodes of a show, and go on for a minute (a word of ten"
        f" misheard), {begun['found']} of {begun['asked']} are found."
    )
    yield ""
    for kind, told in (("unlike", "another manual"), ("like", "the same manual, much of it shared")):
        one = speed[kind]
        peer = f", {one['ratio']} times as many as datasketch signs ({one['datasketch']:,})" if "ratio" in one else ""
        yield f"Fingerprinting and looking up {told}: {one['words_a_second']:,} words a second of one core{peer}."


def _scale(found: Result) -> Iterator[str]:
    yield ""
    yield f"## Among {found['videos']:,} videos of ten minutes"
    yield ""
    yield (
        "Words are drawn, as unevenly as those of real texts are; every third video reads out one of"
        f" {found['sponsors']:,} sponsors' texts. Each question is a text of 1,000 words. The index takes"
        f" {found['bytes_on_disk'] / 1e9:.1f} GB on the disk, {found['bytes_a_video']:,} bytes a video, and"
        f" {found['build_us_a_shingle']} µs of the processor a shingle to build. Of videos of which a minute was asked,"
        f" a fifth of its words misheard, {found['found']} were found, and {found['wrong']} others named."
    )
    yield ""
    yield "| what a question holds | ms of the processor, median | 95th percentile | most |"
    yield "|---|---|---|---|"
    for kind, ms in found["ms"].items():
        yield f"| {kind} | {ms['p50']} | {ms['p95']} | {ms['p100']} |"
    yield ""
    yield (
        "What thousands of videos read out alike costs a fiftieth of a millisecond for each of them, because each is"
        f" named, to be weighed by whose it is. Made by `./run bench text.scale --videos {found['videos']}`."
    )


def _share(rows: Sequence[Mapping[str, Any]], language: str | None, cell: tuple[int, float]) -> str:
    some = [row for row in rows if (row["seconds"], row["rate"]) == cell and language in (None, row["language"])]
    asked, matched = sum(row["asked"] for row in some), sum(row["matched"] for row in some)
    return f"{matched / asked:.1%}" if language is None else f"{matched / asked:.0%}"


def _places(rows: Sequence[Mapping[str, Any]]) -> str:
    parts = []
    for rate in sorted({row["rate"] for row in rows}):
        errors = [each for row in rows if row["rate"] == rate for each in row["errors"]]
        parts.append(f"{rate:.0%}: {np.median(errors):.1f} s and {np.percentile(errors, 90):.1f} s")
    return (
        "The worse end of the place in the work is off by (median and 90th percentile, by rate of errors) "
        + "; ".join(parts)
        + "."
    )


def _source() -> list[str]:
    return [
        "",
        "Made by `./run bench text run --half reporting`, of Debian's packages of those names (GPL-2+, MPL-2).",
    ]
