"""From a folder of references to a catalogue: each file a work, its id the path, its owner and preferences as told."""

import csv
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeAlias

from fingerprinting.index.segment import WatchIndexing
from fingerprinting.types import FEATURES_MISSING, Role
from mediamanager.client.pool import Extracted, ExtractionPool
from mediamanager.client.queries import Query, Walk, walk
from optout.catalogue import folder
from optout.catalogue.folder import CatalogueInfo
from optout.catalogue.works import CatalogueWork
from optout.consent.preferences import expand
from optout.consent.statements import Statement
from optout.consent.vocabulary import Carrier, EvidenceLevel, Preference, Use
from optout.errors import InvalidInputError

# Before anything that a catalogue could be asked about: a clock that is late somewhere must not switch it off.
_ALWAYS = datetime(1970, 1, 1, tzinfo=UTC)

_REASONS = 3  # of files that can't be read, where none can: enough to see what is wrong with all

Watch: TypeAlias = Callable[[Iterator[Extracted], int], Iterator[Extracted]]
"""Passes the files on as they are read, and may count them; told how many there are."""


@dataclass(frozen=True, slots=True)
class Built:
    """What became of a folder.

    Attributes:
        skipped: files that could not be read, with the sentence that says why.
        exact_only: works of which only exact copies will be found (a blank picture, silence, ten words), with the
            notes that say why.
        notes: what was left out on the way, and what was not computed for want of a library.
    """

    info: CatalogueInfo
    skipped: Mapping[str, str]
    exact_only: Mapping[str, tuple[str, ...]]
    notes: tuple[str, ...]


def build(
    source: Path,
    output: Path,
    preferences: Mapping[Use, Preference],
    *,
    owners: Mapping[str, str] | None = None,
    workers: int | None = None,
    watch: Watch = lambda extracted, _: extracted,
    indexing: WatchIndexing = lambda versions, _: versions,
) -> Built:
    """Fingerprint every file under `source` and write a catalogue of them, whole or not at all.

    Args:
        source: a folder of references.
        output: where the catalogue goes; one that is there already is replaced at the end.
        preferences: what is said about every work; aggregates are expanded.
        owners: owner by path relative to `source`; a file that is not named owns itself.
        workers: processes; as many as there are cores, if left out.
        watch: see `Watch`.
        indexing: sees the algorithms that are indexed, once all files are read.

    Raises:
        InvalidInputError: `source` is no folder, or holds not one file that can be read; an owner is given for a
            file that is not there.
        ConflictError: `output` holds something else.
    """
    if not source.is_dir():
        raise InvalidInputError(f"{source} is not a folder", field="dir")
    folder.require_free(output)
    found = _references(source, output)
    _require_files_of(owners or {}, found, source)
    now = datetime.now(UTC)
    reading = _Reading(source, expand(preferences), owners or {}, now)
    with ExtractionPool(workers, role=Role.WORK) as pool:
        works = reading.works(watch(pool.run(found.queries), len(found.queries)))
        info = folder.stream(output, works, built_at=now, indexing=indexing)
    missing = [_without(reading.without_features)] if reading.without_features else []
    return Built(info, reading.skipped, reading.exact_only, (*found.notes, *missing))


class _Reading:
    """Makes works of files as they are read, one at a time, and notes what became of the others."""

    def __init__(self, source: Path, uses: Mapping[Use, Preference], owners: Mapping[str, str], now: datetime) -> None:
        self._source = source
        self._uses = uses
        self._owners = owners
        self._now = now
        self.skipped: dict[str, str] = {}
        self.exact_only: dict[str, tuple[str, ...]] = {}
        self.without_features = 0

    def works(self, extracted: Iterable[Extracted]) -> Iterator[CatalogueWork]:
        """Give the works, in the order of the files.

        Raises:
            InvalidInputError: there is not one.
        """
        is_empty = True
        for one in extracted:
            name = _id(one.query, self._source)
            if one.extraction is None:
                self.skipped[name] = one.error or "there is nothing to fingerprint."
                continue
            if not one.extraction.identifiable:
                self.exact_only[name] = one.extraction.notes
            self.without_features += FEATURES_MISSING in one.extraction.notes
            owner = self._owners.get(name, name)
            said = _statement(name, owner, self._uses, self._now)
            is_empty = False
            yield CatalogueWork(name, one.extraction.fingerprints, (said,), owner)
        if is_empty:
            problem = f"{self._source} holds no file that can be read: no catalogue was written"
            why = [f"{name}: {error}" for name, error in list(self.skipped.items())[:_REASONS]]
            raise InvalidInputError(f"{problem} ({' '.join(why)})" if why else problem, field="dir")


def _without(works: int) -> str:
    return (
        f"OpenCV is not installed, so {works} pictures are found by hashes alone, and not where they are a part of "
        "another picture. Install the extra `thorough` of mediamanager and build again"
    )


def read_owners(path: Path) -> dict[str, str]:
    """Read a CSV file of `path, owner`; a first line that says so is a heading.

    Raises:
        InvalidInputError: a line has not two columns, an empty one, or a path that came before; it is named.
    """
    owners: dict[str, str] = {}
    with path.open(newline="", encoding="utf-8-sig") as file:
        rows = csv.reader(file, skipinitialspace=True)
        try:
            for row in rows:
                if not row or (rows.line_num == 1 and [cell.strip().lower() for cell in row] == ["path", "owner"]):
                    continue
                if len(row) != len(("path", "owner")) or not all(cell.strip() for cell in row):
                    raise InvalidInputError(f"{path}, line {rows.line_num}: give a path and an owner", field="owners")
                name, owner = (cell.strip() for cell in row)
                if owners.setdefault(name, owner) != owner:
                    raise InvalidInputError(
                        f"{path}, line {rows.line_num}: `{name}` has two owners: give one", field="owners"
                    )
        except (csv.Error, UnicodeDecodeError) as error:
            raise InvalidInputError(f"{path} is not a CSV file in UTF-8: {error}", field="owners") from error
    return owners


def _references(source: Path, output: Path) -> Walk:
    """Find the files in the order of their works' ids, without a catalogue that lies among them."""
    found = walk([source])
    inside = output.resolve()
    found.queries = [query for query in found.queries if not Path(query.path).resolve().is_relative_to(inside)]
    found.queries.sort(key=lambda query: _id(query, source))
    return found


def _require_files_of(owners: Mapping[str, str], found: Walk, source: Path) -> None:
    missing = set(owners) - set(_ids(found.queries, source))
    if missing:
        raise InvalidInputError(f"an owner is given for `{min(missing)}`, which is not in {source}", field="owners")


def _ids(queries: Iterable[Query], source: Path) -> Iterator[str]:
    return (_id(query, source) for query in queries)


def _id(query: Query, source: Path) -> str:
    return Path(query.path).relative_to(source).as_posix()


def _statement(work: str, owner: str, uses: Mapping[Use, Preference], now: datetime) -> Statement:
    return Statement(
        id=work,
        source=owner,
        carrier=Carrier.CLAIM,
        evidence=EvidenceLevel.VERIFIED,
        uses=uses,
        valid_from=_ALWAYS,
        valid_until=None,
        recorded_at=now,
    )
