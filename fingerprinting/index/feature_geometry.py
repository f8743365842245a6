"""Whether the features that two pictures share lie alike in both: where the one picture is in the other."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from fingerprinting.image.feature_bytes import MIRRORED, NEGATIVE, SIZE_STEPS
from fingerprinting.index import slant
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

_SLANT_FEWEST: Final = 7
_SLANT_NEAR: Final = 40.0
_SLANT_TOLERANCES: Final = (24.0, 14.0, 14.0, 14.0, 9.0, 6.0, 6.0)
_SLANT_GAIN: Final = (1.2, 2)
_SLANT_MOST: Final = 4.0
_FLAT: Final = 1e-9
"""A picture at a slant: fewest pairs to begin with; how near to an affine map others are looked for, and then to each
map that is fitted, one after the other; how many more must agree than with the affine one (times, and plus); how much
nearer one end may be than the other; and the least area that is seen of one of 1."""

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
        matrix: float64, shape (3, 3): from the asset's frame to the work's, as `slant` has them.
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

    @property
    def is_slanted(self) -> bool:
        """Whether parallel lines of the one are not so in the other."""
        return bool(self.matrix[2, :2].any())


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
    return None if best is None else _slanted(best, _Pairs(here, there, growth, turn), known.frame)


def _refined(
    here: Floats, there: Floats, growth: Floats, turn: Floats, seed: int, frame: tuple[float, float]
) -> Placement | None:
    from fingerprinting.index import placement_kernels  # noqa: PLC0415 - as above

    matrix, pairs = np.empty(6), np.empty(len(growth), np.uint8)
    if not placement_kernels.refine(here, there, growth, turn, seed, _RULES, matrix, pairs):
        return None
    return _measured(slant.affine(matrix), here, there, pairs, frame)


def _measured(
    matrix: slant.Matrix, here: Floats, there: Floats, pairs: NDArray[np.uint8], frame: tuple[float, float]
) -> Placement:
    from fingerprinting.index import placement_kernels  # noqa: PLC0415 - as above

    measured = np.empty(3)
    placement_kernels.measure(here, there, pairs, _CELL, measured)
    inliers, spread, area = measured.tolist()
    return Placement(matrix, np.flatnonzero(pairs), int(inliers), spread, area / (frame[0] * frame[1]))


@dataclass(frozen=True, slots=True)
class _Pairs:
    """Pairs of features: places in the asset and in the work, logarithms of growth, and turns from here to there."""

    here: Floats
    there: Floats
    growth: Floats
    turn: Floats

    def agreeing(self, matrix: slant.Matrix, tolerance: float) -> NDArray[np.bool_]:
        """Mark those that lie where a map says, as large and turned as it makes them there."""
        larger = slant.enlargement(matrix, self.here)
        off = np.linalg.norm(slant.moved(matrix, self.here) - self.there, axis=1)
        apart = (self.turn - slant.turn(matrix, self.here)) % (2 * np.pi)
        agreeing: NDArray[np.bool_] = (
            (off <= tolerance * np.minimum(1, larger))
            & (abs(self.growth - np.log(larger)) <= _MOST_GROWTH * _LOOSELY)
            & (np.minimum(apart, 2 * np.pi - apart) <= _MOST_TURN * _LOOSELY)
        )
        return agreeing


def _slanted(flat: Placement, pairs: _Pairs, frame: tuple[float, float]) -> Placement:
    """Look whether a picture is seen at a slant: then more pairs agree with that, far from where the flat one fits."""
    least = _SLANT_GAIN[0] * flat.inliers + _SLANT_GAIN[1]
    if flat.inliers < _SLANT_FEWEST or pairs.agreeing(flat.matrix, _SLANT_NEAR).sum() < least:
        return flat
    matrix = flat.matrix
    for tolerance in _SLANT_TOLERANCES:
        agreeing = pairs.agreeing(matrix, tolerance)
        fitted = slant.fit(pairs.here[agreeing], pairs.there[agreeing]) if agreeing.sum() >= _SLANT_FEWEST else None
        if fitted is None or not _is_seen(fitted, pairs.here[agreeing], frame):
            return flat
        matrix = fitted
    agreeing = pairs.agreeing(matrix, _SLANT_TOLERANCES[-1])
    if agreeing.sum() < _SLANT_FEWEST:
        return flat
    found = _measured(matrix, pairs.here, pairs.there, agreeing.astype(np.uint8), frame)
    return found if found.inliers >= least else flat


def _is_seen(matrix: slant.Matrix, here: Floats, frame: tuple[float, float]) -> bool:
    """Whether somebody could see a picture so: all of it lies before them, and no end of it is much nearer."""
    near = slant.near(matrix, here.mean(axis=0))[:2, :2]
    if not np.linalg.det(near) > _FLAT:  # mirrored, or so flat that nothing of it is seen; or no number at all
        return False
    large, small = np.linalg.svd(near, compute_uv=False)
    back = slant.inverse(matrix)
    corners = np.array([[0.0, 0.0], [frame[0], 0.0], [0.0, frame[1]], frame])
    depths = corners @ back[2, :2] + back[2, 2]
    return bool(
        small >= 1 / _MAX_SCALE
        and large <= min(_MAX_SCALE, _MAX_SHEAR * small)
        and depths.min() > 0
        and depths.max() <= _SLANT_MOST * depths.min()
    )


_RULES: Final = np.array(
    [
        *(_MOST_GROWTH * _LOOSELY, _MOST_TURN * _LOOSELY, _MAX_SCALE, _MAX_SHEAR, _MANY, _MOST_OF),
        *(_FIRST_TOLERANCE, *_TOLERANCES),
    ]
)
"""What `placement_kernels.refine` goes by. Where there are few pairs, a turn with a scale is preferred if it explains
as much: few pairs in one corner bend an affine map elsewhere."""


def told(placement: Placement, frame: tuple[float, float], variant: int) -> dict[str, EvidenceValue]:
    """Say how large, how turned and in which variant the work, of such a frame, is shown."""
    linear = _flat(placement, frame)[:2, :2]
    turned = np.degrees(np.arctan2(linear[1, 0] - linear[0, 1], linear[0, 0] + linear[1, 1]))
    return {
        "scale": round(float(np.sqrt(abs(np.linalg.det(linear)))), 3),
        "turned_degrees": round(float(turned)),
        "mirrored": bool(variant & MIRRORED),
        "negative": bool(variant & NEGATIVE),
        **({"slanted": True} if placement.is_slanted else {}),
    }


def _flat(placement: Placement, frame: tuple[float, float]) -> slant.Matrix:
    """The affine map that is nearest to a placement where the middle of the work is."""
    if not placement.is_slanted:
        return placement.matrix
    middle = np.array(frame) / 2
    return slant.inverse(slant.near(slant.inverse(placement.matrix), middle))


def in_pixels(
    placement: Placement, asked_size: tuple[int, int], known_size: tuple[int, int], variant: int
) -> tuple[float, ...]:
    """Give the map from the work to the asset, in pixels of both: a, b, c, d, e, f, as in SVG's `matrix(a b c d e f)`.

    A place (x, y) of the work lies at (a x + c y + e, b x + d y + f) of the asset; of a work that is seen at a slant
    that is so in the middle alone.
    """
    here, there = SIDE / max(asked_size), SIDE / max(known_size)
    to_asset = slant.inverse(_flat(placement, (known_size[0] * there, known_size[1] * there)))
    scaled, moved = to_asset[:2, :2] * (there / here), to_asset[:2, 2] / here
    if variant & MIRRORED:
        scaled[0], moved[0] = -scaled[0], asked_size[0] - moved[0]
    return (*scaled.T.ravel().tolist(), *moved.tolist())


def corners(
    placement: Placement, asked_size: tuple[int, int], known_size: tuple[int, int], variant: int
) -> NDArray[np.float64]:
    """Give where the work's corners lie in the asset, in its pixels: from the work's top left one on, clockwise."""
    here, there = SIDE / max(asked_size), SIDE / max(known_size)
    ends = np.array([[0, 0], [1, 0], [1, 1], [0, 1]]) * known_size * there
    found = slant.moved(slant.inverse(placement.matrix), ends) / here
    if variant & MIRRORED:
        found[:, 0] = asked_size[0] - found[:, 0]
    return found


def laid(
    placement: Placement, asked_size: tuple[int, int], known_size: tuple[int, int], variant: int
) -> dict[str, EvidenceValue]:
    """Write how the work lies in the asset, for whoever lays one over the other; at a slant, with its four corners."""
    numbers = {"transform": " ".join(f"{each:.6g}" for each in in_pixels(placement, asked_size, known_size, variant))}
    if placement.is_slanted:
        where = corners(placement, asked_size, known_size, variant).ravel().tolist()
        numbers["corners"] = " ".join(f"{each:.1f}" for each in where)
    return {**numbers, "asset_size": "{}x{}".format(*asked_size), "work_size": "{}x{}".format(*known_size)}


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
    here, there = SIDE / max(asked_size), SIDE / max(known_size)
    asset, work = [side * here for side in asked_size], [side * there for side in known_size]
    in_asset = _around(slant.inverse(placement.matrix), window or (0.0, 0.0, work[0], work[1]), asset) / here
    in_work = _around(placement.matrix, (0.0, 0.0, asset[0], asset[1]), work) / there
    if window is not None:
        in_work = np.array(window) / there
    if variant & MIRRORED:
        in_asset[[0, 2]] = asked_size[0] - in_asset[[2, 0]]
    return tuple(np.round(in_asset, 1).tolist()), tuple(np.round(in_work, 1).tolist())


def _around(matrix: slant.Matrix, window: Window, within: list[float]) -> NDArray[np.float64]:
    left, top, right, bottom = window
    corners = np.array([[left, top], [right, top], [left, bottom], [right, bottom]])
    moved = slant.moved(matrix, corners)
    if np.isnan(moved).any():  # a corner lies behind whoever looks: it may be anywhere
        return np.array([0.0, 0.0, *within])
    low, high = moved.min(axis=0).clip(0, within), moved.max(axis=0).clip(0, within)
    return np.concatenate([low, high])
