"""How much memory a picture takes to decode, so that one that needs too much is refused by its header."""

from collections.abc import Iterator
from typing import Final

from PIL import Image

from fingerprinting.errors import LimitExceededError
from fingerprinting.image import headers
from fingerprinting.media import Limits

MAX_WHOLE_PIXELS: Final = 20_000_000
"""A JPEG picture of more is decoded at half its width and height, which its decoder does while it reads."""

ROUGH_SIDE: Final = 80
"""What is decoded roughly keeps this much of each side or more: `dct-256` needs 64 cells. With 128, a megapixel was
decoded at a quarter of each side rather than an eighth, which takes a tenth longer, and as many bits moved."""

_STRIP_PIXELS: Final = 1 << 20

_OPAQUE: Final = {
    "PNG": 8,
    "BMP": 8,
    "GIF": 8,
    "JPEG": 9,
    "TIFF": 12,
    "HEIF": 12,
    "AVIF": 14,
    "WEBP": 15,
    "JPEG2000": 21,
}
_TRANSPARENT: Final = {
    "PNG": 13,
    "BMP": 13,
    "GIF": 13,
    "JPEG": 13,
    "TIFF": 17,
    "HEIF": 18,
    "AVIF": 20,
    "WEBP": 22,
    "JPEG2000": 27,
}
"""Bytes a pixel from opening a file to its last fingerprint, by format: measured at 20 million pixels, rounded up. They
hold the decoder's own copies, Pillow's 4 bytes a pixel, and a second 4 while the picture is turned upright."""

_COEFFICIENTS: Final = 6
"""Bytes a pixel that libjpeg keeps of a progressive picture until its last pass: three components of 16 bits."""


def check(image: Image.Image, limits: Limits) -> None:
    """Refuse a picture, opened and not yet decoded, that would take more memory than it may.

    Raises:
        LimitExceededError: more than `limits.max_picture_bytes`.
    """
    _check(image.width, image.height, _bytes_a_pixel(image), limits)


def check_unopened(head: bytes, limits: Limits) -> None:
    """The same by a file's first `headers.HEAD_BYTES`, where to open it is too much already.

    Raises:
        LimitExceededError: more than `limits.max_pixels` or `limits.max_picture_bytes`.
    """
    check_pixels(headers.stated_pixels(head), 1, limits)
    header = headers.webp_header(head)
    if header is not None:
        check_pixels(header.width, header.height, limits)
        _check(header.width, header.height, (_TRANSPARENT if header.is_transparent else _OPAQUE)["WEBP"], limits)


def check_pixels(width: int, height: int, limits: Limits) -> None:
    """Refuse a picture of more pixels than any may have.

    Raises:
        LimitExceededError: more than `limits.max_pixels`.
    """
    if width * height > limits.max_pixels:
        raise too_many_pixels(limits)


def too_many_pixels(limits: Limits) -> LimitExceededError:
    """The error of `check_pixels`, for who finds that out by other means."""
    return LimitExceededError(
        f"This picture is too large: it has more than {limits.max_pixels / 1e6:,.0f} million pixels. Export a smaller"
        " version and use that.",
        max_pixels=limits.max_pixels,
    )


def _check(width: int, height: int, bytes_a_pixel: float, limits: Limits) -> None:
    allowed = int(limits.max_picture_bytes / bytes_a_pixel)
    if width * height > allowed:
        raise LimitExceededError(
            f"This picture is too large: it has {width * height / 1e6:,.0f} million pixels, and at most"
            f" {allowed / 1e6:,.0f} million are accepted of its kind. Export a smaller version, or a JPEG.",
            limit="memory",
            max_pixels=allowed,
        )


def _bytes_a_pixel(image: Image.Image) -> float:
    table = _TRANSPARENT if image.has_transparency_data else _OPAQUE
    decoded: float = table.get(str(image.format), max(table.values()))
    if _is_huge_jpeg(image):
        decoded /= 4
    return decoded + (_COEFFICIENTS if image.info.get("progressive") else 0)


def shrink(image: Image.Image, *, is_rough: bool = False) -> float:
    """Have a huge (or with `is_rough` any) JPEG picture decoded smaller; stored pixels along each decoded one."""
    width, height = image.size
    if is_rough and image.format in ("JPEG", "MPO"):
        image.draft("L", (ROUGH_SIDE, ROUGH_SIDE))
    elif _is_huge_jpeg(image):
        image.draft(None, (width // 2, height // 2))
    return width / image.width


def _is_huge_jpeg(image: Image.Image) -> bool:
    return image.format in ("JPEG", "MPO") and image.width * image.height > MAX_WHOLE_PIXELS


def strips(size: tuple[int, int]) -> Iterator[tuple[int, int, int, int]]:
    """Boxes of whole rows that make up a picture, each of a few megabytes."""
    width, height = size
    rows = max(1, _STRIP_PIXELS // max(1, width))
    for top in range(0, height, rows):
        yield (0, top, width, min(height, top + rows))
