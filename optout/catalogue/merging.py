"""Several catalogues made one: every work of each with all that was said about it, so that nothing is permitted by it.

Works of one id are one work where the same owner says the same about it; it then has the fingerprints of both. Where
anything that was said differs, nobody can tell which of the two is right or newer, or whether they are the same content
at all (two folders may each hold an `a.jpg`). Both stay, as works of their own: the first keeps the id, the next one
gets it with `#2`. A copy of either finds what was said about it, a copy of both finds both, and all must allow.
"""

import hashlib
import heapq
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import TypeAlias

import numpy as np

from fingerprinting.index.algorithm import Entry, spec_id
from fingerprinting.index.segment import WatchIndexing
from fingerprinting.types import Fingerprint
from optout.catalogue import folder
from optout.catalogue.folder import Catalogue, CatalogueInfo
from optout.catalogue.works import WorkRecord
from optout.errors import InvalidInputError

Watch: TypeAlias = Callable[[Iterator[Entry], int], Iterator[Entry]]
"""Passes fingerprints on as they are merged, and may count them; told how many there are."""


@dataclass(frozen=True, slots=True)
class Merged:
    """What came of it.

    Attributes:
        renamed: works whose id another catalogue has for something else: the id here, by catalogue and id there.
    """

    info: CatalogueInfo
    renamed: Mapping[tuple[Path, str], str]


@dataclass(frozen=True, slots=True)
class _Place:
    """A work: its id in the merged catalogue, and where it is read from."""

    id: str
    source: int
    row: int


def merge(
    sources: Sequence[Path],
    output: Path,
    *,
    built_at: datetime | None = None,
    verify: Callable[[Path], object] = folder.verify,
    watch: Watch = lambda entries, _: entries,
    indexing: WatchIndexing = lambda versions, _: versions,
) -> Merged:
    """Write a catalogue of all works of several, whole or not at all. Every byte of them is checked before.

    Args:
        sources: catalogues, two or more. Which comes first decides nothing but who keeps an id.
        output: where it goes; a catalogue that is there is replaced at the end, also one of `sources`.
        built_at: recorded in the manifest; now, if left out.
        verify: checks every byte of one of them; `folder.verify`, or what also shows how far that is.
        watch: see `Watch`.
        indexing: sees the algorithms that are indexed, once all fingerprints are read.

    Raises:
        InvalidInputError: fewer than two sources.
        ConflictError: `output` holds something else.
        CorruptCatalogueError, CorruptIndexError: a source is none, or damaged.
    """
    if len(sources) < len(("one", "another")):
        raise InvalidInputError("give two catalogues or more to merge", field="catalogue")
    folder.require_free(output)
    for source in sources:
        verify(source)
    opened = [folder.open(source) for source in sources]
    renamed = _renamed(opened)
    merger = _Merger(opened, renamed)
    fingerprints = sum(sum(each.info.fingerprints.values()) for each in opened)
    entries = watch(merger.entries(), fingerprints)
    info = folder.write(output, merger.works(), entries, built_at=built_at, indexing=indexing)
    return Merged(info, {(sources[at.source], opened[at.source].record(at.row).id): at.id for at in renamed})


class _Merger:
    """Gives the works in order, and then their fingerprints by the place of each in that order."""

    def __init__(self, opened: Sequence[Catalogue], renamed: Sequence[_Place]) -> None:
        self._opened = opened
        self._renamed = sorted(renamed, key=lambda place: place.id)
        self._places = [np.full(each.size, -1, dtype=np.int64) for each in opened]
        self._shared: set[int] = set()

    def works(self) -> Iterator[WorkRecord]:
        moved = {(place.source, place.row) for place in self._renamed}
        kept = (place for place in _in_order(self._opened) if (place.source, place.row) not in moved)
        both = heapq.merge(kept, self._renamed, key=lambda place: place.id)
        for number, (name, places) in enumerate(groupby(both, key=lambda place: place.id)):
            first, *others = places
            for place in (first, *others):
                self._places[place.source][place.row] = number
            if others:
                self._shared.add(number)
            yield replace(self._opened[first.source].record(first.row), id=name)

    def entries(self) -> Iterator[Entry]:
        every = map(self._of, range(len(self._opened)))
        by_algorithm = groupby(heapq.merge(*every, key=itemgetter(0)), key=itemgetter(0))
        for _, entries in by_algorithm:
            # Of one algorithm at a time, and no more than a digest of each: merged with a later version of itself, a
            # catalogue has every work in common with the other.
            seen: set[tuple[int, bytes]] = set()
            for _, place, one in entries:
                if place in self._shared:
                    known = (place, _digest(one))
                    if known in seen:
                        continue
                    seen.add(known)
                yield place, one

    def _of(self, source: int) -> Iterator[tuple[str, int, Fingerprint]]:
        places = self._places[source]
        for row, one in self._opened[source].fingerprints():
            yield spec_id(one.algorithm, one.version), int(places[row]), one


def _digest(one: Fingerprint) -> bytes:
    return hashlib.blake2b(one.value + repr(one.span).encode(), digest_size=24).digest()


def _in_order(opened: Sequence[Catalogue]) -> Iterator[_Place]:
    """Every work of every catalogue by its id, those of one id next to each other, the first catalogue's first."""

    def each(source: int) -> Iterator[_Place]:
        return (_Place(work, source, row) for row, work in enumerate(opened[source].ids()))

    return heapq.merge(*map(each, range(len(opened))), key=lambda place: place.id)


def _renamed(opened: Sequence[Catalogue]) -> list[_Place]:
    """Works that can't keep their id, with the one that they get."""
    found: list[_Place] = []
    taken: set[str] = set()
    for name, places in groupby(_in_order(opened), key=lambda place: place.id):
        variants: list[tuple[str, tuple[object, ...]]] = []
        for place in places:
            said = _said(opened[place.source].record(place.row))
            known = next((its for its, other in variants if other == said), None)
            if known is None:
                known = _free(name, opened, taken) if variants else name
                variants.append((known, said))
                taken.add(known)
            if known != name:
                found.append(replace(place, id=known))
        taken.discard(name)
    return found


def _said(record: WorkRecord) -> tuple[object, ...]:
    return record.owner, frozenset(map(repr, record.statements))


def _free(name: str, opened: Iterable[Catalogue], taken: set[str]) -> str:
    number = 2
    while (wanted := f"{name}#{number}") in taken or any(each.holds(wanted) for each in opened):
        number += 1
    return wanted
