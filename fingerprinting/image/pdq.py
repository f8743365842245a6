"""PDQ, Meta's 256-bit perceptual hash, in numpy: equal bit for bit to the reference built for x86-64.

Source: facebook/ThreatExchange, pdq/cpp (BSD-3-Clause) and "The TMK+PDQF Video-Hashing Algorithm and the PDQ
Image-Hashing Algorithm" (2019). Written anew from the algorithm; every sum is taken in the reference's order and in
float32, because the bits of coefficients near the median depend on the last place.
"""

import math
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float32]

MIN_SIDE: Final = 5
"""The reference gives smaller pictures an all-zero hash of quality 0."""

_BLOCKS: Final = 64
_FREQUENCIES: Final = 16
_LUMA: Final = (0.299, 0.587, 0.114)
_BOX_PASSES: Final = 2
_QUALITY_SCALE: Final = 90
_MAX_QUALITY: Final = 100


@dataclass(frozen=True, slots=True)
class Spectrum:
    """What PDQ computes before it rounds to bits.

    Attributes:
        coefficients: the DCT at frequencies 1 to 16, shape (16, 16), vertical frequency first.
        quality: how much gradient the picture has, 0 to 100.
    """

    coefficients: Floats
    quality: int

    @property
    def strength(self) -> float:
        """The median magnitude of the coefficients, in grey levels: near 0, the bits are rounding noise."""
        return float(np.median(np.abs(self.coefficients)))


def pdq(pixels: NDArray[np.uint8]) -> tuple[bytes, int]:
    """Hash a picture.

    Args:
        pixels: RGB, shape (H, W, 3). Hash what `views.frame` returns: the hash depends on the input's size.

    Returns:
        32 bytes, most significant bit first in the order of `pdqhash.compute`, and the quality, 0 to 100.
    """
    found = spectrum(pixels)
    return bits(found.coefficients), found.quality


def spectrum(pixels: NDArray[np.uint8]) -> Spectrum:
    """Compute the DCT coefficients and the quality of RGB pixels of shape (H, W, 3)."""
    height, width = pixels.shape[:2]
    if min(height, width) < MIN_SIDE:
        return Spectrum(np.zeros((_FREQUENCIES, _FREQUENCIES), np.float32), quality=0)
    blocks = _shrink(_luma(pixels))
    return Spectrum(_dct(blocks), _quality(blocks))


def near_spectrum(grey: NDArray[np.uint8]) -> Spectrum:
    """Compute the same of grey pixels, shape (H, W), to within rounding: PDQ is linear, so each axis is a matrix.

    For a query, which is compared and not kept: only a bit whose coefficient is as good as the median may differ.
    """
    height, width = grey.shape
    if min(height, width) < MIN_SIDE:
        return Spectrum(np.zeros((_FREQUENCIES, _FREQUENCIES), np.float32), quality=0)
    blocks: Floats = (_shrinking(height) @ grey.astype(np.float32) @ _shrinking(width).T).astype(np.float32)
    return Spectrum((_DCT @ blocks @ _DCT.T).astype(np.float32), _quality(blocks))


@lru_cache(maxsize=8)
def _shrinking(length: int) -> Floats:
    """Make the matrix, shape (64, length), that does along one axis what `_shrink` does."""
    unit = np.eye(length, dtype=np.float32)
    if length == _BLOCKS:
        return unit
    for _ in range(_BOX_PASSES):
        unit = _box(unit, _window(length))
    return unit[_centres(length)]


def bits(coefficients: Floats) -> bytes:
    """Round coefficients to a hash: a bit is set where its coefficient is above the lower median."""
    flat = coefficients.ravel()
    median = np.partition(flat, flat.size // 2 - 1)[flat.size // 2 - 1]
    # The reference prints its words from the last to the first, so bit 255 leads.
    return np.packbits((flat > median)[::-1]).tobytes()


def _luma(pixels: NDArray[np.uint8]) -> Floats:
    red, green, blue = (pixels[:, :, channel] * weight for channel, weight in enumerate(_LUMA))
    luma: Floats = (red + green + blue).astype(np.float32)
    return luma


def _shrink(luma: Floats) -> Floats:
    """Blur with a tent as wide as a block, then take the pixel at the centre of each of 64 by 64 blocks."""
    height, width = luma.shape
    if (height, width) == (_BLOCKS, _BLOCKS):
        return luma
    rows, columns = _centres(height), _centres(width)
    across, down = _window(width), _window(height)
    for _ in range(_BOX_PASSES - 1):
        luma = _box(_box(luma.T, across).T, down)
    # Columns are independent in the last pass, so only those that are kept are blurred.
    return _box(_box(luma.T, across)[columns].T, down)[rows]


def _centres(length: int) -> NDArray[np.intp]:
    return ((np.arange(_BLOCKS) + 0.5) * length / _BLOCKS).astype(np.intp)


def _window(length: int) -> int:
    return (length + 2 * _BLOCKS - 1) // (2 * _BLOCKS)


def _box(lines: Floats, window: int) -> Floats:
    """Average along the first axis over a sliding window, which is shorter at both ends.

    The reference keeps one running sum a line, to which it adds the pixel that enters and from which it takes the one
    that leaves. All lines do so at once here: the steps are laid out one after the other, then accumulated.
    """
    length, half = len(lines), (window + 2) // 2
    enters, leaves = lines, -lines[: length - window + half - 1]
    steps = np.empty((len(enters) + len(leaves), lines.shape[1]), np.float32)
    sliding = length - window
    steps[:window] = enters[:window]
    steps[window : window + 2 * sliding : 2] = enters[window:]
    steps[window + 1 : window + 2 * sliding : 2] = leaves[:sliding]
    steps[window + 2 * sliding :] = leaves[sliding:]
    # Ten times as fast as np.add.accumulate along this axis, and the same sums.
    for before, after in pairwise(list(steps)):
        np.add(before, after, out=after)
    sizes = np.full((length, 1), window, np.float32)
    sizes[: window - half + 1, 0] = np.arange(half, window + 1)
    sizes[length - half + 1 :, 0] = np.arange(window - 1, window - half, -1)
    sums = np.concatenate(
        (steps[half - 1 : window], steps[window + 1 : window + 2 * sliding : 2], steps[window + 2 * sliding :])
    )
    averages: Floats = sums / sizes
    return averages


def _quality(blocks: Floats) -> int:
    """Sum the gradients that are worth counting: those of more than a hundredth of the range."""
    total = 0
    for step in (blocks[:-1] - blocks[1:], blocks[:, :-1] - blocks[:, 1:]):
        total += int(np.abs((step * np.float32(100) / np.float32(255)).astype(np.int32)).sum())
    return min(total // _QUALITY_SCALE, _MAX_QUALITY)


def _dct_matrix() -> Floats:
    scale = float(np.float32(math.sqrt(2 / _BLOCKS)))
    rows = [
        [scale * math.cos(math.pi / 2 / _BLOCKS * (i + 1) * (2 * j + 1)) for j in range(_BLOCKS)]
        for i in range(_FREQUENCIES)
    ]
    return np.array(rows, np.float32)


_DCT: Final = _dct_matrix()


def _dct(blocks: Floats) -> Floats:
    half = np.zeros((_FREQUENCIES, _BLOCKS), np.float32)
    for k in range(_BLOCKS):
        half += _DCT[:, k, None] * blocks[k]
    full = np.zeros((_FREQUENCIES, _FREQUENCIES), np.float32)
    for k in range(_BLOCKS):
        full += half[:, k, None] * _DCT[:, k]
    return full
