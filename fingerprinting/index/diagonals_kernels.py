"""The kernels of voting by diagonals: what `diagonals.passages` finds, for any number of shared shingles.

They take each text by itself, with its entries in the order of the query, so that no step sorts more than one text has.
"""

from typing import TypeAlias

import numpy as np
from numba import types
from numpy.typing import NDArray

from fingerprinting.index.kernels import kernel, reads, writes

BAND, WINDOW, BRIDGE = 24, 256, 48
"""As `diagonals` explains them; written again, since what numba has compiled and kept lasts until this file changes."""

MAX_POSITION = 1 << 24
FACTS = 8
"""Of a passage: text, begin and end in the query and in the work, matched tokens and shingles, whether it is thin."""

_ENTRY_BITS, _WINDOW_BITS = 22, 17
_ENTRY = (1 << _ENTRY_BITS) - 1

Numbers: TypeAlias = NDArray[np.int64]
Points: TypeAlias = tuple[Numbers, Numbers, Numbers]
"""Term, position in the query and position in the work of each entry of one text."""

Limits: TypeAlias = tuple[int, int, int, float, float]
"""Evidence asked for, tokens in a shingle, least length of a passage, least density of a match and of anything."""

Scratch: TypeAlias = tuple[Numbers, Numbers, Numbers, Numbers]
"""Room to sort in, and other numbers of each entry; and when each term was last seen, and that moment."""

Found: TypeAlias = tuple[NDArray[np.int64], Numbers, Numbers, Numbers]
"""Facts of passages; their blocks; where those of each begin; how many passages and blocks there are."""

_NUMBERS, _WRITTEN = reads(types.int64), writes(types.int64)
_LIMITS = types.Tuple((types.int64, types.int64, types.int64, types.float64, types.float64))
_FOUND = types.Tuple((writes(types.int64, 2), _WRITTEN, _WRITTEN, _WRITTEN))


@kernel()
def _evidence(points: Points, entries: Numbers, first: int, last: int, size: int, scratch: Scratch) -> int:
    """Count the blocks of the query that hold a term for the first time, of entries that ascend in the query."""
    terms, queries, _ = points
    _, _, seen, moment = scratch
    moment[0] += 1
    now, blocks, before = moment[0], 0, np.int64(-1)
    for at in range(first, last):
        entry = entries[at]
        if seen[terms[entry]] != now:
            seen[terms[entry]] = now
            block = queries[entry] // size
            blocks += block != before
            before = block
    return blocks


