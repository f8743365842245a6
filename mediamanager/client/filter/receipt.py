"""The end of a run: lists of what was set aside, a report for people, and a receipt that commits to all of it."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from mediamanager.client import files
from mediamanager.client.errors import OutputInUseError
from mediamanager.client.filter import report, said
from mediamanager.client.filter.choices import Action
from mediamanager.client.filter.journal import Entry, Journal, Parameters, require_same
from mediamanager.client.filter.summary import Summary
from mediamanager.client.formats.base import Format, Kept, KeptItem
from mediamanager.client.source import Identity
from mediamanager.client.verdicts import Verdict
from optout.consent.vocabulary import Preference
from optout.proof.batches import BatchItem, items_tree

RECEIPT: Final = "receipt.json"
EXCLUDED: Final = "excluded.jsonl"
REVIEW: Final = "review.jsonl"
VERDICTS: Final = "verdicts.jsonl"

_FORMAT: Final = "mediamanager-filter-receipt/1"


def finished(output: Path, parameters: Parameters) -> Summary | None:
    """Find out whether a run is finished; None when it is not, or was never begun.

    Raises:
        OutputInUseError: another run is finished there.
    """
    path = output / RECEIPT
    if not path.is_file():
        return None
    try:
        known = json.loads(path.read_bytes())
        require_same(known, parameters, output)
        counts = known["counts"]
        return Summary(
            output,
            Counter({Verdict(word): int(number) for word, number in counts["verdicts"].items()}),
            int(counts["kept"]),
            int(counts["excluded"]),
            int(counts["review"]),
            int(counts["unchecked"]),
            bool(known["degraded"]),
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise OutputInUseError(f"{path} is not a receipt of ours: choose another --output") from error


def require_same_input(output: Path, opened: Format) -> None:
    """Check that a finished run was of what the input holds now.

    Raises:
        OutputInUseError: it has changed since, so that what is kept was checked, and what is there now was not.
    """
    known = json.loads((output / RECEIPT).read_bytes()).get("inventory")
    if known != _inventory((item.name, item.stamp) for item in opened.items()):
        raise OutputInUseError(
            f"{opened.source} has changed since the run in {output} was finished: choose another --output"
        )


def _inventory(items: Iterable[tuple[str, str]]) -> str:
    """Name all items, and what changes when one of them does, by one hash."""
    digest = hashlib.sha256()
    for name, stamp in items:
        digest.update(json.dumps([name, stamp]).encode("ascii"))
    return digest.hexdigest()


def finish(output: Path, opened: Format, journal: Journal, sources: Sequence[Identity]) -> Summary:
    """Write everything from the journal; the receipt comes last, and its presence says that the run is complete.

    It can be interrupted anywhere and done again. The journal stays as long as something is unchecked.
    """
    _write_lines(output / EXCLUDED, (_line(one) for one in journal.entries() if one.action == Action.EXCLUDED))
    _write_lines(output / REVIEW, (_line(one) for one in journal.entries() if one.review))
    _write_lines(output / VERDICTS, map(_opening, journal.entries()))
    kept = opened.finish(_kept_items(journal), output)
    summary = replace(_summary(output, journal), notes=opened.notes)
    finished_at = datetime.now(UTC).isoformat(timespec="seconds")
    report.write(output, summary, journal.header, journal.entries(), finished_at)
    with files.replacing(output / RECEIPT) as file:
        body = _receipt(summary, kept, journal, sources, finished_at)
        file.write(json.dumps(body, indent=1).encode("ascii") + b"\n")
    if not summary.unchecked:
        journal.remove()
    return summary


def _receipt(
    summary: Summary, kept: Kept, journal: Journal, sources: Sequence[Identity], finished_at: str
) -> dict[str, object]:
    items = [item for entry in journal.entries() if (item := _item(entry)) is not None]
    return {
        "format": _FORMAT,
        "run": journal.header["run"],
        "started_at": journal.header["started_at"],
        "finished_at": finished_at,
        "parameters": journal.header["parameters"],
        # Who was asked, to the last bit, and what each said: `sources` of a line of `verdicts.jsonl`, counted.
        "sources": [
            {**source, "verdicts": counts}
            for source, counts in zip(sources, said.count(journal.entries(), len(sources)), strict=True)
        ],
        "counts": {
            "items": summary.kept + summary.excluded,
            "verdicts": {verdict: summary.verdicts[verdict] for verdict in Verdict},
            "kept": summary.kept,
            "excluded": summary.excluded,
            "review": summary.review,
            "unchecked": summary.unchecked,
        },
        "degraded": summary.degraded,
        "left_out": list(summary.notes),
        "inventory": _inventory((entry.name, entry.stamp) for entry in journal.entries()),
        "kept": {"manifest": kept.manifest, "sha256": kept.sha256},
        # What has a verdict, in order; `verdicts.jsonl` opens each leaf. What was unchecked has none.
        "verdicts": {"items": len(items), "items_root": items_tree(items).root().hex()},
    }


def _item(entry: Entry) -> BatchItem | None:
    if entry.asset_key is None or entry.line["verdict"] == Verdict.UNCHECKED:
        return None
    verdict = Preference(str(entry.line["verdict"]))
    return BatchItem(bytes.fromhex(entry.asset_key), verdict, bytes.fromhex(entry.salt))


def _opening(entry: Entry) -> dict[str, object]:
    return {
        "item": entry.name,
        "verdict": entry.line["verdict"],
        "action": entry.action,
        "asset_key": entry.asset_key,
        "salt": entry.salt if _item(entry) is not None else None,
        "sources": said.words(entry),
    }


def _line(entry: Entry) -> dict[str, object]:
    return {"item": entry.name, **entry.line}


def _kept_items(journal: Journal) -> Iterator[KeptItem]:
    for entry in journal.entries():
        if entry.action == Action.KEPT:
            is_unchecked = entry.line["verdict"] == Verdict.UNCHECKED
            yield KeptItem(entry.name, entry.sha256, unchecked=is_unchecked, stamp=entry.stamp)


def _summary(output: Path, journal: Journal) -> Summary:
    verdicts: Counter[Verdict] = Counter()
    actions: Counter[str] = Counter()
    review = unchecked = 0
    degraded = False
    for entry in journal.entries():
        verdict = Verdict(str(entry.line["verdict"]))
        verdicts[verdict] += 1
        actions[entry.action] += 1
        review += entry.review
        unchecked += entry.is_unchecked
        degraded = degraded or (entry.is_unchecked and entry.action == Action.KEPT)
    return Summary(output, verdicts, actions[Action.KEPT], actions[Action.EXCLUDED], review, unchecked, degraded)


def _write_lines(path: Path, lines: Iterable[dict[str, object]]) -> None:
    with files.replacing(path) as file:
        for line in lines:
            file.write(json.dumps(line, separators=(",", ":")).encode("ascii") + b"\n")
