"""ImageHash's pHash in the index: 64 bits, worth a look at most."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from fingerprinting import thresholds
from fingerprinting.index import pictures
from fingerprinting.index.algorithm import AlgorithmSpec, Encoding, Entry, SearchContext
from fingerprinting.index.pictures import PictureIndex
from fingerprinting.types import Depth, Fingerprint, Match, Modality, SpanUnit, Strength

_BYTES = 8


class PhashSearcher:
    """Works' pictures, searchable by pHash."""

    def __init__(self, index: PictureIndex) -> None:
        self._index = index

    @property
    def count(self) -> int:
        """How many hashes it holds."""
        return len(self._index.views.owners)

    def search(self, queries: Sequence[Entry], context: SearchContext) -> list[Match]:
        """Find works that may look like the assets. `segment` raises one to a match where PDQ says so too."""
        if context.depth is Depth.FAST:
            return []
        views = self._index.views
        found: list[Match] = []
        for near in self._index.near(queries, thresholds.PHASH_LIKELY_BITS, context.room):
            best = pictures.best_pairs(near, views.owners[near.row], np.zeros(len(near.query), dtype=np.int64))
            context.require_room(len(found) + len(best))
            query, row = near.query[best], near.row[best]
            columns = (
                near.asked.owners[query].tolist(),
                views.owners[row].tolist(),
                near.distance[best].tolist(),
                near.asked.spans_of(query),
                views.spans_of(row),
            )
            found += [
                Match(
                    asset=asset,
                    work=work,
                    algorithm=SPEC.name,
                    version=SPEC.version,
                    strength=Strength.LIKELY,
                    distance=distance,
                    threshold=float(thresholds.PHASH_LIKELY_BITS),
                    query_span=query_span,
                    work_span=work_span,
                )
                for asset, work, distance, query_span, work_span in zip(*columns, strict=True)
            ]
        return found

    def entries(self) -> Iterator[Entry]:
        """Give back what it was built from."""
        return self._index.entries(SPEC)

    def save(self, folder: Path) -> None:
        """Write it into a new folder."""
        self._index.save(folder)


def _check(fingerprint: Fingerprint) -> str | None:
    if len(fingerprint.value) != _BYTES:
        return f"the value must be {_BYTES} bytes long, not {len(fingerprint.value)}"
    return pictures.check_span(fingerprint.span)


def _build(entries: Sequence[Entry]) -> PhashSearcher:
    return PhashSearcher(pictures.build(entries, _BYTES))


def _open(folder: Path, verify: bool) -> PhashSearcher:  # noqa: FBT001 - the shape that AlgorithmSpec asks for
    return PhashSearcher(pictures.open_folder(folder, _BYTES, verify=verify))


SPEC = AlgorithmSpec(
    name="phash-64",
    version=1,
    modality=Modality.IMAGE,
    encoding=Encoding.HEX,
    unit=SpanUnit.PIXELS,
    check=_check,
    build=_build,
    open=_open,
)
