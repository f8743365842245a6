"""PDQ in the index: which distance, between which views, is a match."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fingerprinting import thresholds
from fingerprinting.index import pictures
from fingerprinting.index.algorithm import AlgorithmSpec, Encoding, Entry, SearchContext
from fingerprinting.index.pictures import Candidates, PictureIndex
from fingerprinting.types import Depth, Fingerprint, Match, Modality, Span, SpanUnit, Strength

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
        for candidates in self._index.near(queries, radius, context.room):
            found += self._matches(candidates, context, len(found))
        if context.depth is Depth.FAST:
            return [match for match in found if match.strength is Strength.MATCH]
        return found

    def entries(self) -> Iterator[Entry]:
        """Give back what it was built from."""
        return self._index.entries(SPEC)

    def save(self, folder: Path) -> None:
        """Write it into a new folder."""
        self._index.save(folder)

    def _matches(self, found: Candidates, context: SearchContext, before: int) -> list[Match]:
        sure, worth_a_look = self._limits(found)
        rank = np.full(len(found.query), _NONE)
        rank[found.distance <= worth_a_look] = _LIKELY
        rank[found.distance <= sure] = _MATCH
        best = pictures.best_pairs(found, self._index.views.owners[found.row], rank)
        best = best[rank[best] != _NONE]
        context.require_room(before + len(best))
        views, query, row = self._index.views, found.query[best], found.row[best]
        columns = (
            found.asked.owners[query].tolist(),
            views.owners[row].tolist(),
            found.distance[best].tolist(),
            (rank[best] == _MATCH).tolist(),
            np.where(rank == _MATCH, sure, worth_a_look)[best].tolist(),
            found.asked.spans_of(query),
            views.spans_of(row),
            found.asked.qualities[query].tolist(),
            views.qualities[row].tolist(),
        )
        return [_match(*each) for each in zip(*columns, strict=True)]

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


def _match(
    asset: int,
    work: int,
    distance: int,
    is_sure: bool,  # noqa: FBT001 - a column among others
    limit: int,
    query_span: Span | None,
    work_span: Span | None,
    query_quality: float,
    work_quality: float,
) -> Match:
    return Match(
        asset=asset,
        work=work,
        algorithm=SPEC.name,
        version=SPEC.version,
        strength=Strength.MATCH if is_sure else Strength.LIKELY,
        distance=distance,
        threshold=float(limit),
        query_span=query_span,
        work_span=work_span,
        evidence={"query_quality": query_quality, "work_quality": work_quality},
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
