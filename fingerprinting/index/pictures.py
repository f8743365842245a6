"""Hashes of pictures and of views of pictures, searchable by Hamming distance: what PDQ and pHash share."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import isnan
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fingerprinting.index import folder as folders
from fingerprinting.index import hamming
from fingerprinting.index.algorithm import AlgorithmSpec, Entry
from fingerprinting.index.hamming import HammingIndex
from fingerprinting.types import Fingerprint, Span

_KIND = "pictures"
_LAYOUT = 1


@dataclass(frozen=True, slots=True)
class Views:
    """What is needed to judge a match by each of N views.

    Attributes:
        owners: int64, shape (N,): the work (or asset) that each shows.
        qualities: float32, shape (N,), 0 to 100.
        spans: float32, shape (N, 4): left, top, right, bottom in pixels; NaN for the whole picture.
    """

    owners: NDArray[np.int64]
    qualities: NDArray[np.float32]
    spans: NDArray[np.float32]

    def whole(self, rows: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Say which of some rows show the whole picture."""
        whole: NDArray[np.bool_] = np.isnan(self.spans[rows, 0])
        return whole

    def spans_of(self, rows: NDArray[np.int64]) -> list[Span | None]:
        """Give the rectangle of each of some rows; None for the whole picture."""
        sides = self.spans[rows].tolist()
        return [None if isnan(left) else (left, top, right, bottom) for left, top, right, bottom in sides]

    def span(self, row: int) -> Span | None:
        """Give a row's rectangle; None for the whole picture."""
        left, top, right, bottom = self.spans[row].tolist()
        return None if np.isnan(left) else (left, top, right, bottom)


@dataclass(frozen=True, slots=True)
class Candidates:
    """Pairs of views within a radius: row in the asked views, row in the indexed ones, distance in bits."""

    asked: Views
    query: NDArray[np.int64]
    row: NDArray[np.int64]
    distance: NDArray[np.int16]


class PictureIndex:
    """Views of works and an index over their hashes."""

    def __init__(self, views: Views, index: HammingIndex) -> None:
        self.views = views
        self._index = index

    def near(self, queries: Sequence[Entry], radius: int, room: int | None = None) -> Iterator[Candidates]:
        """Find all pairs within the radius, some assets at a time. An asset's views come in the same block.

        With room for so many matches alone, a block is not much larger: what is too much is soon seen to be.
        """
        hashes, asked = gather(sorted(queries, key=lambda entry: entry[0]), self._index.width)
        most = hamming.MOST_PAIRS if room is None else min(hamming.MOST_PAIRS, 2 * room)
        for pairs in self._index.blocks(hashes, radius, groups=asked.owners, most_pairs=most):
            yield Candidates(asked, pairs.query, pairs.row, pairs.distance)

    def entries(self, spec: AlgorithmSpec) -> Iterator[Entry]:
        """Give back the fingerprints that it was built from."""
        views, hashes = self.views, self._index.hashes
        for row, (owner, quality) in enumerate(zip(views.owners.tolist(), views.qualities.tolist(), strict=True)):
            value = hashes[row].tobytes()
            yield owner, Fingerprint(spec.name, spec.version, value, quality, views.span(row), spec.unit)

    def save(self, folder: Path) -> None:
        """Write it into a new folder."""
        arrays: dict[str, folders.Array] = {
            "owners": self.views.owners,
            "qualities": self.views.qualities,
            "spans": self.views.spans,
        }
        with folders.new_folder(folder) as scratch:
            self._index.save(scratch / "hashes")
            folders.write(scratch, _KIND, arrays, {"layout": _LAYOUT}, {"hashes": scratch / "hashes"})


def build(entries: Sequence[Entry], width: int) -> PictureIndex:
    """Make views searchable. `width` is the bytes of a hash: 8 or 32."""
    hashes, views = gather(entries, width)
    return PictureIndex(views, hamming.build(hashes))


def open_folder(folder: Path, width: int, *, verify: bool) -> PictureIndex:
    """Open what `PictureIndex.save` wrote, memory-mapped.

    Raises:
        CorruptIndexError: incomplete, altered or of an unknown format.
    """
    contents = folders.read(folder, _KIND, verify=verify)
    folders.require_layout(folder, contents, _LAYOUT)
    folders.require(folder, contents, {"owners": ("<i8", 1), "qualities": ("<f4", 1), "spans": ("<f4", 2)})
    if contents.children != ("hashes",):
        raise folders.corrupt(folder, "the hashes are missing")
    index = hamming.open(folder / "hashes", verify=verify)
    views = Views(
        owners=contents.arrays["owners"],
        qualities=contents.arrays["qualities"],
        spans=contents.arrays["spans"],
    )
    count = len(views.owners)
    if (
        (len(index), index.width) != (count, width)
        or views.qualities.shape != (count,)
        or views.spans.shape != (count, 4)
    ):
        raise folders.corrupt(folder, "its arrays do not belong together")
    return PictureIndex(views, index)


def gather(entries: Sequence[Entry], width: int) -> tuple[NDArray[np.uint8], Views]:
    """Turn fingerprints into arrays: their hashes, shape (N, width), and the rest."""
    joined = b"".join(fingerprint.value for _, fingerprint in entries)
    spans = np.full((len(entries), 4), np.nan, dtype=np.float32)
    for row, (_, fingerprint) in enumerate(entries):
        if fingerprint.span is not None:
            spans[row] = fingerprint.span
    views = Views(
        owners=np.array([owner for owner, _ in entries], dtype=np.int64),
        qualities=np.array([fingerprint.quality for _, fingerprint in entries], dtype=np.float32),
        spans=spans,
    )
    return np.frombuffer(joined, dtype=np.uint8).reshape(-1, width), views


def best_pairs(found: Candidates, works: NDArray[np.int64], rank: NDArray[np.int64]) -> NDArray[np.int64]:
    """Choose the best pair of each asset and work.

    Args:
        found: P pairs.
        works: the work of each, shape (P,).
        rank: how good a pair is before its distance counts, lower is better, shape (P,).

    Returns:
        Positions among the pairs, ascending by asset and work.
    """
    assets = found.asked.owners[found.query]
    order = np.lexsort((found.distance, rank, works, assets))
    first = np.ones(len(order), dtype=np.bool_)
    first[1:] = (assets[order][1:] != assets[order][:-1]) | (works[order][1:] != works[order][:-1])
    return order[first]


def check_span(span: Span | None) -> str | None:
    """Say what is wrong with the span of a picture's fingerprint, or None."""
    if span is None or len(span) == 4:  # noqa: PLR2004 - the four sides of a rectangle
        return None
    return "the span of a picture is left, top, right, bottom in pixels"
