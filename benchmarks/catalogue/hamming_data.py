"""Hashes to search and hashes to ask about: uniform ones, and clustered ones like those of a registry."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_HOT_CLUSTERS = 1000
_HOT_SHARE = 0.05  # of the hashes; as many of the queries are near a hot cluster
_NEAR_SHARE = 0.15  # of the hashes are near others
_PLANTED_SHARE = 0.1  # of the queries
_BLOCK = 100_000


@dataclass(frozen=True, slots=True)
class Batch:
    """Queries, and for those that were made from a hash: which query, which hash, how many bits away."""

    queries: NDArray[np.uint8]
    planted: NDArray[np.int64]
    rows: NDArray[np.int64]
    bits: NDArray[np.int64]


def flipped(
    rng: np.random.Generator, hashes: NDArray[np.uint8], most: int
) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Flip 0 to `most` bits of each hash, and say how many."""
    width = hashes.shape[1]
    counts = rng.integers(0, most + 1, len(hashes))
    changed = hashes.copy()
    for start in range(0, len(hashes), _BLOCK):
        part = slice(start, start + _BLOCK)
        order = np.argsort(rng.random((len(counts[part]), width * 8), dtype=np.float32), axis=1)
        changed[part] ^= np.packbits(order < counts[part, None], axis=1)
    return changed, counts


def uniform(rng: np.random.Generator, rows: int, width: int) -> NDArray[np.uint8]:
    return rng.integers(0, 256, (rows, width), dtype=np.uint8)


def clustered(
    rng: np.random.Generator, rows: int, width: int, bits: int
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Hashes of which some are near one another, and many near a few; and the centres of those few."""
    hashes = uniform(rng, rows, width)
    hot, near = int(rows * _HOT_SHARE), int(rows * _NEAR_SHARE)
    centres = uniform(rng, _HOT_CLUSTERS, width)
    hashes[:hot] = flipped(rng, centres[rng.integers(0, _HOT_CLUSTERS, hot)], bits)[0]
    hashes[hot : hot + near] = flipped(rng, hashes[rng.integers(hot + near, rows, near)], bits)[0]
    return hashes[rng.permutation(rows)], centres


def batch(
    rng: np.random.Generator,
    hashes: NDArray[np.uint8],
    count: int,
    radius: int,
    centres: NDArray[np.uint8] | None = None,
) -> Batch:
    """Queries of which most are near nothing, some near a hash, and some near the centres of clusters."""
    queries = uniform(rng, count, hashes.shape[1])
    places = rng.permutation(count)
    planted = np.sort(places[: int(count * _PLANTED_SHARE)])
    rows = rng.integers(0, len(hashes), len(planted))
    queries[planted], bits = flipped(rng, hashes[rows], radius)
    if centres is not None:
        hot = places[len(planted) : len(planted) + int(count * _HOT_SHARE)]
        queries[hot] = flipped(rng, centres[rng.integers(0, len(centres), len(hot))], radius // 3)[0]
    return Batch(queries, planted, rows, bits)
