"""Hamming tables: many hashes, their bits in another order, grouped by the value of each 16-bit chunk."""

import numpy as np
from numpy.typing import NDArray

from fingerprinting.index.hamming_order import permute
from fingerprinting.index.hamming_plan import BUCKETS, CHUNK_BITS
from fingerprinting.index.kernels_layout import LANES, Tables

MAX_HASHES = 2**32 - 2**16  # rows and positions are 32-bit numbers


def build(hashes: NDArray[np.uint8]) -> Tables:
    """Group N hashes, shape (N, 8) or (N, 32).

    Raises:
        ValueError: there are more than an index can hold.
    """
    from fingerprinting.index import hamming_build_kernels as kernels  # noqa: PLC0415 - loads numba

    count, width = hashes.shape
    if count > MAX_HASHES:
        raise ValueError(f"an index holds {MAX_HASHES} hashes at most, not {count}: make several")
    chunks = width * 8 // CHUNK_BITS
    permuted = permute(hashes)
    values = permuted.view(np.uint16)
    starts = np.empty((chunks, BUCKETS + 1), np.uint32)
    rows = np.empty(chunks * count, np.uint32)
    following, second = (np.zeros(chunks * count + LANES, np.uint16) for _ in range(2))
    counts = np.empty((chunks, 256), np.int64)
    kernels.count_high_bytes(values, counts)
    records, low_bytes = np.empty(count, np.uint64), np.empty(count, np.uint8)
    for chunk in range(chunks):
        part = slice(chunk * count, (chunk + 1) * count)
        kernels.group(
            values, chunk, counts[chunk], starts[chunk], rows[part], following[part], second[part], records, low_bytes
        )
    return frozen(Tables(permuted, starts, rows, following, second))


def frozen(tables: Tables) -> Tables:
    """Make arrays read-only and plain, as kernels want them (a memory map is a kind of array of its own)."""
    arrays = [np.asarray(array).view(np.ndarray) for array in tables]
    for array in arrays:
        array.flags.writeable = False
    return type(tables)(*arrays)


def problem(tables: Tables, width: int) -> str | None:
    """Say in what way arrays do not make up tables, or None. Kernels check nothing, so that this must."""
    count, chunks = len(tables.hashes), width * 8 // CHUNK_BITS
    if tables.hashes.shape != (count, width // 8) or not 0 < count <= MAX_HASHES:
        return "hashes are missing, or of another width"
    if tables.starts.shape != (chunks, BUCKETS + 1) or tables.rows.shape != (chunks * count,):
        return "tables and hashes do not belong together"
    if tables.following.shape != (chunks * count + LANES,) or tables.second.shape != tables.following.shape:
        return "tables and hashes do not belong together"
    ordered = (tables.starts[:, 1:] >= tables.starts[:, :-1]).all()
    if not ordered or tables.starts[:, 0].any() or (tables.starts[:, -1] != count).any():
        return "the groups of its tables are not in order"
    return None
