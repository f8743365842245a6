"""Chromaprint in the index: recordings found by codes that agree, then laid on each other and compared."""

import os
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fingerprinting import thresholds
from fingerprinting.index import copies, inverted
from fingerprinting.index import folder as folders
from fingerprinting.index.algorithm import AlgorithmSpec, Encoding, Entry, SearchContext
from fingerprinting.index.chromaprint_align import Alignment, Recording, align
from fingerprinting.index.copies import Copies
from fingerprinting.index.inverted import InvertedIndex
from fingerprinting.types import Depth, Fingerprint, Match, Modality, Span, SpanUnit, Strength

_KIND = "recordings"
_LAYOUT = 2
_CODE_BYTES = 4
_RELIABLE_BITS = 0xAAAAAAAA  # the high bit of each of the 16 classifiers changes least under noise and coding
_BLOCK_CODES = 1024  # 2 minutes of a long asset at a time
_MIN_VOTES = 4
_OFFSETS_A_RECORDING = 4  # music repeats itself: several alignments with one recording may be worth a comparison
_FURTHER_CODES = 1 << 21  # codes compared in further alignments of recordings that none of the best few settled
_BUDGET = 1 << 21  # postings read a block
_REPEATS = 16  # postings of one code in one recording, and one more for every 2 minutes: 4 votes are enough
_OFFSET_BIAS = 1 << 31

_at_once = threading.BoundedSemaphore(max(2, os.cpu_count() or 2))
"""Threads that count votes: each holds 160 MB for it where recordings repeat themselves and each other very often."""


@dataclass(frozen=True, slots=True)
class Recordings:
    """N recordings of which R differ, their codes one after the other.

    Attributes:
        codes: uint32, shape (C,).
        starts: int64, shape (R + 1,): recording r is `codes[starts[r] : starts[r + 1]]`.
        copies: which of N each of R is.
        works: int64, shape (N,).
        begins: float64, shape (N,): where each begins in its work, in seconds.
    """

    codes: NDArray[np.uint32]
    starts: NDArray[np.int64]
    copies: Copies
    works: NDArray[np.int64]
    begins: NDArray[np.float64]

    def codes_of(self, row: int) -> NDArray[np.uint32]:
        """Give the codes of one recording."""
        return self.codes[self.starts[row] : self.starts[row + 1]]


