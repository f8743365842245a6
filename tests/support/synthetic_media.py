"""Pictures, texts and damaged files made from a seed, so that no media need to be committed."""

import functools
import io
import struct
import zlib
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

NATURAL_SIZE: Final = (800, 600)


def natural_picture(seed: int, size: tuple[int, int] = NATURAL_SIZE) -> Image.Image:
    """Make a picture with the statistics of a photograph: noise of all sizes (1/f) under things with edges."""
    return _natural_picture(seed, size).copy()


@functools.lru_cache(maxsize=48)  # many tests begin with the same ones, and each takes a tenth of a second
def _natural_picture(seed: int, size: tuple[int, int]) -> Image.Image:
    random = np.random.default_rng(seed)
    width, height = size
    rows = np.fft.fftfreq(height)[:, None]
    columns = np.fft.fftfreq(width)[None, :]
    fall = 1 / np.maximum(np.hypot(rows, columns), 1 / max(size)) ** 1.3
    layers = [np.fft.ifft2(np.fft.fft2(random.normal(size=(height, width))) * fall).real for _ in range(3)]
    channels = [layers[0] + 0.4 * layer for layer in layers]
    pixels = np.stack([128 + 45 * (each - each.mean()) / (each.std() or 1) for each in channels], axis=-1)
    image = Image.fromarray(pixels.clip(0, 255).astype(np.uint8))
    draw = ImageDraw.Draw(image)
    for _ in range(24):
        x, y = random.integers(0, width), random.integers(0, height)
        w, h = random.integers(width // 25, width // 5 + 1), random.integers(height // 25, height // 5 + 1)
        colour = tuple(int(level) for level in random.integers(0, 256, 3))
        shape = (draw.ellipse, draw.rectangle)[int(random.integers(0, 2))]
        shape((int(x), int(y), int(x + w), int(y + h)), fill=colour)
    return image.filter(ImageFilter.GaussianBlur(1))


def noise(seed: int, height: int, width: int) -> NDArray[np.uint8]:
    """Make RGB noise, shape (height, width, 3)."""
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def prose(seed: int, words: int) -> str:
    """Make words that no language has, in sentences."""
    random = np.random.default_rng(seed)
    syllables = [consonant + vowel for consonant in "bdfgklmnprstvz" for vowel in "aeiou"]
    made = ["".join(random.choice(syllables, size=int(random.integers(2, 5)))) for _ in range(words)]
    sentences = [" ".join(made[at : at + 12]).capitalize() + "." for at in range(0, words, 12)]
    return " ".join(sentences)


def encoded(image: Image.Image, format_name: str = "PNG", **options: object) -> bytes:
    """Encode a picture in memory."""
    buffer = io.BytesIO()
    image.save(buffer, format_name, **options)
    return buffer.getvalue()


def cropped_copy(image: Image.Image, *, share: float, at: tuple[float, float] = (0.5, 0.5), quality: int = 60) -> bytes:
    """Cut a part of each side's `share` out at a relative place (0 is left or top, 1 right or bottom), as JPEG."""
    width, height = round(image.width * share), round(image.height * share)
    left, top = round((image.width - width) * at[0]), round((image.height - height) * at[1])
    return encoded(image.crop((left, top, left + width, top + height)), "JPEG", quality=quality)


def png_header(width: int, height: int) -> bytes:
    """Make a PNG that claims a size and holds next to nothing."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + _png_chunk(b"IHDR", header)
        + _png_chunk(b"IDAT", zlib.compress(bytes(100)))
        + _png_chunk(b"IEND", b"")
    )


def _png_chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
