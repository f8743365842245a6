"""The scale space of a picture, made once, and the blobs in it: bright or dark spots of any size.

As SIFT finds them (D. Lowe, "Distinctive Image Features from Scale-Invariant Keypoints", IJCV 2004, sections 3 and 4),
so that they lie where those of other programs do: extrema of the difference of Gaussians over place and scale, fitted
between pixels, without faint ones and without edges. Its levels are kept for who describes the blobs.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from fingerprinting.image import opencv

Floats = NDArray[np.float32]

STEPS: Final = 3
"""Blurs an octave."""

_FIRST_SIGMA: Final = 1.6
_DIFFERENCES: Final = STEPS + 2
_REACH: Final = 3.0
_OCTAVES: Final = 9
_LEAST_SIDE: Final = 16
_BORDER: Final = 5
_CONTRAST: Final = 1.7
"""Least difference of Gaussians, in grey levels, of a blob: a fiftieth of the range, for each of three blurs."""

_NEARLY: Final = 0.8
_EDGE: Final = 10.0
_TOO_FAR: Final = 9.0
_STEPS_ASIDE: Final = 4
_FLAT: Final = 1e-9


@dataclass(frozen=True, slots=True)
class Blobs:
    """N blobs of a picture.

    Attributes:
        octave, level: where in the scale space each is described, int64.
        x, y: the place in pixels of its octave, counted from the centre of the first one, float32.
        sigma: its size in pixels of its octave, float32.
        contrast: how strong it is, in grey levels, float32.
    """

    octave: NDArray[np.int64]
    level: NDArray[np.int64]
    x: Floats
    y: Floats
    sigma: Floats
    contrast: Floats

    def __len__(self) -> int:
        return len(self.x)

    def take(self, rows: NDArray[np.int64]) -> "Blobs":
        """The blobs of some rows."""
        return Blobs(*(getattr(self, name)[rows] for name in self.__slots__))

    def places(self) -> tuple[Floats, Floats, Floats]:
        """Give x, y and sigma in pixels of the picture."""
        factor = np.exp2(self.octave).astype(np.float32)
        return self.x * factor, self.y * factor, self.sigma * factor


@dataclass(frozen=True, slots=True)
class ScaleSpace:
    """By octave, each half as wide and high as the one before: the levels that blobs are described in, by number."""

    levels: list[list[Floats]]
    blobs: Blobs


def scale_space(grey: NDArray[np.uint8], blur: float) -> ScaleSpace:
    """Blur a grey picture again and again, and find its blobs.

    Args:
        grey: shape (H, W).
        blur: how blurred it is already, as the sigma of a Gaussian in pixels.
    """
    cv2 = opencv.load()
    shapes = list(_shapes(*grey.shape))
    sizes = [height * width for height, width in shapes]
    # The differences of all octaves in one array, so that all extrema are fitted at once.
    flat = np.empty(_DIFFERENCES * sum(sizes), np.float32)
    scratch = _Scratch.of(sizes[0] if sizes else 0)
    octaves: list[list[Floats]] = []
    found: list[tuple[int, NDArray[np.int64]]] = []
    start = 0
    with opencv.memory_errors():
        first = _blurred(grey.astype(np.float32), max(_FIRST_SIGMA**2 - blur**2, 0.01) ** 0.5)
        for shape, size in zip(shapes, sizes, strict=True):
            levels = [first]
            for sigma in _STEPS_OF_BLUR:
                levels.append(_blurred(levels[-1], sigma))
            steps = flat[start : start + _DIFFERENCES * size].reshape(_DIFFERENCES, *shape)
            for at, step in enumerate(steps):
                cv2.subtract(levels[at + 1], levels[at], dst=step)
            found.append((start, _extrema(steps, scratch)))
            octaves.append(levels[: STEPS + 1])
            first = np.ascontiguousarray(levels[STEPS][::2, ::2])
            start += _DIFFERENCES * size
    return ScaleSpace(octaves, _fitted(flat, shapes, found))


def _shapes(height: int, width: int) -> Iterator[tuple[int, int]]:
    """The rows and columns of each octave."""
    for _ in range(_OCTAVES):
        if min(height, width) < _LEAST_SIDE:
            return
        yield height, width
        height, width = -(-height // 2), -(-width // 2)


def _steps_of_blur() -> tuple[float, ...]:
    ratio = 2 ** (1 / STEPS)
    return tuple(float(_FIRST_SIGMA * ratio**step * (ratio**2 - 1) ** 0.5) for step in range(STEPS + 2))


_STEPS_OF_BLUR: Final = _steps_of_blur()


def _blurred(grey: Floats, sigma: float) -> Floats:
    cv2 = opencv.load()
    side = 2 * max(1, int(np.ceil(_REACH * sigma))) + 1
    blurred: Floats = cv2.GaussianBlur(grey, (side, side), sigma, borderType=cv2.BORDER_REFLECT_101)
    return blurred


@dataclass(frozen=True, slots=True)
class _Scratch:
    """Room for what is computed of one level after the other: fresh memory costs as much as filling it."""

    high: Floats
    low: Floats
    is_high: NDArray[np.uint8]
    is_low: NDArray[np.uint8]

    @classmethod
    def of(cls, size: int) -> "_Scratch":
        """Room for so many pixels."""
        floats, flags = np.empty((2, size), np.float32), np.empty((2, size), np.uint8)
        return cls(floats[0], floats[1], flags[0], flags[1])

    def shaped(self, shape: tuple[int, ...]) -> tuple[Floats, Floats, NDArray[np.uint8], NDArray[np.uint8]]:
        """The same for a picture of some rows and columns."""
        size = shape[0] * shape[1]
        high, low = self.high[:size].reshape(shape), self.low[:size].reshape(shape)
        return high, low, self.is_high[:size].reshape(shape), self.is_low[:size].reshape(shape)


def _extrema(steps: Floats, scratch: _Scratch) -> NDArray[np.int64]:
    """Find the points that no neighbour (of 26, in place and scale) exceeds, or none falls below, as flat positions."""
    cv2 = opencv.load()
    around, least = np.ones((3, 3), np.uint8), _CONTRAST * _NEARLY
    high, low, is_high, is_low = scratch.shaped(steps.shape[1:])
    found: list[NDArray[np.int64]] = []
    for at in range(1, len(steps) - 1):
        before, here, after = steps[at - 1 : at + 2]
        cv2.max(before, after, dst=high)
        cv2.max(high, here, dst=high)
        cv2.max(high, least, dst=high)  # what is fainter is below that, and no extremum
        cv2.min(before, after, dst=low)
        cv2.min(low, here, dst=low)
        cv2.min(low, -least, dst=low)
        cv2.dilate(high, around, dst=high)
        cv2.erode(low, around, dst=low)
        cv2.compare(here, high, cv2.CMP_GE, dst=is_high)
        cv2.compare(here, low, cv2.CMP_LE, dst=is_low)
        cv2.bitwise_or(is_high, is_low, dst=is_high)
        is_high &= np.uint8(1)
        is_high[:_BORDER] = is_high[-_BORDER:] = 0
        is_high[:, :_BORDER] = is_high[:, -_BORDER:] = 0
        # As truth values, each 0 or 1, few are found forty times as fast as in bytes.
        found.append(np.flatnonzero(is_high.view(np.bool_)) + at * here.size)
    return np.concatenate(found)


def _fitted(flat: Floats, shapes: list[tuple[int, int]], found: list[tuple[int, NDArray[np.int64]]]) -> Blobs:
    """Fit a parabola through each extremum, and keep those with a peak that is near, strong and no edge."""
    octave = np.repeat(np.arange(len(found)), [len(position) for _, position in found])
    start = np.array([start for start, _ in found], np.int64)[octave]
    height, width = (np.array([shape[axis] for shape in shapes], np.int64)[octave] for axis in (0, 1))
    position = np.concatenate([np.empty(0, np.int64), *(position for _, position in found)])
    level, rest = np.divmod(position, np.maximum(height * width, 1))
    row, column = np.divmod(rest, np.maximum(width, 1))
    unit = np.stack([height * width, width, np.ones_like(width)], axis=1)
    place = np.stack([level, row, column], axis=1)
    low = np.array([1, _BORDER, _BORDER])
    high = np.stack([np.full_like(width, _DIFFERENCES - 2), height - 1 - _BORDER, width - 1 - _BORDER], axis=1)
    fit = _parabola(flat, start + (place * unit).sum(axis=1), unit)
    for _ in range(_STEPS_ASIDE):
        moved = np.flatnonzero((np.abs(fit.offset) > 0.5).any(axis=1))  # noqa: PLR2004 - nearer to another point
        if not len(moved):
            break
        aside = place[moved] + np.rint(fit.offset[moved].clip(-1, 1)).astype(np.int64)
        place[moved] = aside.clip(low, high[moved])
        fit.put(moved, _parabola(flat, start[moved] + (place[moved] * unit[moved]).sum(axis=1), unit[moved]))
    is_round = (fit.determinant > 0) & (fit.trace**2 * _EDGE < (_EDGE + 1) ** 2 * fit.determinant)
    kept = (np.abs(fit.offset) <= 0.5).all(axis=1) & (np.abs(fit.peak) >= _CONTRAST) & is_round  # noqa: PLR2004
    place, offset, peak = place[kept], fit.offset[kept], fit.peak[kept]
    return Blobs(
        octave=octave[kept],
        level=place[:, 0],
        x=(place[:, 2] + offset[:, 2]).astype(np.float32),
        y=(place[:, 1] + offset[:, 1]).astype(np.float32),
        sigma=(_FIRST_SIGMA * np.exp2((place[:, 0] + offset[:, 0]) / STEPS)).astype(np.float32),
        contrast=np.abs(peak),
    )


@dataclass(frozen=True, slots=True)
class _Fit:
    """Of N parabolas: where the peak is from the middle, (N, 3), how high, and what the curvature in place is like."""

    offset: Floats
    peak: Floats
    trace: Floats
    determinant: Floats

    def put(self, rows: NDArray[np.int64], other: "_Fit") -> None:
        """Write others over some rows."""
        for name in self.__slots__:
            getattr(self, name)[rows] = getattr(other, name)


def _parabola(flat: Floats, middle: NDArray[np.int64], units: NDArray[np.int64]) -> _Fit:
    """Fit one through each of some places and its neighbours, which lie so far away along each axis, (N, 3)."""
    unit, here = units.T, flat[middle]
    gradient, curve = [], {}
    for a in range(3):
        ahead, behind = flat[middle + unit[a]], flat[middle - unit[a]]
        gradient.append((ahead - behind) / 2)
        curve[a, a] = ahead + behind - 2 * here
        for b in range(a):
            both, cross = unit[a] + unit[b], unit[a] - unit[b]
            mixed = flat[middle + both] + flat[middle - both] - flat[middle + cross] - flat[middle - cross]
            curve[b, a] = mixed / 4
    # The inverse of a symmetric matrix of 3 by 3, by its cofactors.
    ss, yy, xx, sy, sx, yx = curve[0, 0], curve[1, 1], curve[2, 2], curve[0, 1], curve[0, 2], curve[1, 2]
    in_place = yy * xx - yx * yx
    first, second, third = in_place, sx * yx - sy * xx, sy * yx - sx * yy
    whole = ss * first + sy * second + sx * third
    is_flat = np.abs(whole) < _FLAT
    over = 1 / np.where(is_flat, np.float32(1), whole)
    gs, gy, gx = gradient
    offset = -np.stack(
        [
            (first * gs + second * gy + third * gx) * over,
            (second * gs + (ss * xx - sx * sx) * gy + (sy * sx - ss * yx) * gx) * over,
            (third * gs + (sy * sx - ss * yx) * gy + (ss * yy - sy * sy) * gx) * over,
        ],
        axis=1,
    )
    # A flat fit has no peak to move to: it gets an offset that is too large to be kept.
    offset[is_flat] = _TOO_FAR
    peak = here + (gs * offset[:, 0] + gy * offset[:, 1] + gx * offset[:, 2]) / 2
    return _Fit(offset, peak, yy + xx, in_place)