class ChromaprintSearcher:
    """Works' recordings, searchable by any stretch of them."""

    def __init__(self, recordings: Recordings, index: InvertedIndex) -> None:
        self._recordings = recordings
        self._index = index

    @property
    def count(self) -> int:
        """How many recordings it holds."""
        return len(self._recordings.works)

    def search(self, queries: Sequence[Entry], context: SearchContext) -> list[Match]:
        """Find the works that sound in the assets; of several stretches the longest sure one is reported."""
        best: dict[tuple[int, int], tuple[Alignment, Match]] = {}
        for asset, fingerprint in queries:
            for row, found in self._alignments(_codes(fingerprint)).items():
                if context.depth is Depth.FAST and not found.is_match:
                    continue
                for copy in self._recordings.copies.of(row):
                    key = (asset, int(self._recordings.works[copy]))
                    if key not in best or _order(found) > _order(best[key][0]):
                        best[key] = (found, self._match(asset, fingerprint, copy, found))
        return [match for _, match in best.values()]

    def propose(self, fingerprint: Fingerprint, begin: int, end: int) -> set[tuple[int, float, int]]:
        """Find recordings that a part of an asset may hold, for another algorithm to decide.

        Args:
            fingerprint: the asset's.
            begin: first code of the part.
            end: one past its last.

        Returns:
            The work, where the recording begins in it in seconds, and by how many codes it is later there.
        """
        held = self._recordings
        found: set[tuple[int, float, int]] = set()
        for rank, row, offset in self._candidates(_codes(fingerprint)[begin:end]):
            if rank > _OFFSETS_A_RECORDING:
                break
            copy = held.copies.of(row)[0]
            found.add((int(held.works[copy]), float(held.begins[copy]), offset - begin))
        return found

    def entries(self) -> Iterator[Entry]:
        """Give back what it was built from, in that order; where one ends follows from its codes."""
        held = self._recordings
        row_of = np.empty(len(held.works), dtype=np.int64)
        row_of[held.copies.entries] = np.repeat(np.arange(len(held.starts) - 1), np.diff(held.copies.starts))
        for work, begin, row in zip(held.works.tolist(), held.begins.tolist(), row_of.tolist(), strict=True):
            codes = held.codes_of(row)
            span = (begin, begin + _length(len(codes)))
            value = codes.astype("<u4").tobytes()
            yield work, Fingerprint(SPEC.name, SPEC.version, value, span=span, unit=SPEC.unit)

    def save(self, folder: Path) -> None:
        """Write it into a new folder."""
        arrays: dict[str, folders.Array] = {
            "codes": self._recordings.codes,
            "code_starts": self._recordings.starts,
            "works": self._recordings.works,
            "begins": self._recordings.begins,
        }
        with folders.new_folder(folder) as scratch:
            arrays |= {**self._recordings.copies.arrays(), **self._index.arrays()}
            folders.write(scratch, _KIND, arrays, {"layout": _LAYOUT})

    def _alignments(self, codes: NDArray[np.uint32]) -> dict[int, Alignment]:
        """Compare an asset with each recording that got votes, laid on each other as most of them say.

        Of music that repeats itself there are hundreds of ways to do that. Each recording is compared in the best few;
        in more of them only while it is no match, and while there is time for it.
        """
        found: dict[int, Alignment] = {}
        asked, known, last, left = Recording(codes), Recording(codes), -1, _FURTHER_CODES
        for rank, row, offset in self._candidates(codes):
            if row != last:
                known, last = Recording(self._recordings.codes_of(row)), row
            held = found.get(row)
            overlap = min(len(codes), len(known.codes) - offset) - max(0, -offset)
            if held is not None and held.is_match and (rank > _OFFSETS_A_RECORDING or overlap < held.codes):
                continue  # it can't say more than what was found
            if rank > _OFFSETS_A_RECORDING:
                left -= overlap
                if left < 0:
                    break
            stretch = align(asked, known, offset)
            if stretch is not None and (held is None or _order(stretch) > _order(held)):
                found[row] = stretch
        return found

    def _candidates(self, codes: NDArray[np.uint32]) -> Iterator[tuple[int, int, int]]:
        """Vote: alignments under which several codes of the asset agree with the work's.

        Yields:
            Which of its recording it is (the first is 0), recording, and offset: the best few of each recording,
            recording by recording, then what else there is, most votes first.
        """
        cells = [np.empty(0, dtype=np.int64)]
        votes = [np.empty(0, dtype=np.int64)]
        for block in range(0, len(codes), _BLOCK_CODES):
            asked = codes[block : block + _BLOCK_CODES]
            terms = self._index.find(_terms(asked))
            terms[asked == thresholds.CHROMAPRINT_SILENCE] = -1
            with _at_once:
                hits = self._index.agreeing(terms, _BUDGET, _MIN_VOTES, by_offset=True)
                offsets = hits.position - (hits.query + block) + _OFFSET_BIAS
                cell, count = np.unique(hits.row << 32 | offsets, return_counts=True)
                del hits, offsets
            enough = count >= _MIN_VOTES
            some, few, rank = self._ranked(cell[enough], count[enough], len(codes))
            cells.append(some[rank <= _OFFSETS_A_RECORDING])
            votes.append(few[rank <= _OFFSETS_A_RECORDING])
        joined, member = np.unique(np.concatenate(cells), return_inverse=True)
        total = np.bincount(member, np.concatenate(votes), len(joined)).astype(np.int64)
        joined, total, rank = self._ranked(joined, total, len(codes))
        further = rank > _OFFSETS_A_RECORDING
        order = np.lexsort((rank, np.where(further, -total, joined >> 32), further))
        rows, offsets = joined[order] >> 32, (joined[order] & 0xFFFFFFFF) - _OFFSET_BIAS
        yield from zip(rank[order].tolist(), rows.tolist(), offsets.tolist(), strict=True)

    def _ranked(
        self, cells: NDArray[np.int64], votes: NDArray[np.int64], codes: int
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        """Put the cells of each recording in order of their votes: cells, votes, and which of its recording each is.

        First comes the one that lays most codes on each other among those with half of the most votes: of a loop all
        have about equally many.
        """
        if not len(cells):
            return cells, votes, votes
        order = np.lexsort((-votes, cells >> 32))
        cells, votes = cells[order], votes[order]
        rows, offsets = cells >> 32, (cells & 0xFFFFFFFF) - _OFFSET_BIAS
        first = np.searchsorted(rows, rows)
        lengths = self._recordings.starts[rows + 1] - self._recordings.starts[rows]
        overlap = np.minimum(codes, lengths - offsets) - np.maximum(0, -offsets)
        overlap[votes * 2 < votes[first]] = 0
        order = np.lexsort((-overlap, rows))
        rank = np.arange(len(rows)) - first + 1
        rank[order[np.flatnonzero(first == np.arange(len(rows)))]] = 0
        return cells, votes, rank

    def _match(self, asset: int, fingerprint: Fingerprint, copy: int, found: Alignment) -> Match:
        begin = fingerprint.span[0] if fingerprint.span is not None else 0.0
        return Match(
            asset=asset,
            work=int(self._recordings.works[copy]),
            algorithm=SPEC.name,
            version=SPEC.version,
            strength=Strength.MATCH if found.is_match else Strength.LIKELY,
            score=round(32 - found.bits, 2),
            threshold=round(32 - found.limit, 2),
            query_span=_seconds(begin, found.query_start, found.codes),
            work_span=_seconds(float(self._recordings.begins[copy]), found.work_start, found.codes),
            evidence={
                "bit_error": round(found.bits, 2),
                "codes": found.codes,
                "matched_seconds": round(_length(found.codes), 1),
                "sharpness": round(found.sharpness, 2),
            },
        )


def _order(found: Alignment) -> tuple[bool, int, float]:
    return found.is_match, found.codes, -found.bits


def _seconds(begin: float, first: int, codes: int) -> Span:
    start = begin + first * thresholds.CHROMAPRINT_CODE_SECONDS
    return round(start, 2), round(start + _length(codes), 2)


def _length(codes: int) -> float:
    return codes * thresholds.CHROMAPRINT_CODE_SECONDS + thresholds.CHROMAPRINT_REACH_SECONDS


def _codes(fingerprint: Fingerprint) -> NDArray[np.uint32]:
    return np.frombuffer(fingerprint.value, dtype="<u4").astype(np.uint32, copy=False)


def _terms(codes: NDArray[np.uint32]) -> NDArray[np.uint64]:
    return (codes & np.uint32(_RELIABLE_BITS)).astype(np.uint64)


def _check(fingerprint: Fingerprint) -> str | None:
    if not fingerprint.value or len(fingerprint.value) % _CODE_BYTES:
        return f"the value must be one or more codes of {_CODE_BYTES} bytes, it has {len(fingerprint.value)} bytes"
    if fingerprint.span is not None and len(fingerprint.span) != 2:  # noqa: PLR2004 - start and end
        return "the span of a recording is start, end in seconds"
    return None


def _build(entries: Sequence[Entry]) -> ChromaprintSearcher:
    values, held = copies.distinct(entries)
    lengths = np.array([len(value) // _CODE_BYTES for value in values], dtype=np.int64)
    recordings = Recordings(
        codes=np.frombuffer(b"".join(values), dtype="<u4").astype(np.uint32, copy=False),
        starts=np.concatenate(([0], np.cumsum(lengths))).astype(np.int64),
        copies=held,
        works=np.array([work for work, _ in entries], dtype=np.int64),
        begins=np.array([each.span[0] if each.span is not None else 0.0 for _, each in entries], dtype=np.float64),
    )
    rows = np.repeat(np.arange(len(values), dtype=np.uint32), lengths)
    positions = (np.arange(len(rows)) - np.repeat(recordings.starts[:-1], lengths)).astype(np.uint32)
    heard = recordings.codes != thresholds.CHROMAPRINT_SILENCE
    most = _REPEATS + lengths // _BLOCK_CODES
    index = inverted.build(_terms(recordings.codes[heard]), rows[heard], positions[heard], most)
    return ChromaprintSearcher(recordings, index)


def _open(folder: Path, verify: bool) -> ChromaprintSearcher:  # noqa: FBT001 - the shape that AlgorithmSpec asks for
    contents = folders.read(folder, _KIND, verify=verify)
    shapes = {"codes": ("<u4", 1), "code_starts": ("<i8", 1), "works": ("<i8", 1), "begins": ("<f8", 1)}
    folders.require_layout(folder, contents, _LAYOUT)
    folders.require(folder, contents, shapes | copies.SHAPES)
    arrays = contents.arrays
    held = Copies(arrays["copies"], arrays["copy_starts"])
    recordings = Recordings(arrays["codes"], arrays["code_starts"], held, arrays["works"], arrays["begins"])
    rows, count = len(recordings.starts) - 1, len(recordings.works)
    index = inverted.read(folder, contents, rows)
    if not held.fit(rows, count) or len(recordings.begins) != count:
        raise folders.corrupt(folder, "its arrays do not belong together")
    return ChromaprintSearcher(recordings, index)


SPEC = AlgorithmSpec(
    name="chromaprint-2",
    version=1,
    modality=Modality.AUDIO,
    encoding=Encoding.BASE64,
    unit=SpanUnit.SECONDS,
    check=_check,
    build=_build,
    open=_open,
)
