"""Word shingles in the index: texts and captions found by any passage that runs along one of a work."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fingerprinting import thresholds
from fingerprinting.index import folder as folders
from fingerprinting.index import inverted, shingle_groups
from fingerprinting.index.algorithm import AlgorithmSpec, Encoding, Entry, SearchContext
from fingerprinting.index.diagonals import MAX_POSITION, Passage, SharedShingles, passages
from fingerprinting.index.inverted import InvertedIndex
from fingerprinting.types import Depth, Fingerprint, Match, Modality, SpanUnit, Strength

_KIND = "texts"
_RECORD = np.dtype([("shingle", "<u8"), ("position", "<u4")])
_BUDGET = 1 << 22  # postings read for one asset
_MOST_OF_A_WORK = 0.5


@dataclass(frozen=True, slots=True)
class Texts:
    """N texts.

    Attributes:
        works: int64, shape (N,).
        sizes: int64, shape (N,): shingles of each.
        spread: int64, one for each distinct shingle: in how many texts it is, copies of one text counted once.
    """

    works: NDArray[np.int64]
    sizes: NDArray[np.int64]
    spread: NDArray[np.int64]


class ShingleSearcher:
    """Works' texts, searchable by any passage of them."""

    def __init__(self, texts: Texts, index: InvertedIndex) -> None:
        self._texts = texts
        self._index = index

    @property
    def count(self) -> int:
        """How many texts it holds."""
        return len(self._texts.works)

    def search(self, queries: Sequence[Entry], context: SearchContext) -> list[Match]:
        """Find the works whose text runs through the assets; of several passages the one with most evidence."""
        needed = thresholds.shingle_match_evidence(context.registry_size)
        wanted = needed if context.depth is Depth.FAST else needed - thresholds.SHINGLE_LIKELY_STEP
        common = thresholds.shingle_common_works(context.registry_size)
        best: dict[tuple[int, int], Match] = {}
        for asset, fingerprint in queries:
            for passage in self._passages(_records(fingerprint), wanted, common):
                match = self._match(asset, passage, needed)
                held = best.get((asset, match.work))
                if held is None or (match.score or 0) > (held.score or 0):
                    best[asset, match.work] = match
        return list(best.values())

    def save(self, folder: Path) -> None:
        """Write it into a new folder."""
        arrays: dict[str, folders.Array] = {
            "works": self._texts.works,
            "sizes": self._texts.sizes,
            "spread": self._texts.spread,
        }
        with folders.new_folder(folder) as scratch:
            folders.write(scratch, _KIND, arrays | self._index.arrays(), {})

    def _passages(self, records: NDArray[np.void], wanted: int, common: int) -> list[Passage]:
        """Find passages by shingles that are rare among the works, else whole works by all shingles.

        Phrases that stand in many works (a sponsor's text, a title) say nothing of which one it is. But where most of
        a work is found, it is that work, however often it was registered.
        """
        terms = self._index.find(records["shingle"].astype(np.uint64))
        hits = self._index.gather(terms, _BUDGET)
        shared = SharedShingles(
            row=hits.row,
            term=terms[hits.query],
            query=records["position"][hits.query].astype(np.int64),
            work=hits.position,
        )
        rare = self._texts.spread[shared.term] <= common
        found = passages(shared.take(rare), wanted)
        if rare.all():
            return found
        known = {passage.row for passage in found}
        whole = (passage for passage in passages(shared, wanted) if passage.row not in known)
        return [*found, *(passage for passage in whole if self._share(passage) >= _MOST_OF_A_WORK)]

    def _share(self, passage: Passage) -> float:
        return passage.matched_work / max(1, int(self._texts.sizes[passage.row]))

    def _match(self, asset: int, passage: Passage, needed: int) -> Match:
        return Match(
            asset=asset,
            work=int(self._texts.works[passage.row]),
            algorithm=SPEC.name,
            version=SPEC.version,
            strength=Strength.MATCH if passage.evidence >= needed else Strength.LIKELY,
            score=float(passage.evidence),
            threshold=float(needed if passage.evidence >= needed else needed - thresholds.SHINGLE_LIKELY_STEP),
            evidence={
                "matched_words": passage.matched_query,
                "work_share": round(self._share(passage), 3),
                "query_first_word": passage.query[0],
                "query_last_word": passage.query[1] - 1,
                "work_first_word": passage.work[0],
                "work_last_word": passage.work[1] - 1,
            },
        )


def _records(fingerprint: Fingerprint) -> NDArray[np.void]:
    return np.frombuffer(fingerprint.value, dtype=_RECORD)


def _check(fingerprint: Fingerprint) -> str | None:
    if not fingerprint.value or len(fingerprint.value) % _RECORD.itemsize:
        return f"the value must be one or more records of {_RECORD.itemsize} bytes, not {len(fingerprint.value)} bytes"
    positions = _records(fingerprint)["position"]
    if (np.diff(positions.astype(np.int64)) < 0).any():
        return "the records must be sorted by position"
    if int(positions[-1]) >= MAX_POSITION - 3:
        return f"a position is beyond {MAX_POSITION - 4}"
    return None


def _build(entries: Sequence[Entry]) -> ShingleSearcher:
    records = [_records(fingerprint) for _, fingerprint in entries]
    sizes = np.array([len(each) for each in records], dtype=np.int64)
    joined = np.concatenate([np.empty(0, _RECORD), *records])
    terms = joined["shingle"].astype(np.uint64)
    rows = np.repeat(np.arange(len(entries), dtype=np.uint32), sizes)
    index = inverted.build(terms, rows, joined["position"].astype(np.uint32))
    works = np.array([work for work, _ in entries], dtype=np.int64)
    named = shingle_groups.groups(terms, rows, len(entries))
    return ShingleSearcher(Texts(works, sizes, _spread(index, named)), index)


def _spread(index: InvertedIndex, named: NDArray[np.int64]) -> NDArray[np.int64]:
    """Count for each term the groups of texts that hold it."""
    term = np.repeat(np.arange(len(index.terms)), np.diff(index.starts))
    held = np.unique(np.stack([term, named[index.rows]], axis=1), axis=0)
    return np.bincount(held[:, 0], minlength=len(index.terms)).astype(np.int64)


def _open(folder: Path, verify: bool) -> ShingleSearcher:  # noqa: FBT001 - the shape that AlgorithmSpec asks for
    contents = folders.read(folder, _KIND, verify=verify)
    shapes = {"works": ("<i8", 1), "sizes": ("<i8", 1), "spread": ("<i8", 1)}
    folders.require(folder, contents, shapes | inverted.SHAPES)
    arrays = contents.arrays
    texts = Texts(arrays["works"], arrays["sizes"], arrays["spread"])
    index = InvertedIndex(arrays["terms"], arrays["starts"], arrays["rows"], arrays["positions"])
    fit = len(texts.sizes) == len(texts.works) and len(texts.spread) == len(index.terms)
    if not fit or not index.fits(len(texts.works)):
        raise folders.corrupt(folder, "its arrays do not belong together")
    return ShingleSearcher(texts, index)


SPEC = AlgorithmSpec(
    name="shingle-3",
    version=1,
    modality=Modality.TEXT,
    encoding=Encoding.BASE64,
    unit=SpanUnit.CHARACTERS,
    check=_check,
    build=_build,
    open=_open,
)
