"""The order of bits in Hamming tables: a fixed one that scatters what belongs together, and the way back."""

import hashlib
from functools import cache

import numpy as np
from numpy.typing import NDArray


def permute(hashes: NDArray[np.uint8]) -> NDArray[np.uint64]:
    """Put the bits of hashes, shape (N, B), in the order of the tables: shape (N, B / 8)."""
    from fingerprinting.index import hamming_build_kernels as kernels  # noqa: PLC0415 - loads numba

    permuted = np.empty((len(hashes), hashes.shape[1] // 8), np.uint64)
    kernels.permute(np.ascontiguousarray(hashes), table(hashes.shape[1]), permuted)
    permuted.flags.writeable = False
    return permuted


def original(permuted: NDArray[np.uint64]) -> NDArray[np.uint8]:
    """Undo `permute`."""
    from fingerprinting.index import hamming_build_kernels as kernels  # noqa: PLC0415 - loads numba

    hashes = np.empty(permuted.shape, np.uint64)
    kernels.permute(permuted.view(np.uint8), _there_and_back(permuted.shape[1] * 8)[1], hashes)
    return hashes.view(np.uint8)


@cache
def permutation(width: int) -> NDArray[np.uint8]:
    """Give the order of bits in tables: the bit at position i of the result is bit `permutation[i]` of the hash.

    Bits of a hash count from the most significant one of its first byte on; bits of a result from the least significant
    one of its first byte on. It scatters bits that depend on one another (a picture's frequencies) over all chunks, so
    that buckets fill evenly. It is part of the file format: the order of the SHA-256 digests of a name and the number.
    """
    return np.array(
        sorted(
            range(width * 8), key=lambda bit: hashlib.sha256(f"mediamanager hamming order 1, {bit}".encode()).digest()
        ),
        np.uint8,
    )


def permutation_id(width: int) -> int:
    """Give a number that stands for the order of bits."""
    return int.from_bytes(hashlib.sha256(permutation(width).tobytes()).digest()[:6], "big")


def table(width: int) -> NDArray[np.uint64]:
    """Give what each value of each half byte becomes in the order of the tables: shape (2 * B, 16, B / 8), flat."""
    return _there_and_back(width)[0]


@cache
def _there_and_back(width: int) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """Give what each value of each half byte becomes in the order of the tables, and the way back; flat."""
    order = permutation(width).astype(np.int64)
    there, back = (np.zeros((2 * width, 16, width // 8), np.uint64) for _ in range(2))
    values = np.arange(16)
    for to, bit in enumerate(order):
        # Bit `bit` of a hash lies in half byte bit // 4, the upper one of a byte first.
        has = values >> (3 - bit % 4) & 1 == 1
        there[bit // 4, has, to // 64] |= np.uint64(1 << to % 64)
        half = to // 8 * 2 + (to % 8 < 4)  # noqa: PLR2004 - the upper half byte comes first here too
        has = values >> (to % 4) & 1 == 1
        target = bit // 8 * 8 + 7 - bit % 8
        back[half, has, target // 64] |= np.uint64(1 << target % 64)
    for array in (there, back):
        array.flags.writeable = False
    return there.reshape(-1), back.reshape(-1)
