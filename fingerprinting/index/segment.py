"""The index over works' fingerprints of every algorithm: built once, saved as a folder of files, opened in no time."""

import dataclasses
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeAlias

import numpy as np

from fingerprinting.errors import WithheldIndexError
from fingerprinting.index import (
    bandenergy,
    crossing,
    frame_parts,
    frames,
    moving,
    pages,
    pdq,
    phash,
    registry,
    sound,
)
from fingerprinting.index import folder as folders
from fingerprinting.index.algorithm import Entry, SearchContext, Searcher, spec_id
from fingerprinting.index.bandenergy import BandSearcher
from fingerprinting.index.frames import FrameSearcher
from fingerprinting.index.spool import Spool
from fingerprinting.types import Depth, Fingerprint, Match, Strength

WatchIndexing: TypeAlias = Callable[[Iterator[str], int], Iterator[str]]
"""Passes the versions of algorithms on as they are indexed, and may count them; told how many there are."""

_KIND = "segment"
_WITHHELD = "withheld."
_ORDER = {Strength.EXACT: 0, Strength.MATCH: 1, Strength.LIKELY: 2}


class Index:
    """Fingerprints of works, made searchable. Immutable; safe to search from several threads at once.

    Each version of an algorithm has a searcher of its own: an asset's fingerprint is compared with works' fingerprints
    of the same algorithm and the same version, and with no others.
    """

    def __init__(
        self,
        searchers: Mapping[str, Searcher],
        works: int,
        withheld: Collection[str] = (),
        *,
        opened: Path | None = None,
    ) -> None:
        self._opened = opened
        self._searchers = dict(searchers)
        self._works = works
        self._withheld = frozenset(withheld)

    @property
    def works(self) -> int:
        """How many works have a fingerprint in it."""
        return self._works

    @property
    def counts(self) -> Mapping[str, int]:
        """How many fingerprints of each algorithm it holds, all its versions together."""
        counted: defaultdict[str, int] = defaultdict(int)
        for each, searcher in sorted(self._searchers.items()):
            counted[registry.VERSIONS[each].name] += searcher.count
        return dict(counted)

    @classmethod
    def build(cls, entries: Iterable[Entry], *, is_valid: bool = False) -> "Index":
        """Index fingerprints, each given with the row of its work. A work may have several of one algorithm.

        Args:
            entries: in any order.
            is_valid: they were in an index before, so there is nothing to be checked.

        Raises:
            InvalidFingerprintError: one is of an unknown algorithm or version, or malformed.
        """
        grouped: defaultdict[str, list[Entry]] = defaultdict(list)
        works: set[int] = set()
        for entry in entries:
            work, fingerprint = entry
            if not is_valid:
                registry.validate(fingerprint)
            grouped[spec_id(fingerprint.algorithm, fingerprint.version)].append(entry)
            works.add(work)
        searchers = {each: registry.VERSIONS[each].build(found) for each, found in grouped.items()}
        return cls(searchers, len(works))

    @classmethod
    def open(cls, folder: Path, *, verify: bool = True) -> "Index":
        """Open what `save` wrote, memory-mapped: processes that open the same folder share its memory.

        Args:
            folder: where it lies.
            verify: compare every byte with its checksum; without, only manifests, sizes and headers.

        Raises:
            CorruptIndexError: a file is missing or altered, or the format, an algorithm or its version is unknown.
        """
        contents = folders.read(folder, _KIND, verify=verify)
        searchers: dict[str, Searcher] = {}
        for child in contents.children:
            spec = registry.VERSIONS.get(child)
            if spec is None:
                raise folders.corrupt(folder, f"{child} is an algorithm or version that this program does not know")
            searchers[child] = spec.open(folder / child, verify)
        if "works" not in contents.parameters:
            raise folders.corrupt(folder, f"{folders.MANIFEST} lacks the number of works")
        withheld = [name.removeprefix(_WITHHELD) for name in contents.parameters if name.startswith(_WITHHELD)]
        return cls(searchers, contents.parameters["works"], withheld, opened=folder)

    def save(self, folder: Path, *, without: Collection[str] = ()) -> None:
        """Write it into a new folder, whole or not at all.

        Args:
            folder: where to.
            without: algorithms to leave out, by name, because not everybody may have them. The folder says so, and
                who asks by one of them at depth thorough gets an error and not silence.

        Raises:
            FileExistsError: there is something at that place: an index is never overwritten.
        """
        with folders.new_folder(folder) as scratch:
            kept = {each: one for each, one in self._searchers.items() if registry.VERSIONS[each].name not in without}
            children = {each: scratch / each for each in kept}
            for each, searcher in kept.items():
                searcher.save(children[each])
            withheld = self._withheld | (self._searchers.keys() - kept.keys())
            count = sum(searcher.count for searcher in kept.values())
            _write(scratch, children, self._works, count, withheld)

    @classmethod
    def write(
        cls, folder: Path, entries: Iterable[Entry], watch: WatchIndexing = lambda versions, _: versions
    ) -> Mapping[str, int]:
        """Index fingerprints into a new folder, as `build` and `save` do, in much less memory: that of one algorithm.

        The same fingerprints of the same works give the same bytes, in whatever order the works come.

        Args:
            folder: where to.
            entries: in any order, read once.
            watch: see `WatchIndexing`.

        Returns:
            How many fingerprints of each algorithm it holds, all its versions together.

        Raises:
            InvalidFingerprintError: one is of an unknown algorithm or version, or malformed.
            FileExistsError: there is something at that place: an index is never overwritten.
        """
        counts: defaultdict[str, int] = defaultdict(int)
        children: dict[str, Path] = {}
        works = np.empty(0, dtype=np.int64)
        with folders.new_folder(folder) as scratch:
            with Spool(scratch / "spool") as spool:
                for work, fingerprint in entries:
                    spool.add(work, fingerprint)
                taken = spool.taken()
                for each in watch(iter(taken), len(taken)):
                    found = taken[each]
                    registry.VERSIONS[each].build(found).save(scratch / each)
                    children[each] = scratch / each
                    counts[registry.VERSIONS[each].name] += len(found)
                    works = np.union1d(works, found.works)
            _write(scratch, children, len(works), sum(counts.values()))
        return dict(counts)

    def entries(self) -> Iterator[Entry]:
        """Give back what it was built from, as far as it matters to a search, one algorithm after the other.

        Raises:
            CorruptIndexError: files of an opened index point outside of each other.
        """
        with self._inside():
            for _, searcher in sorted(self._searchers.items()):
                yield from searcher.entries()

    def search(
        self,
        assets: Sequence[Sequence[Fingerprint]],
        *,
        depth: Depth = Depth.STANDARD,
        registry_size: int | None = None,
        room: int | None = None,
    ) -> list[Match]:
        """Find the works that assets show, by all of their fingerprints.

        Every matched work is reported; nothing is cut off.

        Args:
            assets: the fingerprints of each asset; several of one algorithm are views of it. May be empty.
            depth: how much work to do; `FAST` reports nothing that is only likely.
            registry_size: works that are searched in all, if this index is only a part of them: with more works
                more evidence is asked for.
            room: for how many matches there is room; None for any number.

        Returns:
            At most one match (the best) for each asset, work, algorithm and version: by asset, then surest and nearest
            first.

        Raises:
            InvalidFingerprintError: a fingerprint is of an unknown algorithm or version, or malformed.
            WithheldIndexError: an asset asks thoroughly, by an algorithm that this index was published without.
            CrowdedError: there is no room for all matches; they are to be asked for in parts.
        """
        return self.search_grouped(grouped_by_version(assets), depth=depth, registry_size=registry_size, room=room)

    def search_grouped(
        self,
        grouped: Mapping[str, list[Entry]],
        *,
        depth: Depth,
        registry_size: int | None,
        room: int | None = None,
    ) -> list[Match]:
        """Find the same as `search`, for who asks several indexes the same and has it checked and grouped once.

        Args:
            grouped: from `grouped_by_version`.
            depth: see `search`.
            registry_size: see `search`.
            room: see `search`.

        Raises:
            WithheldIndexError: see `search`.
            CrowdedError: see `search`.
            CorruptIndexError: files of an opened index point outside of each other.
        """
        if depth is Depth.THOROUGH and not self._withheld.isdisjoint(grouped):
            raise _withheld(min(self._withheld & grouped.keys()))
        context = SearchContext(depth, max(self._works, registry_size or 0), room)
        found: list[Match] = []
        with self._inside():
            for each, queries in grouped.items():
                searcher = self._searchers.get(each)
                if searcher is not None:
                    found += searcher.search(queries, context)
                    context.require_room(len(found))
            bands = self._searchers.get(bandenergy.SPEC.id)
            if isinstance(bands, BandSearcher):
                found = sound.decided(found, bands, self._searchers, grouped, context)
            seen = self._searchers.get(frames.SPEC.id)
            if isinstance(seen, FrameSearcher):
                found = frame_parts.decided(found, seen, grouped)
        return sorted(_corroborate(pages.numbered(moving.together(found), grouped)), key=_sort_key)

    @contextmanager
    def _inside(self) -> Iterator[None]:
        """Say of files that point outside of each other that they are damaged: no byte is checked when they open."""
        try:
            yield
        except (IndexError, ValueError) as error:  # what was asked for is checked before: the files are at fault
            if self._opened is None:
                raise
            raise folders.corrupt(self._opened, f"its arrays do not belong together ({error})") from error


