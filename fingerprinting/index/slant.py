"""Maps from one plane to another as a camera sees it: (3, 3) matrices, of which the affine ones end in 0, 0, 1.

A place (x, y) goes to (u / w, v / w), where (u, v, w) is the matrix times (x, y, 1). Where w is not above 0 it lies
behind the camera, and nowhere.
"""

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]
Places = NDArray[np.float64]

_NEAREST = 1e-3
"""The least w: what is nearer to the horizon is as good as behind it."""


def affine(rows: NDArray[np.float64]) -> Matrix:
    """Make a map of six numbers, row by row."""
    return np.concatenate([rows.reshape(2, 3), [[0.0, 0.0, 1.0]]])


def moved(matrix: Matrix, places: NDArray[np.floating]) -> Places:
    """Map places, shape (N, 2); to NaN where they lie behind the camera."""
    flat = places @ matrix[:, :2].T + matrix[:, 2]
    depth = np.where(flat[:, 2] > _NEAREST, flat[:, 2], np.nan)
    return flat[:, :2] / depth[:, np.newaxis]


def inverse(matrix: Matrix) -> Matrix:
    """The map back."""
    return np.linalg.inv(matrix).astype(np.float64)


def enlargement(matrix: Matrix, places: NDArray[np.floating]) -> NDArray[np.float64]:
    """How many times as wide what lies at each place becomes, shape (N,), by its area; NaN behind the camera."""
    depth = places @ matrix[2, :2] + matrix[2, 2]
    wider: NDArray[np.float64] = np.sqrt(abs(np.linalg.det(matrix)) / np.where(depth > _NEAREST, depth, np.nan) ** 3)
    return wider


def turn(matrix: Matrix, places: NDArray[np.floating]) -> NDArray[np.float64]:
    """By which angle, in radians, what lies at each place is turned, shape (N,); NaN behind the camera."""
    u, v = moved(matrix, places).T
    (a, b, _), (c, d, _), (g, h, _) = matrix
    turned: NDArray[np.float64] = np.arctan2(c - v * g - b + u * h, a - u * g + d - v * h)
    return turned


def near(matrix: Matrix, place: NDArray[np.floating]) -> Matrix:
    """The affine map that does the same close to a place, shape (2,)."""
    u, v, depth = matrix @ np.array([*place, 1.0])
    there = np.array([u, v]) / depth
    linear = (matrix[:2, :2] - np.outer(there, matrix[2, :2])) / depth
    return affine(np.column_stack([linear, there - linear @ place]))


def fit(here: NDArray[np.floating], there: NDArray[np.floating]) -> Matrix | None:
    """Fit the map that takes places to places, both of shape (N, 2), N of 4 or more; None where they don't tell."""
    one, other = _levelled(here), _levelled(there)
    (x, y), (u, v) = (here @ one[:2, :2] + one[:2, 2]).T, (there @ other[:2, :2] + other[:2, 2]).T
    nothing, whole = np.zeros_like(x), np.ones_like(x)
    rows = np.concatenate(
        [
            np.stack([x, y, whole, nothing, nothing, nothing, -u * x, -u * y], axis=1),
            np.stack([nothing, nothing, nothing, x, y, whole, -v * x, -v * y], axis=1),
        ]
    )
    solved, _, rank, _ = np.linalg.lstsq(rows, np.concatenate([u, v]), rcond=1e-9)
    if rank < rows.shape[1]:
        return None
    matrix = np.linalg.inv(other) @ np.append(solved, 1.0).reshape(3, 3) @ one
    depth = float(matrix[2, :2] @ here.mean(axis=0) + matrix[2, 2])
    return matrix / depth if depth > 0 else None


def _levelled(places: NDArray[np.floating]) -> Matrix:
    """The map that puts the middle of some places at 0, and most of them no more than 1 away from it."""
    middle, spread = places.mean(axis=0), float(places.std()) or 1.0
    return np.array([[1 / spread, 0, -middle[0] / spread], [0, 1 / spread, -middle[1] / spread], [0, 0, 1.0]])
