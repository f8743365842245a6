"""A catalogue as a folder of files: built whole or not at all, opened without reading it, verified byte by byte."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Final, TypeVar

from fingerprinting import whole
from fingerprinting.errors import CorruptIndexError
from fingerprinting.index.algorithm import Entry
from fingerprinting.index.segment import Index, WatchIndexing
from fingerprinting.types import Depth
from optout.catalogue import answer as answering
from optout.catalogue import manifest
from optout.catalogue import works as works_file
from optout.catalogue.answer import FoundWork
from optout.catalogue.answers import Answer, Asset
from optout.catalogue.manifest import Watch
from optout.catalogue.works import CatalogueWork, WorkRecord, WorksFile, WorksWriter, sorted_by_id
from optout.consent.grants import Grant, covering
from optout.consent.statements import Statement
from optout.consent.vocabulary import EvidenceLevel, Use
from optout.errors import ConflictError, CorruptCatalogueError, InvalidInputError

INDEX = "index"

_ATTEMPTS: Final = 100
_RECORDS: Final = 1024  # read last and kept: of a work that is found, its owner and what was said are asked for in turn

Read = TypeVar("Read")
Passing = TypeVar("Passing")


@dataclass(frozen=True, slots=True)
class CatalogueInfo:
    """What a catalogue holds.

    Attributes:
        digest: SHA-256 of the manifest; it names this catalogue, to the last bit.
        built_at: ISO 8601, UTC.
        fingerprints: how many by algorithm.
    """

    digest: str
    built_at: str
    works: int
    fingerprints: Mapping[str, int]
    files: int
    size_bytes: int


class Catalogue:
    """An open catalogue: a `CatalogueView` over files, mapped into memory and never changed.

    Grants are no part of it: they are for one account alone, and come in a file of their own.
    """

    def __init__(self, folder: Path, known: manifest.Manifest, works: WorksFile, index: Index) -> None:
        self.folder = folder
        self.info = _info(known)
        self._works = works
        self._index = index
        self._rows: dict[str, int] = {}  # of works that a search has found
        self._read = lru_cache(maxsize=_RECORDS)(works.record)
        self._grants: tuple[Grant, ...] = ()

    def use_grants(self, grants: Iterable[Grant]) -> None:
        """Take these grants into account from now on, each for its grantee alone."""
        self._grants = tuple(grants)

    @property
    def size(self) -> int:
        """How many works it holds."""
        return len(self._works)

    def record(self, row: int) -> WorkRecord:
        """Read a work by its row, of 0 to `size`; they are sorted by id."""
        return self._works.record(row)

    def ids(self) -> Iterator[str]:
        """Give the ids of all works, ascending."""
        return map(self._works.id_of, range(len(self._works)))

    def holds(self, work: str) -> bool:
        """Say whether it holds a work of this id."""
        return self._works.row_of(work) is not None

    def fingerprints(self) -> Iterator[Entry]:
        """Give all fingerprints with the row of their work, one algorithm after the other, in no order of works."""
        return self._index.entries()

    def search(self, assets: Sequence[Asset], depth: Depth, room: int | None = None) -> list[FoundWork]:
        """Recognise works in assets."""
        fingerprints = [asset.fingerprints for asset in assets]
        matches = self._index.search(fingerprints, depth=depth, registry_size=self.size, room=room)
        ids = {row: self._works.id_of(row) for row in {match.work for match in matches}}
        self._rows.update({work: row for row, work in ids.items()})
        return [FoundWork(match.asset, ids[match.work], match) for match in matches]

    def statements(self, work: str) -> tuple[Statement, ...]:
        """Give all that was said about a work.

        Raises:
            InvalidInputError: there is no such work.
        """
        return self._record(work).statements

    def grants(self, work: str, requester: str) -> tuple[Grant, ...]:
        """Give the grants to a requester that cover a work.

        Raises:
            InvalidInputError: there is no such work.
        """
        theirs = [one for one in self._grants if one.grantee == requester]
        return covering(theirs, work, self._record(work).owner) if theirs else ()

    def owner(self, work: str) -> str:
        """Give whose a work is.

        Raises:
            InvalidInputError: there is no such work.
        """
        return self._record(work).owner

    def non_matches(self, pairs: Collection[tuple[str, bytes]]) -> frozenset[tuple[str, bytes]]:  # noqa: ARG002 - a view's method
        """Give none: what a registry learned about wrong matches is not in a catalogue."""
        return frozenset()

    def _record(self, work: str) -> WorkRecord:
        row = self._rows.get(work)
        if row is None:
            row = self._works.row_of(work)
        if row is None:
            raise InvalidInputError(f"the catalogue holds no work `{work}`", field="work")
        return self._read(row)

    def answer(
        self,
        assets: Sequence[Asset],
        use: Use,
        requester: str | None = None,
        at: datetime | None = None,
        *,
        depth: Depth = Depth.STANDARD,
        min_evidence: EvidenceLevel = EvidenceLevel.SELF_DECLARED,
        known_at: datetime | None = None,
        max_matches: int = answering.MAX_MATCHES_SHOWN,
    ) -> list[Answer]:
        """Answer as `optout.catalogue.answer.answer` does, for now when no moment is given."""
        return answering.answer(
            self,
            assets,
            use,
            requester,
            at or datetime.now(UTC),
            depth=depth,
            min_evidence=min_evidence,
            known_at=known_at,
            max_matches=max_matches,
        )


def _unwatched(passing: Iterator[Passing], _: int) -> Iterator[Passing]:
    return passing


def build(folder: Path, works: Iterable[CatalogueWork], *, built_at: datetime | None = None) -> CatalogueInfo:
    """Write a catalogue; a catalogue that is there already is replaced in one step, once the new one is complete.

    It is written beside `folder` and renamed, so that no interruption leaves half of one.

    Args:
        folder: does not exist, is empty, or holds a catalogue.
        works: in any order; the same works and moment give the same bytes.
        built_at: recorded in the manifest; now, if left out.

    Raises:
        ConflictError: `folder` holds something else.
        InvalidInputError: two works have the same id.
        InvalidFingerprintError: a fingerprint that no index understands.
    """
    return stream(folder, sorted_by_id(works), built_at=built_at)


def stream(
    folder: Path,
    works: Iterable[CatalogueWork],
    *,
    built_at: datetime | None = None,
    indexing: WatchIndexing = _unwatched,
) -> CatalogueInfo:
    """Write a catalogue as `build` does, of works that come sorted by id and are not kept.

    Memory does not grow with what was said and found, only with what indexing one algorithm takes. Whatever `works`
    raises ends it, and nothing has changed then.

    Args:
        folder: as of `build`.
        works: ascending by id, no id twice; read once.
        built_at: as of `build`.
        indexing: sees the algorithms that are indexed, once all works are read.

    Raises:
        ConflictError: `folder` holds something else.
        InvalidInputError: works are not in order, or two have the same id.
        InvalidFingerprintError: a fingerprint that no index understands.
    """

    def entries(lines: WorksWriter) -> Iterator[Entry]:
        for row, work in enumerate(works):
            lines.add(work)
            for one in work.fingerprints:
                yield row, one

    return _write(folder, entries, built_at, indexing)


def write(
    folder: Path,
    works: Iterable[WorkRecord],
    entries: Iterable[Entry],
    *,
    built_at: datetime | None = None,
    indexing: WatchIndexing = _unwatched,
) -> CatalogueInfo:
    """Write a catalogue as `stream` does, of works whose fingerprints come by themselves.

    Args:
        folder: as of `build`.
        works: as of `stream`.
        entries: fingerprints by the row of their work, in any order, read after the works.
        built_at: as of `build`.
        indexing: as of `stream`.

    Raises:
        ConflictError, InvalidInputError, InvalidFingerprintError: as `stream`.
    """

    def all_entries(lines: WorksWriter) -> Iterator[Entry]:
        for work in works:
            lines.add(work)
        yield from entries

    return _write(folder, all_entries, built_at, indexing)


def _write(
    folder: Path,
    entries: Callable[[WorksWriter], Iterator[Entry]],
    built_at: datetime | None,
    indexing: WatchIndexing,
) -> CatalogueInfo:
    """Write a catalogue of what an iterator gives, which writes the works as it goes."""
    moment = (built_at or datetime.now(UTC)).astimezone(UTC).isoformat(timespec="seconds")
    with _replacing(folder) as new:
        with works_file.writing(new) as lines:
            counts = Index.write(new / INDEX, entries(lines), indexing)
        manifest.write(new, built_at=moment, works=lines.count, fingerprints=counts)
        return _info(manifest.read(new))


def require_free(folder: Path) -> None:
    """Check that a catalogue may be built there, before an hour is spent on reading for it.

    Raises:
        ConflictError: `folder` holds something that is not a catalogue, or lies in one, which would then be damaged.
    """
    if folder.exists() and not _may_be_replaced(folder):
        raise ConflictError(f"{folder} holds something that is not a catalogue: choose another place")
    for around in folder.resolve().parents:
        if manifest.holds(around):
            raise ConflictError(f"{folder} lies in the catalogue {around}: choose another place")


def open(folder: Path) -> Catalogue:  # noqa: A001 - `folder.open`, as `hamming.open`: a module of verbs
    """Open a catalogue without reading it: sizes are checked now, bytes by `verify`.

    Raises:
        CorruptCatalogueError: it is no catalogue, damaged, or of an unknown format version.
        CorruptIndexError: as above, of its index.
    """

    def read() -> Catalogue:
        known = manifest.read(folder)
        works = WorksFile(folder)
        if len(works) != known.works:
            raise CorruptCatalogueError(f"the catalogue {folder} is damaged: it does not hold the works that it counts")
        return Catalogue(folder, known, works, Index.open(folder / INDEX, verify=False))

    return _of_one(folder, read)


def info(folder: Path) -> CatalogueInfo:
    """Say what a catalogue holds, from its manifest.

    Raises:
        CorruptCatalogueError: as `open`.
    """
    return _of_one(folder, lambda: _info(manifest.read(folder)))


def verify(folder: Path, *, watch: Watch = _unwatched, reading: Watch = _unwatched) -> CatalogueInfo:
    """Check every byte, and that every line and index can be read.

    Args:
        folder: of the catalogue.
        watch: sees the pieces of files as they are checked, and how many there are.
        reading: sees the rows of works as they are read, after all else, and how many there are.

    Raises:
        CorruptCatalogueError: something is missing, altered, added or not understood.
        CorruptIndexError: as above, of its index.
    """
    return _of_one(folder, lambda: _verified(folder, watch, reading))


def _verified(folder: Path, watch: Watch, reading: Watch) -> CatalogueInfo:
    known = manifest.verify(folder, watch)
    catalogue = open(folder)
    Index.open(folder / INDEX, verify=True)
    previous: str | None = None
    for row in reading(iter(range(catalogue.size)), catalogue.size):
        work = catalogue._works.record(row).id  # noqa: SLF001 - this module's own class
        if previous is not None and work <= previous:
            raise CorruptCatalogueError(f"the catalogue {folder} is damaged: its works are not sorted")
        previous = work
    return _info(known)


def _info(known: manifest.Manifest) -> CatalogueInfo:
    size = sum(entry.size_bytes for entry in known.files.values())
    return CatalogueInfo(known.digest, known.built_at, known.works, known.fingerprints, len(known.files), size)


@contextmanager
def _replacing(folder: Path) -> Iterator[Path]:
    """Give a new folder to fill, which takes the place of `folder` at the end and vanishes on any error."""
    require_free(folder)
    try:
        with whole.folder(folder, _may_be_replaced) as new:
            yield new
    except FileExistsError as error:  # what lies there came meanwhile
        raise ConflictError(f"{folder} holds something that is not a catalogue: choose another place") from error


def _may_be_replaced(folder: Path) -> bool:
    """Only what was built by us, and only if nobody has put anything else into it."""
    if not folder.is_dir():
        return False
    return _of_one(folder, lambda: not any(folder.iterdir()) or manifest.is_whole_content(folder))


def _of_one(folder: Path, read: Callable[[], Read]) -> Read:
    """Read files of one catalogue, not of two: once more if another one took its place meanwhile."""
    for _ in range(_ATTEMPTS - 1):
        before = _which(folder)
        try:
            found = read()
        except (CorruptCatalogueError, CorruptIndexError, OSError):
            if _which(folder) == before:
                raise
        else:
            if _which(folder) == before:
                return found
    return read()


def _which(folder: Path) -> tuple[int, int] | None:
    try:
        facts = folder.stat()
    except OSError:
        return None
    return facts.st_ino, facts.st_mtime_ns
