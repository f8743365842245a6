"""Which pictures are worth a closer look: those where many features of an asset agree on where the picture lies in it.

Each pair of like features says by itself how large, how turned and where the work would be in the asset. Pairs vote for
that, coarsely; chance spreads its votes, a copy gathers them. Without the places a page of text would find every work
with text in it before the picture that it shows. Source: Lowe, IJCV 2004, section 7.3.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from fingerprinting.image.feature_bytes import MIRRORED, NEGATIVE, SIZE_STEPS, Features
from fingerprinting.index.feature_geometry import SIDE

_OCTAVES: Final = 1.0
_TURNS: Final = 8
_PLACE_SHARE: Final = 0.3
_MOST_PLACES: Final = 512
_GRIDS: Final = (0.0, 0.5)


@dataclass(frozen=True, slots=True)
class Ballot:
    """P pairs of a feature of the asset and a like one of a picture.

    Attributes:
        variant, feature: which variant of the asset, and which of its features, int64.
        row: the picture, int64.
        places: where the feature lies in the picture, `PLACE`.
        sizes: width and height of the picture, shape (P, 2).
    """

    variant: NDArray[np.int64]
    feature: NDArray[np.int64]
    row: NDArray[np.int64]
    places: NDArray[np.void]
    sizes: NDArray[np.uint32]


def elect(ballot: Ballot, asked: Features, most: int, fewest: int) -> list[tuple[int, int]]:
    """Give the pictures with the most votes for one placement, as row and variant of the asset, most first."""
    if not len(ballot.row):
        return []
    pair = ballot.row * (MIRRORED | NEGATIVE) + ballot.row + ballot.variant
    placed = _placements(ballot, asked)
    best: dict[int, int] = {}
    for shift in _GRIDS:
        cells = np.floor(placed + shift).astype(np.int64)
        cells[:, 1] %= _TURNS
        for which, votes in _counted(pair, cells, ballot.feature):
            best[which] = max(best.get(which, 0), votes)
    ranked = sorted(best.items(), key=lambda item: (-item[1], item[0]))[:most]
    variants = (MIRRORED | NEGATIVE) + 1
    return [(which // variants, which % variants) for which, votes in ranked if votes >= fewest]


def _placements(ballot: Ballot, asked: Features) -> NDArray[np.float64]:
    """Say where the middle of each pair's picture would lie: size, turn, x and y in steps of cells, shape (P, 4)."""
    mine = asked.places[ballot.feature]
    unit = SIDE / max(asked.size)
    is_mirrored, is_negative = (ballot.variant & MIRRORED) > 0, (ballot.variant & NEGATIVE) > 0
    x = mine["x"] / 65535
    x = np.where(is_mirrored, 1 - x, x) * (asked.size[0] * unit)
    y = mine["y"] / 65535 * (asked.size[1] * unit)
    turn = mine["angle"].astype(np.float64)
    turn = np.where(is_mirrored, 128 - turn, turn) + np.where(is_negative, 128, 0)
    turn = (ballot.places["angle"] - turn) * (2 * np.pi / 256)
    growth = (ballot.places["scale"].astype(np.float64) - mine["scale"]) / SIZE_STEPS
    frame = ballot.sizes * (SIDE / ballot.sizes.max(axis=1, keepdims=True))
    right = (0.5 - ballot.places["x"] / 65535) * frame[:, 0]
    down = (0.5 - ballot.places["y"] / 65535) * frame[:, 1]
    cosine, sine, shrink = np.cos(turn), np.sin(turn), 2.0**-growth
    middle_x = x + shrink * (cosine * right + sine * down)
    middle_y = y + shrink * (cosine * down - sine * right)
    step = np.maximum(_PLACE_SHARE * SIDE * 2.0 ** -(np.round(growth / _OCTAVES) * _OCTAVES), SIDE / _MOST_PLACES)
    placed = np.stack([growth / _OCTAVES, turn / (2 * np.pi) * _TURNS, middle_x / step, middle_y / step], axis=1)
    limited: NDArray[np.float64] = placed.clip(-_MOST_PLACES, _MOST_PLACES)
    return limited


def _counted(pair: NDArray[np.int64], cells: NDArray[np.int64], feature: NDArray[np.int64]) -> list[tuple[int, int]]:
    """Count the features that vote for each cell of each pair; each feature once."""
    wide = 4 * _MOST_PLACES
    cell = (((cells[:, 0] % 64) * _TURNS + cells[:, 1]) * wide + cells[:, 2] % wide) * wide + cells[:, 3] % wide
    order = np.lexsort((feature, cell, pair))
    pair, cell, feature = pair[order], cell[order], feature[order]
    new_cell = np.ones(len(pair), np.bool_)
    new_cell[1:] = (pair[1:] != pair[:-1]) | (cell[1:] != cell[:-1])
    new_vote = new_cell.copy()
    new_vote[1:] |= feature[1:] != feature[:-1]
    starts = np.flatnonzero(new_cell)
    votes = np.add.reduceat(new_vote.astype(np.int64), starts)
    order = np.argsort(-votes, kind="stable")[:_MOST_COUNTED]
    return list(zip(pair[starts[order]].tolist(), votes[order].tolist(), strict=True))


_MOST_COUNTED: Final = 512
