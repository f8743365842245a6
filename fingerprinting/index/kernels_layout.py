"""Numbers that kernels share with the numpy code beside them: where things lie in the files, and how keys are mixed.

That "kernels" stands in this file's name makes kernels be compiled anew when a number changes.
"""

from typing import Final

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
