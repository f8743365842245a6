"""`mediamanager filter`: keep what may be used, set the rest aside with reasons."""

import json
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from fingerprinting.types import Depth
from mediamanager.cli import asking
from mediamanager.cli.asking import (
    AtOption,
    CatalogueOption,
    DepthOption,
    FieldOption,
    GrantsKeyOption,
    GrantsOption,
    KeyOption,
    KnownAtOption,
    MinEvidenceOption,
    RegistryOption,
    UseOption,
    WorkersOption,
)
from mediamanager.cli.tables import printable, summary
from mediamanager.client.filter import report
from mediamanager.client.filter.choices import Choice, Choices, ErrorChoice
from mediamanager.client.filter.receipt import EXCLUDED, RECEIPT, REVIEW
from mediamanager.client.filter.run import Job, run
from mediamanager.client.filter.summary import Summary
from mediamanager.client.formats.row import parse_fields
from mediamanager.client.questions import Question, moment
from mediamanager.client.verdicts import Checked
from optout.consent.vocabulary import EvidenceLevel, Use


def filter_input(
    source: Annotated[
        Path,
        typer.Argument(
            metavar="INPUT",
            help="A folder, a .jsonl or .csv file; .parquet, .tar (WebDataset) or .warc files, or a folder of these.",
        ),
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="DIR", help="An empty folder, or that of the same run.")
    ],
    registry: RegistryOption = [],  # noqa: B006 - Typer reads defaults and never changes them
    catalogue: CatalogueOption = [],  # noqa: B006 - as above
    key: KeyOption = [],  # noqa: B006 - as above
    use: UseOption = Use.TRAIN_GENAI,
    depth: DepthOption = Depth.STANDARD,
    min_evidence: MinEvidenceOption = EvidenceLevel.SELF_DECLARED,
    at: AtOption = None,
    known_at: KnownAtOption = None,
    grants: GrantsOption = None,
    grants_key: GrantsKeyOption = None,
    on_unknown: Annotated[Choice, typer.Option(help="Where no reservation was found.")] = Choice.KEEP,
    on_likely: Annotated[Choice, typer.Option(help="Where a reserved work is only likely in it.")] = Choice.KEEP,
    on_conditional: Annotated[Choice, typer.Option(help="Where the rightsholder wants to be asked.")] = Choice.DROP,
    on_error: Annotated[ErrorChoice, typer.Option(help="Where it could not be checked.")] = ErrorChoice.DROP,
    field: FieldOption = [],  # noqa: B006 - as above
    workers: WorkersOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as one JSON object.")] = False,  # noqa: FBT002 - a command line flag
) -> None:
    """Filter a folder, JSONL, CSV, Parquet, WebDataset or WARC: kept, excluded with reasons, a report, a receipt.

    What is disallowed is always excluded; every choice goes into the receipt. An interrupted run goes on where it
    stopped when the same command is given again, and what could not be checked is tried again. Kept files are hard
    links to those of the input where the file system allows it, else copies.

    Rows of JSONL, CSV and Parquet hold any of: path, url, youtube, sha256, text, fingerprints; of Parquet, columns of
    bytes and of pictures or sounds as Hugging Face stores them are checked as files, too. Samples of WebDataset are
    kept or excluded whole: their media and `.txt` are checked, and of their `.json` url, youtube, sha256 and
    fingerprints. Of WARC, what servers answered and its address.

    Exit status: 0 nothing reserved, 1 something disallowed or conditional, 2 something could not be checked, 64 wrong
    usage.
    """
    choices = Choices(on_unknown, on_likely, on_conditional, on_error)
    question = Question(use, depth, min_evidence, moment(at, "at"), moment(known_at, "known_at"))
    job = Job(source, output, question, choices, parse_fields(field))
    sources = asking.open_sources(registry, catalogue, key, asking.held_grants(grants, grants_key))
    asking.say_what_is_missing(depth)
    with ExitStack() as stack:

        def watch(verdicts: Iterator[Checked], total: int | None) -> Iterator[Checked]:
            return stack.enter_context(asking.progress_over(verdicts, total, "filtering"))

        done = run(job, sources, workers=workers, watch=watch)
    asking.say(done.notes)
    if as_json:
        sys.stdout.write(json.dumps(json.loads((output / report.JSON).read_bytes())) + "\n")
    else:
        _print(done)
    raise typer.Exit(done.exit_status)


def _print(done: Summary) -> None:
    console = Console(soft_wrap=True, highlight=False)
    console.print(summary(done.verdicts, noun=done.noun))
    console.print(
        f"kept {done.kept}, excluded {done.excluded} (why: {printable(str(done.output / EXCLUDED))})", markup=False
    )
    if done.review:
        console.print(
            f"{done.review} kept ones should be looked at: {printable(str(done.output / REVIEW))}", markup=False
        )
    if done.degraded:
        console.print("This run is degraded: something was kept although it could not be checked.")
    console.print(f"report {printable(str(done.output / report.MARKDOWN))}", markup=False)
    console.print(f"receipt {printable(str(done.output / RECEIPT))}", markup=False)
