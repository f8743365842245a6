"""`mediamanager fingerprint`: fingerprint files here, and print the result."""

import json
import sys
from typing import Annotated

import typer
from rich import box
from rich.table import Table
from rich.text import Text

from fingerprinting.index.registry import encode
from fingerprinting.types import Depth, Fingerprint, Role
from mediamanager.cli import asking, videos
from mediamanager.cli.asking import DepthOption, JsonOption, WorkersOption
from mediamanager.cli.tables import printable, wide_console
from mediamanager.client.pool import Extracted, ExtractionPool
from mediamanager.client.queries import walk

EXIT_UNREADABLE = 2


def fingerprint(
    paths: Annotated[
        list[str],
        typer.Argument(
            metavar="PATH-OR-URL...", help="Files, folders, links to YouTube videos; of other addresses the keys."
        ),
    ],
    role: Annotated[
        Role, typer.Option(help="To ask about the files (query), or to register them (work).")
    ] = Role.QUERY,
    depth: DepthOption = Depth.STANDARD,
    workers: WorkersOption = None,
    as_json: JsonOption = False,  # noqa: FBT002 - a command line flag
) -> None:
    """Fingerprint files on this machine and print what was computed. Nothing is sent.

    Of links to videos of YouTube the captions are fetched from there, which needs the extra `fetch`. Nothing else is
    fetched.

    Exit status: 0 all were read, 2 something could not be read, 64 wrong usage.
    """
    found = walk(paths)
    asking.say(found.notes)
    failed = False
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in ("File", "Kind", "Fingerprints"):
        table.add_column(heading, overflow="fold")  # a name that is cut off can't be found again
    with (
        videos.brought(found.queries) as queries,
        ExtractionPool(workers, role=role, depth=depth) as pool,
        asking.progress_over(pool.run(queries), len(found.queries), "fingerprinting", streaming=as_json) as passing,
    ):
        for one in passing:
            failed = failed or one.error is not None
            if as_json:
                sys.stdout.write(json.dumps(_as_json(one)) + "\n")
                sys.stdout.flush()
            else:
                table.add_row(*map(Text, _row(one)))
    if not as_json:
        wide_console().print(table)
    raise typer.Exit(EXIT_UNREADABLE if failed else 0)


def _fingerprints(one: Extracted) -> tuple[Fingerprint, ...]:
    return (*one.query.fingerprints, *(one.extraction.fingerprints if one.extraction is not None else ()))


def _as_json(one: Extracted) -> dict[str, object]:
    extraction = one.extraction
    return {
        "path": one.query.path,
        "modality": extraction.modality if extraction else None,
        "media_type": extraction.media_type if extraction else None,
        "identifiable": extraction.identifiable if extraction else False,
        "notes": list(extraction.notes) if extraction else [],
        "fingerprints": [_fingerprint_as_json(each) for each in _fingerprints(one)],
        "error": one.error,
    }


def _fingerprint_as_json(one: Fingerprint) -> dict[str, object]:
    return {
        "algorithm": one.algorithm,
        "version": one.version,
        "value": encode(one),
        "quality": one.quality,
        "span": None if one.span is None else list(one.span),
    }


def _row(one: Extracted) -> tuple[str, str, str]:
    if one.error is not None:
        return printable(one.query.path), "-", one.error
    algorithms = dict.fromkeys(each.algorithm for each in _fingerprints(one))
    counts = {name: sum(each.algorithm == name for each in _fingerprints(one)) for name in algorithms}
    shown = [name if count == 1 else f"{name} x {count}" for name, count in counts.items()]
    notes = one.extraction.notes if one.extraction else ()
    kind = one.extraction.media_type if one.extraction else "address"
    return printable(one.query.path), kind, ", ".join([*shown, *notes])
