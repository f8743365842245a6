"""Local features in the index: works whose features an asset shows in the same arrangement."""

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fingerprinting import thresholds
from fingerprinting.image import feature_bytes
from fingerprinting.image.feature_bytes import PLACE, Features
from fingerprinting.index import (
    copies,
    feature_again,
    feature_agreement,
    feature_judge,
    feature_lists,
    feature_part,
    feature_pictures,
    feature_votes,
)
from fingerprinting.index import feature_geometry as geometry
from fingerprinting.index import folder as folders
from fingerprinting.index.algorithm import AlgorithmSpec, Encoding, Entry, SearchContext
from fingerprinting.index.copies import Copies
from fingerprinting.index.feature_agreement import Agreement, Grey, Sides
from fingerprinting.index.feature_geometry import Placement, Spots
from fingerprinting.index.feature_lists import CodeLists
from fingerprinting.index.feature_pictures import THUMBNAIL, Pictures, as_places
from fingerprinting.types import Depth, EvidenceValue, Fingerprint, Match, Modality, SpanUnit, Strength

_KIND: Final = "features"
_LAYOUT: Final = 2

NEAREST: Final = 4
NEAR_BITS: Final = 36
PAIR_BITS: Final = 44
FEWEST_VOTES: Final = 3
FEWEST_SEEN: Final = 4
CANDIDATES: Final = 16
_THOROUGHLY: Final = 3  # so many times as many are looked at
_CROWD: Final = 4  # where so many of those looked at are there, they crowd others out: then more are looked at
_NEAREST_IN_CROWD: Final = 128
_MOST_IN_CROWD: Final = 256


@dataclass(frozen=True, slots=True)
class _Sighting:
    """A picture that an asset may show: how, and how surely."""

    row: int
    variant: int
    placement: Placement
    agreement: Agreement
    features: NDArray[np.int64]
    sides: Sides
    grey: Grey
    known: NDArray[np.int64]
    at_first: int  # inliers before the second look: by that one, chance has a few more, too
    known_at_first: NDArray[np.int64]

    def agreement_of(self, known: NDArray[np.int64]) -> Agreement:
        """How well both agree by some of the picture's features."""
        return feature_agreement.agreement(self.grey, self.placement, self.sides, known)

    @property
    def rank(self) -> tuple[int, float]:
        """More is surer."""
        return self.placement.inliers, self.agreement.correlation or 0.0


