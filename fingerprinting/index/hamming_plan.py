"""Where hashes within a radius must lie, and which way to find them is quickest."""

from dataclasses import dataclass
from functools import cache
from itertools import accumulate, combinations
from math import comb

import numpy as np
from numpy.typing import NDArray

CHUNK_BITS = 16
BUCKETS = 1 << CHUNK_BITS
MAX_BUDGET = 4  # beyond it a table would be asked for 2,517 buckets of 65,536

# Measured at 100,000 to 10,000,000 hashes, in nanoseconds; they only choose between ways that find the same.
_A_PROBE, _AN_ENTRY, _A_HIT, _A_SURVIVOR = 13.0, 0.4, 8.0, 20.0
_A_COMPARISON = 1.3
_JOIN_FROM = (2_500, 30_000)  # queries, in large and in small indexes
_JOIN_PRODUCT = 3e10  # queries times hashes


@dataclass(frozen=True, slots=True)
class RadiusPlan:
    """What `hamming_kernels.Plan` holds, and what it costs.

    Attributes:
        budget: for each chunk one more than the bits it may differ in. If every chunk differed in at least its budget,
            the distance would be at least the sum; so with a sum of radius + 1, some chunk of any pair within the
            radius is below its budget. More: going round the ring from some chunk on, the bits that differ stay below
            the sum of the budgets all the way.
        limits: shape (3 * C,): the most bits over 1, 2 and 3 chunks from each one on that follow from it.
        masks, ends: all masks that are needed, and how many have at most 0, 1, 2, … bits.
        fixed_ns, entry_ns: what a query costs, and what it costs more for each hash that a bucket holds on average.
    """

    budget: NDArray[np.int64]
    limits: NDArray[np.int16]
    masks: NDArray[np.uint16]
    ends: NDArray[np.int64]
    fixed_ns: float
    entry_ns: float


def largest_radius(width: int) -> int:
    """Give the largest radius for which there is a plan. `width` is the bytes of a hash."""
    return MAX_BUDGET * (width * 8 // CHUNK_BITS) - 1


@cache
def plan(width: int, radius: int) -> RadiusPlan:
    """Make the plan for a radius up to `largest_radius`."""
    chunks = width * 8 // CHUNK_BITS
    budget = np.diff(np.arange(chunks + 1) * (radius + 1) // chunks)
    two = budget + np.roll(budget, -1)
    three = two + np.roll(budget, -2)
    limits = np.concatenate([budget, two, three]).astype(np.int16) - np.int16(1)
    top = int(budget.max())
    masks = [sum(1 << bit for bit in bits) for size in range(top) for bits in combinations(range(CHUNK_BITS), size)]
    ends = list(accumulate(comb(CHUNK_BITS, size) for size in range(top)))
    fixed = each = 0.0
    for chunk in range(chunks):
        for distance in range(int(budget[chunk])):
            buckets = comb(CHUNK_BITS, distance)
            hits = _share(CHUNK_BITS, int(two[chunk]) - 1 - distance)
            survivors = min(hits, _share(2 * CHUNK_BITS, int(three[chunk]) - 1 - distance))
            fixed += buckets * _A_PROBE
            each += buckets * (_AN_ENTRY + hits * _A_HIT + survivors * _A_SURVIVOR)
    arrays = (budget.astype(np.int64), limits, np.array(masks, np.uint16), np.array(ends, np.int64))
    for array in arrays:
        array.flags.writeable = False
    return RadiusPlan(*arrays, fixed, each)


def tables_win(made: RadiusPlan, count: int) -> bool:
    """Say whether looking into tables of so many hashes is quicker than comparing with each of them."""
    return made.fixed_ns + made.entry_ns * count / BUCKETS < count * _A_COMPARISON


def join_wins(queries: int, count: int) -> bool:
    """Say whether there are so many queries that each bucket should be read once for all of them."""
    fewest, most = _JOIN_FROM
    return queries >= min(max(_JOIN_PRODUCT / count, fewest), most)


def radius_classes(radiuses: NDArray[np.int64], width: int) -> NDArray[np.int64]:
    """Round radiuses up to a few, so that queries of one batch share their plan."""
    chunks = width * 8 // CHUNK_BITS
    largest = largest_radius(width)
    steps = np.array([*range(chunks // 2 - 1, largest + 1, chunks // 2), largest + 1], np.int64)
    return steps[np.minimum(np.searchsorted(steps, radiuses), len(steps) - 1)]


def _share(bits: int, limit: int) -> float:
    """Of all values of so many bits, the share that differs from one in at most `limit` bits."""
    return float(sum(comb(bits, size) for size in range(min(limit, bits) + 1))) / 2.0**bits
