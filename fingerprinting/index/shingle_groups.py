"""Which texts are copies of each other, so that many registrations of one text don't make its words look common."""

import numpy as np
from numpy.typing import NDArray

_SKETCH = 32


def groups(terms: NDArray[np.uint64], rows: NDArray[np.uint32], count: int) -> NDArray[np.int64]:
    """Name for each of `count` texts the first text that it is largely a copy of (itself if of none).

    Two texts are copies if half of the 32 smallest distinct shingles of one are among those of the other, which
    estimates that they share at least a third of all their shingles.

    Args:
        terms: shingles, shape (P,).
        rows: the text of each, shape (P,).
        count: number of texts.

    Returns:
        int64, shape (count,).
    """
    named = np.arange(count, dtype=np.int64)
    hashes, texts = _sketches(terms, rows)
    # Of the texts that share a smallest shingle, each is compared with the first: linear, whatever is registered.
    order = np.lexsort((texts, hashes))
    hashes, texts = hashes[order], texts[order]
    first = np.maximum.accumulate(np.where(np.append(True, hashes[1:] != hashes[:-1]), np.arange(len(texts)), 0))
    leaders = texts[first]
    pairs, shared = np.unique(texts << 32 | leaders, return_counts=True)
    pair_texts, pair_leaders = pairs >> 32, pairs & 0xFFFFFFFF
    sizes = np.bincount(texts, minlength=count)
    is_copy = (pair_texts != pair_leaders) & (shared * 2 >= np.minimum(sizes[pair_texts], _SKETCH))
    for text, leader in zip(pair_texts[is_copy].tolist(), pair_leaders[is_copy].tolist(), strict=True):
        named[text] = named[leader]  # leaders come first, so theirs is settled
    return named


def _sketches(terms: NDArray[np.uint64], rows: NDArray[np.uint32]) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    """Give the 32 smallest distinct shingles of each text, as shingle and text."""
    order = np.lexsort((terms, rows))
    hashes, texts = terms[order], rows[order].astype(np.int64)
    if not len(hashes):
        return hashes, texts
    distinct = np.append(True, (hashes[1:] != hashes[:-1]) | (texts[1:] != texts[:-1]))
    hashes, texts = hashes[distinct], texts[distinct]
    rank = np.arange(len(texts)) - np.searchsorted(texts, texts)
    return hashes[rank < _SKETCH], texts[rank < _SKETCH]
