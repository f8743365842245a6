"""What kernels share with the numpy code beside them: where things lie in the files, and how keys are mixed.

An index can be opened with this alone: numba, which takes half a second to load, is for building and searching. That
"kernels" stands in this file's name makes kernels be compiled anew when something changes here.
"""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

MULTIPLIER: Final = 0xD6E8FEB86659FD93
"""An odd number whose bits look random: multiplying by it, and folding the upper half of the bits into the lower half
before, in between and after, is a bijection on 64 bits under which similar keys end up far apart."""

BLOCK_BYTES: Final = 64
"""A cache line of most machines, and as many bytes as a word has bits."""

TAGS: Final = 59
"""Keys of a block whose last byte stands in the block itself, after the position of the first (4 bytes) and how many
there are (1 byte)."""

OVERFULL: Final = 60
"""What a block with more keys than that says instead of their number."""

KEY_BYTES: Final = 7
"""Bytes of a key beside the blocks. The first of the 8 is implied by the block."""

LANES: Final = 32
"""16-bit values that are compared at once."""


class Tables(NamedTuple):
    """A Hamming index: N hashes of W words, grouped by each of their C chunks of 16 bits.

    Attributes:
        hashes: shape (N, W), their bits in the order of the tables.
        starts: shape (C, 65537): where the entries with each value of the chunk begin.
        rows: shape (C * N,): the row of each entry.
        following, second: shape (C * N + LANES,): the next two chunks of each entry, round the ring.
    """

    hashes: NDArray[np.uint64]
    starts: NDArray[np.uint32]
    rows: NDArray[np.uint32]
    following: NDArray[np.uint16]
    second: NDArray[np.uint16]
