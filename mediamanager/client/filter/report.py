"""The report of a run: counts for programs (`report.json`), and a page for people (`report.md`)."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from mediamanager.client import files
from mediamanager.client.filter import said
from mediamanager.client.filter.journal import Entry, Parameters
from mediamanager.client.filter.summary import Summary
from mediamanager.client.verdicts import Verdict
from optout.consent.reasons import Code

JSON: Final = "report.json"
MARKDOWN: Final = "report.md"

_SHOWN = 20
# Steps that lead to a work, and not to the verdict about it.
_ON_THE_WAY = {Code.WORK_FOUND, Code.NO_MATCH_FOUND}


def write(output: Path, summary: Summary, header: Parameters, entries: Iterable[Entry], finished_at: str) -> None:
    """Write both files from one pass over the entries."""
    reasons: Counter[str] = Counter()
    works: Counter[str] = Counter()
    excluded: list[Entry] = []
    asked = _asked(header)
    sources = said.Counted(len(asked))
    for entry in entries:
        sources.add(entry)
        if entry.action != "excluded":
            continue
        reasons[_reason(entry)] += 1
        works.update(_works(entry))
        if len(excluded) < _SHOWN:
            excluded.append(entry)
    facts = {
        "run": header["run"],
        "started_at": header["started_at"],
        "finished_at": finished_at,
        "parameters": header["parameters"],
        "items": summary.kept + summary.excluded,
        "kept": summary.kept,
        "excluded": summary.excluded,
        "review": summary.review,
        "unchecked": summary.unchecked,
        "degraded": summary.degraded,
        "verdicts": {str(verdict): count for verdict, count in sorted(summary.verdicts.items())},
        "excluded_because": dict(reasons.most_common()),
        "sources": [{**one, "verdicts": counts} for one, counts in zip(asked, sources.counts(), strict=True)],
        "works_found": len(works),
        "most_found_works": dict(works.most_common(_SHOWN)),
    }
    with files.replacing(output / JSON) as file:
        file.write(json.dumps(facts, indent=1).encode("ascii") + b"\n")
    with files.replacing(output / MARKDOWN) as file:
        page = _page(summary, facts, reasons, excluded)
        file.write(page.encode("utf-8", "backslashreplace"))


def _page(summary: Summary, facts: dict[str, object], reasons: Counter[str], excluded: list[Entry]) -> str:
    lines = [
        "# What was filtered",
        "",
        (
            f"{facts['items']} items: **{summary.kept} kept**, **{summary.excluded} excluded**, "
            f"{summary.review} kept for a person to look at, {summary.unchecked} that could not be checked."
        ),
        "",
    ]
    if summary.degraded:
        lines += ["This run is **degraded**: something was kept although it could not be checked.", ""]
    lines += [
        "`unknown` says that no reservation was found. It is not a permission.",
        "",
        "| verdict | items |",
        "|---|---|",
        *(f"| {verdict} | {count} |" for verdict, count in sorted(summary.verdicts.items())),
        "",
    ]
    lines += _sources(facts)
    if reasons:
        lines += ["| excluded because | items |", "|---|---|"]
        lines += [f"| `{code}` | {count} |" for code, count in reasons.most_common()]
        lines += ["", f"The first {len(excluded)} of what is excluded (all of it: `excluded.jsonl`):", ""]
        lines += [f"- {_quoted(entry.name)}: {_sentence(entry)}" for entry in excluded]
        lines += [""]
    lines += [
        f"Run {facts['run']}, {facts['started_at']} to {facts['finished_at']}. What it was asked, and what it commits",
        "to, is in `receipt.json`.",
        "",
    ]
    return "\n".join(lines)


def _asked(header: Parameters) -> list[dict[str, object]]:
    """Who was asked, as the run's parameters name them: kind, name, digest."""
    parameters = header["parameters"]
    found = parameters["sources"] if isinstance(parameters, dict) else []
    return [dict(one) for one in found]


def _sources(facts: Mapping[str, object]) -> list[str]:
    """A table of what each source said, where there is more than one."""
    sources = facts["sources"]
    if not isinstance(sources, list) or len(sources) < len(("one", "another")):
        return []
    lines = [
        "| asked | digest | " + " | ".join(Verdict) + " |",
        "|---|---|" + "---|" * len(Verdict),
    ]
    for one in sources:
        counts = " | ".join(str(one["verdicts"][verdict]) for verdict in Verdict)
        lines.append(f"| {_quoted(str(one['name']))} | {str(one.get('digest') or '')[:16]} | {counts} |")
    return [*lines, "", "Of several answers about an item the most restrictive counts.", ""]


def _reason(entry: Entry) -> str:
    return next((step["code"] for step in _steps(entry) if step["code"] not in _ON_THE_WAY), Code.NOT_CHECKED)


def _sentence(entry: Entry) -> str:
    return _quoted(" ".join(step["sentence"] for step in _steps(entry)[:2]))


def _steps(entry: Entry) -> list[dict[str, str]]:
    steps = entry.line["reasons"]
    return steps if isinstance(steps, list) else []


def _works(entry: Entry) -> set[str]:
    matches = entry.line["matches"]
    return {match["work"] for match in matches} if isinstance(matches, list) else set()


def _quoted(text: str) -> str:
    """Keep a name from being taken for Markdown, or for more than one line."""
    plain = "".join(one if one.isprintable() else " " for one in text)
    return "".join(f"\\{one}" if one in "\\`*_{}[]<>#|" else one for one in plain)
