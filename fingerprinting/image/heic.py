"""HEIC pictures, as telephones take them: decoded by libheif and libde265, which are loaded when the first one comes.

The format's own turns and mirroring are carried out by libheif, and the EXIF orientation beside them means nothing
(ISO/IEC 23008-12, annex A); 10 and 12 bits are brought to 8; of several pictures the primary one is decoded; a coded
picture that is not as large as the file's boxes say is refused before it is decoded.
"""

from functools import cache
from typing import Final

FORMAT: Final = "HEIF"

_BRANDS: Final = frozenset({b"heic", b"heix", b"heim", b"heis"})


def is_heic(head: bytes) -> bool:
    """Say whether a file begins as a still picture coded in HEVC. Source: ISO/IEC 23008-12, annex B.4."""
    if head[4:8] != b"ftyp":
        return False
    box_bytes = min(int.from_bytes(head[:4], "big"), len(head))
    brands = {head[8:12], *(head[at : at + 4] for at in range(16, box_bytes - 3, 4))}
    return not _BRANDS.isdisjoint(brands)


@cache
def load() -> None:
    """Have Pillow open such pictures, in one thread and without what may lie beside them."""
    import pi_heif  # noqa: PLC0415 - 4 MB that few pictures need

    pi_heif.register_heif_opener(thumbnails=False, depth_images=False, aux_images=False, decode_threads=1)
