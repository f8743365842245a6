"""Whether the features that two pictures share lie alike in both: where the one picture is in the other."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from fingerprinting.image.feature_bytes import MIRRORED, NEGATIVE, SIZE_STEPS

SIDE: Final = 640.0
"""Places are reckoned in a frame whose longer side is this."""

_TRIES: Final = 3
_FIRST_TOLERANCE: Final = 24.0
_TOLERANCES: Final = (14.0, 9.0, 6.0, 6.0)
_MOST_GROWTH: Final = 0.6
_MOST_TURN: Final = 0.6
_MAX_SCALE: Final = 16.0
_MAX_SHEAR: Final = 3.0
_CELL: Final = 5.0
_FEWEST: Final = 4
_MANY: Final = 24
_MOST_OF: Final = 0.85

Floats = NDArray[np.float32]


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
    counts = np.empty(len(growth), np.int64)
    feature_kernels.supporters(
        *(np.ascontiguousarray(asked.places), np.ascontiguousarray(known.places), growth, turn),
        *(np.float32(_FIRST_TOLERANCE), np.float32(_MOST_GROWTH), np.float32(_MOST_TURN), counts),
    )
    best: Placement | None = None
    if counts.max() < fewest:
        return None
    for seed in np.argsort(-counts, kind="stable")[:_TRIES].tolist():
        if counts[seed] < fewest or (best is not None and counts[seed] < best.inliers):
            break
        found = _refined(asked, known, growth, turn, seed)
        if found is not None and (best is None or found.inliers > best.inliers):
            best = found
    return best


def _refined(asked: Spots, known: Spots, growth: Floats, turn: Floats, seed: int) -> Placement | None:
    matrix = _by_one(asked.places[seed], known.places[seed], float(growth[seed]), float(turn[seed]))
    apart = np.abs(turn - turn[seed])
    alike = (np.abs(growth - growth[seed]) <= _MOST_GROWTH * 1.4) & (
        np.minimum(apart, 2 * np.pi - apart) <= _MOST_TURN * 1.4
    )
    pairs = _agreeing(matrix, asked, known, _FIRST_TOLERANCE) & alike
    for step, tolerance in enumerate(_TOLERANCES):
        rows = np.flatnonzero(pairs)
        if len(rows) < _FEWEST:
            return None
        fitted = _fit(asked.places[rows], known.places[rows], is_affine=step > 0 and len(rows) >= _FEWEST + step)
        if fitted is None or not _is_plausible(fitted):
            return None
        matrix = fitted
        pairs = _agreeing(matrix, asked, known, tolerance) & alike
    rows = np.flatnonzero(pairs)
    if len(rows) < _FEWEST:
        return None
    if len(rows) < _MANY:
        matrix, rows = _simpler(matrix, asked, known, rows, alike)
    return _measured(matrix, asked, known, rows)


def _simpler(
    matrix: NDArray[np.float64], asked: Spots, known: Spots, rows: NDArray[np.int64], alike: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Prefer a turn with a scale where it explains as much: few pairs in one corner bend an affine map elsewhere."""
    fitted = _fit(asked.places[rows], known.places[rows], is_affine=False)
    if fitted is None or not _is_plausible(fitted):
        return matrix, rows
    agreeing = np.flatnonzero(_agreeing(fitted, asked, known, _TOLERANCES[-1]) & alike)
    return (fitted, agreeing) if len(agreeing) >= _MOST_OF * len(rows) else (matrix, rows)


def _measured(matrix: NDArray[np.float64], asked: Spots, known: Spots, rows: NDArray[np.int64]) -> Placement:
    there = known.places[rows].astype(np.float64)
    inliers = min(_distinct(asked.places[rows]), _distinct(there))
    spread = float(np.sqrt(max(0.0, np.linalg.eigvalsh(np.cov(there.T))[0])))
    low, high = np.percentile(there, (5, 95), axis=0)
    share = float(np.prod(high - low) / (known.frame[0] * known.frame[1]))
    return Placement(matrix, rows, inliers, spread, share)


def _by_one(here: Floats, there: Floats, growth: float, turn: float) -> NDArray[np.float64]:
    factor = np.exp(growth)
    linear = factor * np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    return np.concatenate([linear, (there - linear @ here)[:, None]], axis=1)


def _agreeing(matrix: NDArray[np.float64], asked: Spots, known: Spots, tolerance: float) -> NDArray[np.bool_]:
    """Say which pairs lie where they should, to within the tolerance in both pictures."""
    off = np.hypot(*(asked.places @ matrix[:, :2].T + matrix[:, 2] - known.places).T)
    scale = np.sqrt(abs(np.linalg.det(matrix[:, :2])))
    agreeing: NDArray[np.bool_] = off <= tolerance * min(1.0, scale)
    return agreeing


def _fit(here: Floats, there: Floats, *, is_affine: bool) -> NDArray[np.float64] | None:
    """Fit by least squares: any affine map, or a turn with a scale."""
    count = len(here)
    x, y = here[:, 0].astype(np.float64), here[:, 1].astype(np.float64)
    if is_affine:
        rows = np.stack([x, y, np.ones(count)], axis=1)
        solved, _, rank, _ = np.linalg.lstsq(rows, there.astype(np.float64), rcond=None)
        return solved.T if rank == 3 else None  # noqa: PLR2004 - three numbers a coordinate
    rows = np.zeros((2 * count, 4))
    rows[:count] = np.stack([x, -y, np.ones(count), np.zeros(count)], axis=1)
    rows[count:] = np.stack([y, x, np.zeros(count), np.ones(count)], axis=1)
    (a, b, right, down), _, rank, _ = np.linalg.lstsq(rows, there.T.ravel().astype(np.float64), rcond=None)
    return np.array([[a, -b, right], [b, a, down]]) if rank == 4 else None  # noqa: PLR2004 - four numbers


def _is_plausible(matrix: NDArray[np.float64]) -> bool:
    if not np.isfinite(matrix).all() or np.linalg.det(matrix[:, :2]) <= 0:
        return False
    large, small = np.linalg.svd(matrix[:, :2], compute_uv=False)
    return bool(small >= 1 / _MAX_SCALE and large <= _MAX_SCALE and large <= _MAX_SHEAR * small)


def _distinct(places: NDArray[np.floating]) -> int:
    cells = np.round(places / _CELL).astype(np.int64)
    return len(set(map(tuple, cells.tolist())))


def boxes(
    placement: Placement, asked_size: tuple[int, int], known_size: tuple[int, int], variant: int
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Give the rectangle that the work fills in the asset, and that which the asset shows of the work, in pixels."""
    to_work = placement.matrix
    linear = np.linalg.inv(to_work[:, :2])
    to_asset = np.concatenate([linear, -linear @ to_work[:, 2:]], axis=1)
    here, there = SIDE / max(asked_size), SIDE / max(known_size)
    asset, work = [side * here for side in asked_size], [side * there for side in known_size]
    in_asset = _around(to_asset, work, asset) / here
    in_work = _around(to_work, asset, work) / there
    if variant & MIRRORED:
        in_asset[[0, 2]] = asked_size[0] - in_asset[[2, 0]]
    return tuple(np.round(in_asset, 1).tolist()), tuple(np.round(in_work, 1).tolist())


def _around(matrix: NDArray[np.float64], size: list[float], within: list[float]) -> NDArray[np.float64]:
    corners = np.array([[0.0, 0.0], [size[0], 0.0], [0.0, size[1]], size]) @ matrix[:, :2].T + matrix[:, 2]
    low, high = corners.min(axis=0).clip(0, within), corners.max(axis=0).clip(0, within)
    return np.concatenate([low, high])
