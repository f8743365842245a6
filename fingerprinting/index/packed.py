"""Ascending numbers in hardly more bits than they say: what Elias and Fano wrote down, with marks to begin reading at.

Each number is split. Its low bits stand in a row, the same number of bits for each. Its high bits are told in unary:
for each bucket (a value of the high bits), from 0 on, a one for each number in it, and then a zero. So the i-th one,
counted from 0, is bit `i + bucket`. Of N numbers below 2**K, N low parts of K - log2(N) bits and two bits more for each
are kept; no way of writing them takes less than half a bit less.

Source: P. Elias, "Efficient Storage and Retrieval by Content and Address of Static Files", J. ACM 21 (1974).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from fingerprinting import bits
from fingerprinting.index.folder import Array

WORD_BITS: Final = 64
MARK_BITS: Final = 8
"""Every 2**MARK_BITS-th bucket has a mark."""

SHAPES: Final = {"lows": ("<u8", 1), "highs": ("<u8", 1), "marks": ("<u4", 1)}
"""The arrays that `Packed.arrays` gives to be saved."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """How N numbers below 2**K are split.

    Attributes:
        number: N.
        low_bits: how many of each are low; at most 32.
        buckets: how many values the high bits may have.
    """

    number: int
    low_bits: int
    buckets: int

    @property
    def low_words(self) -> int:
        """Words for the low bits: one more than they fill, so that what begins in one may be read to its end."""
        return self.number * self.low_bits // WORD_BITS + 2

    @property
    def high_words(self) -> int:
        """Words for the high bits."""
        return (self.number + self.buckets) // WORD_BITS + 1

    @property
    def marks(self) -> int:
        """How many buckets have marks."""
        return (self.buckets >> MARK_BITS) + 1


def sizes_of(number: int, whole_bits: int) -> Sizes:
    """Choose where to split so many numbers of so many bits."""
    low_bits = max(0, min(bits.MOST_BITS, whole_bits - max(number, 1).bit_length() + 1))
    return Sizes(number, low_bits, 1 << (whole_bits - low_bits))


@dataclass(frozen=True, slots=True)
class Packed:
    """N ascending numbers, which may be equal.

    Attributes:
        sizes: how they are split.
        lows: uint64: the low bits of all, from the lowest bit of the first word on.
        highs: uint64: the high bits of all, likewise.
        marks: uint32: how many numbers are in buckets before bucket `m << MARK_BITS`, for each m.
    """

    sizes: Sizes
    lows: NDArray[np.uint64]
    highs: NDArray[np.uint64]
    marks: NDArray[np.uint32]

    def numbers(self) -> NDArray[np.uint64]:
        """Give all of them: for few.

        Raises:
            ValueError: the arrays do not belong together.
        """
        sizes = self.sizes
        ones = np.flatnonzero(np.unpackbits(self.highs.view(np.uint8), bitorder="little"))
        if len(ones) != sizes.number:
            raise ValueError("there are not as many high as low parts")
        high = (ones - np.arange(len(ones))).astype(np.uint64)
        low = bits.unpack(self.lows.tobytes(), sizes.number, sizes.low_bits)
        return high << np.uint64(sizes.low_bits) | low

    def arrays(self) -> Mapping[str, Array]:
        """Give the arrays to be saved, by name."""
        return {"lows": self.lows, "highs": self.highs, "marks": self.marks}

    def fits(self) -> bool:
        """Say whether the arrays are as long as they must be. For what was read from a disk."""
        sizes = self.sizes
        held = len(self.lows), len(self.highs), len(self.marks)
        return held == (sizes.low_words, sizes.high_words, sizes.marks)


def pack(numbers: NDArray[np.uint64], whole_bits: int) -> Packed:
    """Write ascending numbers below 2**whole_bits down: for few."""
    sizes = sizes_of(len(numbers), whole_bits)
    shift = np.uint64(sizes.low_bits)
    lows = np.zeros(sizes.low_words, dtype="<u8")
    low = bits.pack((numbers & ((np.uint64(1) << shift) - np.uint64(1))).astype("<u4"), sizes.low_bits)
    lows.view(np.uint8)[: len(low)] = low
    told = np.zeros(sizes.high_words * WORD_BITS, dtype=np.uint8)
    told[(numbers >> shift).astype(np.int64) + np.arange(len(numbers))] = 1
    marked = np.arange(sizes.marks, dtype=np.uint64) << np.uint64(MARK_BITS)
    marks = np.searchsorted(numbers >> shift, marked).astype(np.uint32)
    return Packed(sizes, lows, np.packbits(told, bitorder="little").view("<u8"), marks)