class FeatureSearcher:
    """Works' pictures, searchable by their local features."""

    def __init__(self, pictures: Pictures, held: Copies, lists: CodeLists, opened: Path | None = None) -> None:
        self._pictures = pictures
        self._copies = held
        self._lists = lists
        self.candidates = CANDIDATES
        self.looks_again = True  # closely, where the features that agree say that the picture would lie
        self.groups: NDArray[np.int64] | None = None  # which picture is of which work, where one has many like it
        self._opened = opened  # from here, and what points from one array into another has not been looked at

    @property
    def count(self) -> int:
        """How many fingerprints it holds."""
        return len(self._pictures.owners)

    def search(self, queries: Sequence[Entry], context: SearchContext) -> list[Match]:
        """Find the works that the assets show, or that show a part of the assets."""
        self.require_whole()
        best: dict[tuple[int, int], Match] = {}
        for asset, fingerprint in queries:
            for match in self._matches(asset, feature_bytes.read(fingerprint.value), context):
                context.require_room(len(best))
                if fingerprint.span is not None:  # a frame of a video: when it is shown says more than where
                    match = dataclasses.replace(match, query_span=fingerprint.span)  # noqa: PLW2901
                known = best.get((match.asset, match.work))
                if known is None or surer(match, known):
                    best[match.asset, match.work] = match
        return list(best.values())

    def entries(self) -> Iterator[Entry]:
        """Give back what it was built from, but for the qualities, which no search looks at."""
        self.require_whole()
        known = self._pictures
        for row in range(len(known.sizes)):
            positions = known.positions[slice(*known.firsts[row : row + 2].tolist())]
            features = Features(
                size=known.size(row),
                thumbnail=known.thumbnail(row),
                places=as_places(known.places[positions]),
                codes=self._lists.codes[positions][np.newaxis],
            )
            value = feature_bytes.write(features)
            for one in self._copies.of(row):
                yield int(known.owners[one]), Fingerprint(SPEC.name, SPEC.version, value, unit=SPEC.unit)

    def save(self, folder: Path) -> None:
        """Write it into a new folder."""
        arrays: dict[str, folders.Array] = {
            **self._lists.arrays(),
            **self._copies.arrays(),
            **{name: getattr(self._pictures, name) for name in Pictures.__slots__},
        }
        with folders.new_folder(folder) as scratch:
            folders.write(scratch, _KIND, arrays, {"layout": _LAYOUT, **self._lists.parameters()})

    def require_whole(self) -> None:
        """Check once that no array points outside of another. It reads them, so that opening does not do it.

        Raises:
            CorruptIndexError: one does.
        """
        if self._opened is not None and not feature_pictures.points_inside(self._pictures, self._copies, self._lists):
            raise folders.corrupt(self._opened, "its arrays do not belong together")
        self._opened = None

    def _matches(self, asset: int, asked: Features, context: SearchContext) -> list[Match]:
        sure, worth_a_look = thresholds.feature_inliers(context.registry_size)
        found: list[Match] = []
        looked_at: set[tuple[int, int]] = set()

        @cache
        def spots(variant: int) -> Spots:
            return geometry.spots(asked.places, asked.size, variant)

        passed: NDArray[np.uint8] | None = None
        nearest, most = NEAREST, self.candidates
        if self.looks_again and context.depth is Depth.THOROUGH:
            most *= _THOROUGHLY
        while True:
            candidates = [one for one in self._candidates(asked, nearest, most, passed) if one not in looked_at]
            if passed is not None:
                candidates = self._one_of_each(candidates)
            looked_at.update(candidates)
            seen: list[int] = []
            for sighting in self._best(asked, spots, candidates):
                match = self._match(asset, asked, sighting, sure, worth_a_look)
                if match is not None:
                    found += [dataclasses.replace(match, work=work) for work in self._works(sighting.row)]
                    seen.append(sighting.row)
            if len(np.unique(self._groups_of(seen))) < _CROWD:
                return found
            # Pictures that are nearly the same hide others: those seen step aside until all of them were.
            if passed is None:
                passed = np.zeros(len(self._pictures.sizes), np.uint8)
                passed[seen] = 1
            else:
                passed[[row for row, _ in candidates]] = 1
            if self.groups is not None:
                passed[np.isin(self.groups, self.groups[seen])] = 1
            nearest, most = _NEAREST_IN_CROWD, _MOST_IN_CROWD

    def _best(
        self, asked: Features, spots: Callable[[int], Spots], candidates: Sequence[tuple[int, int]]
    ) -> list[_Sighting]:
        """Look at candidates; of a picture that is seen two ways, as it is and mirrored, the one by most features.

        Windows of one program are mirror images of each other, too, in their edges and buttons.
        """
        best: dict[int, _Sighting] = {}
        for row, variant in candidates:
            sighting = self._sighting(asked, spots(variant), row, variant)
            if sighting is not None:
                best[row] = max(best.get(row, sighting), sighting, key=lambda one: one.rank)
        return list(best.values())

    def _one_of_each(self, candidates: list[tuple[int, int]]) -> list[tuple[int, int]]:
        """Choose one picture of each group, the one with most votes: in a crowd, frames of one film are many, too."""
        if self.groups is None:
            return candidates
        chosen: dict[int, tuple[int, int]] = {}
        for row, variant in candidates:
            chosen.setdefault(int(self.groups[row]), (row, variant))
        return list(chosen.values())

    def _groups_of(self, rows: ArrayLike) -> NDArray[np.int64]:
        """Say which group each picture is of: where works have one each, it is itself."""
        chosen = np.asarray(rows, np.int64)
        return chosen if self.groups is None else self.groups[chosen]

    def _works(self, row: int) -> list[int]:
        """Give the works that have a picture, ascending."""
        works: list[int] = np.unique(self._pictures.owners[self._copies.of(row)]).tolist()
        return works

    def _candidates(
        self, asked: Features, nearest: int, most: int, passed: NDArray[np.uint8] | None
    ) -> list[tuple[int, int]]:
        """Choose pictures that have codes near to several of the asset's: row, and the variant of the asset."""
        count = len(asked)
        if not count or not len(self._lists.codes):
            return []
        found, _ = self._lists.find(asked.codes.reshape(-1, 2), nearest, NEAR_BITS, passed)
        code, nth = np.nonzero(found >= 0)
        near = found[code, nth]
        rows = self._lists.rows[near].astype(np.int64)
        ballot = feature_votes.Ballot(
            variant=code // count,
            feature=code % count,
            row=rows,
            places=as_places(self._pictures.places[near]),
            sizes=self._pictures.sizes[rows],
        )
        return feature_votes.elect(ballot, asked, most, FEWEST_VOTES)

    def _sighting(self, asked: Features, shown: Spots, row: int, variant: int) -> _Sighting | None:
        """Look how an asset shows a picture; None where hardly any features agree."""
        from fingerprinting.index import feature_kernels  # noqa: PLC0415 - numba takes half a second to load

        first, last = self._pictures.firsts[row : row + 2].tolist()
        positions = self._pictures.positions[first:last]
        codes = self._lists.codes[positions].T.ravel()
        of_asked, of_known = np.empty(len(asked), np.int64), np.empty(last - first, np.int64)
        feature_kernels.nearest(np.ascontiguousarray(asked.codes[variant]), codes, of_asked, of_known)
        mine, its = feature_again.mutual(of_asked, of_known, PAIR_BITS)
        known = geometry.spots(as_places(self._pictures.places[positions]), self._pictures.size(row))
        placement = geometry.place(shown.take(mine), known.take(its), FEWEST_SEEN)
        if placement is None:
            return None
        at_first, known_at_first = placement.inliers, its[placement.pairs]
        if self.looks_again:
            both = feature_again.Both(asked.codes[variant], codes, shown, known)
            placement, mine, its = feature_again.again(both, placement, mine, its)
        sides = feature_agreement.Sides(asked, shown, self._pictures.thumbnail(row), known, variant)
        grey = feature_agreement.grey_of(placement, sides)
        agreement = feature_agreement.agreement(grey, placement, sides, its[placement.pairs])
        return _Sighting(
            row,
            variant,
            placement,
            agreement,
            mine[placement.pairs],
            sides,
            grey,
            its[placement.pairs],
            at_first,
            known_at_first,
        )

    def _own(self, asked: Features, sighting: _Sighting) -> int:
        """Count the features of a sighting that not many works have: letters and buttons of a program are no proof."""
        codes = asked.codes[sighting.variant][sighting.features]
        limit = thresholds.feature_common_works(self.count)
        found, _ = self._lists.find(codes, 4 * limit, thresholds.FEATURE_COMMON_BITS)
        near_rows = [self._lists.rows[near[near >= 0]] for near in found]
        owners = [len(np.unique(self._groups_of(rows))) for rows in near_rows]
        return int(np.sum(np.array(owners) <= limit))

    def _match(self, asset: int, asked: Features, sighting: _Sighting, sure: int, worth_a_look: int) -> Match | None:
        """Judge a sighting; None where it is not worth a look."""
        placement = sighting.placement
        judgement = feature_judge.judged(
            placement,
            sighting.agreement,
            sure,
            (sighting.at_first, lambda: sighting.agreement_of(sighting.known_at_first)),
            cache(lambda: self._own(asked, sighting)),
            lambda: feature_part.part(sighting.grey, placement, sighting.sides, sighting.known),
        )
        is_sure = self.looks_again and judgement.strength is Strength.MATCH
        if sighting.at_first < worth_a_look and not is_sure:
            return None
        known, part = self._pictures.size(sighting.row), judgement.part
        in_asset, in_work = geometry.boxes(
            placement, asked.size, known, sighting.variant, None if part is None else part.window
        )
        evidence: dict[str, EvidenceValue] = {
            "inliers": placement.inliers,
            **geometry.told(placement, sighting.sides.known_spots.frame, sighting.variant),
        }
        agreement = sighting.agreement
        if agreement.correlation is not None:
            evidence["correlation"] = round(agreement.correlation, 3)
        if agreement.tiles is not None:
            evidence["tiles"] = round(agreement.tiles, 2)
        evidence["cover"] = round(agreement.cover, 2)
        evidence["reach"] = round(agreement.reach, 2)
        if agreement.middle is not None:
            evidence["middle"] = round(agreement.middle, 2)
        if part is not None:  # that alone is shown, and decided
            evidence["part_share"] = round(part.share, 2)
            evidence["part_correlation"] = round(part.agreement.correlation or 0.0, 3)
        evidence |= geometry.laid(placement, asked.size, known, sighting.variant)
        return Match(
            asset=asset,
            work=self._works(sighting.row)[0],
            algorithm=SPEC.name,
            version=SPEC.version,
            strength=judgement.strength,
            score=float(placement.inliers),
            threshold=float(judgement.inliers),
            query_span=in_asset,
            work_span=in_work,
            evidence=evidence,
        )


