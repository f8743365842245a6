"""Compiled: the placement that most pairs of features agree with, from one pair that suggests it to a fit of all."""

import numpy as np
from numba import types
from numpy.typing import NDArray

from fingerprinting.index.kernels import kernel, reads, writes

_u8, _f32, _f64, _i64 = types.uint8, types.float32, types.float64, types.int64

_FEWEST = 4
_FLAT = 1e-9


@kernel(borrows=True)
def _agreeing(
    matrix: NDArray[np.float64],
    asked: NDArray[np.float32],
    known: NDArray[np.float32],
    alike: NDArray[np.uint8],
    tolerance: float,
    pairs: NDArray[np.uint8],
) -> int:
    """Mark the pairs that are alike and lie where they should, to within the tolerance in both pictures; how many."""
    factor = abs(matrix[0] * matrix[4] - matrix[1] * matrix[3])
    limit = tolerance * tolerance * min(1.0, factor)
    total = 0
    for at in range(asked.shape[0]):
        x, y = np.float64(asked[at, 0]), np.float64(asked[at, 1])
        right = matrix[0] * x + matrix[1] * y + matrix[2] - known[at, 0]
        down = matrix[3] * x + matrix[4] * y + matrix[5] - known[at, 1]
        pairs[at] = alike[at] and right * right + down * down <= limit
        total += pairs[at]
    return total


@kernel(borrows=True)
def _is_plausible(matrix: NDArray[np.float64], most_scale: float, most_shear: float) -> bool:
    """Whether it neither mirrors, nor enlarges, shrinks or bends too much: by its singular values."""
    for at in range(6):
        if not np.isfinite(matrix[at]):
            return False
    area = matrix[0] * matrix[4] - matrix[1] * matrix[3]
    if area <= 0:
        return False
    squares = matrix[0] ** 2 + matrix[1] ** 2 + matrix[3] ** 2 + matrix[4] ** 2
    large = np.sqrt((squares + np.sqrt(max(0.0, squares * squares - 4 * area * area))) / 2)
    small = area / large
    return bool(small >= 1 / most_scale and large <= most_scale and large <= most_shear * small)


@kernel(borrows=True)
def _fit(
    asked: NDArray[np.float32],
    known: NDArray[np.float32],
    pairs: NDArray[np.uint8],
    is_affine: bool,  # noqa: FBT001 - kernels have no keywords
    matrix: NDArray[np.float64],
) -> bool:
    """Fit by least squares any affine map, or a turn with a scale; False where the places do not tell."""
    count, x, y, u, v = 0, 0.0, 0.0, 0.0, 0.0
    for at in range(asked.shape[0]):
        if pairs[at]:
            count += 1
            x += asked[at, 0]
            y += asked[at, 1]
            u += known[at, 0]
            v += known[at, 1]
    x, y, u, v = x / count, y / count, u / count, v / count
    xx, xy, yy, xu, xv, yu, yv = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
    for at in range(asked.shape[0]):
        if pairs[at]:
            right, down = asked[at, 0] - x, asked[at, 1] - y
            there, below = known[at, 0] - u, known[at, 1] - v
            xx += right * right
            xy += right * down
            yy += down * down
            xu += right * there
            xv += right * below
            yu += down * there
            yv += down * below
    if is_affine:
        area = xx * yy - xy * xy
        if area <= _FLAT * (xx + yy) ** 2:
            return False
        matrix[0], matrix[1] = (xu * yy - yu * xy) / area, (yu * xx - xu * xy) / area
        matrix[3], matrix[4] = (xv * yy - yv * xy) / area, (yv * xx - xv * xy) / area
    else:
        if xx + yy <= _FLAT:
            return False
        matrix[0] = matrix[4] = (xu + yv) / (xx + yy)
        matrix[3] = (xv - yu) / (xx + yy)
        matrix[1] = -matrix[3]
    matrix[2] = u - matrix[0] * x - matrix[1] * y
    matrix[5] = v - matrix[3] * x - matrix[4] * y
    return True


