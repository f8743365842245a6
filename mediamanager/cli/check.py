"""`mediamanager check`: ask whether files may be used."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from fingerprinting.types import Depth
from mediamanager.cli import asking
from mediamanager.cli.asking import (
    AtOption,
    CatalogueOption,
    DepthOption,
    FieldOption,
    GrantsKeyOption,
    GrantsOption,
    JsonOption,
    KeyOption,
    KnownAtOption,
    MinEvidenceOption,
    RegistryOption,
    UseOption,
    WorkersOption,
)
from mediamanager.client.checking import check as check_all
from mediamanager.client.filter.choices import Choice
from mediamanager.client.formats.opening import open_paths
from mediamanager.client.formats.row import parse_fields
from mediamanager.client.questions import Question, moment
from mediamanager.client.verdicts import Checked, exit_status
from optout.consent.vocabulary import EvidenceLevel, Use


def check(
    paths: Annotated[
        list[str],
        typer.Argument(
            metavar="PATHS...",
            help="Files, folders, http(s) addresses; rows of .jsonl, .csv, .parquet, samples of .tar, pages of .warc.",
        ),
    ],
    registry: RegistryOption = [],  # noqa: B006 - Typer reads defaults and never changes them
    catalogue: CatalogueOption = [],  # noqa: B006 - as above
    key: KeyOption = [],  # noqa: B006 - as above
    use: UseOption = Use.TRAIN_GENAI,
    depth: DepthOption = Depth.STANDARD,
    min_evidence: MinEvidenceOption = EvidenceLevel.SELF_DECLARED,
    at: AtOption = None,
    known_at: KnownAtOption = None,
    on_unknown: Annotated[
        Choice, typer.Option(help="Where no reservation was found; drop counts it as reserved in the exit status.")
    ] = Choice.KEEP,
    grants: GrantsOption = None,
    grants_key: GrantsKeyOption = None,
    field: FieldOption = [],  # noqa: B006 - as above
    workers: WorkersOption = None,
    report: Annotated[
        Path | None,
        typer.Option(metavar="PAGE.html", help="Also write a page: files and works side by side, spans outlined."),
    ] = None,
    works: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="With --report: the folder of works that the catalogue was built from."),
    ] = None,
    as_json: JsonOption = False,  # noqa: FBT002 - a command line flag
) -> None:
    """Ask whether files may be put to a use: a line per file, in sorted order; of tables, a line per row.

    Files are fingerprinted here; only fingerprints are sent. `unknown` says that no reservation was found, which is
    not a permission. Of several sources the most restrictive answer counts.

    Exit status: 0 nothing reserved, 1 something disallowed or conditional, 2 something could not be checked, 64 wrong
    usage.
    """
    question = Question(use, depth, min_evidence, moment(at, "at"), moment(known_at, "known_at"))
    sources = asking.open_sources(registry, catalogue, key, asking.held_grants(grants, grants_key))
    found = open_paths(paths, parse_fields(field))
    asking.say(found.notes)
    asking.say_what_is_missing(depth)
    verdicts = check_all(sources, found.queries, question, workers=workers)
    with asking.progress_over(verdicts, found.count, "checking", streaming=as_json) as passing:
        said = _written(passing) if as_json else passing
        checked = [] if as_json and report is None else list(said)  # of a table, what was written is forgotten
        status = exit_status(checked or said, unknown_is_reserved=on_unknown is Choice.DROP)
    if not as_json:
        from mediamanager.cli.tables import print_verdicts  # noqa: PLC0415 - only a person needs it

        print_verdicts(checked)
    if report is not None:
        from mediamanager.client import page  # noqa: PLC0415 - only where one is wanted

        page.write(report, checked, works)
    raise typer.Exit(status)


def _written(verdicts: Iterator[Checked]) -> Iterator[Checked]:
    for one in verdicts:
        sys.stdout.write(json.dumps(one.as_json()) + "\n")
        sys.stdout.flush()
        yield one
