"""How large a picture is, by its first bytes alone, where its decoder does not say so before it gives up.

WebP's takes memory for all pixels as soon as it is opened. AVIF's and JPEG 2000's call a picture of too many damaged.
"""

import re
from dataclasses import dataclass
from typing import Final

HEAD_BYTES: Final = 16 * 1024
"""How much of a file these want to see. Less is fine where it is shorter."""

_WEBP_BYTES: Final = 30

_SIZE_BITS: Final = 14
_SIZE_MASK: Final = (1 << _SIZE_BITS) - 1
_LOSSY_START: Final = b"\x9d\x01\x2a"
_LOSSLESS_START: Final = b"\x2f"
_ALPHA_FLAG: Final = 0x10


@dataclass(frozen=True, slots=True)
class WebpHeader:
    """The canvas, and whether pixels may be transparent."""

    width: int
    height: int
    is_transparent: bool


def webp_header(head: bytes) -> WebpHeader | None:
    """Read the first bytes of a file; None where they are not a WebP picture's.

    Source: RFC 9649, sections 2.5 to 2.7, and 3.4 for lossless pictures; RFC 6386, section 9.1, for others.
    """
    if len(head) < _WEBP_BYTES or head[:4] != b"RIFF" or head[8:12] != b"WEBP":
        return None
    kind, chunk = head[12:16], head[20:_WEBP_BYTES]
    if kind == b"VP8X":
        return WebpHeader(1 + _number(chunk[4:7]), 1 + _number(chunk[7:10]), bool(chunk[0] & _ALPHA_FLAG))
    if kind == b"VP8L" and chunk.startswith(_LOSSLESS_START):
        bits = _number(chunk[1:5])
        width, height, alpha = bits & _SIZE_MASK, bits >> _SIZE_BITS & _SIZE_MASK, bits >> 2 * _SIZE_BITS & 1
        return WebpHeader(1 + width, 1 + height, bool(alpha))
    if kind == b"VP8 " and chunk[3:6] == _LOSSY_START:
        return WebpHeader(_number(chunk[6:8]) & _SIZE_MASK, _number(chunk[8:10]) & _SIZE_MASK, is_transparent=False)
    return None


def stated_pixels(head: bytes) -> int:
    """The most pixels that an AVIF or JPEG 2000 file states in its boxes; 0 where it states none.

    Source: ISO/IEC 23008-12, section 6.5.3; ISO/IEC 15444-1, annex I.5.3.1.
    """
    if head[4:8] not in {b"ftyp", b"jP  "}:
        return 0
    return max((_big(one[1]) * _big(one[2]) for one in _SIZE_BOX.finditer(head)), default=0)


_SIZE_BOX: Final = re.compile(rb"(?:\0\0\0\x14ispe\0\0\0\0|\0\0\0\x16ihdr)(.{4})(.{4})", re.DOTALL)


def _big(data: bytes) -> int:
    return int.from_bytes(data, "big")


def _number(data: bytes) -> int:
    return int.from_bytes(data, "little")
