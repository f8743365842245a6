"""What is known of pictures beside the codes of their local features: whose they are, how large, what is where."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from fingerprinting.image.feature_bytes import PLACE
from fingerprinting.index.copies import Copies
from fingerprinting.index.feature_lists import CodeLists

THUMBNAIL: Final = 48

SHAPES: Final = {
    "owners": ("<i8", 1),
    "sizes": ("<u4", 2),
    "thumbnails": ("|u1", 3),
    "thumbnail_sizes": ("|u1", 2),
    "firsts": ("<i8", 1),
    "places": ("|u1", 2),
    "positions": ("<u4", 1),
}
"""The arrays that are saved, beside those of the lists and of the copies."""


@dataclass(frozen=True, slots=True)
class Pictures:
    """What is known of W different pictures with C features in all, beside their codes.

    Attributes:
        owners: int64, shape (N,): the work of each fingerprint; those that are equal are one picture.
        sizes: uint32, shape (W, 2): width and height in pixels.
        thumbnails: uint8, shape (W, 48, 48), and their true rows and columns, shape (W, 2).
        firsts: int64, shape (W + 1,): where the features of each begin.
        positions: uint32, shape (C,): where each feature lies in the lists.
        places: `PLACE` as bytes, shape (C, 6), in the order of the lists.
    """

    owners: NDArray[np.int64]
    sizes: NDArray[np.uint32]
    thumbnails: NDArray[np.uint8]
    thumbnail_sizes: NDArray[np.uint8]
    firsts: NDArray[np.int64]
    positions: NDArray[np.uint32]
    places: NDArray[np.uint8]

    def size(self, row: int) -> tuple[int, int]:
        """Width and height of one."""
        width, height = self.sizes[row].tolist()
        return width, height

    def thumbnail(self, row: int) -> NDArray[np.uint8]:
        """Its thumbnail."""
        rows, columns = self.thumbnail_sizes[row].tolist()
        return self.thumbnails[row, :rows, :columns]


def as_places(stored: NDArray[np.uint8]) -> NDArray[np.void]:
    """See bytes as `PLACE`."""
    return np.ascontiguousarray(stored).view(PLACE).ravel()


def fits(pictures: Pictures, held: Copies, lists: CodeLists) -> bool:
    """Say whether arrays belong together. For what was read from a disk."""
    rows, count = len(pictures.sizes), len(lists.codes)
    shapes = (
        pictures.sizes.shape == (rows, 2)
        and pictures.thumbnails.shape == (rows, THUMBNAIL, THUMBNAIL)
        and pictures.thumbnail_sizes.shape == (rows, 2)
        and pictures.firsts.shape == (rows + 1,)
        and pictures.places.shape == (count, PLACE.itemsize)
        and pictures.positions.shape == (count,)
    )
    return (
        shapes
        and held.fit(rows, len(pictures.owners))
        and int(pictures.firsts[0]) == 0
        and int(pictures.firsts[-1]) == count
        and lists.fits()
    )


def points_inside(pictures: Pictures, held: Copies, lists: CodeLists) -> bool:
    """Say whether no array points outside of another; reads all of them."""
    rows, count = len(pictures.sizes), len(lists.codes)
    inside = not count or (int(pictures.positions.max()) < count and int(lists.rows.max()) < rows)
    return inside and held.points_inside() and bool((np.diff(pictures.firsts) >= 0).all())
