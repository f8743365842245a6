"""Word shingles in the index: texts and captions found by any passage that runs along one of a work."""

import dataclasses
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fingerprinting import thresholds
from fingerprinting.index import copies, inverted, shingle_groups
from fingerprinting.index import folder as folders
from fingerprinting.index.algorithm import AlgorithmSpec, Encoding, Entry, SearchContext
from fingerprinting.index.copies import Copies
from fingerprinting.index.diagonals import MAX_POSITION, Passage, SharedShingles, passages
from fingerprinting.index.inverted import InvertedIndex, Telling
from fingerprinting.types import Depth, Fingerprint, Match, Modality, SpanUnit, Strength

_KIND = "texts"
_LAYOUT = 2
RECORD = np.dtype([("shingle", "<u8"), ("position", "<u4")])
_BUDGET = 1 << 22  # postings read for one asset
_TERMS_A_BLOCK = 1 << 14
_REPEATS = 64  # postings of one shingle in one text: as evidence it counts once
_WORDS, _CHARACTERS = 3, 5  # tokens in a shingle; of character shingles only values below 2**63 are kept
_MIXED_SHARE = 0.1


@dataclass(frozen=True, slots=True)
class Texts:
    """N texts of which R differ.

    Attributes:
        copies: which of N each of R is.
        works: int64, shape (N,).
        sizes: int64, shape (R,): shingles of each.
        spread: int64, one for each distinct shingle: in how many texts it is, copies of one text counted once.
    """

    copies: Copies
    works: NDArray[np.int64]
    sizes: NDArray[np.int64]
    spread: NDArray[np.int64]


class ShingleSearcher:
    """Works' texts, searchable by any passage of them."""

    def __init__(self, texts: Texts, index: InvertedIndex) -> None:
        self._texts = texts
        self._index = index
        self._quoted_by_limit: dict[int, NDArray[np.bool_]] = {}

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
            records = _records(fingerprint)
            size = int(records["position"][-1]) + _shingle_size(records)
            for passage in self._passages(records, wanted, common):
                match = self._match(asset, passage, needed, passage.matched_query / size)
                for copy in self._texts.copies.of(passage.row):
                    key = (asset, int(self._texts.works[copy]))
                    if key not in best or _order(match) > _order(best[key]):
                        best[key] = dataclasses.replace(match, work=key[1])
        if context.depth is Depth.FAST:
            return [match for match in best.values() if match.strength is Strength.MATCH]
        return list(best.values())

    def entries(self) -> Iterator[Entry]:
        """Give back what it was built from, in that order."""
        index, texts = self._index, self._texts
        shingles = index.terms.keys()
        term = np.repeat(np.arange(len(shingles)), np.diff(index.starts))
        order = np.lexsort((term, index.positions, index.rows))
        ends = np.cumsum(texts.sizes).tolist()
        row_of = np.empty(len(texts.works), dtype=np.int64)
        row_of[texts.copies.entries] = np.repeat(np.arange(len(ends)), np.diff(texts.copies.starts))
        for work, row in zip(texts.works.tolist(), row_of.tolist(), strict=True):
            some = order[ends[row] - int(texts.sizes[row]) : ends[row]]
            records = np.empty(len(some), dtype=RECORD)
            records["shingle"], records["position"] = shingles[term[some]], index.positions[some]
            yield work, Fingerprint(SPEC.name, SPEC.version, records.tobytes(), unit=SPEC.unit)

    def save(self, folder: Path) -> None:
        """Write it into a new folder."""
        arrays: dict[str, folders.Array] = {
            "works": self._texts.works,
            "sizes": self._texts.sizes,
            "spread": self._texts.spread,
        }
        with folders.new_folder(folder) as scratch:
            arrays |= {**self._texts.copies.arrays(), **self._index.arrays()}
            folders.write(scratch, _KIND, arrays, {"layout": _LAYOUT})

    def _passages(self, records: NDArray[np.void], wanted: int, common: int) -> list[Passage]:
        """Find passages by shingles that are rare among the works.

        Phrases that stand in many works (an advertisement, a footer) say nothing of which one it is.
        """
        terms = self._index.find(records["shingle"].astype(np.uint64))
        rare = np.zeros(len(terms), dtype=np.bool_)
        rare[terms >= 0] = self._texts.spread[terms[terms >= 0]] <= common
        telling = Telling(rare, self._quoted(common))
        # A passage needs evidence of distinct shingles: a work with fewer hits than that can't have one.
        hits = self._index.agreeing(terms, _BUDGET, wanted, by_offset=False, telling=telling)
        if not len(hits.row):
            return []
        shared = SharedShingles(
            row=hits.row,
            term=terms[hits.query],
            query=records["position"][hits.query].astype(np.int64),
            work=hits.position,
        )
        positions = records["position"]
        unread = positions[self._index.unread(terms, _BUDGET)]

        def known(passage: Passage) -> float:
            asked, left_out = (np.searchsorted(each, passage.query) for each in (positions, unread))
            return 1.0 - float(left_out[1] - left_out[0]) / max(1.0, float(asked[1] - asked[0]))

        return passages(shared, wanted, _shingle_size(records), known)

    def _quoted(self, common: int) -> NDArray[np.bool_]:
        """Say which texts others quote whole: nearly all of their shingles are common, so all of them count."""
        if common not in self._quoted_by_limit:
            counts = np.zeros(len(self._texts.sizes), dtype=np.int64)
            terms = np.flatnonzero(self._texts.spread > common)
            for first in range(0, len(terms), _TERMS_A_BLOCK):
                rows = self._index.rows_of(terms[first : first + _TERMS_A_BLOCK])
                counts += np.bincount(rows, minlength=len(counts))
            self._quoted_by_limit[common] = counts >= thresholds.SHINGLE_OWN_SHARE * self._texts.sizes
        return self._quoted_by_limit[common]

    def _share(self, passage: Passage) -> float:
        return passage.matched_work / max(1, int(self._texts.sizes[passage.row]))

    def _match(self, asset: int, passage: Passage, needed: int, query_share: float) -> Match:
        work_share = self._share(passage)
        is_quotation = (
            passage.matched_query < thresholds.SHINGLE_QUOTE_WORDS
            and max(query_share, work_share) < thresholds.SHINGLE_QUOTE_SHARE
        )
        is_sure = passage.evidence >= needed and not is_quotation
        return Match(
            asset=asset,
            work=passage.row,  # each work that has this text gets a match of its own
            algorithm=SPEC.name,
            version=SPEC.version,
            strength=Strength.MATCH if is_sure else Strength.LIKELY,
            score=float(passage.evidence),
            threshold=float(needed if passage.evidence >= needed else needed - thresholds.SHINGLE_LIKELY_STEP),
            evidence={
                "matched_tokens": passage.matched_query,
                "is_quotation": is_quotation,
                "query_share": round(query_share, 3),
                "work_share": round(work_share, 3),
                "query_first_token": passage.query[0],
                "query_last_token": passage.query[1] - 1,
                "work_first_token": passage.work[0],
                "work_last_token": passage.work[1] - 1,
            },
        )


