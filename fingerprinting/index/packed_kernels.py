"""The kernels of packed numbers: those in a range found, and read, where they lie."""

from typing import TypeAlias

import numpy as np
from numba import types
from numpy.typing import NDArray

from fingerprinting.index.kernels import kernel, reads, writes
from fingerprinting.index.lane_kernels import bits_set
from fingerprinting.index.packed import MARK_BITS, WORD_BITS

Words: TypeAlias = NDArray[np.uint64]
Marks: TypeAlias = NDArray[np.uint32]
Numbers: TypeAlias = NDArray[np.int64]
Number: TypeAlias = int | np.int64
Held: TypeAlias = tuple[Words, Words, Marks, int, int]
"""Low bits, high bits, marks; how many numbers there are, and how many bits of each are low."""

HELD = types.Tuple((reads(types.uint64), reads(types.uint64), reads(types.uint32), types.int64, types.int64))

_LAST_BIT, _WORD_SHIFT = WORD_BITS - 1, 6
_ONE, _ALL = np.uint64(1), np.uint64(0xFFFFFFFFFFFFFFFF)


@kernel()
def low_at(lows: Words, at: Number, low_bits: int) -> np.uint64:
    """Read the low bits of one number."""
    bit = at * low_bits
    word, shift = bit >> _WORD_SHIFT, np.uint64(bit & _LAST_BIT)
    found = lows[word] >> shift
    if shift + np.uint64(low_bits) > np.uint64(WORD_BITS):
        found |= lows[word + 1] << (np.uint64(WORD_BITS) - shift)
    return np.uint64(found & ((_ONE << np.uint64(low_bits)) - _ONE))


@kernel()
def _after_zeros(highs: Words, bit: Number, zeros: Number) -> Number:
    """Give the bit behind so many zeros from a bit on; the end or a bit past it where there are not as many."""
    end = len(highs) << _WORD_SHIFT
    while zeros > 0 and bit < end:
        shift = np.uint64(bit & _LAST_BIT)
        word = ~highs[bit >> _WORD_SHIFT] >> shift
        here = bits_set(word)
        if here < zeros:
            zeros -= here
            bit = ((bit >> _WORD_SHIFT) + 1) << _WORD_SHIFT
            continue
        step = WORD_BITS >> 1
        while step:  # the place of a zero in a word, by halves
            part = bits_set(word & ((_ONE << np.uint64(step)) - _ONE))
            if part < zeros:
                zeros -= part
                word >>= np.uint64(step)
                bit += step
            step >>= 1
        return bit + 1
    return bit


@kernel()
def locate(held: Held, least: np.uint64, most: np.uint64, found: Numbers) -> None:
    """Find the numbers from `least` to `most`: write the first of them, one past the last, and the bit of the first.

    It stays inside the arrays whatever a file says.
    """
    lows, highs, marks, number, low_bits = held
    bucket, last = np.int64(least >> np.uint64(low_bits)), np.int64(most >> np.uint64(low_bits))
    mark = bucket >> MARK_BITS
    end = len(highs) << _WORD_SHIFT
    start = (mark << MARK_BITS) + np.int64(marks[mark]) if mark < len(marks) else np.int64(end)
    bit = _after_zeros(highs, start, bucket - (mark << MARK_BITS))
    at = bit - bucket
    first = np.int64(-1)
    found[0], found[1], found[2] = 0, 0, 0
    while bucket <= last and bit < end and 0 <= at < number:
        if not highs[bit >> _WORD_SHIFT] >> np.uint64(bit & _LAST_BIT) & _ONE:
            bucket += 1
            bit += 1
            continue
        value = np.uint64(bucket) << np.uint64(low_bits) | low_at(lows, at, low_bits)
        if value > most:
            break
        if value >= least:
            if first < 0:
                first = at
                found[0], found[2] = at, bit
            found[1] = at + 1
        at += 1
        bit += 1


@kernel()
def read(held: Held, first: int, last: int, bit: int, wanted: np.uint64, out: NDArray[np.uint32]) -> int:
    """Write what a mask leaves of the numbers from one to before another, of which the first has this bit; how many."""
    lows, highs, _, number, low_bits = held
    end = len(highs) << _WORD_SHIFT
    bucket = bit - first
    at = first
    last = min(last, number)
    while at < last and bit < end:
        if highs[bit >> _WORD_SHIFT] >> np.uint64(bit & _LAST_BIT) & _ONE:
            value = np.uint64(bucket) << np.uint64(low_bits) | low_at(lows, at, low_bits)
            out[at - first] = np.uint32(value & wanted)
            at += 1
        else:
            bucket += 1
        bit += 1
    return at - first


@kernel(types.int64(HELD, writes(types.uint64)))
def read_all(held: Held, out: Words) -> np.int64:
    """Write all numbers; how many there are in truth."""
    lows, highs, _, number, low_bits = held
    end = len(highs) << _WORD_SHIFT
    bucket = at = np.int64(0)
    for bit in range(end):
        if highs[bit >> _WORD_SHIFT] >> np.uint64(bit & _LAST_BIT) & _ONE:
            if at >= number:
                break
            out[at] = np.uint64(bucket) << np.uint64(low_bits) | low_at(lows, at, low_bits)
            at += 1
        else:
            bucket += 1
    return at
