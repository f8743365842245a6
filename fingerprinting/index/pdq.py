"""PDQ in the index: which distance, between which views, is a match."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fingerprinting import thresholds
from fingerprinting.index import pictures
from fingerprinting.index.algorithm import AlgorithmSpec, Encoding, Entry, SearchContext
from fingerprinting.index.pictures import Candidates, PictureIndex
from fingerprinting.types import Depth, Fingerprint, Match, Modality, SpanUnit, Strength

_BYTES = 32
_MATCH, _LIKELY, _NONE = 0, 1, 2


class PdqSearcher:
    """Works' pictures and views of them, searchable by PDQ."""

    def __init__(self, index: PictureIndex) -> None:
        self._index = index

    @property
    def count(self) -> int:
        """How many hashes it holds."""
        return len(self._index.views.owners)

    def search(self, queries: Sequence[Entry], context: SearchContext) -> list[Match]:
        """Find the works that look like the assets; of several views the surest, then the nearest, is reported."""
        radius = thresholds.PDQ_MATCH_BITS if context.depth is Depth.FAST else thresholds.PDQ_LIKELY_BITS
        found: list[Match] = []
        for candidates in self._index.near(queries, radius):
            found += self._matches(candidates)
        if context.depth is Depth.FAST:
            return [match for match in found if match.strength is Strength.MATCH]
        return found

    def entries(self) -> Iterator[Entry]:
        """Give back what it was built from."""
        return self._index.entries(SPEC)

    def save(self, folder: Path) -> None:
        """Write it into a new folder."""
        self._index.save(folder)

    def _matches(self, found: Candidates) -> list[Match]:
        sure, worth_a_look = self._limits(found)
        rank = np.full(len(found.query), _NONE)
        rank[found.distance <= worth_a_look] = _LIKELY
        rank[found.distance <= sure] = _MATCH
        best = pictures.best_pairs(found, self._index.views.owners[found.row], rank)
        limits = np.where(rank == _MATCH, sure, worth_a_look)
        return [
            self._match(found, pair, int(limits[pair]), int(rank[pair]))
            for pair in best.tolist()
            if rank[pair] != _NONE
        ]

    def _limits(self, found: Candidates) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Give each pair the distance up to which it is a match, and up to which it is worth a look."""
        views = self._index.views
        quality = np.minimum(found.asked.qualities[found.query], views.qualities[found.row])
        is_flat = quality < thresholds.PDQ_MIN_QUALITY
        is_whole = found.asked.whole(found.query) & views.whole(found.row)
        kinds = [is_whole & ~is_flat, is_whole, ~is_flat]
        sure = [thresholds.PDQ_MATCH_BITS, thresholds.PDQ_FLAT_MATCH_BITS, thresholds.PDQ_FRAME_MATCH_BITS]
        likely = [thresholds.PDQ_LIKELY_BITS, thresholds.PDQ_FLAT_LIKELY_BITS, thresholds.PDQ_FRAME_LIKELY_BITS]
        flat_frames = thresholds.PDQ_FLAT_MATCH_BITS, thresholds.PDQ_FRAME_MATCH_BITS
        return np.select(kinds, sure, flat_frames[0]), np.select(kinds, likely, flat_frames[1])

    def _match(self, found: Candidates, pair: int, limit: int, rank: int) -> Match:
        views = self._index.views
        query, row = int(found.query[pair]), int(found.row[pair])
        return Match(
            asset=int(found.asked.owners[query]),
            work=int(views.owners[row]),
            algorithm=SPEC.name,
            version=SPEC.version,
            strength=Strength.MATCH if rank == _MATCH else Strength.LIKELY,
            distance=int(found.distance[pair]),
            threshold=float(limit),
            query_span=found.asked.span(query),
            work_span=views.span(row),
            evidence={
                "query_quality": float(found.asked.qualities[query]),
                "work_quality": float(views.qualities[row]),
            },
        )


def _check(fingerprint: Fingerprint) -> str | None:
    if len(fingerprint.value) != _BYTES:
        return f"the value must be {_BYTES} bytes long, not {len(fingerprint.value)}"
    return pictures.check_span(fingerprint.span)


def _build(entries: Sequence[Entry]) -> PdqSearcher:
    return PdqSearcher(pictures.build(entries, _BYTES))


def _open(folder: Path, verify: bool) -> PdqSearcher:  # noqa: FBT001 - the shape that AlgorithmSpec asks for
    return PdqSearcher(pictures.open_folder(folder, _BYTES, verify=verify))


SPEC = AlgorithmSpec(
    name="pdq-256",
    version=1,
    modality=Modality.IMAGE,
    encoding=Encoding.HEX,
    unit=SpanUnit.PIXELS,
    check=_check,
    build=_build,
    open=_open,
)