def grouped_by_version(assets: Sequence[Sequence[Fingerprint]]) -> Mapping[str, list[Entry]]:
    """Check the fingerprints of assets; by version of the algorithm whose works they ask, with the row of their asset.

    Raises:
        InvalidFingerprintError: one is of an unknown algorithm or version, or malformed.
    """
    grouped: defaultdict[str, list[Entry]] = defaultdict(list)
    for asset, fingerprints in enumerate(assets):
        for fingerprint in fingerprints:
            registry.validate(fingerprint)
            grouped[spec_id(fingerprint.algorithm, fingerprint.version)].append((asset, fingerprint))
    return crossing.crossed(grouped)


def _write(
    folder: Path, children: Mapping[str, Path], works: int, fingerprints: int, withheld: Iterable[str] = ()
) -> None:
    marks = {f"{_WITHHELD}{each}": 1 for each in withheld}
    folders.write(folder, _KIND, {}, {"works": works, "fingerprints": fingerprints, **marks}, children)


def _withheld(algorithm: str) -> WithheldIndexError:
    return WithheldIndexError(
        f"this catalogue was published without {algorithm}: ask with depth standard, or ask the registry itself",
        algorithm=algorithm,
    )


def _corroborate(found: list[Match]) -> list[Match]:
    """Raise a likely pHash match where PDQ, which sees more of the picture, calls the same work a match."""
    sure = {
        (match.asset, match.work)
        for match in found
        if match.algorithm == pdq.SPEC.name and match.strength is Strength.MATCH
    }
    return [
        dataclasses.replace(match, strength=Strength.MATCH)
        if match.algorithm == phash.SPEC.name and (match.asset, match.work) in sure
        else match
        for match in found
    ]


def _sort_key(match: Match) -> tuple[int, int, int, float, int, str]:
    distance = match.distance if match.distance is not None else 0
    return match.asset, _ORDER[match.strength], distance, -(match.score or 0.0), match.work, match.algorithm
