"""From a picture file to upright RGB pixels, or to a sentence that says why not."""

import io
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image

from fingerprinting.errors import FingerprintingError, LimitExceededError, UnreadableMediaError
from fingerprinting.image import budget, headers, heic
from fingerprinting.media import Limits

# Only formats that we tell apart ourselves: each further decoder is more code that strangers' bytes can reach.
# Pillow registers no MPO: its JPEG reader opens those, and naming it would be a KeyError before the formats behind it.
_FORMATS: Final = ("PNG", "JPEG", "GIF", "WEBP", "TIFF", "BMP", "AVIF", "JPEG2000")

_ORIENTATION_TAG: Final = 0x0112
# Exif 2.32, 4.6.4: what must be done to the stored pixels to see them upright.
_UPRIGHT: Final = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


@dataclass(frozen=True, slots=True)
class Appearance:
    """One way in which a picture may be shown: upright, RGB with 8 bits (grey, where it was decoded roughly).

    Attributes:
        image: the pixels.
        scale: pixels of the stored picture for each of these; 1 but for huge JPEG pictures, which are decoded smaller.
    """

    image: Image.Image
    scale: float = 1.0


def decode(path: Path, limits: Limits) -> Image.Image:
    """Decode a picture's first frame: upright by its EXIF orientation, RGB with 8 bits, transparency over white.

    Raises:
        LimitExceededError, UnreadableMediaError: as `appearances`.
    """
    return next(appearances(path, limits)).image


def appearances(source: Path | bytes, limits: Limits, *, is_rough: bool = False) -> Iterator[Appearance]:
    """Decode a picture's first frame, one by one as each of the ways in which programs make it opaque would show it.

    A picture without transparency has one appearance. One with transparency has up to three: over white; over black;
    and with the transparency thrown away, as most converters to JPEG do, which brings up whatever colours lie under it.
    All are upright by the EXIF orientation and RGB with 8 bits. The header's size is checked before any pixel is
    decoded. A JPEG picture of more than `budget.MAX_WHOLE_PIXELS` is decoded at half its size; with `is_rough`, any is
    decoded in grey and as small as its decoder can make it with `budget.ROUGH_SIDE` pixels each way, which takes a
    fifth of the time.

    Raises:
        LimitExceededError: more than `limits.max_pixels`, or more memory than `limits.max_picture_bytes` or there is.
        UnreadableMediaError: damaged, incomplete, or empty.
    """
    try:
        with warnings.catch_warnings():
            # Our own limit, checked below, takes the place of Pillow's warning.
            warnings.simplefilter("ignore")
            head = _head(source)
            budget.check_unopened(head, limits)
            opened = io.BytesIO(source) if isinstance(source, bytes) else source
            with Image.open(opened, formats=_formats(head)) as image:
                _check_size(image, limits)
                scale = budget.shrink(image, is_rough=is_rough)
                image.load()
                upright = _upright(image)
                for shown in (upright,) if is_rough and upright.mode == "L" else _to_rgb(upright):
                    yield Appearance(shown, scale)
                    del shown  # before the next one is made
    except (FingerprintingError, ImportError):  # a decoder that is missing says nothing about the file
        raise
    except Image.DecompressionBombError as error:
        raise budget.too_many_pixels(limits) from error
    except MemoryError as error:
        raise LimitExceededError(
            "This picture needs more memory than is available. Export a smaller version and use that.", limit="memory"
        ) from error
    except Exception as error:  # broad: on damaged bytes Pillow raises anything, and all of it means: unreadable
        raise UnreadableMediaError(
            "This picture is damaged or incomplete and cannot be opened. Export or download it again and use that."
        ) from error


def _formats(head: bytes) -> tuple[str, ...]:
    if not heic.is_heic(head):
        return _FORMATS
    heic.load()
    return (heic.FORMAT,)


def _head(source: Path | bytes) -> bytes:
    if isinstance(source, bytes):
        return source[: headers.HEAD_BYTES]
    with source.open("rb") as file:
        return file.read(headers.HEAD_BYTES)


def _check_size(image: Image.Image, limits: Limits) -> None:
    width, height = image.size
    budget.check_pixels(width, height, limits)
    if width < 1 or height < 1:
        raise UnreadableMediaError("This picture is empty: it has no pixels. Export it again and use that.")
    budget.check(image, limits)


def _upright(image: Image.Image) -> Image.Image:
    try:
        orientation = image.getexif().get(_ORIENTATION_TAG, 1)
    except Exception:  # noqa: BLE001 - broken EXIF raises anything, and is no reason to refuse the pixels
        orientation = 1
    method = _UPRIGHT.get(orientation) if isinstance(orientation, int) else None
    if method is None:
        return image
    turned = image.transpose(method)
    image.close()  # its pixels, that is: two of a huge picture are one too many
    return turned


def _to_rgb(image: Image.Image) -> Iterator[Image.Image]:
    if image.mode.startswith("I") or image.mode == "F":
        yield _from_deep_grey(image)
        return
    if not image.has_transparency_data:
        yield image if image.mode == "RGB" else image.convert("RGB")
        return
    layered = image if image.mode == "RGBA" else image.convert("RGBA")
    if _is_opaque(layered):
        yield layered.convert("RGB")
        return
    yield _over("white", layered)
    yield _over("black", layered)
    yield layered.convert("RGB")


def _is_opaque(layered: Image.Image) -> bool:
    return layered.getchannel("A").getextrema() == (_BYTE_MAX, _BYTE_MAX)


def _over(backdrop: str, layered: Image.Image) -> Image.Image:
    shown = Image.new("RGB", layered.size)
    for box in budget.strips(layered.size):
        strip = layered.crop(box)
        opaque = Image.new("RGBA", strip.size, backdrop)
        opaque.alpha_composite(strip)
        shown.paste(opaque.convert("RGB"), box)
    return shown


_BYTE_MAX: Final = 255
_SHORT_MAX: Final = 65535


def _from_deep_grey(image: Image.Image) -> Image.Image:
    """Bring grey of more than 8 bits to 8; `convert` would clip it to white. The file's range is told by its values."""
    top = max(float(np.asarray(image.crop(box)).astype(np.float32).max()) for box in budget.strips(image.size))
    if image.mode.startswith("I;16") or _BYTE_MAX < top <= _SHORT_MAX:
        full = _SHORT_MAX
    elif top <= 1 and image.mode == "F":
        full = 1
    else:
        full = max(_BYTE_MAX, round(top))
    shown = Image.new("RGB", image.size)
    for box in budget.strips(image.size):
        values = np.asarray(image.crop(box)).astype(np.float32)
        grey = np.nan_to_num(values * (_BYTE_MAX / full)).clip(0, _BYTE_MAX).astype(np.uint8)
        shown.paste(Image.fromarray(grey).convert("RGB"), box)
    return shown
