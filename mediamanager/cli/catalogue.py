"""`mediamanager catalogue`: build, merge, inspect and verify catalogues, with no server."""

import json
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import islice
from pathlib import Path
from typing import Annotated

import typer

from fingerprinting.index.algorithm import Entry
from mediamanager.cli import asking
from mediamanager.cli.asking import JsonOption, WorkersOption
from mediamanager.cli.tables import printable
from mediamanager.client import building
from mediamanager.client.building import Built
from mediamanager.client.pool import Extracted
from optout.catalogue import folder, merging
from optout.catalogue.folder import CatalogueInfo
from optout.consent import explain
from optout.consent.preferences import parse_all
from optout.consent.vocabulary import Preference, Use

EXIT_SKIPPED = 2

DEFAULT = {Use.ALL: Preference.DISALLOWED}

app = typer.Typer(
    add_completion=False,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    help="Build, merge, inspect and verify catalogues: works and what may be done with them, in one folder of files.",
)

FolderArgument = Annotated[Path, typer.Argument(metavar="CATALOGUE", help="The catalogue's folder.")]


@app.command()
def build(
    source: Annotated[Path, typer.Argument(metavar="DIR", help="A folder of references; each file is a work.")],
    output: Annotated[Path, typer.Option("--output", "-o", metavar="CATALOGUE", help="Where the catalogue goes.")],
    prefer: Annotated[
        list[str],
        typer.Option(
            metavar="USE=PREFERENCE", help="What may be done. May be repeated. Or no-ai and the other presets."
        ),
    ] = [],  # noqa: B006 - Typer reads defaults and never changes them
    owners: Annotated[Path | None, typer.Option(metavar="OWNERS.csv", help="Owners of the files: path, owner.")] = None,
    workers: WorkersOption = None,
    as_json: JsonOption = False,  # noqa: FBT002 - a command line flag
) -> None:
    """Build a catalogue from a folder of references. A work's id is its path in the folder.

    Each file counts as its own verified owner, unless --owners says otherwise. Without --prefer, everything is
    disallowed. Files that can't be read are listed and left out.

    Exit status: 0 every file is in the catalogue, 2 some could not be read, 64 wrong usage.
    """
    preferences = parse_all(prefer) or DEFAULT
    if not prefer:
        asking.say(["no --prefer given: every work is registered with all=disallowed"])
    with ExitStack() as stack:

        def watch(extracted: Iterator[Extracted], total: int) -> Iterator[Extracted]:
            return stack.enter_context(asking.progress_over(extracted, total, "fingerprinting"))

        def indexing(versions: Iterator[str], total: int) -> Iterator[str]:
            stack.close()  # the bar before, which is full
            return stack.enter_context(asking.progress_over(versions, total, "indexing"))

        built = building.build(
            source,
            output,
            preferences,
            owners=building.read_owners(owners) if owners else None,
            workers=workers,
            watch=watch,
            indexing=indexing,
        )
    _report(built, output, preferences, as_json=as_json)
    raise typer.Exit(EXIT_SKIPPED if built.skipped else 0)


@app.command()
def merge(
    catalogues: Annotated[list[Path], typer.Argument(metavar="CATALOGUE…", help="Two catalogues or more.")],
    output: Annotated[Path, typer.Option("--output", "-o", metavar="CATALOGUE", help="Where the merged one goes.")],
    as_json: JsonOption = False,  # noqa: FBT002 - a command line flag
) -> None:
    """Make several catalogues one. Every byte of them is checked before.

    A work that is in several, with the same owner and the same said about it, is one work. Where what was said differs,
    both stay, the second one under its id with #2, so that the most restrictive counts for a copy of both.

    Exit status: 0 it is written, 2 something is damaged or can't be written, 64 wrong usage.
    """
    with ExitStack() as stack:

        def watch(entries: Iterator[Entry], total: int) -> Iterator[Entry]:
            return stack.enter_context(asking.progress_over(entries, total, "merging fingerprints"))

        def indexing(versions: Iterator[str], total: int) -> Iterator[str]:
            stack.close()  # the bar before, which is full
            return stack.enter_context(asking.progress_over(versions, total, "indexing"))

        merged = merging.merge(catalogues, output, verify=_verified, watch=watch, indexing=indexing)
    renamed = [{"catalogue": str(path), "work": work, "as": now} for (path, work), now in merged.renamed.items()]
    if as_json:
        sys.stdout.write(json.dumps({**_facts(output, merged.info), "renamed": renamed}) + "\n")
        return
    for one in renamed:
        asking.say([f"{printable(one['work'])} of {printable(one['catalogue'])} is now {printable(one['as'])}"])
    _print_info(output, merged.info, as_json=False)