def surer(one: Match, other: Match) -> bool:
    """Whether one match by features is surer than another."""
    return (one.strength is Strength.MATCH, one.score or 0) > (other.strength is Strength.MATCH, other.score or 0)


def _check(fingerprint: Fingerprint) -> str | None:
    if fingerprint.span is not None:
        return "it is of the whole picture and has no span"
    problem = feature_bytes.check(fingerprint.value)
    return None if problem is None else f"the value can't be read: {problem}"


def build(entries: Sequence[Entry], *, apart: bool = False) -> FeatureSearcher:
    """Make pictures searchable by their features.

    Equal fingerprints are one picture, or who registers a picture often would hide others who have it: only few are
    looked at. With `apart` each is one by itself.
    """
    held = copies.none_of(len(entries)) if apart else copies.first_of_each(entries)[0]
    read = [feature_bytes.read(entries[one][1].value) for one in held.entries[held.starts[:-1]].tolist()]
    counts = [len(each) for each in read]
    rows = np.repeat(np.arange(len(read), dtype=np.uint32), counts)
    codes = np.concatenate([each.codes[0] for each in read] or [np.empty((0, 2), np.uint64)])
    lists, positions = feature_lists.build(codes, rows)
    thumbnails = np.zeros((len(read), THUMBNAIL, THUMBNAIL), np.uint8)
    for row, each in enumerate(read):
        small = each.thumbnail[:THUMBNAIL, :THUMBNAIL]
        thumbnails[row, : small.shape[0], : small.shape[1]] = small
    places = np.concatenate([each.places for each in read] or [np.empty(0, PLACE)])
    pictures = Pictures(
        owners=np.array([work for work, _ in entries], np.int64),
        sizes=np.array([each.size for each in read], np.uint32).reshape(-1, 2),
        thumbnails=thumbnails,
        thumbnail_sizes=np.array([each.thumbnail.shape for each in read], np.uint8).reshape(-1, 2),
        firsts=np.cumsum([0, *counts]).astype(np.int64),
        positions=positions,
        places=places[np.argsort(positions)].view(np.uint8).reshape(-1, PLACE.itemsize),
    )
    return FeatureSearcher(pictures, held, lists)


