"""Voting by diagonals: where do shared shingles stand in the same order in two texts, and how much of them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from fingerprinting import thresholds
from fingerprinting.types import Passage

_POSITION_BITS = 24
MAX_POSITION = 1 << _POSITION_BITS
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


def passages(
    shared: SharedShingles,
    needed: int,
    size: int,
    known: Callable[[int, tuple[int, int]], float],
    halvings: NDArray[np.uint8],
) -> Iterator[tuple[int, Passage]]:
    """Find, in each work, the passages with at least `needed` evidence, each with the work's row.

    Counted are distinct shingles in distinct blocks of the query of a shingle's size: one long name gives many
    overlapping shingles and is little evidence. Cells of diagonals and windows overlap by half, so that no passage
    falls between them.

    Args:
        shared: what the query has in common with works.
        needed: evidence that is asked for.
        size: tokens in a shingle.
        known: given a row and a passage of the query, which part of the shingles there could be found at all: those of
            a long work are sampled, and where a flood has left some out, shared ones lie less densely.
        halvings: by row, how often half of the shingles were left out in it or in the query.
    """
    _, member, counts = np.unique(shared.row, return_inverse=True, return_counts=True)
    shared = shared.take(counts[member] >= needed)
    if not len(shared.row):
        return
    asked = _asked(shared)
    passing = np.zeros(len(shared.row), dtype=np.bool_)
    for band_shift in (0, _BAND // 2):
        for window_shift in (0, _WINDOW // 2):
            passing |= _evidence_of_cells(shared, asked, (band_shift, window_shift), size) >= needed
    yield from _runs(shared.take(passing), asked.take(passing), (needed, size), halvings, known)


@dataclass(frozen=True, slots=True)
class _Asked:
    """What of the query was found somewhere: pairs of shingle and position, in that order. All int64.

    Attributes:
        term: names the shingle of each pair.
        query: its position in the query.
        pair: of each entry, which pair it is: one number that sorts by shingle, then position.
    """

    term: NDArray[np.int64]
    query: NDArray[np.int64]
    pair: NDArray[np.int64]

    def take(self, kept: NDArray[np.bool_] | NDArray[np.int64]) -> "_Asked":
        """Keep some of the entries."""
        return _Asked(self.term, self.query, self.pair[kept])


def _asked(shared: SharedShingles) -> _Asked:
    pairs = shared.term << _POSITION_BITS | shared.query
    distinct = _distinct(pairs)
    return _Asked(distinct >> _POSITION_BITS, distinct & (MAX_POSITION - 1), np.searchsorted(distinct, pairs))


def _evidence_of_cells(shared: SharedShingles, asked: _Asked, shifts: tuple[int, int], size: int) -> NDArray[np.int64]:
    """Give each entry the evidence in its cell, where bands and windows are shifted by so many tokens."""
    band = (shared.work - shared.query + MAX_POSITION + shifts[0]) // _BAND
    window = (shared.query + shifts[1]) // _WINDOW
    cell = shared.row << 38 | band << 17 | window  # 25 bits of row, 21 of band, 17 of window
    _, member = np.unique(cell, return_inverse=True)
    evidence: NDArray[np.int64] = _evidence(member.astype(np.int64), asked, size)[member]
    return evidence


def _evidence(group: NDArray[np.int64], asked: _Asked, size: int) -> NDArray[np.int64]:
    """Count, in each group 0 .. G - 1, the blocks of the query that hold a shingle for the first time. Shape (G,)."""
    return np.bincount(_blocks(group, asked, size) >> _POSITION_BITS, minlength=int(group.max()) + 1)


def _blocks(group: NDArray[np.int64], asked: _Asked, size: int) -> NDArray[np.int64]:
    """Give those blocks, ascending: the group, shifted by _POSITION_BITS, and the number of the block."""
    # One number says group, shingle and position: to sort numbers is ten times as quick as to sort by three keys.
    bits = len(asked.term).bit_length()
    order = np.sort(group << bits | asked.pair)
    groups, pairs = order >> bits, order & ((1 << bits) - 1)
    terms = asked.term[pairs]
    fresh = np.append(True, (groups[1:] != groups[:-1]) | (terms[1:] != terms[:-1]))
    return _distinct(groups[fresh] << _POSITION_BITS | asked.query[pairs[fresh]] // size)


def _distinct(values: NDArray[np.int64]) -> NDArray[np.int64]:
    """Give the different values, ascending. np.unique hashes them, which takes several times as long."""
    ordered = np.sort(values)
    distinct: NDArray[np.int64] = ordered[np.append(True, ordered[1:] != ordered[:-1])[: len(ordered)]]
    return distinct


def _runs(
    shared: SharedShingles,
    asked: _Asked,
    limits: tuple[int, int],
    halvings: NDArray[np.uint8],
    known: Callable[[int, tuple[int, int]], float],
) -> Iterator[tuple[int, Passage]]:
    """Cut the entries of each work where the diagonal jumps and where the query has no shared shingle for long.

    What lies close together in what is left is a passage. Where nothing does, all of it is a thin one.
    """
    if not len(shared.row):
        return
    needed, size = limits
    strand = _strands(shared)
    order = np.argsort(strand << _POSITION_BITS | shared.query, kind="stable")
    shared, asked, strand = shared.take(order), asked.take(order), strand[order]
    breaks = (np.diff(strand) != 0) | (np.diff(shared.query) > _BRIDGE << halvings[shared.row[1:]].astype(np.int64))
    run = np.concatenate(([0], np.cumsum(breaks))).astype(np.int64)
    edges = np.searchsorted(run, np.arange(int(run[-1]) + 2))
    for nth in np.flatnonzero(_evidence(run, asked, size) >= needed).tolist():
        first, last = int(edges[nth]), int(edges[nth + 1])
        row = int(shared.row[first])
        part = known(row, (int(shared.query[first]), int(shared.query[last - 1]) + size))
        least = thresholds.shingle_sure_density(size) * part
        its = shared.take(np.arange(first, last))
        close = close_together(its.query, its.work, its.term, size, least)
        stretches = [(first + begin, first + end) for begin, end in close]
        found = [one for one in (_passage(shared, asked, each, size) for each in stretches) if _counts(one, needed)]
        if not found:
            whole = replace(_passage(shared, asked, (first, last), size), is_thin=True)
            length = max(_length(whole.query), 1)
            is_enough = whole.matched_query >= thresholds.SHINGLE_MIN_DENSITY * length * part
            found = [whole] if is_enough and _counts(whole, needed) else []
        for one in found:
            yield row, one


def close_together(
    query: NDArray[np.int64], work: NDArray[np.int64], term: NDArray[np.int64], size: int, least: float
) -> list[tuple[int, int]]:
    """Find the longest stretches of a run of shared shingles in which they lie close enough.

    Of the tokens from the first to the last of a stretch, in the query or in the work, whichever are more, at least a
    part must be in shared shingles that are new in the run: pages of one manual say the same around each other thing.
    The longest stretch is found, then that in what is left on both sides.

    Args:
        query: where in the query each shingle stands, ascending, some perhaps in several places of the work.
        work: where in the work.
        term: names the shingle.
        size: tokens in a shingle.
        least: that part.

    Returns:
        Of each stretch the first entry and one past the last, ascending.
    """
    diagonal = work - query
    ordered = np.sort(diagonal)
    twice = ordered[(len(ordered) - 1) // 2] + ordered[len(ordered) // 2]
    order = np.lexsort((np.abs(2 * diagonal - twice), query))
    first = np.append(True, np.diff(query) != 0)
    places, others = query[first], work[order][first]
    steps = np.diff(places)
    is_new = np.zeros(len(places), dtype=np.bool_)
    is_new[np.unique(term[first], return_index=True)[1]] = True
    gained = np.minimum(steps, size) * is_new[1:] - least * np.maximum(steps, np.diff(others))
    sums = np.concatenate(([0.0], np.cumsum(gained)))
    found: list[tuple[int, int]] = []
    left = [(0, len(sums))]
    while left:
        begin, end = left.pop()
        some = sums[begin:end]
        if not len(some):
            continue
        # Where to begin, for each place to end at: where the sum was first so low.
        lowest = np.minimum.accumulate(some)
        since = np.searchsorted(-lowest, -(some + size * (1.0 - least)))
        last = int(np.argmax(np.arange(len(some)) - since))
        stretch = begin + int(since[last]), begin + last
        if stretch[0] == stretch[1]:
            continue
        found.append(stretch)
        left += [(begin, stretch[0]), (stretch[1] + 1, end)]
    edges = np.append(np.flatnonzero(first), len(query))
    return sorted((int(edges[begin]), int(edges[end + 1])) for begin, end in found)


def _passage(shared: SharedShingles, asked: _Asked, entries: tuple[int, int], size: int) -> Passage:
    some = slice(*entries)
    query, work = _distinct(shared.query[some]), _distinct(shared.work[some])
    _, fresh = np.unique(asked.term[asked.pair[some]], return_index=True)
    blocks = _distinct(shared.query[some][fresh] // size) * size
    return Passage(
        query=(int(query[0]), int(query[-1]) + size),
        work=(int(work[0]), int(work[-1]) + size),
        blocks=tuple(np.maximum(blocks, query[0]).tolist()),
        matched_query=size + int(np.minimum(np.diff(query), size).sum()),
        matched_work=len(work),
    )


def _counts(passage: Passage, needed: int) -> bool:
    return len(passage.blocks) >= needed and _length(passage.query) >= thresholds.SHINGLE_MIN_SPAN


def _length(stretch: tuple[int, int]) -> int:
    return stretch[1] - stretch[0]


def _strands(shared: SharedShingles) -> NDArray[np.int64]:
    """Number the entries of each row such that those have one number whose diagonals are next to each other."""
    diagonal = shared.work - shared.query
    order = np.lexsort((diagonal, shared.row))
    jumps = (np.diff(shared.row[order]) != 0) | (np.diff(diagonal[order]) > _BAND)
    strand = np.empty(len(order), dtype=np.int64)
    strand[order] = np.concatenate(([0], np.cumsum(jumps)))
    return strand
