"""Whether the features that two pictures share lie alike in both: where the one picture is in the other."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from fingerprinting.image.feature_bytes import MIRRORED, NEGATIVE, SIZE_STEPS
from fingerprinting.types import EvidenceValue

SIDE: Final = 640.0
"""Places are reckoned in a frame whose longer side is this."""

_TRIES: Final = 3
_FIRST_TOLERANCE: Final = 24.0
_TOLERANCES: Final = (14.0, 9.0, 6.0, 6.0)
_MOST_GROWTH: Final = 0.6
_MOST_TURN: Final = 0.6
_LOOSELY: Final = 1.4
_MAX_SCALE: Final = 16.0
_MAX_SHEAR: Final = 3.0
_CELL: Final = 5.0
_FEWEST: Final = 4
_MANY: Final = 24
_MOST_OF: Final = 0.85

Floats = NDArray[np.float32]
Window = tuple[float, float, float, float]
"""Left, top, right, bottom of a part of a frame."""


@dataclass(frozen=True, slots=True)
class Spots:
    """Features as the geometry sees them: places in the frame, logarithm of size, direction in radians."""

    places: Floats
    sizes: Floats
    directions: Floats
    frame: tuple[float, float]

    def take(self, rows: NDArray[np.int64]) -> "Spots":
        """The features of some rows."""
        return Spots(self.places[rows], self.sizes[rows], self.directions[rows], self.frame)


def spots(places: NDArray[np.void], size: tuple[int, int], variant: int = 0) -> Spots:
    """Put stored places into the frame, mirrored or as of the negative where the variant says so."""
    unit = SIDE / max(size)
    frame = (size[0] * unit, size[1] * unit)
    x = places["x"].astype(np.float32) / np.float32(65535)
    directions = places["angle"].astype(np.float32) * np.float32(2 * np.pi / 256)
    if variant & MIRRORED:
        x, directions = 1 - x, np.float32(np.pi) - directions
    if variant & NEGATIVE:
        directions = directions + np.float32(np.pi)
    y = places["y"].astype(np.float32) / np.float32(65535)
    return Spots(
        places=np.stack([x * np.float32(frame[0]), y * np.float32(frame[1])], axis=1),
        sizes=places["scale"].astype(np.float32) * np.float32(np.log(2) / SIZE_STEPS),
        directions=(directions % np.float32(2 * np.pi)).astype(np.float32),
        frame=frame,
    )


@dataclass(frozen=True, slots=True)
class Placement:
    """Where an asset lies on a work.

    Attributes:
        matrix: float64, shape (2, 3): from the asset's frame to the work's.
        pairs: which of the pairs agree with it.
        inliers: how many of them lie at places of their own in both pictures.
        spread: the lesser standard deviation of the agreeing places in the work, along their principal axes.
        share: part of the work's frame that they stretch over.
    """

    matrix: NDArray[np.float64]
    pairs: NDArray[np.int64]
    inliers: int
    spread: float
    share: float


def place(asked: Spots, known: Spots, fewest: int = _FEWEST) -> Placement | None:
    """Find the placement that most of M pairs of features agree with; None if fewer agree with the best single pair."""
    if len(asked.places) < fewest:
        return None
    from fingerprinting.index import feature_kernels  # noqa: PLC0415 - numba takes half a second to load

    growth = known.sizes - asked.sizes
    turn = (known.directions - asked.directions) % np.float32(2 * np.pi)
    here, there = np.ascontiguousarray(asked.places), np.ascontiguousarray(known.places)
    counts = np.empty(len(growth), np.int64)
    feature_kernels.supporters(
        *(here, there, growth, turn),
        *(np.float32(_FIRST_TOLERANCE), np.float32(_MOST_GROWTH), np.float32(_MOST_TURN), counts),
    )
    best: Placement | None = None
    if counts.max() < fewest:
        return None
    for seed in np.argsort(-counts, kind="stable")[:_TRIES].tolist():
        if counts[seed] < fewest or (best is not None and counts[seed] < best.inliers):
            break
        found = _refined(here, there, growth, turn, seed, known.frame)
        if found is not None and (best is None or found.inliers > best.inliers):
            best = found
    return best


def _refined(
    here: Floats, there: Floats, growth: Floats, turn: Floats, seed: int, frame: tuple[float, float]
) -> Placement | None:
    from fingerprinting.index import placement_kernels  # noqa: PLC0415 - as above

    matrix, pairs, measured = np.empty(6), np.empty(len(growth), np.uint8), np.empty(3)
    if not placement_kernels.refine(here, there, growth, turn, seed, _RULES, matrix, pairs):
        return None
    placement_kernels.measure(here, there, pairs, _CELL, measured)
    inliers, spread, area = measured.tolist()
    return Placement(matrix.reshape(2, 3), np.flatnonzero(pairs), int(inliers), spread, area / (frame[0] * frame[1]))


_RULES: Final = np.array(
    [
        *(_MOST_GROWTH * _LOOSELY, _MOST_TURN * _LOOSELY, _MAX_SCALE, _MAX_SHEAR, _MANY, _MOST_OF),
        *(_FIRST_TOLERANCE, *_TOLERANCES),
    ]
)
"""What `placement_kernels.refine` goes by. Where there are few pairs, a turn with a scale is preferred if it explains
as much: few pairs in one corner bend an affine map elsewhere."""


def told(placement: Placement, variant: int) -> dict[str, EvidenceValue]:
    """Say how large, how turned and in which variant the work is shown."""
    linear = placement.matrix[:, :2]
    turned = np.degrees(np.arctan2(linear[1, 0] - linear[0, 1], linear[0, 0] + linear[1, 1]))
    return {
        "scale": round(float(np.sqrt(abs(np.linalg.det(linear)))), 3),
        "turned_degrees": round(float(turned)),
        "mirrored": bool(variant & MIRRORED),
        "negative": bool(variant & NEGATIVE),
    }


def in_pixels(
    placement: Placement, asked_size: tuple[int, int], known_size: tuple[int, int], variant: int
) -> tuple[float, ...]:
    """Give the map from the work to the asset, in pixels of both: a, b, c, d, e, f, as in SVG's `matrix(a b c d e f)`.

    A place (x, y) of the work lies at (a x + c y + e, b x + d y + f) of the asset.
    """
    linear = np.linalg.inv(placement.matrix[:, :2])
    here, there = SIDE / max(asked_size), SIDE / max(known_size)
    scaled, moved = linear * (there / here), -linear @ placement.matrix[:, 2] / here
    if variant & MIRRORED:
        scaled[0], moved[0] = -scaled[0], asked_size[0] - moved[0]
    return (*scaled.T.ravel().tolist(), *moved.tolist())


def boxes(
    placement: Placement,
    asked_size: tuple[int, int],
    known_size: tuple[int, int],
    variant: int,
    window: Window | None = None,
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Give the rectangle that the work fills in the asset, and that which the asset shows of the work, in pixels.

    Where only a window of the work's frame is shown, both are of that.
    """
    to_work = placement.matrix
    linear = np.linalg.inv(to_work[:, :2])
    to_asset = np.concatenate([linear, -linear @ to_work[:, 2:]], axis=1)
    here, there = SIDE / max(asked_size), SIDE / max(known_size)
    asset, work = [side * here for side in asked_size], [side * there for side in known_size]
    in_asset = _around(to_asset, window or (0.0, 0.0, work[0], work[1]), asset) / here
    in_work = _around(to_work, (0.0, 0.0, asset[0], asset[1]), work) / there
    if window is not None:
        in_work = np.array(window) / there
    if variant & MIRRORED:
        in_asset[[0, 2]] = asked_size[0] - in_asset[[2, 0]]
    return tuple(np.round(in_asset, 1).tolist()), tuple(np.round(in_work, 1).tolist())


def _around(matrix: NDArray[np.float64], window: Window, within: list[float]) -> NDArray[np.float64]:
    left, top, right, bottom = window
    corners = np.array([[left, top], [right, top], [left, bottom], [right, bottom]])
    moved = corners @ matrix[:, :2].T + matrix[:, 2]
    low, high = moved.min(axis=0).clip(0, within), moved.max(axis=0).clip(0, within)
    return np.concatenate([low, high])