def open_folder(folder: Path, verify: bool) -> FeatureSearcher:  # noqa: FBT001 - the shape that AlgorithmSpec asks for
    """Open what `FeatureSearcher.save` wrote, memory-mapped.

    Raises:
        CorruptIndexError: incomplete, altered or of an unknown format.
    """
    contents = folders.read(folder, _KIND, verify=verify)
    folders.require_layout(folder, contents, _LAYOUT)
    folders.require(folder, contents, {**feature_pictures.SHAPES, **feature_lists.SHAPES, **copies.SHAPES})
    pictures = Pictures(**{name: contents.arrays[name] for name in Pictures.__slots__})
    lists = CodeLists(**{name: contents.arrays[name] for name in CodeLists.__slots__})
    if any(contents.parameters.get(name) != value for name, value in lists.parameters().items()):
        raise folders.corrupt(folder, "its lists are of centres that this program does not know")
    held = Copies(contents.arrays["copies"], contents.arrays["copy_starts"])
    if not feature_pictures.fits(pictures, held, lists):
        raise folders.corrupt(folder, "its arrays do not belong together")
    searcher = FeatureSearcher(pictures, held, lists, folder)
    if verify:
        searcher.require_whole()
    return searcher


SPEC = AlgorithmSpec(
    name="sift-itq-128",
    version=1,
    modality=Modality.IMAGE,
    encoding=Encoding.BASE64,
    unit=SpanUnit.PIXELS,
    check=_check,
    build=build,
    open=open_folder,
)
