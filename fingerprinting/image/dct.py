"""`dct-256`: 256 bits of a picture's low frequencies, and a small grey picture to confirm a match by.

Definition, version 1. The luma (ITU-R 601, as Pillow's mode L) of a view is averaged over 64 by 64 equal cells (as
Pillow's BOX filter does). Of its two-dimensional DCT-II the frequencies 1 to 16 in both directions are kept, row by
row, vertical frequency first; a bit is set where a coefficient is above the median of the 256 (the mean of the two in
the middle), the first bit being the most significant of the first byte. The grey picture is the mean of each 4 by 4 of
those cells, rounded.

The bytes of a fingerprint: the grey picture, 16 by 16, row by row; then 32 bytes for each form that is asked about. A
work has one form. A query has eight, or sixteen: each of `FORMS`, the first of which is the picture as it is, then all
of them as negatives.
"""

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

CELLS: Final = 64
FREQUENCIES: Final = 16
HASH_BYTES: Final = 32
THUMBNAIL: Final = 16
THUMBNAIL_BYTES: Final = THUMBNAIL * THUMBNAIL

FORMS: Final = tuple(
    (turned, down, across) for turned in (False, True) for down in (False, True) for across in (False, True)
)
"""The eight ways to turn and mirror a picture: whether it is transposed first, then flipped top to bottom, then left to
right. The first leaves it as it is."""

WORK_FORMS: Final = 1
QUERY_FORMS: Final = (len(FORMS), 2 * len(FORMS))

_QUALITY_SCALE: Final = 90
_MAX_QUALITY: Final = 100
_AT_ONCE: Final = 4

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Spectrum:
    """The low frequencies of a view, and what tells whether they say anything.

    Attributes:
        coefficients: float32, shape (16, 16).
        cells: float32, shape (64, 64): the grey that they are of.
        quality: how much gradient there is, 0 to 100, as PDQ reckons it.
    """

    coefficients: Floats
    cells: Floats
    quality: int

    @property
    def strength(self) -> float:
        """The median magnitude of the coefficients in grey levels: near 0, the bits are rounding noise."""
        return float(_medians(np.abs(self.coefficients).reshape(1, -1))[0, 0])


def spectrum(view: Image.Image, box: tuple[float, float, float, float] | None = None) -> Spectrum:
    """Compute the spectrum of a picture of mode L, or of a rectangle of it."""
    return _spectrum(np.asarray(view.resize((CELLS, CELLS), Image.Resampling.BOX, box=box), np.float32))


def _spectrum(cells: Floats) -> Spectrum:
    return Spectrum((_COSINES @ cells @ _COSINES.T).astype(np.float32), cells, _quality(cells))


def spectrum_of_shrunk(view: Image.Image) -> Spectrum:
    """Compute nearly what `spectrum` gives of a picture of mode L, of one that its decoder made smaller.

    Of few pixels a cell, one that two cells share must count for both: of 200 pictures of a megapixel, decoded at an
    eighth of each side, the bits then differ by 8 on average from those of the whole, and by 13 without.
    """
    return _spectrum(_squeezed(_squeezed(np.asarray(view, np.float32)).T).T)


def _squeezed(pixels: Floats) -> Floats:
    """Bring columns to CELLS cells."""
    return np.concatenate([shares @ pixels[where] for where, shares in _shares(pixels.shape[0])])


@lru_cache(maxsize=256)
def _shares(pixels: int) -> list[tuple[slice, Floats]]:
    """Give the share of each of so many pixels in a row in each cell, with a sum of 1 a cell: for few cells at once.

    So a product has few numbers: of larger ones NumPy's library asks further threads to do a part, and waiting for
    them takes ten times as long where a machine is busy.
    """
    edges, at = np.linspace(0, pixels, CELLS + 1), np.arange(pixels)
    covered = np.minimum(edges[1:, None], at + 1) - np.maximum(edges[:-1, None], at)
    shares = (covered.clip(0, 1) * (CELLS / pixels)).astype(np.float32)
    found = []
    for first in range(0, CELLS, _AT_ONCE):
        where = slice(int(edges[first]), math.ceil(edges[first + _AT_ONCE]))
        found.append((where, np.ascontiguousarray(shares[first : first + _AT_ONCE, where])))
    return found


def value(found: Spectrum, forms: int = WORK_FORMS) -> bytes:
    """Write a fingerprint with one, eight or sixteen forms."""
    step = CELLS // THUMBNAIL
    grey = found.cells.reshape(THUMBNAIL, step, THUMBNAIL, step).mean(axis=(1, 3))
    thumbnail = grey.round().clip(0, 255).astype(np.uint8).tobytes()
    shown = _forms(found.coefficients, min(forms, len(FORMS)))
    hashes = np.packbits(shown > _medians(shown), axis=1)
    if forms > len(FORMS):
        hashes = np.concatenate([hashes, ~hashes])
    written: bytes = thumbnail + hashes.tobytes()
    return written


def _medians(rows: Floats) -> Floats:
    """The median of each row of even length, shape (N, 1): as NumPy's, in a quarter of its time for so few."""
    half = rows.shape[1] // 2
    middle = np.partition(rows, (half - 1, half), axis=1)[:, half - 1 : half + 1]
    return (middle[:, :1] + middle[:, 1:]) / np.float32(2)


def _forms(coefficients: Floats, count: int) -> Floats:
    """The first so many of the eight forms, shape (count, 256): the odd frequencies of a mirror image change signs."""
    straight = coefficients[None] * _SIGNS[: min(count, len(_SIGNS))]
    if count <= len(_SIGNS):
        return straight.reshape(count, -1)
    return np.concatenate([straight, coefficients.T[None] * _SIGNS]).reshape(len(FORMS), -1)[:count]


def thumbnail_as(thumbnail: NDArray[np.uint8], form: int) -> NDArray[np.float32]:
    """Turn a thumbnail, shape (16, 16), as one of the sixteen forms has it."""
    turned, down, across = FORMS[form % len(FORMS)]
    shown: Floats = (thumbnail.T if turned else thumbnail).astype(np.float32)
    shown = shown[::-1] if down else shown
    shown = shown[:, ::-1] if across else shown
    return np.float32(255) - shown if form >= len(FORMS) else shown


def _quality(cells: Floats) -> int:
    total = 0
    for step in (cells[:-1] - cells[1:], cells[:, :-1] - cells[:, 1:]):
        total += int(np.abs((step * np.float32(100 / 255)).astype(np.int32)).sum())
    return min(total // _QUALITY_SCALE, _MAX_QUALITY)


def _cosines() -> Floats:
    rows, columns = np.arange(1, FREQUENCIES + 1)[:, None], np.arange(CELLS)[None]
    scale = np.sqrt(2 / CELLS)
    cosines: Floats = (scale * np.cos(np.pi / 2 / CELLS * rows * (2 * columns + 1))).astype(np.float32)
    return cosines


_COSINES: Final = _cosines()


def _signs() -> Floats:
    odd = np.where(np.arange(1, FREQUENCIES + 1) % 2, np.float32(-1), np.float32(1))
    even = np.ones_like(odd)
    return np.stack([down[:, None] * across for down in (even, odd) for across in (even, odd)]).astype(np.float32)


_SIGNS: Final = _signs()
