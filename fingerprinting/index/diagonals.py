"""Voting by diagonals: where do shared shingles stand in the same order in two texts, and how much of them."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fingerprinting import thresholds

MAX_POSITION = 1 << 24
"""Positions must be below this, so that a cell's name fits into 64 bits."""

_BAND = 24  # words inserted or left out move a copy off its diagonal by less than this within one window
_WINDOW = 256
_BRIDGE = 48  # words without a shared shingle after which a match is another one


@dataclass(frozen=True, slots=True)
class SharedShingles:
    """Shingles of one query found in works, one entry for each query position and work position. All int64.

    Attributes:
        row: the work's text.
        term: names the shingle.
        query: position in the query, in kept tokens.
        work: position in the work's text.
    """

    row: NDArray[np.int64]
    term: NDArray[np.int64]
    query: NDArray[np.int64]
    work: NDArray[np.int64]

    def take(self, kept: NDArray[np.bool_] | NDArray[np.int64]) -> "SharedShingles":
        """Keep some of them."""
        return SharedShingles(self.row[kept], self.term[kept], self.query[kept], self.work[kept])


@dataclass(frozen=True, slots=True)
class Passage:
    """A passage of the query that runs along one of a work's text.

    Attributes:
        row: the work's text.
        evidence: distinct shingles, in distinct blocks of words.
        query: first token and one past the last.
        work: the same in the work's text.
        matched_query: kept tokens of the query inside a shared shingle.
        matched_work: distinct shared shingles of the work's text.
    """

    row: int
    evidence: int
    query: tuple[int, int]
    work: tuple[int, int]
    matched_query: int
    matched_work: int

    @property
    def length(self) -> int:
        """Tokens from the first to the last of the query's passage."""
        return self.query[1] - self.query[0]


def passages(shared: SharedShingles, needed: int, size: int) -> list[Passage]:
    """Find, in each work, the passage with most evidence; only passages with at least `needed` of it.

    Counted are distinct shingles in distinct blocks of the query of a shingle's size: one long name gives many
    overlapping shingles and is little evidence. Cells of diagonals and windows overlap by half, so that no passage
    falls between them.

    Args:
        shared: what the query has in common with works.
        needed: evidence that is asked for.
        size: tokens in a shingle.
    """
    rows, counts = np.unique(shared.row, return_counts=True)
    shared = shared.take(np.isin(shared.row, rows[counts >= needed]))
    if not len(shared.row):
        return []
    passing = np.zeros(len(shared.row), dtype=np.bool_)
    for band_shift in (0, _BAND // 2):
        for window_shift in (0, _WINDOW // 2):
            passing |= _evidence_of_cells(shared, band_shift, window_shift, size) >= needed
    kept = shared.take(passing)
    found: dict[int, Passage] = {}
    for passage in _runs(kept, size):
        best = found.get(passage.row)
        if passage.evidence < needed or passage.length < thresholds.SHINGLE_MIN_SPAN:
            continue
        is_dense = passage.matched_query >= thresholds.SHINGLE_MIN_DENSITY * passage.length
        if is_dense and (best is None or passage.evidence > best.evidence):
            found[passage.row] = passage
    return list(found.values())


def _evidence_of_cells(shared: SharedShingles, band_shift: int, window_shift: int, size: int) -> NDArray[np.int64]:
    """Give each entry the evidence in its cell, where cells are shifted by so many tokens."""
    band = (shared.work - shared.query + MAX_POSITION + band_shift) // _BAND
    window = (shared.query + window_shift) // _WINDOW
    cell = shared.row << 38 | band << 17 | window  # 25 bits of row, 21 of band, 17 of window
    _, member = np.unique(cell, return_inverse=True)
    evidence: NDArray[np.int64] = _evidence(member.astype(np.int64), shared, size)[member]
    return evidence


def _evidence(group: NDArray[np.int64], shared: SharedShingles, size: int) -> NDArray[np.int64]:
    """Count, in each group 0 .. G - 1, the blocks of the query that hold a shingle for the first time. Shape (G,)."""
    order = np.lexsort((shared.query, shared.term, group))
    groups, terms = group[order], shared.term[order]
    fresh = np.ones(len(order), dtype=np.bool_)
    fresh[1:] = (groups[1:] != groups[:-1]) | (terms[1:] != terms[:-1])
    blocks = np.unique(groups[fresh] * MAX_POSITION + shared.query[order][fresh] // size)
    return np.bincount(blocks // MAX_POSITION, minlength=int(group.max()) + 1)


def _runs(shared: SharedShingles, size: int) -> Iterator[Passage]:
    """Cut the entries of each work where the query has no shared shingle for long, and weigh each piece."""
    if not len(shared.row):
        return
    shared = shared.take(np.lexsort((shared.query, shared.row)))
    breaks = (np.diff(shared.row) != 0) | (np.diff(shared.query) > _BRIDGE)
    group = np.concatenate(([0], np.cumsum(breaks))).astype(np.int64)
    evidence = _evidence(group, shared, size)
    edges = np.concatenate(([0], np.flatnonzero(breaks) + 1, [len(group)]))
    for piece, (start, stop) in enumerate(zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True)):
        query, work = np.unique(shared.query[start:stop]), np.unique(shared.work[start:stop])
        words = np.unique(query[:, None] + np.arange(size))
        yield Passage(
            row=int(shared.row[start]),
            evidence=int(evidence[piece]),
            query=(int(query[0]), int(query[-1]) + size),
            work=(int(work[0]), int(work[-1]) + size),
            matched_query=len(words),
            matched_work=len(work),
        )
