"""One run: every item checked, kept or set aside, recorded as it goes, and finished in one step."""

import secrets
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import chain, islice
from pathlib import Path
from typing import TypeAlias
from uuid import uuid4

from mediamanager.client.checking import BATCH_ASSETS, check
from mediamanager.client.errors import OutputInUseError, UncheckedItemError
from mediamanager.client.filter import receipt
from mediamanager.client.filter.choices import Action, Choices, is_likely
from mediamanager.client.filter.journal import NAME as JOURNAL
from mediamanager.client.filter.journal import Entry, Journal, Parameters
from mediamanager.client.filter.summary import Summary
from mediamanager.client.formats.base import Format, Item
from mediamanager.client.formats.opening import open_input
from mediamanager.client.queries import Query
from mediamanager.client.questions import Question
from mediamanager.client.source import Source
from mediamanager.client.verdicts import Checked, Verdict
from optout.proof.batches import SALT_BYTES

Watch: TypeAlias = Callable[[Iterator[Checked], int | None], Iterator[Checked]]
"""Passes verdicts on as they come, and may count them; told how many there will be, if that is known."""


@dataclass(frozen=True, slots=True)
class Job:
    """What a run is asked to do.

    Attributes:
        source: a folder, a JSONL or CSV file, a file of Parquet, WebDataset or WARC, or a folder of these.
        output: a folder that is empty, does not exist, or holds this same run.
        fields: of rows and samples: the name that each field has there.
    """

    source: Path
    output: Path
    question: Question
    choices: Choices
    fields: Mapping[str, str]


def run(
    job: Job, sources: Sequence[Source], *, workers: int | None = None, watch: Watch = lambda verdicts, _: verdicts
) -> Summary:
    """Filter; go on where an interrupted run of the same job stopped; do nothing where it is finished.

    What could not be checked is checked again, also where the run was finished otherwise.

    Raises:
        InvalidInputError: an input that can't be filtered.
        OutputInUseError: `output` holds something else, or `source` has changed since the run began or was finished.
        UncheckedItemError: something could not be checked, and the choice was to stop then.
        RegistryRefusedError: a registry will answer nothing as it is asked.
    """
    opened = open_input(job.source, job.output, job.fields)
    parameters = _parameters(job, opened, sources)
    finished = receipt.finished(job.output, parameters)
    if finished is not None and not (finished.unchecked and (job.output / JOURNAL).is_file()):
        receipt.require_same_input(job.output, opened)
        note = "this run was finished before; to do it again, choose another --output"
        return replace(finished, notes=(note,), noun=opened.noun)
    _require_ours(job.output)
    job.output.mkdir(parents=True, exist_ok=True)
    fresh: Parameters = {"run": str(uuid4()), "started_at": datetime.now(UTC).isoformat(timespec="seconds")}
    with closing(Journal.open(job.output, parameters, fresh)) as journal:
        begun = _require_same_items(journal, opened)
        # Its presence would say that the run is complete.
        (job.output / receipt.RECEIPT).unlink(missing_ok=True)
        opened.reopen(job.output)
        _go_on(job, sources, opened, journal, begun, workers, watch)
        summary = receipt.finish(job.output, opened, journal, [source.identity() for source in sources])
    return replace(summary, notes=(*summary.notes, *begun.notes(opened.noun)), noun=opened.noun)


def _parameters(job: Job, opened: Format, sources: Sequence[Source]) -> Parameters:
    """Say what makes it the same run: all that could change a verdict or what follows from it."""
    return {
        "input": str(job.source.resolve()),
        "format": opened.kind,
        "fields": dict(job.fields),
        **job.question.as_json(),
        "choices": job.choices.as_json(),
        # A registry lives on between two halves of a run; a catalogue is the same to the last bit, or another.
        "sources": [
            {name: value for name, value in source.identity().items() if name in {"kind", "name", "digest", "grants"}}
            for source in sources
        ],
    }


def _require_ours(output: Path) -> None:
    if output.exists() and (not output.is_dir() or (any(output.iterdir()) and not (output / JOURNAL).is_file())):
        raise OutputInUseError(f"{output} is not empty: choose another --output")


@dataclass(frozen=True, slots=True)
class _Begun:
    """How far the run came before: how many items it took, and how many of those it could not check."""

    done: int
    unchecked: int

    def notes(self, noun: str) -> tuple[str, ...]:
        """Say what is done once more."""
        if not self.unchecked:
            return ()
        what = f"1 {noun} that was" if self.unchecked == 1 else f"{self.unchecked} {noun}s that were"
        return (f"{what} not checked before: tried again",)


def _require_same_items(journal: Journal, opened: Format) -> _Begun:
    """Check that what was done so far was done to this input; only what was unchecked may have been mended since."""
    items = opened.items()
    done = unchecked = 0
    for entry in journal.entries():
        item = next(items, None)
        if item is None or item.name != entry.name or not (entry.is_unchecked or item.stamp == entry.stamp):
            other = item.name if item is not None and item.name != entry.name else None
            what = entry.name if other is None else f"{other} where {entry.name} was"
            raise OutputInUseError(f"{opened.source} has changed since the run began ({what}): choose another --output")
        done += 1
        unchecked += entry.is_unchecked
    return _Begun(done, unchecked)


def _go_on(
    job: Job,
    sources: Sequence[Source],
    opened: Format,
    journal: Journal,
    begun: _Begun,
    workers: int | None,
    watch: Watch,
) -> None:
    waiting: deque[tuple[Item, bool]] = deque()

    def queries() -> Iterator[Query]:
        # Those that were taken before are read to their end only: more come while this is read.
        before = islice(zip(journal.entries(), opened.items(), strict=False), begun.done)
        again = ((item, True) for entry, item in before if entry.is_unchecked)
        new = ((item, False) for item in islice(opened.items(), begun.done, None))
        for item, is_again in chain(again, new):
            waiting.append((item, is_again))
            yield item.query

    total = None if opened.count is None else opened.count - begun.done + begun.unchecked
    verdicts = check(sources, queries(), job.question, workers=workers)
    with closing(verdicts):
        for number, checked in enumerate(watch(verdicts, total), 1):
            item, is_again = waiting.popleft()
            journal.append(replace(_settle(item, checked, opened, job), again=is_again))
            if number % BATCH_ASSETS == 0:
                journal.flush()
    journal.flush()


def _settle(item: Item, checked: Checked, opened: Format, job: Job) -> Entry:
    """Do with one item what its verdict and the choices demand."""
    action = job.choices.action(checked)
    if action is Action.KEPT:
        try:
            opened.keep(item, job.output)
        except OSError as error:
            checked = Checked.unchecked(checked.path, job.question.use, f"it could not be kept: {error}.")
            action = job.choices.action(checked)
            action = Action.EXCLUDED if action is Action.KEPT else action
    if action is Action.EXCLUDED:
        opened.drop(item, job.output)
    if action is Action.STOP:
        raise UncheckedItemError(
            f"{item.name} could not be checked: {checked.error} Stopped, as --on-error raise asks; "
            f"the same command goes on from here"
        )
    return Entry(
        name=item.name,
        stamp=item.stamp,
        action=action,
        review=action is Action.KEPT and (is_likely(checked) or checked.verdict is Verdict.UNCHECKED),
        sha256=checked.sha256,
        asset_key=checked.asset_key,
        salt=secrets.token_hex(SALT_BYTES),
        line=checked.as_json(),
    )
