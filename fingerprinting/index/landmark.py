"""Landmarks in the index: recordings that share pairs of peaks with an asset. They propose, and decide nothing."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from fingerprinting.audio import print_bytes
from fingerprinting.audio.print_bytes import HEADER_BYTES, Peaks
from fingerprinting.index import folder as folders
from fingerprinting.index import inverted, landmark_pairs, soundtracks
from fingerprinting.index.algorithm import AlgorithmSpec, Encoding, Entry, SearchContext
from fingerprinting.index.inverted import InvertedIndex
from fingerprinting.index.soundtracks import Soundtracks
from fingerprinting.types import Fingerprint, Match, Modality, SpanUnit

_KIND: Final = "landmarks"
_LAYOUT: Final = 1
_PEAK_BYTES: Final = 4
_NEEDED: Final = 3
_OFFSETS_A_RECORDING: Final = 3
_BIAS: Final = 1 << 31
CANDIDATES: Final = 24
MOST_POSTINGS: Final = 1 << 22


@dataclass(frozen=True, slots=True)
class Proposal:
    """A recording that an asset may hold: position p of the asset is position p + offset of the recording."""

    row: int
    offset: int
    votes: int


class LandmarkSearcher:
    """Works' peaks, searchable by any few seconds of them."""

    def __init__(self, tracks: Soundtracks, peaks: NDArray[np.uint32], index: InvertedIndex) -> None:
        self.tracks = tracks
        self._peaks = peaks
        self._index = index

    @property
    def count(self) -> int:
        """How many recordings it holds."""
        return len(self.tracks.works)

    def search(self, queries: Sequence[Entry], context: SearchContext) -> list[Match]:  # noqa: ARG002
        """Find nothing: what is proposed here is decided by band energies (`index.sound`)."""
        return []

    def propose(
        self, peaks: Peaks, tempo: float = 1.0, pitch: float = 1.0, budget: int = MOST_POSTINGS
    ) -> list[Proposal]:
        """Find recordings that share pairs of peaks with a part of an asset, most votes first.

        Args:
            peaks: of up to a minute.
            tempo: how much faster than the work the asset is assumed to be.
            pitch: how much higher.
            budget: postings to read at most, of the rarest pairs.
        """
        terms, positions = landmark_pairs.pairs(peaks, landmark_pairs.QUERY_FAN, tempo=tempo, pitch=pitch)
        found = self._index.find(terms)
        hits = self._index.agreeing(found, budget, _NEEDED, by_offset=True, at=positions)
        return _elected(hits.row, hits.position - hits.query)

    def peaks_of(self, row: int) -> Peaks:
        """Give the peaks of one recording."""
        first, last = self.tracks.bounds(row)
        return print_bytes.unpacked(self._peaks[first:last], has_weak=True)

    def entries(self) -> Iterator[Entry]:
        """Give back what it was built from, by work; where one ends is not kept."""
        tracks = self.tracks
        for work, begin, row in zip(tracks.works.tolist(), tracks.begins.tolist(), tracks.rows.tolist(), strict=True):
            first, last = tracks.bounds(row)
            value = print_bytes.write_peaks(print_bytes.unpacked(self._peaks[first:last], has_weak=True))
            yield work, Fingerprint(SPEC.name, SPEC.version, value, span=(begin, begin), unit=SPEC.unit)

    def save(self, folder: Path) -> None:
        """Write it into a new folder."""
        # The rows of postings have that name in the inverted index, so the recordings go by another one.
        own = {f"track_{name}": array for name, array in self.tracks.arrays().items()}
        arrays: dict[str, folders.Array] = {**own, "peaks": self._peaks, **self._index.arrays()}
        with folders.new_folder(folder) as scratch:
            folders.write(scratch, _KIND, arrays, {"layout": _LAYOUT})


def _elected(rows: NDArray[np.int64], offsets: NDArray[np.int64]) -> list[Proposal]:
    """Count votes for each recording and offset; those for the next offset count, too."""
    cells, votes = np.unique(rows << 32 | (offsets + _BIAS), return_counts=True)
    if not len(cells):
        return []
    total = votes.copy()
    adjacent = np.flatnonzero(np.diff(cells) == 1)
    total[adjacent] += votes[adjacent + 1]
    enough = total >= _NEEDED
    cells, total = cells[enough], total[enough]
    order = np.argsort(-total, kind="stable")[: CANDIDATES * 8]
    chosen: list[Proposal] = []
    offsets_of: dict[int, list[int]] = {}
    for cell, count in zip(cells[order].tolist(), total[order].tolist(), strict=True):
        row, offset = cell >> 32, (cell & 0xFFFFFFFF) - _BIAS
        known = offsets_of.setdefault(row, [])
        if len(known) < _OFFSETS_A_RECORDING and all(abs(offset - other) > 2 for other in known):  # noqa: PLR2004
            known.append(offset)
            chosen.append(Proposal(row, offset, count))
        if len(chosen) == CANDIDATES:
            break
    return chosen


def _check(fingerprint: Fingerprint) -> str | None:
    return print_bytes.check_peaks(fingerprint.value) or soundtracks.check_span(fingerprint.span)


def _build(entries: Sequence[Entry]) -> LandmarkSearcher:
    values, tracks = soundtracks.build(entries, HEADER_BYTES, _PEAK_BYTES)
    terms, rows, positions = [np.empty(0, np.uint64)], [np.empty(0, np.uint32)], [np.empty(0, np.uint32)]
    for row, value in enumerate(values):
        term, position = landmark_pairs.pairs_of_work(print_bytes.read_peaks(value))
        terms.append(term)
        rows.append(np.full(len(term), row, dtype=np.uint32))
        positions.append(position.astype(np.uint32))
    index = inverted.build(np.concatenate(terms), np.concatenate(rows), np.concatenate(positions))
    joined = np.frombuffer(b"".join(value[HEADER_BYTES:] for value in values), dtype="<u4")
    return LandmarkSearcher(tracks, joined.astype(np.uint32, copy=False), index)


def _open(folder: Path, verify: bool) -> LandmarkSearcher:  # noqa: FBT001 - the shape that AlgorithmSpec asks for
    contents = folders.read(folder, _KIND, verify=verify)
    shapes = {f"track_{name}": shape for name, shape in soundtracks.SHAPES.items()}
    folders.require_layout(folder, contents, _LAYOUT)
    folders.require(folder, contents, {"peaks": ("<u4", 1), **shapes})
    tracks = soundtracks.read({name: contents.arrays[f"track_{name}"] for name in soundtracks.SHAPES})
    peaks = contents.arrays["peaks"]
    index = inverted.read(folder, contents, len(tracks.firsts) - 1)
    if not tracks.fit(len(peaks)):
        raise folders.corrupt(folder, "its arrays do not belong together")
    return LandmarkSearcher(tracks, peaks, index)


SPEC = AlgorithmSpec(
    name=print_bytes.LANDMARK_ALGORITHM,
    version=print_bytes.LANDMARK_VERSION,
    modality=Modality.AUDIO,
    encoding=Encoding.BASE64,
    unit=SpanUnit.SECONDS,
    check=_check,
    build=_build,
    open=_open,
)
