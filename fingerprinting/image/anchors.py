"""Square frames that a picture's own content points out, so that a cropped or scaled copy points out the same ones.

A hash sees a whole frame, and a crop of more than a few percent changes all of it. So further frames are hashed, whose
place and size come from the strongest blobs (bright or dark spots of any size): extrema of the difference of Gaussians
over place and scale. A copy that still holds a blob and its surroundings yields the same frame to within one or two
percent. Source: D. Lowe, "Distinctive Image Features from Scale-Invariant Keypoints", IJCV 2004, section 3; here with
few large blobs and a hash in place of many small ones and descriptors.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

_WORK_PIXELS: Final = 150 * 150
"""Area at which blobs are looked for: they are large, so a small picture shows them all."""

_FIRST_SIGMA: Final = 2.0
_STEPS_AN_OCTAVE: Final = 3
_LEVELS: Final = 12
"""Blurs from 2 to 25 px of the small picture: frames from a tenth of its short side up to all of it."""

_FRAME_SIGMAS: Final = 9.0
"""Side of a frame in sigmas of its blob. Less than twice the reach of the blur, and pixels outside the frame (which a
crop may take away) would move the blob; measured best of 6 to 11."""

_MIN_SIDE_SHARE: Final = 0.2
"""Shortest side of a frame in short sides of the picture. Smaller ones find more crops, and also every button and logo
that two unrelated pictures share."""

_MIN_CONTRAST: Final = 0.4
"""Least difference of Gaussians, in grey levels, that is a blob and not noise of compression. With 0.4 soft pictures
keep frames that they lose with 1.0, and no further pair of different pictures matched."""

_SAME_PLACE: Final = 0.2
_SAME_SIZE: Final = 1.25
"""Two frames nearer than this share of half a side, and of no more different size, are one."""


@dataclass(frozen=True, slots=True)
class Frame:
    """A square in a picture, in pixels (fractions of them too), wholly inside it."""

    left: float
    top: float
    right: float
    bottom: float


def frames(image: Image.Image) -> Iterator[Frame]:
    """Yield a picture's frames, that of the strongest blob first. A flat or tiny picture has none."""
    scale = (_WORK_PIXELS / (image.width * image.height)) ** 0.5
    width, height = max(1, round(image.width * scale)), max(1, round(image.height * scale))
    small = image.resize((width, height), Image.Resampling.BILINEAR, reducing_gap=3.0).convert("L")
    chosen: list[tuple[float, float, float]] = []
    for x, y, half in _blobs(np.asarray(small, np.float32)).tolist():
        if any(_is_same((x, y, half), other) for other in chosen):
            continue
        chosen.append((x, y, half))
        # Each side's own factor undoes the rounding of the small picture's size.
        across, down = image.width / width, image.height / height
        yield Frame(
            left=max(0.0, (x - half) * across),
            top=max(0.0, (y - half) * down),
            right=min(float(image.width), (x + half) * across),
            bottom=min(float(image.height), (y + half) * down),
        )


def _is_same(one: tuple[float, float, float], other: tuple[float, float, float]) -> bool:
    larger, smaller = max(one[2], other[2]), min(one[2], other[2])
    apart = max(abs(one[0] - other[0]), abs(one[1] - other[1]))
    return apart < _SAME_PLACE * larger and larger < _SAME_SIZE * smaller