@app.command()
def info(catalogue: FolderArgument, as_json: JsonOption = False) -> None:  # noqa: FBT002 - a command line flag
    """Say what a catalogue holds."""
    _print_info(catalogue, folder.info(catalogue), as_json=as_json)


@app.command()
def verify(catalogue: FolderArgument, as_json: JsonOption = False) -> None:  # noqa: FBT002 - a command line flag
    """Check every byte of a catalogue. Exit status: 0 it is whole, 2 it is not."""
    found = _verified(catalogue)
    if not as_json:
        sys.stdout.write("Every byte is as it was built.\n")
    _print_info(catalogue, found, as_json=as_json)


def _verified(catalogue: Path) -> CatalogueInfo:
    with ExitStack() as stack:

        def checking(pieces: Iterator[int], total: int) -> Iterator[int]:
            stack.close()  # a catalogue that took its place meanwhile is checked from the beginning
            return stack.enter_context(asking.progress_over(pieces, total, "checking bytes"))

        def reading(rows: Iterator[int], total: int) -> Iterator[int]:
            stack.close()  # the bar before, which is full
            return stack.enter_context(asking.progress_over(rows, total, "reading works"))

        return folder.verify(catalogue, watch=checking, reading=reading)


def _report(built: Built, output: Path, preferences: dict[Use, Preference], *, as_json: bool) -> None:
    asking.say(built.notes)
    for path, error in built.skipped.items():
        sys.stderr.write(f"skipped: {printable(path)}: {error}\n")
    if as_json:
        facts = {**_facts(output, built.info), "skipped": dict(built.skipped), "exact_only": list(built.exact_only)}
        facts["exact_only_because"] = {path: list(notes) for path, notes in built.exact_only.items()}
        sys.stdout.write(json.dumps(facts) + "\n")
        return
    if built.exact_only:
        shown = [f"{printable(path)} ({', '.join(notes)})" for path, notes in islice(built.exact_only.items(), 3)]
        few = ", ".join(shown) + (", ..." if len(built.exact_only) > 3 else "")  # noqa: PLR2004 - enough to recognise what they are
        count = len(built.exact_only)
        verb = "file holds" if count == 1 else "files hold"
        asking.say([f"{count} {verb} too little to recognise more than exact copies: {few}"])
    sys.stdout.write(f"{explain.choice(preferences)}\n")
    _print_info(output, built.info, as_json=False)


def _print_info(path: Path, info: CatalogueInfo, *, as_json: bool) -> None:
    if as_json:
        sys.stdout.write(json.dumps(_facts(path, info)) + "\n")
        return
    counts = ", ".join(f"{name} {count}" for name, count in sorted(info.fingerprints.items())) or "none"
    lines = (
        ("Catalogue", str(path)),
        ("Works", f"{info.works:,}"),
        ("Fingerprints", counts),
        ("Built", info.built_at),
        ("Size", f"{_size(info.size_bytes)} in {info.files} files"),
        ("Digest", info.digest),
    )
    sys.stdout.write("".join(f"{name:<13} {printable(value)}\n" for name, value in lines))


def _size(size_bytes: int) -> str:
    return f"{size_bytes / 1e6:,.1f} MB" if size_bytes >= 1e6 else f"{size_bytes / 1e3:,.1f} kB"  # noqa: PLR2004 - a megabyte


def _facts(path: Path, info: CatalogueInfo) -> dict[str, object]:
    return {
        "catalogue": str(path),
        "works": info.works,
        "fingerprints": dict(info.fingerprints),
        "built_at": info.built_at,
        "files": info.files,
        "size_bytes": info.size_bytes,
        "digest": info.digest,
    }
