"""Word shingles in the index: texts and captions found by any passage that runs along one of a work."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fingerprinting import thresholds
from fingerprinting.index import folder as folders
from fingerprinting.index import many_passages, postings, shared_text, texts
from fingerprinting.index.algorithm import AlgorithmSpec, Encoding, Entry, SearchContext
from fingerprinting.index.diagonals import SharedShingles, passages
from fingerprinting.index.keys import ranges
from fingerprinting.index.postings import Found, Postings
from fingerprinting.index.texts import Texts
from fingerprinting.text import shingle_bytes
from fingerprinting.text.shingle_bytes import Shingles
from fingerprinting.types import Depth, Fingerprint, FoundText, Match, Modality, Passage, SpanUnit, Strength

_KIND = "texts"
_LAYOUT = 4
_BUDGET = 1 << 22  # postings read for one asset
_WORDS, _CHARACTERS = 3, 5  # tokens in a shingle
_MOSTLY = 0.8
_COMPILED_FROM_QUESTIONS = 500  # asked of one index
_MOST_PASSAGES = 100  # of one work in one asset


class ShingleSearcher:
    """Works' texts, searchable by any passage of them."""

    def __init__(self, held: Texts, index: Postings) -> None:
        self._texts = held
        self._index = index
        self._asked = 0

    @property
    def count(self) -> int:
        """How many texts it holds."""
        return len(self._texts.works)

    def search(self, queries: Sequence[Entry], context: SearchContext) -> list[Match]:
        """Find the works whose text runs through the assets; a match tells of the passage with most evidence."""
        needed = thresholds.shingle_match_evidence(context.registry_size)
        wanted = needed if context.depth is Depth.FAST else needed - thresholds.SHINGLE_LIKELY_STEP
        best: dict[tuple[int, int], Match] = {}
        for asset, fingerprint in queries:
            asked = shingle_bytes.read(fingerprint.value)
            passages_of = self._found(asked, wanted)
            for works, found in zip(self._works_of(list(passages_of)), passages_of.values(), strict=True):
                text = _text(found, needed)
                # Each work that has this text gets a match of its own.
                for work in works:
                    match = shared_text.judged(asset, work, (SPEC.name, SPEC.version), text)
                    held = best.get((asset, work))
                    if held is None or _order(match) > _order(held):
                        best[asset, work] = match
        if context.depth is Depth.FAST:
            return [match for match in best.values() if match.strength is Strength.MATCH]
        return list(best.values())

    def entries(self) -> Iterator[Entry]:
        """Give back what it was built from, in that order."""
        held = self._texts
        by_place = self._index.by_place()
        edges = np.searchsorted(by_place, held.starts.astype(np.uint64) << postings.PLACE_BITS)
        row_of = np.empty(len(held.works), dtype=np.int64)
        row_of[held.copies.entries] = np.repeat(np.arange(len(held)), np.diff(held.copies.starts))
        for work, row in zip(held.works.tolist(), row_of.tolist(), strict=True):
            its = by_place[int(edges[row]) : int(edges[row + 1])]
            value = held.value(row, its.astype(np.uint32), (its >> postings.PLACE_BITS).astype(np.uint32))
            yield work, Fingerprint(SPEC.name, SPEC.version, value, unit=SPEC.unit)

    def save(self, folder: Path) -> None:
        """Write it into a new folder."""
        with folders.new_folder(folder) as scratch:
            numbers = {"layout": _LAYOUT, "postings": len(self._index)}
            folders.write(scratch, _KIND, {**self._texts.arrays(), **self._index.arrays()}, numbers)

    def _is_worth_compiling(self) -> bool:
        """Whether compiled code looks for hashes and passages: in many texts, for many questions, or if it is loaded.

        It finds the same as numpy does, several times as fast, and takes half a second to load.
        """
        if self._index.is_compiled or many_passages.is_loaded():
            return True
        self._asked += 1  # of threads that count at once one may go uncounted
        return self._asked > _COMPILED_FROM_QUESTIONS

    def _works_of(self, rows: Sequence[int]) -> Iterator[list[int]]:
        """Give the works that have each of some texts."""
        held = self._texts.copies
        at = np.array(rows, dtype=np.int64)
        begins, ends = held.starts[at], held.starts[at + 1]
        works = self._texts.works[held.entries[ranges(begins, ends - begins)]].tolist()
        edges = np.append(0, np.cumsum(ends - begins)).tolist()
        for nth in range(len(rows)):
            yield works[edges[nth] : edges[nth + 1]]

    def _found(self, asked: Shingles, wanted: int) -> Mapping[int, list[Passage]]:
        """Find passages, by the row of the text that they are of."""
        is_compiled = self._is_worth_compiling()
        found = self._index.find(asked.hashes, is_compiled=is_compiled)
        chosen = found.within(_BUDGET)
        which, places = self._index.agreeing(found, chosen, asked.positions, wanted)
        by_row: defaultdict[int, list[Passage]] = defaultdict(list)
        if not len(which):
            return by_row
        density = _Density(self._texts.halvings, asked, found, chosen)
        if is_compiled:
            told = many_passages.found(self._texts, asked, density.unread, (which, places), wanted, density.size)
            for its, passage in told:
                by_row[its].append(passage)
            return by_row
        row = self._texts.row_of(places)
        shared = SharedShingles(
            row=row,
            term=asked.hashes[which].astype(np.int64),
            query=asked.positions[which].astype(np.int64),
            work=places - self._texts.starts[row],
        )
        for its, passage in passages(shared, wanted, density.size, density.of, density.halvings):
            by_row[its].append(
                replace(
                    passage,
                    query_share=passage.matched_query / asked.tokens,
                    work_share=passage.matched_work / max(1, int(self._texts.shingles[its])),
                    query_span=_seconds(asked, passage.query),
                    work_span=self._texts.seconds(its, passage.work),
                )
            )
        return by_row


