"""Building Hamming tables: bits put in another order, and rows grouped by the value of a 16-bit chunk."""

import numpy as np
from numba import types
from numpy.typing import NDArray

from fingerprinting.index.kernels import kernel, reads, writes
from fingerprinting.index.lane_kernels import permuted, short_permuted

_u8, _u16, _u32, _u64, _i64 = types.uint8, types.uint16, types.uint32, types.uint64, types.int64


@kernel(types.void(reads(_u8, 2), reads(_u64), writes(_u64, 2)))
def permute(hashes: NDArray[np.uint8], table: NDArray[np.uint64], out: NDArray[np.uint64]) -> None:
    """Put the bits of hashes in another order.

    Args:
        hashes: shape (N, B).
        table: shape (2 * B, 16, W), flat: what each value of each half byte (the upper one first) becomes.
        out: shape (N, W).
    """
    count, width = hashes.shape
    source, target = hashes.reshape(count * width), out.reshape(out.size)
    if width == 32:  # noqa: PLR2004 - bytes of 256 bits
        for row in range(count):
            permuted(source, row * 32, table, target, row * 4)
    else:
        for row in range(count):
            short_permuted(source, row * 8, table, target, row)


@kernel(types.void(reads(_u16, 2), writes(_i64, 2)))
def count_high_bytes(chunks: NDArray[np.uint16], counts: NDArray[np.int64]) -> None:
    """Count how often each chunk (of shape (N, C)) has each high byte, into an array of shape (C, 256)."""
    counts[:] = 0
    for row in range(chunks.shape[0]):
        for chunk in range(chunks.shape[1]):
            counts[chunk, chunks[row, chunk] >> 8] += 1


@kernel(
    types.void(
        reads(_u16, 2),
        _i64,
        reads(_i64),
        writes(_u32),
        writes(_u32),
        writes(_u16),
        writes(_u16),
        writes(_u64),
        writes(_u8),
    )
)
def group(
    chunks: NDArray[np.uint16],
    chunk: int,
    counts: NDArray[np.int64],
    starts: NDArray[np.uint32],
    rows: NDArray[np.uint32],
    following: NDArray[np.uint16],
    second: NDArray[np.uint16],
    records: NDArray[np.uint64],
    low_bytes: NDArray[np.uint8],
) -> None:
    """Group rows by one chunk, in two passes that each write to 256 places at a time.

    Args:
        chunks: shape (N, C).
        chunk: which one.
        counts: shape (256,): how often it has each high byte.
        starts: shape (65537,): gets the first position of each value.
        rows, following, second: shape (N,): get the rows in groups, and their next two chunks round the ring.
        records, low_bytes: shape (N,): room to work in.
    """
    count, width = chunks.shape
    free = np.zeros(257, np.int64)
    for high in range(256):
        free[high + 1] = free[high] + counts[high]
    firsts = free.copy()
    one, two = (chunk + 1) % width, (chunk + 2) % width
    for row in range(count):
        value = chunks[row, chunk]
        at = free[value >> 8]
        free[value >> 8] = at + 1
        low_bytes[at] = np.uint8(value & 255)
        records[at] = np.uint64(row) << 32 | np.uint64(chunks[row, one]) << 16 | np.uint64(chunks[row, two])
    for high in range(256):
        free[:] = 0
        for at in range(firsts[high], firsts[high + 1]):
            free[np.int64(low_bytes[at]) + 1] += 1
        free[0] = firsts[high]
        for low in range(256):
            free[low + 1] += free[low]
            starts[(high << 8) + low] = free[low]
        for at in range(firsts[high], firsts[high + 1]):
            record = records[at]
            low = low_bytes[at]
            to = free[low]
            free[low] = to + 1
            rows[to] = np.uint32(record >> 32)
            following[to] = np.uint16(record >> 16 & 65535)
            second[to] = np.uint16(record & 65535)
    starts[65536] = count
