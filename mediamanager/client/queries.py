"""What is asked about: files, addresses, keys and fingerprints, each with the name it has in the answer."""

import os
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from fingerprinting.types import Fingerprint
from optout.catalogue.answers import Asset
from optout.consent.identifiers import canonical_url, fingerprints_for
from optout.errors import InvalidInputError


@dataclass(frozen=True, slots=True)
class Part:
    """A file that lies within another as it is, uncompressed: `size` bytes of `file` from `offset` on."""

    file: Path
    offset: int
    size: int
    name: str


@dataclass(frozen=True, slots=True)
class Cells:
    """The files that one row of a Parquet file holds in these columns, counted from 0."""

    file: Path
    row: int
    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ArchivedAnswer:
    """What a server answered, in the record of a WARC file that begins at byte `offset`."""

    file: Path
    offset: int


@dataclass(frozen=True, slots=True)
class Query:
    """One asset that somebody asks about.

    Attributes:
        path: its name in the answer.
        file: where its bytes lie, if there is a file to fingerprint.
        text: its words, if they are given instead of a file or beside it.
        parts: files within another that make it up, instead of one of its own.
        cells: files in a row of a table, as `parts`; the row may turn out to hold none.
        answers: records of an archive, as `parts`; they may turn out to be empty.
        fingerprints: what is known already; exact keys included.
        identifiable: of `fingerprints`, where they were made elsewhere.
        location: the canonical address that it was got from, if it is known.
        error: why it can't be asked about; nothing else is looked at then.
    """

    path: str
    file: Path | None = None
    text: str | None = None
    parts: tuple[Part, ...] = ()
    cells: Cells | None = None
    answers: tuple[ArchivedAnswer, ...] = ()
    fingerprints: tuple[Fingerprint, ...] = ()
    identifiable: bool = True
    location: str | None = None
    error: str | None = None


Askable: TypeAlias = str | os.PathLike[str] | Asset | Query
"""What `check` takes: a file, an http(s) address, an asset with its fingerprints, or a query."""


def as_query(asked: Askable, number: int) -> Query:
    """Make a query of anything that can be asked about; an asset is called by its number.

    Raises:
        InvalidInputError: an address that is none.
    """
    if isinstance(asked, Query):
        return asked
    if isinstance(asked, Asset):
        return Query(
            f"asset {number}", fingerprints=asked.fingerprints, identifiable=asked.identifiable, location=asked.location
        )
    text = os.fspath(asked)
    if text.startswith(("http://", "https://")):
        # Only its exact keys are known: nothing is fetched.
        keys = fingerprints_for(url=text)
        return Query(text, fingerprints=keys, identifiable=False, location=canonical_url(text))
    return of_file(Path(text), text)


def of_file(path: Path, name: str) -> Query:
    """Ask about a file. What is not a regular file is not opened: a pipe would never end."""
    try:
        mode = path.stat().st_mode
    except OSError as error:
        return Query(name, error=f"this file can't be read: {error.strerror}.")
    if not stat.S_ISREG(mode):
        return Query(name, error="this is not a regular file.")
    return Query(name, file=path)


@dataclass(slots=True)
class Walk:
    """The files under some paths, in sorted order, and what was left out on the way.

    Attributes:
        hidden: names beginning with a dot, skipped.
        links: links to folders, not followed.
        unreadable: folders that could not be listed; each is also a query with its error.
    """

    queries: list[Query] = field(default_factory=list)
    hidden: int = 0
    links: int = 0
    unreadable: int = 0

    @property
    def notes(self) -> list[str]:
        """What was left out, said aloud: one sentence each."""
        said = (
            (self.hidden, "hidden file or folder was skipped", "hidden files or folders were skipped"),
            (self.links, "link to a folder was not followed", "links to folders were not followed"),
        )
        notes = [f"{count} {one if count == 1 else many}" for count, one, many in said if count]
        return notes if self.queries else [*notes, "no file was found"]


def walk(paths: Iterable[str | Path]) -> Walk:
    """Find the files: a folder gives what lies under it, anything else stands for itself, hidden or not."""
    found = Walk()
    for path in paths:
        text = os.fspath(path)
        if not text.startswith(("http://", "https://")) and Path(text).is_dir():
            found.queries.extend(_under(Path(text), found))
        else:
            found.queries.append(_named(text, len(found.queries)))
    return found


def _named(text: str, number: int) -> Query:
    """One that was named: an address that is none must not keep the others from being asked about."""
    if "://" in text and not text.startswith(("http://", "https://")) and not os.path.lexists(text):
        return Query(text, error="only addresses that begin with https:// or http:// can be used.")
    try:
        return as_query(text, number)
    except InvalidInputError as error:
        return Query(text, error=f"{str(error).rstrip('.')}.")


def _under(folder: Path, found: Walk) -> Iterator[Query]:
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError as error:
        found.unreadable += 1
        yield Query(str(folder), error=f"this folder can't be read: {error.strerror}.")
        return
    for entry in entries:
        if entry.name.startswith("."):
            found.hidden += 1
        elif entry.is_dir(follow_symlinks=False):
            yield from _under(Path(entry.path), found)
        elif entry.is_symlink() and entry.is_dir():
            found.links += 1
        else:
            yield of_file(Path(entry.path), entry.path)