class _Density:
    """Which part of the shingles of a passage could be found at all.

    Attributes:
        halvings: by row, how often half of the shingles were left out in it or in the query.
        unread: where those of the query stand that were not looked up.
        size: tokens in a shingle: whether the query is mostly words or mostly in a script without spaces.
    """

    def __init__(self, halvings: NDArray[np.uint8], asked: Shingles, found: Found, chosen: NDArray[np.int64]) -> None:
        self.halvings = np.maximum(halvings, asked.halvings) if asked.halvings else halvings
        self._asked = asked
        is_unread = found.ends > found.begins
        is_unread[chosen] = False
        self.unread = asked.positions[is_unread]
        self.size = _CHARACTERS if asked.characters >= _MOSTLY * len(asked.hashes) else _WORDS

    def of(self, row: int, query: tuple[int, int]) -> float:
        """Give that part, of a passage of the query in a row's text."""
        positions = self._asked.positions
        asked, left_out = (np.searchsorted(each, query) for each in (positions, self.unread))
        read = 1.0 - float(left_out[1] - left_out[0]) / max(1.0, float(asked[1] - asked[0]))
        return read / float(1 << int(self.halvings[row]))


def _text(found: list[Passage], needed: int) -> FoundText:
    if len(found) > 1:
        found = sorted(found, key=lambda one: -len(one.blocks))[:_MOST_PASSAGES]
        found.sort(key=lambda one: one.query)
    return FoundText(tuple(found), needed)


def _seconds(asked: Shingles, query: tuple[int, int]) -> tuple[float, float] | None:
    """Say when a passage of the asset is shown; None where it has no times."""
    if not asked.is_timed:
        return None
    start, end = asked.track.seconds(np.array(query, dtype=np.int64)).tolist()
    return start, end


def _order(match: Match) -> tuple[bool, float]:
    return match.strength is Strength.MATCH, match.score or 0.0


def _check(fingerprint: Fingerprint) -> str | None:
    return shingle_bytes.problem_of(fingerprint.value)


def _build(entries: Sequence[Entry]) -> ShingleSearcher:
    held, pieces = texts.gather(entries)
    number = int(held.shingles.sum(dtype=np.int64))
    return ShingleSearcher(held, postings.build(pieces, number, int(held.starts[-1])))


def _open(folder: Path, verify: bool) -> ShingleSearcher:  # noqa: FBT001 - the shape that AlgorithmSpec asks for
    contents = folders.read(folder, _KIND, verify=verify)
    folders.require_layout(folder, contents, _LAYOUT)
    held = texts.read(folder, contents)
    number = contents.parameters.get("postings", 0)
    return ShingleSearcher(held, postings.read(folder, contents, number, int(held.starts[-1])))


SPEC = AlgorithmSpec(
    name="shingle-3",
    version=3,
    modality=Modality.TEXT,
    encoding=Encoding.BASE64,
    unit=SpanUnit.CHARACTERS,
    check=_check,
    build=_build,
    open=_open,
)