def _order(match: Match) -> tuple[bool, float]:
    return match.strength is Strength.MATCH, match.score or 0.0


def _shingle_size(records: NDArray[np.void]) -> int:
    """Tell whether a text is mostly words or mostly in a script without spaces, by how its shingles were sampled."""
    high = float((records["shingle"] >> np.uint64(63)).mean())
    return _CHARACTERS if high < _MIXED_SHARE else _WORDS


def _records(fingerprint: Fingerprint) -> NDArray[np.void]:
    return np.frombuffer(fingerprint.value, dtype=RECORD)


def _check(fingerprint: Fingerprint) -> str | None:
    if not fingerprint.value or len(fingerprint.value) % RECORD.itemsize:
        return f"the value must be one or more records of {RECORD.itemsize} bytes, not {len(fingerprint.value)} bytes"
    positions = _records(fingerprint)["position"]
    if (np.diff(positions.astype(np.int64)) < 0).any():
        return "the records must be sorted by position"
    if int(positions[-1]) >= MAX_POSITION - 3:
        return f"a position is beyond {MAX_POSITION - 4}"
    return None


def _build(entries: Sequence[Entry]) -> ShingleSearcher:
    values, held = copies.distinct(entries)
    joined = np.frombuffer(b"".join(values), dtype=RECORD)
    sizes = np.array([len(value) // RECORD.itemsize for value in values], dtype=np.int64)
    terms = joined["shingle"].astype(np.uint64)
    rows = np.repeat(np.arange(len(values), dtype=np.uint32), sizes)
    most = np.full(len(values), _REPEATS)
    index = inverted.build(terms, rows, joined["position"].astype(np.uint32), most)
    sizes = np.bincount(index.rows, minlength=len(values)).astype(np.int64)
    works = np.array([work for work, _ in entries], dtype=np.int64)
    named = shingle_groups.groups(terms, rows, len(values))
    return ShingleSearcher(Texts(held, works, sizes, _spread(index, named)), index)


def _spread(index: InvertedIndex, named: NDArray[np.int64]) -> NDArray[np.int64]:
    """Count for each term the groups of texts that hold it."""
    term = np.repeat(np.arange(len(index.terms), dtype=np.uint64), np.diff(index.starts))
    held = np.sort(term << np.uint64(32) | named[index.rows].astype(np.uint64))
    is_first = np.append(True, held[1:] != held[:-1])[: len(held)]
    counted = (held[is_first] >> np.uint64(32)).astype(np.int64)
    return np.bincount(counted, minlength=len(index.terms)).astype(np.int64)


def _open(folder: Path, verify: bool) -> ShingleSearcher:  # noqa: FBT001 - the shape that AlgorithmSpec asks for
    contents = folders.read(folder, _KIND, verify=verify)
    shapes = {"works": ("<i8", 1), "sizes": ("<i8", 1), "spread": ("<i8", 1)}
    folders.require_layout(folder, contents, _LAYOUT)
    folders.require(folder, contents, shapes | copies.SHAPES)
    arrays = contents.arrays
    held = Copies(arrays["copies"], arrays["copy_starts"])
    texts = Texts(held, arrays["works"], arrays["sizes"], arrays["spread"])
    index = inverted.read(folder, contents, len(texts.sizes))
    if not held.fit(len(texts.sizes), len(texts.works)) or len(texts.spread) != len(index.terms):
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
