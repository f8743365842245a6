"""How large a WebP picture is, by its header alone: its decoder takes memory for all pixels as soon as it is opened."""

from dataclasses import dataclass
from typing import Final

HEAD_BYTES: Final = 30
"""How much of a file `header_of` wants to see."""

_SIZE_BITS: Final = 14
_SIZE_MASK: Final = (1 << _SIZE_BITS) - 1
_LOSSY_START: Final = b"\x9d\x01\x2a"
_LOSSLESS_START: Final = b"\x2f"
_ALPHA_FLAG: Final = 0x10


@dataclass(frozen=True, slots=True)
class Header:
    """The canvas, and whether pixels may be transparent."""

    width: int
    height: int
    is_transparent: bool


def header_of(head: bytes) -> Header | None:
    """Read the first bytes of a file; None where they are not a WebP picture's.

    Source: RFC 9649, sections 2.5 to 2.7, and 3.4 for lossless pictures; RFC 6386, section 9.1, for others.
    """
    if len(head) < HEAD_BYTES or head[:4] != b"RIFF" or head[8:12] != b"WEBP":
        return None
    kind, chunk = head[12:16], head[20:HEAD_BYTES]
    if kind == b"VP8X":
        return Header(1 + _number(chunk[4:7]), 1 + _number(chunk[7:10]), bool(chunk[0] & _ALPHA_FLAG))
    if kind == b"VP8L" and chunk.startswith(_LOSSLESS_START):
        bits = _number(chunk[1:5])
        width, height, alpha = bits & _SIZE_MASK, bits >> _SIZE_BITS & _SIZE_MASK, bits >> 2 * _SIZE_BITS & 1
        return Header(1 + width, 1 + height, bool(alpha))
    if kind == b"VP8 " and chunk[3:6] == _LOSSY_START:
        return Header(_number(chunk[6:8]) & _SIZE_MASK, _number(chunk[8:10]) & _SIZE_MASK, is_transparent=False)
    return None


def _number(data: bytes) -> int:
    return int.from_bytes(data, "little")
