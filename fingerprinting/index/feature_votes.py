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

_PLACE_SHARE: Final = 0.3


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
    from fingerprinting.index import vote_kernels  # noqa: PLC0415 - numba takes half a second to load

    variants = (MIRRORED | NEGATIVE) + 1
    which, rank = np.unique(ballot.row * variants + ballot.variant, return_inverse=True)
    known, frame = _of_pictures(ballot)
    keys = np.empty((2, len(rank)), np.uint64)
    mine = _of_asset(ballot, asked)
    vote_kernels.place(rank, ballot.feature, mine, known, frame, SIDE, _PLACE_SHARE, keys)
    best = np.zeros(len(which), np.int64)
    for grid in keys:
        vote_kernels.count(np.sort(grid), best)
    ranked = np.lexsort((which, -best))[:most]
    return [divmod(int(which[at]), variants) for at in ranked.tolist() if best[at] >= fewest]


def _of_asset(ballot: Ballot, asked: Features) -> NDArray[np.float64]:
    """The asset's feature of each pair, as `vote_kernels.place` wants it."""
    unit = SIDE / max(asked.size)
    places = asked.places
    straight = np.empty((len(places), 4))
    straight[:, 0] = places["x"] * (asked.size[0] * unit / 65535)
    straight[:, 1] = places["y"] * (asked.size[1] * unit / 65535)
    straight[:, 2] = places["scale"] / SIZE_STEPS
    straight[:, 3] = places["angle"] * (2 * np.pi / 256)
    by_variant = np.stack([straight] * ((MIRRORED | NEGATIVE) + 1))
    by_variant[MIRRORED::2, :, 0] = asked.size[0] * unit - straight[:, 0]
    by_variant[MIRRORED::2, :, 3] = np.pi - straight[:, 3]
    by_variant[NEGATIVE:, :, 3] += np.pi
    found: NDArray[np.float64] = by_variant[ballot.variant, ballot.feature]
    return found


def _of_pictures(ballot: Ballot) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The like feature of each pair, and the frame of its picture."""
    frame = ballot.sizes * (SIDE / ballot.sizes.max(axis=1, keepdims=True))
    known = np.empty((len(frame), 4))
    known[:, 0] = (ballot.places["x"] / 65535 - 0.5) * frame[:, 0]
    known[:, 1] = (ballot.places["y"] / 65535 - 0.5) * frame[:, 1]
    known[:, 2] = ballot.places["scale"] / SIZE_STEPS
    known[:, 3] = ballot.places["angle"] * (2 * np.pi / 256)
    return known, frame