def _blobs(grey: NDArray[np.float32]) -> NDArray[np.float64]:
    """Find blobs whose frame lies inside the picture: rows of centre x, centre y, half a side; strongest first."""
    height, width = grey.shape
    if min(height, width) < _FIRST_SIGMA * _FRAME_SIGMAS:
        return np.empty((0, 3))
    blurred: NDArray[np.float32] = np.stack(
        [_blur(height, sigma) @ grey @ _blur(width, sigma).T for sigma in _sigmas()]
    )
    differences: NDArray[np.float32] = blurred[1:] - blurred[:-1]
    level, row, column = _extrema(differences)
    offset, peak = _refine(differences, level, row, column)
    offset = offset.clip(-_TOO_FAR, _TOO_FAR)
    half = _FRAME_SIGMAS / 2 * _FIRST_SIGMA * 2 ** ((level + offset[:, 0]) / _STEPS_AN_OCTAVE)
    x, y = column + offset[:, 2] + 0.5, row + offset[:, 1] + 0.5
    inside = (np.minimum(x, y) >= half) & (x + half <= width) & (y + half <= height)
    kept = inside & (2 * half >= _MIN_SIDE_SHARE * min(width, height)) & (np.abs(offset) <= 1).all(axis=1)
    order = np.argsort(-np.abs(peak[kept]), kind="stable")
    found: NDArray[np.float64] = np.stack((x, y, half), axis=1)[kept][order]
    return found


def _sigmas() -> list[float]:
    return [_FIRST_SIGMA * 2 ** (level / _STEPS_AN_OCTAVE) for level in range(_LEVELS)]


def _blur(length: int, sigma: float) -> NDArray[np.float32]:
    """Make the matrix that blurs a line of `length` pixels; at the ends it averages over what there is."""
    place = np.arange(length)
    weights = np.exp(-((place[:, None] - place[None, :]) ** 2) / (2 * sigma * sigma))
    matrix: NDArray[np.float32] = (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)
    return matrix


def _extrema(stack: NDArray[np.float32]) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]:
    """Find the inner points that no neighbour (of 26, in place and scale) exceeds, or none falls below."""
    high = low = stack
    for axis in range(stack.ndim):
        inner = stack.shape[axis] - 2
        high = np.max([high.take(range(at, at + inner), axis) for at in range(3)], axis=0)
        low = np.min([low.take(range(at, at + inner), axis) for at in range(3)], axis=0)
    middle = stack[1:-1, 1:-1, 1:-1]
    found = ((middle == high) | (middle == low)) & (np.abs(middle) >= _MIN_CONTRAST)
    level, row, column = np.nonzero(found)
    return level + 1, row + 1, column + 1


_TOO_FAR: Final = 2.0


def _refine(
    stack: NDArray[np.float32], level: NDArray[np.intp], row: NDArray[np.intp], column: NDArray[np.intp]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Fit a parabola through each extremum: its offset in (level, row, column), shape (N, 3), and its height, (N,)."""

    def at(*steps: int) -> NDArray[np.float64]:
        values: NDArray[np.float64] = stack[level + steps[0], row + steps[1], column + steps[2]].astype(np.float64)
        return values

    unit = np.eye(3, dtype=int).tolist()
    here = at(0, 0, 0)
    gradient = np.empty((len(level), 3))
    curvature = np.empty((len(level), 3, 3))
    for a in range(3):
        ahead, behind = at(*unit[a]), at(*(-step for step in unit[a]))
        gradient[:, a] = (ahead - behind) / 2
        curvature[:, a, a] = ahead + behind - 2 * here
        for b in range(a):
            both = [unit[a][axis] + unit[b][axis] for axis in range(3)]
            cross = [unit[a][axis] - unit[b][axis] for axis in range(3)]
            mixed = at(*both) + at(*(-step for step in both)) - at(*cross) - at(*(-step for step in cross))
            curvature[:, a, b] = curvature[:, b, a] = mixed / 4
    # A flat fit has no peak to move to: it gets an offset that is too large to be kept.
    flat = np.abs(np.linalg.det(curvature)) < np.finfo(np.float32).tiny
    curvature[flat] = np.eye(3)
    offset: NDArray[np.float64] = -np.linalg.solve(curvature, gradient[:, :, None])[:, :, 0].astype(np.float64)
    offset[flat] = _TOO_FAR
    peak: NDArray[np.float64] = here + (gradient * offset).sum(axis=1) / 2
    return offset, peak
