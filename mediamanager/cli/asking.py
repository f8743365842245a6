"""What the asking commands share: whom to ask, what is said on stderr, and progress where somebody watches."""

import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, TypeAlias, TypeVar

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from fingerprinting.types import Depth
from mediamanager.client.held_grants import HeldGrants
from mediamanager.client.offline import Catalogue
from mediamanager.client.registry import Registry
from mediamanager.client.source import Source
from optout.consent.vocabulary import EvidenceLevel, Use
from optout.errors import InvalidInputError

Item = TypeVar("Item")

RegistryOption: TypeAlias = Annotated[
    list[str],
    typer.Option(
        metavar="URL", help="Ask this registry. May be repeated. MEDIAMANAGER_URL, if nothing else is to be asked."
    ),
]
CatalogueOption: TypeAlias = Annotated[
    list[Path], typer.Option(metavar="FOLDER", help="Ask this local catalogue. May be repeated.")
]
KeyOption: TypeAlias = Annotated[
    list[str],
    typer.Option(
        metavar="KEY", help="API key: one per registry, in the same order. MEDIAMANAGER_KEY for a single one."
    ),
]
UseOption: TypeAlias = Annotated[Use, typer.Option(help="What is to be done with the files.")]
DepthOption: TypeAlias = Annotated[Depth, typer.Option(help="How much work the search may do to find a copy.")]
MinEvidenceOption: TypeAlias = Annotated[
    EvidenceLevel, typer.Option(help="Statements below this level are reported, and do not count.")
]
AtOption: TypeAlias = Annotated[
    str | None, typer.Option("--at", metavar="TIME", help="For this moment; now, if left out.")
]
KnownAtOption: TypeAlias = Annotated[
    str | None, typer.Option("--known-at", metavar="TIME", help="Leave out what was recorded later than this moment.")
]
GrantsOption: TypeAlias = Annotated[
    Path | None,
    typer.Option("--grants", metavar="FILE", help="Your grants, from `grants pull`, for what catalogues answer."),
]
GrantsKeyOption: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--grants-key",
        metavar="VKEY",
        envvar="MEDIAMANAGER_GRANTS_KEY",
        help="The promise key of the registry that signed them.",
    ),
]
WorkersOption: TypeAlias = Annotated[
    int | None, typer.Option(min=1, help="Processes that fingerprint files. As many as there are cores.")
]
FieldOption: TypeAlias = Annotated[
    list[str], typer.Option(metavar="FIELD=NAME", help="What a field of rows or samples is called. May be repeated.")
]
JsonOption: TypeAlias = Annotated[bool, typer.Option("--json", help="One JSON object a line, on stdout.")]


def held_grants(file: Path | None, key: str | None) -> HeldGrants | None:
    """Open the grants that were given on the command line.

    Raises:
        InvalidInputError: they can't be used, or come without a key to verify them by.
    """
    if file is None:
        return None
    if key is None:
        raise InvalidInputError(
            "--grants needs --grants-key, the promise key of the registry that signed them (the second line of its "
            "/v1/log/key)",
            field="grants_key",
        )
    return HeldGrants.open(file, key)


def open_sources(
    registries: Sequence[str], catalogues: Sequence[Path], keys: Sequence[str], grants: HeldGrants | None = None
) -> list[Source]:
    """Open all that is to be asked.

    A key goes only to the registry that it was given for.

    Raises:
        InvalidInputError: nobody to ask, or keys that do not pair with registries.
        CorruptCatalogueError: a catalogue can't be opened.
        RegistryRefusedError: an address that is none.
    """
    if not registries and not catalogues:
        registries = [url] if (url := os.environ.get("MEDIAMANAGER_URL")) else []
    if not registries and not catalogues:
        raise InvalidInputError("whom to ask? Give --registry URL or --catalogue FOLDER", field="registry")
    if not keys and len(registries) == 1:
        keys = [key] if (key := os.environ.get("MEDIAMANAGER_KEY")) else []
    if keys and len(keys) != len(registries):
        raise InvalidInputError("give one --key for each --registry, in the same order", field="key")
    asked = [Registry(url, key=keys[number] if keys else None) for number, url in enumerate(registries)]
    return [*asked, *(Catalogue.open(path, grants=grants) for path in catalogues)]


def say(notes: Iterable[str]) -> None:
    """Say something on stderr that is no error: what was left out, what was assumed."""
    for note in notes:
        sys.stderr.write(f"note: {note}\n")


def say_what_is_missing(depth: Depth) -> None:
    """Say that pictures will be looked at less closely than this depth does elsewhere, if so."""
    if depth is Depth.STANDARD and find_spec("cv2") is None:
        parts = "parts of pictures are mostly not found. The extra `thorough` of mediamanager brings it"
        say([f"OpenCV is not installed, so pictures are compared by hashes alone: {parts}"])


@contextmanager
def progress_over(
    items: Iterable[Item], total: int | None, doing: str, *, streaming: bool = False
) -> Iterator[Iterator[Item]]:
    """Count items as they pass: a bar on stderr if that is a terminal, nothing otherwise. It vanishes at the end.

    `streaming` says that the items are printed on stdout meanwhile: on a terminal they are progress enough.
    """
    if not sys.stderr.isatty() or (streaming and sys.stdout.isatty()):
        yield iter(items)
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    # stdout stays where it was sent: Rich would take what is printed meanwhile to stderr.
    with Progress(*columns, console=Console(stderr=True), transient=True, redirect_stdout=False) as bar:
        yield iter(bar.track(items, total=total, description=doing))
