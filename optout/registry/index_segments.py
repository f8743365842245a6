"""A part of the index over a registry's works, and all parts as of one moment: neither ever changes for its readers."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, TypeAlias
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from fingerprinting.index.algorithm import Entry
from fingerprinting.index.registry import is_known
from fingerprinting.index.segment import Index, grouped_by_version
from fingerprinting.types import Depth, Fingerprint, Match

Ids: TypeAlias = NDArray[np.uint8]
"""Ids of works, ascending: 16 bytes each, so that they can be mapped from a file. Row i of an index is work i."""
ID_BYTES: Final = 16


def ids_of(works: Iterable[UUID]) -> Ids:
    """Write down works that come in ascending order."""
    return np.frombuffer(b"".join(work.bytes for work in works), dtype=np.uint8).reshape(-1, ID_BYTES)


def rows_of(ids: Ids, wanted: Ids) -> NDArray[np.int64]:
    """Find works by binary search: the row of each, ascending, of those that are there."""
    held, asked = _keys(ids), _keys(wanted)
    if not len(held):
        return np.empty(0, dtype=np.int64)
    at = np.minimum(np.searchsorted(held, asked), len(held) - 1)
    return np.unique(at[held[at] == asked]).astype(np.int64)


def _keys(ids: Ids) -> NDArray[np.bytes_]:
    # Zeros at an end mean nothing to this type, which is all the same among keys of one length.
    keys: NDArray[np.bytes_] = np.ascontiguousarray(ids).view(f"S{ID_BYTES}").reshape(-1)
    return keys


@dataclass(frozen=True, slots=True)
class Segment:
    """An index, which work each of its rows is, and the rows that are struck out.

    Attributes:
        index: over the works' fingerprints.
        ids: of the works.
        name: of its folder on the disk; None where it is in memory alone.
        gone: a bit a row, packed: what was struck out when it was read from the disk; None is nothing.
        gone_count: how many these are.
        gone_since: when the first of them was, in seconds since 1970.
        struck: rows struck out since, with the version from which on. It grows; who reads at a version sees what was
            there at that version.
        held: what the index was built of, where it is small and likely to be built anew with others.
        print_bytes: of the fingerprints that it was built of in memory; the index takes about four times as much.
    """

    index: Index
    ids: Ids
    name: str | None = None
    gone: NDArray[np.uint8] | None = None
    gone_count: int = 0
    gone_since: float | None = None
    struck: dict[int, int] = field(default_factory=dict)
    held: Sequence[Entry] | None = None
    print_bytes: int = 0

    @property
    def size(self) -> int:
        """How many works it stands for now."""
        return len(self.ids) - self.gone_count - len(self.struck)

    def stands_for(self, row: int, version: int) -> bool:
        """Whether a row is not struck out as of a version."""
        since = self.struck.get(row)
        return (since is None or since > version) and not self._is_gone(row)

    def strike(self, works: Ids, version: int) -> None:
        """Strike works out for those who read at that version, or a later one."""
        for row in rows_of(self.ids, works).tolist():
            if not self._is_gone(row):
                self.struck.setdefault(row, version)

    def live_rows(self) -> NDArray[np.int64]:
        """The rows that it stands for now, ascending."""
        live = np.ones(len(self.ids), dtype=np.bool_)
        if self.gone is not None:
            live &= np.unpackbits(self.gone, count=len(self.ids), bitorder="little") == 0
        live[list(self.struck)] = False
        return np.flatnonzero(live)

    def all_gone(self) -> NDArray[np.uint8] | None:
        """What is struck out by now, as `gone`; None where nothing is."""
        if self.gone is None and not self.struck:
            return None
        gone = np.ones(len(self.ids), dtype=np.bool_)
        gone[self.live_rows()] = False
        return np.packbits(gone, bitorder="little")

    def as_of(self, version: int) -> "Segment":
        """The same as it is at a version: what is struck out for later ones, or from now on, stays in it."""
        return replace(self, struck={row: since for row, since in self.struck.items() if since <= version})

    def only(self, works: Ids) -> "Segment":
        """The same for readers to come, standing for these works at most."""
        kept = set(rows_of(self.ids, works).tolist())
        others = {row: 0 for row in self.live_rows().tolist() if row not in kept}
        return replace(self, struck={**self.struck, **others})

    def _is_gone(self, row: int) -> bool:
        return self.gone is not None and bool(self.gone[row >> 3] >> (row & 7) & 1)


@dataclass(frozen=True, slots=True)
class Works:
    """All works as of one change. Immutable: a search that began keeps what it began with."""

    version: int
    segments: tuple[Segment, ...]
    size: int

    @classmethod
    def of(cls, version: int, segments: Iterable[Segment]) -> "Works":
        """The works of these segments without those that stand for none; one is left to refuse what is malformed."""
        kept = tuple(segment for segment in segments if segment.size) or (in_memory(()),)
        return cls(version, kept, sum(segment.size for segment in kept))

    @property
    def tail(self) -> int:
        """How many of them are in memory alone."""
        return sum(segment.size for segment in self.segments if segment.name is None)

    @property
    def tail_bytes(self) -> int:
        """Of the fingerprints of these."""
        return sum(segment.print_bytes for segment in self.segments if segment.name is None)

    def ids(self) -> Iterator[UUID]:
        """Each work."""
        for segment in self.segments:
            for each in segment.ids[segment.live_rows()]:
                yield UUID(bytes=each.tobytes())

    def search(
        self, assets: Sequence[Sequence[Fingerprint]], depth: Depth, room: int | None = None
    ) -> Iterator[tuple[UUID, Match]]:
        """Matches with the work of each; the rows in a match are those of its segment.

        Raises:
            CrowdedError: a segment has no room for all of its matches.
        """
        grouped = grouped_by_version(assets)
        for segment in self.segments:
            for match in segment.index.search_grouped(grouped, depth=depth, registry_size=self.size, room=room):
                if segment.stands_for(match.work, self.version):
                    yield UUID(bytes=segment.ids[match.work].tobytes()), match


def in_memory(found: Iterable[tuple[UUID, Fingerprint]], *, hold: bool = False) -> Segment:
    """A segment of what was read, work by work in ascending order; `hold` keeps that beside the index.

    Fingerprints of a retired version stay in the database, but can't be compared with what is asked today.
    """
    works: list[UUID] = []
    print_bytes = 0

    def entries() -> Iterator[Entry]:
        nonlocal print_bytes
        for work, one in found:
            if is_known(one):
                if not works or works[-1] != work:
                    works.append(work)
                print_bytes += len(one.value)
                yield len(works) - 1, one

    held = list(entries()) if hold else None
    index = Index.build(entries() if held is None else held)
    return Segment(index, ids_of(works), held=held, print_bytes=print_bytes)


def in_memory_together(segments: Sequence[Segment]) -> Segment:
    """A segment of what several stand for."""
    ids, entries = merged(segments)
    held = list(entries)
    print_bytes = sum(len(one.value) for _, one in held)
    return Segment(Index.build(held, is_valid=True), ids, held=held, print_bytes=print_bytes)


def merged_beside(works: Works, before: Sequence[Segment], merging: Sequence[Segment], made: Segment) -> Works:
    """The works with neighbours replaced by what was made of them meanwhile, without what was struck out meanwhile.

    Args:
        works: as they are now; unchanged if some of the neighbours are no longer among them.
        before: the neighbours, oldest first.
        merging: each as of the version of the works when making began.
        made: of these, and nobody searches it yet.
    """
    at = next((place for place, one in enumerate(works.segments) if one is before[0]), 0)
    after = at + len(before)
    if [*map(id, works.segments[at:after])] != [*map(id, before)]:
        return works
    for one, earlier in zip(before, merging, strict=True):
        for row in one.struck.keys() - earlier.struck.keys():
            made.strike(one.ids[row : row + 1], one.struck[row])
    return Works.of(works.version, [*works.segments[:at], made, *works.segments[after:]])


def merged(segments: Sequence[Segment]) -> tuple[Ids, Iterator[Entry]]:
    """The works that several segments stand for, and their fingerprints by the row of each among them."""
    live = [segment.live_rows() for segment in segments]
    together = np.concatenate([segment.ids[rows] for segment, rows in zip(segments, live, strict=True)])
    ids = np.sort(_keys(together)).view(np.uint8).reshape(-1, ID_BYTES)

    def entries() -> Iterator[Entry]:
        for segment, rows in zip(segments, live, strict=True):
            places = np.full(len(segment.ids), -1, dtype=np.int64)
            places[rows] = np.searchsorted(_keys(ids), _keys(segment.ids[rows]))
            to = places.tolist()
            for row, one in segment.index.entries() if segment.held is None else segment.held:
                if (place := to[row]) >= 0:
                    yield place, one

    return ids, entries()


def first_to_merge(sizes: Sequence[int], ratio: int, limit: int) -> int:
    """Which of some neighbours, oldest first, are to be made one: those from here on; all but one stand for few works.

    One joins the later ones if it is at most `ratio` times as large as they are together, so that sizes fall by that
    factor and a work is written anew a few times in its life. Together they are never more than `limit`.
    """
    first = len(sizes) - 1
    together = sizes[first] if sizes else 0
    while first > 0 and sizes[first - 1] <= ratio * together and together + sizes[first - 1] <= limit:
        first -= 1
        together += sizes[first]
    return max(first, 0)


def sorted_ids(works: Collection[UUID]) -> Ids:
    """Write down works that come in any order."""
    return ids_of(sorted(works))