@kernel()
def _passing(points: Points, number: int, limits: Limits, scratch: Scratch, passing: Numbers) -> int:
    """Write the entries in whose cell of diagonals and windows there is enough evidence; how many."""
    _, queries, works = points
    needed, size = limits[0], limits[1]
    keys, entries = scratch[0], scratch[1]
    passing[:number] = 0
    for band_shift in (0, BAND // 2):
        for window_shift in (0, WINDOW // 2):
            for entry in range(number):
                band = (works[entry] - queries[entry] + MAX_POSITION + band_shift) // BAND
                window = (queries[entry] + window_shift) // WINDOW
                keys[entry] = (band << _WINDOW_BITS | window) << _ENTRY_BITS | entry
            keys[:number].sort()
            first = 0
            for at in range(number):
                entries[at] = keys[at] & _ENTRY
                if at + 1 == number or keys[at] >> _ENTRY_BITS != keys[at + 1] >> _ENTRY_BITS:
                    if at + 1 - first >= needed and _evidence(points, entries, first, at + 1, size, scratch) >= needed:
                        for member in range(first, at + 1):
                            passing[entries[member]] = 1
                    first = at + 1
    kept = 0
    for entry in range(number):
        if passing[entry]:
            passing[kept] = entry
            kept += 1
    return kept


@kernel()
def _by_strand(points: Points, chosen: Numbers, number: int, scratch: Scratch, strands: Numbers) -> None:
    """Order entries by strands, whose diagonals are next to each other, and in these as they were; write those."""
    _, queries, works = points
    keys, entries = scratch[0], scratch[1]
    for at in range(number):
        entry = chosen[at]
        keys[at] = (works[entry] - queries[entry] + MAX_POSITION) << _ENTRY_BITS | at
    keys[:number].sort()
    strand, before = np.int64(0), keys[0] >> _ENTRY_BITS
    for at in range(number):
        diagonal = keys[at] >> _ENTRY_BITS
        strand += diagonal - before > BAND
        before = diagonal
        strands[keys[at] & _ENTRY] = strand
    for at in range(number):
        keys[at] = strands[at] << _ENTRY_BITS | at
    keys[:number].sort()
    for at in range(number):
        entries[at] = chosen[keys[at] & _ENTRY]
        strands[at] = keys[at] >> _ENTRY_BITS
    chosen[:number] = entries[:number]


@kernel()
def _one_a_place(points: Points, run: Numbers, scratch: Scratch, heads: Numbers) -> int:
    """Of the entries of each position in the query choose the one nearest to the middle diagonal: write where they are.

    Behind them `heads` gets where the entries of each position begin; how many positions.
    """
    _, queries, works = points
    keys, number = scratch[0], len(run)
    for at in range(number):
        keys[at] = works[run[at]] - queries[run[at]]
    keys[:number].sort()
    twice = keys[(number - 1) // 2] + keys[number // 2]
    places, best = 0, np.int64(0)
    for at in range(number):
        away = abs(2 * (works[run[at]] - queries[run[at]]) - twice)
        if at == 0 or queries[run[at]] != queries[run[at - 1]]:
            heads[number + places] = at
            heads[places], best = at, away
            places += 1
        elif away < best:
            heads[places - 1], best = at, away
    return places


@kernel()
def _longest(
    sums: NDArray[np.float64], lowest: NDArray[np.float64], begin: int, end: int, base: float
) -> tuple[int, int]:
    """Give the first and the last of the longest stretch whose sum is not below `-base`."""
    most, stretch_begin, stretch_end = -1, begin, begin
    for last in range(begin, end):
        lowest[last] = sums[last] if last == begin else min(lowest[last - 1], sums[last])
        low, high = begin, last
        while low < high:
            middle = (low + high) // 2
            if lowest[middle] <= sums[last] + base:
                high = middle
            else:
                low = middle + 1
        if last - low > most:
            most, stretch_begin, stretch_end = last - low, low, last
    return stretch_begin, stretch_end


@kernel()
def _close(points: Points, run: Numbers, size: int, least: float, scratch: Scratch) -> Numbers:
    """Give where stretches of a run begin and end, as `diagonals.close_together` does, in no order."""
    terms, queries, works = points
    _, _, seen, moment = scratch
    number = len(run)
    heads = np.empty(2 * number, np.int64)
    places = _one_a_place(points, run, scratch, heads)
    sums, lowest = np.zeros(places), np.empty(places)
    moment[0] += 1
    seen[terms[run[heads[0]]]] = moment[0]
    for at in range(1, places):
        before, here = run[heads[at - 1]], run[heads[at]]
        step = queries[here] - queries[before]
        covered = min(step, size) if seen[terms[here]] != moment[0] else np.int64(0)
        seen[terms[here]] = moment[0]
        sums[at] = sums[at - 1] + (covered - least * max(step, works[here] - works[before]))
    waiting = np.empty((places + 1, 2), np.int64)
    found = np.empty(2 * places, np.int64)
    waiting[0, 0], waiting[0, 1] = 0, places
    left, ends = 1, 0
    while left:
        left -= 1
        begin, end = waiting[left, 0], waiting[left, 1]
        if begin >= end:
            continue
        first, last = _longest(sums, lowest, begin, end, size * (1.0 - least))
        if first == last:
            continue
        found[ends] = heads[number + first]
        found[ends + 1] = heads[number + last + 1] if last + 1 < places else number
        ends += 2
        waiting[left, 0], waiting[left, 1] = begin, first
        waiting[left + 1, 0], waiting[left + 1, 1] = last + 1, end
        left += 2
    return found[:ends]


@kernel()
def _told(row: int, points: Points, run: Numbers, limits: Limits, scratch: Scratch, found: Found) -> np.int64:
    """Write a passage down; its matched tokens, or 0 where it has too little evidence or is too short."""
    terms, queries, works = points
    needed, size, span, _, _ = limits
    facts, blocks, starts, counts = found
    keys, _, seen, moment = scratch
    passages, written = counts[0], counts[1]
    begin, end = queries[run[0]], queries[run[-1]] + size
    moment[0] += 1
    now, before, matched = moment[0], np.int64(-1), np.int64(size)
    for at in range(len(run)):
        entry = run[at]
        keys[at] = works[entry]
        if at:
            matched += min(queries[entry] - queries[run[at - 1]], size)
        if seen[terms[entry]] != now:
            seen[terms[entry]] = now
            block = queries[entry] // size
            if block != before:
                blocks[written] = max(block * size, begin)
                written += 1
            before = block
    if written - counts[1] < needed or end - begin < span:
        return np.int64(0)
    keys[: len(run)].sort()
    shingles = 1
    for at in range(1, len(run)):
        shingles += keys[at] != keys[at - 1]
    facts[passages, 0], facts[passages, 1], facts[passages, 2] = row, begin, end
    facts[passages, 3], facts[passages, 4] = keys[0], keys[len(run) - 1] + size
    facts[passages, 5], facts[passages, 6], facts[passages, 7] = matched, shingles, 0
    counts[0], counts[1] = passages + 1, written
    starts[passages + 1] = written
    return matched


@kernel()
def _known(asked: Numbers, unread: Numbers, begin: int, end: int) -> float:
    """Give the part of the shingles asked for in a passage of the query that was looked up."""
    some = np.searchsorted(asked, end) - np.searchsorted(asked, begin)
    missing = np.searchsorted(unread, end) - np.searchsorted(unread, begin)
    return 1.0 - float(missing) / float(some) if some > 0 else 1.0


@kernel()
def _of_run(
    row: int, points: Points, run: Numbers, part: float, limits: Limits, scratch: Scratch, found: Found
) -> None:
    """Write the passages of a run: what lies close together in it, or where nothing does all of it."""
    _, queries, _ = points
    counts = found[3]
    passages, written = counts[0], counts[1]
    stretches = _close(points, run, limits[1], limits[3] * part, scratch)
    for at in range(0, len(stretches), 2):
        _told(row, points, run[stretches[at] : stretches[at + 1]], limits, scratch, found)
    if counts[0] == passages:
        matched = _told(row, points, run, limits, scratch, found)
        length = queries[run[-1]] + limits[1] - queries[run[0]]
        found[0][passages, 7] = 1
        if matched < limits[4] * length * part:
            counts[0], counts[1] = passages, written


@kernel()
def _scratch(edges: Numbers, terms: Numbers) -> Scratch:
    """Give room for the text with most entries."""
    most, highest = np.int64(0), np.int64(0)
    for text in range(len(edges) - 1):
        most = max(most, edges[text + 1] - edges[text])
    for at in range(len(terms)):
        highest = max(highest, terms[at])
    return np.empty(most, np.int64), np.empty(most, np.int64), np.zeros(highest + 1, np.int64), np.zeros(1, np.int64)


@kernel(
    types.void(types.UniTuple(_NUMBERS, 4), _NUMBERS, types.UniTuple(_NUMBERS, 2), reads(types.uint8), _LIMITS, _FOUND)
)
def find(
    entries: tuple[Numbers, Numbers, Numbers, Numbers],
    edges: Numbers,
    asked: tuple[Numbers, Numbers],
    halvings: NDArray[np.uint8],
    limits: Limits,
    found: Found,
) -> None:
    """Find the passages of each text.

    Args:
        entries: text, term (from 0 on), position in the query and in the work of each, by text and then by the second
            but last.
        edges: where the entries of each text begin, and where those of the last end.
        asked: positions of all shingles asked for, ascending, and of those that were not looked up.
        halvings: by text, how often half of the shingles were left out in it or in the query.
        limits: see `Limits`.
        found: written, see `Found`; there is room for a passage and a block for each entry.
    """
    rows, terms, queries, works = entries
    needed, size = limits[0], limits[1]
    scratch = _scratch(edges, terms)
    chosen, strands = np.empty(len(scratch[0]), np.int64), np.empty(len(scratch[0]), np.int64)
    found[2][0] = 0
    for text in range(len(edges) - 1):
        first, last = edges[text], edges[text + 1]
        if last - first < needed:
            continue
        row = rows[first]
        points = (terms[first:last], queries[first:last], works[first:last])
        kept = _passing(points, last - first, limits, scratch, chosen)
        if kept < needed:
            continue
        _by_strand(points, chosen, kept, scratch, strands)
        bridge = np.int64(BRIDGE) << np.int64(halvings[row])
        begin = 0
        for at in range(1, kept + 1):
            is_next = at < kept and strands[at] == strands[at - 1]
            if is_next and points[1][chosen[at]] - points[1][chosen[at - 1]] <= bridge:
                continue
            if at - begin >= needed and _evidence(points, chosen, begin, at, size, scratch) >= needed:
                run = chosen[begin:at].copy()
                part = _known(asked[0], asked[1], points[1][run[0]], points[1][run[-1]] + size)
                _of_run(row, points, run, part / (1 << np.int64(halvings[row])), limits, scratch, found)
            begin = at


@kernel()
def _row_of(starts: Numbers, row: np.int64, place: np.int64) -> np.int64:
    """Give the text that a place is in, which is that row or a later one."""
    most = len(starts) - 2
    step = 1
    while row + step <= most and starts[row + step] <= place:
        row += step
        step *= 2
    while step:
        if row + step <= most and starts[row + step] <= place:
            row += step
        step //= 2
    return row


@kernel(types.int64(_NUMBERS, _WRITTEN, types.UniTuple(_NUMBERS, 3), types.UniTuple(_WRITTEN, 4), _WRITTEN))
def by_text(
    starts: Numbers,
    order: Numbers,
    given: tuple[Numbers, Numbers, Numbers],
    entries: tuple[Numbers, Numbers, Numbers, Numbers],
    edges: Numbers,
) -> np.int64:
    """Put entries in the order that `find` needs.

    Args:
        starts: the first place of each text, and the end of the last.
        order: of the entries by place; overwritten.
        given: term, position in the query and place of each, by the second.
        entries: written, see `find`.
        edges: written: where the entries of each text begin, and where those of the last end.

    Returns:
        How many texts there are.
    """
    terms, queries, places = given
    rows, sorted_terms, sorted_queries, works = entries
    number, texts, row, at = len(order), np.int64(0), np.int64(0), np.int64(0)
    while at < number:
        row = _row_of(starts, row, places[order[at]])
        end = at + 1
        while end < number and (row + 2 >= len(starts) or places[order[end]] < starts[row + 1]):
            end += 1
        order[at:end].sort()
        for to in range(at, end):
            entry = order[to]
            rows[to], sorted_terms[to], sorted_queries[to] = row, terms[entry], queries[entry]
            works[to] = places[entry] - starts[row]
        edges[texts] = at
        texts += 1
        at = end
    edges[texts] = number
    return texts


@kernel(types.void(_NUMBERS, reads(types.uint8), reads(types.uint16), _NUMBERS, _NUMBERS, writes(types.float64)))
def seconds(
    starts: Numbers,
    steps: NDArray[np.uint8],
    tenths: NDArray[np.uint16],
    rows: Numbers,
    tokens: Numbers,
    told: NDArray[np.float64],
) -> None:
    """Write when tokens of texts are shown, as `shingle_bytes.Track.seconds` says; -1 of a text without times."""
    for nth in range(len(rows)):
        knot, last = max(starts[rows[nth]], 0), min(starts[rows[nth] + 1], len(steps))
        token = tokens[nth]
        at, time, is_after = np.int64(0), np.int64(0), False
        told[nth] = -1.0
        while knot < last:
            to, when = at + np.int64(steps[knot]), time + np.int64(tenths[knot])
            while knot + 1 < last and steps[knot + 1] == 0:  # of several at one token the last
                knot += 1
                when += np.int64(tenths[knot])
            if to > token:
                told[nth] = ((when - time) / (to - at) * (token - at) + time if is_after else when) / 10.0
                break
            told[nth] = when / 10.0
            at, time, is_after = to, when, True
            knot += 1