@kernel(
    types.int64(
        *(reads(_f32, 2), reads(_f32, 2), reads(_f32), reads(_f32), _i64, reads(_f64), writes(_f64), writes(_u8)),
    )
)
def refine(
    asked: NDArray[np.float32],
    known: NDArray[np.float32],
    growth: NDArray[np.float32],
    turn: NDArray[np.float32],
    seed: int,
    rules: NDArray[np.float64],
    matrix: NDArray[np.float64],
    pairs: NDArray[np.uint8],
) -> int:
    """Begin with what one pair suggests, and fit what agrees again and again, ever more narrowly.

    Args:
        asked, known: places in the asset and in the work, shape (M, 2).
        growth, turn: logarithm of the ratio of sizes, and the angle between directions, of each pair, shape (M,).
        seed: the pair to begin with.
        rules: most difference of growth and of turn, most scale and shear; fewer pairs than which are also fitted by a
            turn with a scale, and what part of them has to agree with that; then the tolerances, one after the other.
        matrix: gets the map from the asset to the work, row by row, shape (6,).
        pairs: gets 1 for each pair that agrees, shape (M,).

    Returns:
        How many agree; 0 where fewer than four do, or only with a map that no copy has.
    """
    count = asked.shape[0]
    alike = np.empty(count, np.uint8)
    pi = np.float32(np.pi)
    for at in range(count):
        apart = abs(turn[at] - turn[seed])
        alike[at] = abs(growth[at] - growth[seed]) <= rules[0] and min(apart, 2 * pi - apart) <= rules[1]
    factor = np.exp(np.float64(growth[seed]))
    cosine, sine = factor * np.cos(np.float64(turn[seed])), factor * np.sin(np.float64(turn[seed]))
    x, y = np.float64(asked[seed, 0]), np.float64(asked[seed, 1])
    matrix[0], matrix[1], matrix[3], matrix[4] = cosine, -sine, sine, cosine
    matrix[2] = known[seed, 0] - cosine * x + sine * y
    matrix[5] = known[seed, 1] - sine * x - cosine * y
    total = _agreeing(matrix, asked, known, alike, rules[6], pairs)
    for step in range(rules.shape[0] - 7):
        if total < _FEWEST or not _fit(asked, known, pairs, step > 0 and total >= _FEWEST + step, matrix):
            return 0
        if not _is_plausible(matrix, rules[2], rules[3]):
            return 0
        total = _agreeing(matrix, asked, known, alike, rules[7 + step], pairs)
    if total < _FEWEST:
        return 0
    if total < rules[4]:
        simple, also = np.empty(6), np.empty(count, np.uint8)
        if _fit(asked, known, pairs, False, simple) and _is_plausible(simple, rules[2], rules[3]):
            agreeing = _agreeing(simple, asked, known, alike, rules[rules.shape[0] - 1], also)
            if agreeing >= rules[5] * total:
                matrix[:], pairs[:] = simple, also
                return agreeing
    return total


@kernel()
def _distinct(places: NDArray[np.float32], pairs: NDArray[np.uint8], cell: float, cells: NDArray[np.int64]) -> int:
    """Count the places that lie in different cells of a grid."""
    count = 0
    for at in range(places.shape[0]):
        if pairs[at]:
            cells[count] = np.int64(np.rint(places[at, 0] / cell)) << 32 | np.int64(np.rint(places[at, 1] / cell))
            count += 1
    cells.sort()
    distinct = 0
    for at in range(count):
        distinct += at == 0 or cells[at] != cells[at - 1]
    return distinct


@kernel()
def _percentile(ordered: NDArray[np.float64], share: float) -> float:
    """Read between sorted numbers, as NumPy's percentile does."""
    place = share * (ordered.shape[0] - 1)
    below = int(place)
    above = min(below + 1, ordered.shape[0] - 1)
    return float(ordered[below] + (ordered[above] - ordered[below]) * (place - below))


@kernel(types.void(*(reads(_f32, 2), reads(_f32, 2), reads(_u8), _f64, writes(_f64))))
def measure(
    asked: NDArray[np.float32],
    known: NDArray[np.float32],
    pairs: NDArray[np.uint8],
    cell: float,
    measured: NDArray[np.float64],
) -> None:
    """Measure the pairs that agree.

    Args:
        asked, known: places in the asset and in the work, shape (M, 2).
        pairs: 1 for each that agrees, three at least.
        cell: places nearer than this may count once.
        measured: gets how many lie at places of their own in both; the lesser standard deviation of those in the work,
            along their principal axes; and width times height of what nine tenths of them stretch over there.
    """
    count = 0
    for at in range(pairs.shape[0]):
        count += pairs[at]
    cells = np.empty(count, np.int64)
    right, down = np.empty(count), np.empty(count)
    at_pair = 0
    for at in range(pairs.shape[0]):
        if pairs[at]:
            right[at_pair], down[at_pair] = known[at, 0], known[at, 1]
            at_pair += 1
    x, y = right.mean(), down.mean()
    xx, xy, yy = 0.0, 0.0, 0.0
    for at in range(count):
        xx += (right[at] - x) ** 2
        xy += (right[at] - x) * (down[at] - y)
        yy += (down[at] - y) ** 2
    xx, xy, yy = xx / (count - 1), xy / (count - 1), yy / (count - 1)
    lesser = (xx + yy) / 2 - np.sqrt(((xx - yy) / 2) ** 2 + xy * xy)
    right.sort()
    down.sort()
    wide = _percentile(right, 0.95) - _percentile(right, 0.05)
    high = _percentile(down, 0.95) - _percentile(down, 0.05)
    measured[0] = min(_distinct(asked, pairs, cell, cells), _distinct(known, pairs, cell, cells))
    measured[1] = np.sqrt(max(0.0, lesser))
    measured[2] = wide * high
