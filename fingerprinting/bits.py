"""Numbers of a few bits each, written one after the other without gaps, the lowest bit of each first."""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

MOST_BITS: Final = 32
_WINDOW_BYTES: Final = 8
_BYTE_BITS: Final = 8
_CHUNK: Final = 1 << 16  # numbers: a whole number of bytes, whatever the width


def size_bytes(number: int, width: int) -> int:
    """Give the bytes that so many numbers of so many bits take; the bits after the last are zeros."""
    return (number * width + _BYTE_BITS - 1) // _BYTE_BITS


def pack(values: NDArray[Any], width: int) -> NDArray[np.uint8]:
    """Write numbers below 2**width, which is at most MOST_BITS."""
    packed = np.empty(size_bytes(len(values), width), dtype=np.uint8)
    for first in range(0, len(values), _CHUNK):
        some = np.ascontiguousarray(values[first : first + _CHUNK], dtype="<u4")
        bits = np.unpackbits(some.view(np.uint8).reshape(-1, 4), axis=1, bitorder="little")[:, :width]
        start = size_bytes(first, width)
        packed[start : start + size_bytes(len(some), width)] = np.packbits(bits.ravel(), bitorder="little")
    return packed


def unpack(packed: bytes, number: int, width: int, offset: int = 0) -> NDArray[np.uint32]:
    """Read so many numbers of so many bits, from a byte on."""
    if not width:
        return np.zeros(number, dtype=np.uint32)
    held = packed[offset : offset + size_bytes(number, width)] + bytes(_WINDOW_BYTES)
    windows: NDArray[np.uint64] = np.ndarray((len(held) - _WINDOW_BYTES + 1,), "<u8", held, strides=(1,))
    at = np.arange(number, dtype=np.int64) * width
    found: NDArray[np.uint64] = windows[at >> 3] >> (at & 7).astype(np.uint64) & np.uint64((1 << width) - 1)
    return found.astype(np.uint32)
