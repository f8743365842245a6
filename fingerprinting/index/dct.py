"""`dct-256` in the index: near hashes find a work, the grey of both pictures confirms it."""

import dataclasses
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from fingerprinting import thresholds
from fingerprinting.image import dct
from fingerprinting.index import folder as folders
from fingerprinting.index import pictures
from fingerprinting.index.algorithm import AlgorithmSpec, Encoding, Entry, SearchContext
from fingerprinting.index.pictures import Candidates, PictureIndex
from fingerprinting.types import Depth, Fingerprint, Match, Modality, SpanUnit, Strength

_KIND: Final = "dct"
_LAYOUT: Final = 1
_MATCH, _LIKELY, _NONE = 0, 1, 2
_FORM_STEP: Final = 16


class DctSearcher:
    """Works' pictures, searchable by `dct-256`."""

    def __init__(self, index: PictureIndex, thumbnails: NDArray[np.uint8]) -> None:
        self._index = index
        self._thumbnails = thumbnails

    @property
    def count(self) -> int:
        """How many hashes it holds."""
        return len(self._index.views.owners)

    def search(self, queries: Sequence[Entry], context: SearchContext) -> list[Match]:
        """Find the works that look like the assets; of several views the surest, then the nearest, is reported."""
        sure, worth_a_look = thresholds.dct_bits(context.registry_size)
        radius = sure if context.depth is Depth.FAST else worth_a_look
        best: dict[tuple[int, int], Match] = {}
        for first in range(0, len(queries), _ASSETS):
            part = queries[first : first + _ASSETS]
            thumbnails = [np.frombuffer(one.value, np.uint8, dct.THUMBNAIL_BYTES) for _, one in part]
            for near in self._index.near(list(_forms(part)), radius, context.room):
                for match in self._matches(near, part, thumbnails, sure):
                    known = best.get((match.asset, match.work))
                    if known is None or _order(match) < _order(known):
                        best[match.asset, match.work] = match
                        context.require_room(len(best))
        kept = best.values()
        return [match for match in kept if context.depth is not Depth.FAST or match.strength is Strength.MATCH]

    def entries(self) -> Iterator[Entry]:
        """Give back what it was built from."""
        for row, (work, view) in enumerate(self._index.entries(SPEC)):
            yield work, dataclasses.replace(view, value=self._thumbnails[row].tobytes() + view.value)

    def save(self, folder: Path) -> None:
        """Write it into a new folder."""
        with folders.new_folder(folder) as scratch:
            self._index.save(scratch / "views")
            folders.write(
                scratch, _KIND, {"thumbnails": self._thumbnails}, {"layout": _LAYOUT}, {"views": scratch / "views"}
            )

    def _matches(
        self, near: Candidates, part: Sequence[Entry], thumbnails: Sequence[NDArray[np.uint8]], sure: int
    ) -> Iterator[Match]:
        views = self._index.views
        for query, row, distance in zip(near.query.tolist(), near.row.tolist(), near.distance.tolist(), strict=True):
            # `_forms` hides in the owner which fingerprint of the part, and which of its forms, was near.
            nth, form = divmod(int(near.asked.owners[query]), _FORM_STEP)
            asset, asked = part[nth]
            mine = dct.thumbnail_as(thumbnails[nth].reshape(dct.THUMBNAIL, dct.THUMBNAIL), form)
            agreement = _correlation(mine.ravel(), self._thumbnails[row].astype(np.float32))
            is_sure = distance <= sure and agreement >= thresholds.DCT_MIN_CORRELATION
            yield Match(
                asset=asset,
                work=int(views.owners[row]),
                algorithm=SPEC.name,
                version=SPEC.version,
                strength=Strength.MATCH if is_sure else Strength.LIKELY,
                distance=distance,
                threshold=float(sure if is_sure else max(sure, distance)),
                query_span=asked.span,
                work_span=views.span(row),
                evidence={
                    "correlation": round(agreement, 3),
                    "mirrored": _is_mirrored(form),
                    "negative": form >= len(dct.FORMS),
                    **({"confirmed_by": "thumbnail"} if is_sure else {}),
                },
            )


_ASSETS: Final = 4096


def _forms(part: Sequence[Entry]) -> Iterator[Entry]:
    for nth, (_, one) in enumerate(part):
        for form, start in enumerate(range(dct.THUMBNAIL_BYTES, len(one.value), dct.HASH_BYTES)):
            hashed = one.value[start : start + dct.HASH_BYTES]
            yield nth * _FORM_STEP + form, Fingerprint(SPEC.name, SPEC.version, hashed, one.quality)


def _order(match: Match) -> tuple[bool, int]:
    return match.strength is not Strength.MATCH, match.distance or 0


def _correlation(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    one, other = one - one.mean(), other - other.mean()
    length = float(np.sqrt((one @ one) * (other @ other)))
    return float(one @ other) / length if length else 0.0


def _is_mirrored(form: int) -> bool:
    turned, down, across = dct.FORMS[form % len(dct.FORMS)]
    return bool((turned + down + across) % 2)


def _check(fingerprint: Fingerprint) -> str | None:
    hashes, rest = divmod(len(fingerprint.value) - dct.THUMBNAIL_BYTES, dct.HASH_BYTES)
    if rest or hashes not in (dct.WORK_FORMS, *dct.QUERY_FORMS):
        return f"the value must be {dct.THUMBNAIL_BYTES} bytes and then 1, 8 or 16 times {dct.HASH_BYTES}"
    return pictures.check_span(fingerprint.span)


def _build(entries: Sequence[Entry]) -> DctSearcher:
    first, last = dct.THUMBNAIL_BYTES, dct.THUMBNAIL_BYTES + dct.HASH_BYTES
    hashed = [
        (work, Fingerprint(SPEC.name, SPEC.version, one.value[first:last], one.quality, one.span))
        for work, one in entries
    ]
    thumbnails = np.frombuffer(b"".join(one.value[:first] for _, one in entries), np.uint8).reshape(-1, first)
    return DctSearcher(pictures.build(hashed, dct.HASH_BYTES), thumbnails)


def _open(folder: Path, verify: bool) -> DctSearcher:  # noqa: FBT001 - the shape that AlgorithmSpec asks for
    contents = folders.read(folder, _KIND, verify=verify)
    folders.require_layout(folder, contents, _LAYOUT)
    folders.require(folder, contents, {"thumbnails": ("|u1", 2)})
    if contents.children != ("views",):
        raise folders.corrupt(folder, "the views are missing")
    index = pictures.open_folder(folder / "views", dct.HASH_BYTES, verify=verify)
    thumbnails = contents.arrays["thumbnails"]
    if thumbnails.shape != (len(index.views.owners), dct.THUMBNAIL_BYTES):
        raise folders.corrupt(folder, "its arrays do not belong together")
    return DctSearcher(index, thumbnails)


SPEC = AlgorithmSpec(
    name="dct-256",
    version=1,
    modality=Modality.IMAGE,
    encoding=Encoding.BASE64,
    unit=SpanUnit.PIXELS,
    check=_check,
    build=_build,
    open=_open,
)
