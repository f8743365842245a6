"""Passages of a question in many texts: what `diagonals.passages` finds, by compiled code, with their times."""

import sys
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from fingerprinting import thresholds
from fingerprinting.index.texts import Texts
from fingerprinting.text.shingle_bytes import Shingles
from fingerprinting.types import Passage

_KERNELS = "fingerprinting.index.diagonals_kernels"


def is_loaded() -> bool:
    """Whether the compiled code is there already."""
    return _KERNELS in sys.modules


def found(
    texts: Texts,
    asked: Shingles,
    unread: NDArray[np.uint32],
    postings: tuple[NDArray[np.int64], NDArray[np.int64]],
    needed: int,
    size: int,
) -> Iterator[tuple[int, Passage]]:
    """Find the passages with at least `needed` evidence in each text, each with the text's row.

    Args:
        texts: all of them.
        asked: the question.
        unread: where those of its shingles stand that were not looked up.
        postings: of shared shingles, which of those asked for each is, ascending, and its place.
        needed: evidence that is asked for.
        size: tokens in a shingle.
    """
    from fingerprinting.index import diagonals_kernels  # noqa: PLC0415 - loads numba

    which, places = postings
    number = len(which)
    _, terms = np.unique(asked.hashes, return_inverse=True)
    positions = asked.positions.astype(np.int64)
    room = np.empty((4, number), dtype=np.int64)
    entries = room[0], room[1], room[2], room[3]
    edges = np.empty(number + 1, dtype=np.int64)
    of_shingles = terms.astype(np.int64)[which], positions[which], places
    order = np.argsort(places, kind="stable")
    in_all = diagonals_kernels.by_text(texts.starts, order, of_shingles, entries, edges)
    limits = (
        needed,
        size,
        thresholds.SHINGLE_MIN_SPAN,
        thresholds.shingle_sure_density(size),
        thresholds.SHINGLE_MIN_DENSITY,
    )
    facts = np.empty((number // needed + 1, diagonals_kernels.FACTS), dtype=np.int64)
    blocks, starts = np.empty(number, dtype=np.int64), np.empty(len(facts) + 1, dtype=np.int64)
    counts = np.zeros(2, dtype=np.int64)
    halvings = np.maximum(texts.halvings, asked.halvings) if asked.halvings else texts.halvings
    diagonals_kernels.find(
        entries,
        edges[: in_all + 1],
        (positions, unread.astype(np.int64)),
        halvings,
        limits,
        (facts, blocks, starts, counts),
    )
    yield from _told(texts, asked, facts[: counts[0]], (blocks[: counts[1]], starts[: counts[0] + 1]))


def _told(
    texts: Texts, asked: Shingles, facts: NDArray[np.int64], blocks: tuple[NDArray[np.int64], NDArray[np.int64]]
) -> Iterator[tuple[int, Passage]]:
    rows = facts[:, 0]
    lengths = np.maximum(texts.shingles[rows], 1)
    shares = np.column_stack((facts[:, 5] / asked.tokens, facts[:, 6] / lengths)).tolist()
    shown = texts.seconds_of_many(np.concatenate((rows, rows)), np.concatenate((facts[:, 3], facts[:, 4])))
    spans = np.column_stack((shown[: len(rows)], shown[len(rows) :])).tolist()
    asked_at = asked.track.seconds(facts[:, 1:3]).tolist() if asked.is_timed else None
    all_blocks, starts = blocks[0].tolist(), blocks[1].tolist()
    for nth, (row, begin, end, work_begin, work_end, matched, shingles, is_thin) in enumerate(facts.tolist()):
        since, until = spans[nth]
        yield (
            row,
            Passage(
                (begin, end),
                (work_begin, work_end),
                tuple(all_blocks[starts[nth] : starts[nth + 1]]),
                matched,
                shingles,
                shares[nth][0],
                shares[nth][1],
                None if asked_at is None else tuple(asked_at[nth]),
                None if since < 0 else (since, until),
                bool(is_thin),
            ),
        )
