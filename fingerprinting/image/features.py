"""Local features of a picture: small spots that a copy still shows, wherever and however large it shows them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from fingerprinting.image import descriptors, feature_codes, opencv, proposals, scale_space
from fingerprinting.image.feature_bytes import MIRRORED, NEGATIVE, PLACE, SIZE_STEPS, SIZE_UNIT, Features
from fingerprinting.image.proposals import Box


@dataclass(frozen=True, slots=True)
class Effort:
    """How closely a picture is looked at.

    Attributes:
        pixels: it is brought to so many first.
        features: at most so many are kept.
        thumbnail: longer side of the grey picture that confirms a match.
        variants: how many of `feature_bytes.VARIANTS` the codes have.
        doubled: it is then made twice as wide and high, to find spots of two pixels, too. Of what a query shows there
            are more pixels to begin with.
        parts: so many small rectangles of a picture are looked at more closely: one may be a whole other picture.
    """

    pixels: int
    features: int
    thumbnail: int
    variants: int = 4
    doubled: bool = False
    parts: int = 0


WORK: Final = Effort(200_000, 400, 48, 1, doubled=True)
THOROUGH: Final = Effort(400_000, 1000, 128, parts=3)
STANDARD: Final = Effort(240_000, 360, 96, 2)

MAX_ENLARGEMENT: Final = 6.0
GRID: Final = 8
PART_SHARE: Final = 0.4
PART_PIXELS: Final = 150_000
PART_FEATURES: Final = 120
"""A rectangle that takes less of a picture is looked at again by itself, brought to so many pixels, for so many more
features. With more of them, or of more than three rectangles, text on a page takes the places of what it shows."""

LARGE: Final = 0.016
SHARE_OF_LARGE: Final = 0.4

_DIRECTIONS: Final = 256
_SHARP: Final = 0.5
_INSIDE: Final = 0.9


def is_available() -> bool:
    """Say whether OpenCV, which finds the features, is installed."""
    return opencv.is_available()


def describe(image: Image.Image, size: tuple[int, int], effort: Effort, boxes: Sequence[Box] = ()) -> Features:
    """Find and describe the local features of an upright RGB or grey picture.

    Args:
        image: the pixels.
        size: the picture's full size, if the pixels were decoded smaller.
        effort: `WORK` for one variant of the codes; a query has four, frames of a video two (see `feature_bytes`).
        boxes: rectangles that may be whole other pictures, the likeliest first, in pixels.

    Raises:
        MissingExtraError: OpenCV is not installed.
    """
    small = resized(image, effort.pixels, MAX_ENLARGEMENT / 2 if effort.doubled else MAX_ENLARGEMENT)
    looks = [sift(*looked_at(small, image.width, effort), effort.features)]
    looks += [_closer(image, box) for box in _small_parts(boxes, image)[: effort.parts]]
    places, described = (np.concatenate(each) for each in zip(*looks, strict=True))
    rooted = feature_codes.root(described)
    variants = [rooted] if effort.variants == 1 else _variants(rooted)[: effort.variants]
    return Features(
        size=size,
        thumbnail=_thumbnail(small, effort.thumbnail),
        places=places,
        codes=np.stack([feature_codes.codes(each) for each in variants]),
    )


def _small_parts(boxes: Sequence[Box], image: Image.Image) -> list[Box]:
    """Choose the rectangles that are shown so small that a closer look sees more; of one in another the outer one."""
    small = [box for box in boxes if proposals.area(box) < PART_SHARE * image.width * image.height]
    return [box for box in small if not any(_holds(other, box) for other in small)]


def _holds(outer: Box, inner: Box) -> bool:
    """Whether a rectangle lies in a larger one, but for a tenth."""
    size = proposals.area(inner)
    return size < proposals.area(outer) and proposals.common(outer, inner) >= _INSIDE * size


def _closer(image: Image.Image, box: Box) -> tuple[NDArray[np.void], NDArray[np.float32]]:
    """Look for features in a rectangle, as if it were a picture by itself; their places are those in the whole."""
    left, top, right, bottom = (round(side) for side in box)
    part = image.crop((left, top, right, bottom))
    small = resized(part, PART_PIXELS, MAX_ENLARGEMENT / 2)
    places, described = sift(*looked_at(small, part.width, THOROUGH), PART_FEATURES)
    for name, first, length, whole in (("x", left, part.width, image.width), ("y", top, part.height, image.height)):
        places[name] = np.round((first * 65535 + places[name] * float(length)) / whole).clip(0, 65535)
    smaller = SIZE_STEPS * np.log2(max(part.size) / max(image.size))
    places["scale"] = np.round(places["scale"] + smaller).clip(0, 255)
    return places, described


def looked_at(small: Image.Image, width: int, effort: Effort) -> tuple[NDArray[np.uint8], float]:
    """Bring what `resized` gives of a picture so wide to where spots are looked for; how blurred it is, in pixels."""
    if not effort.doubled:
        return np.asarray(small), _SHARP * min(2.0, max(1.0, small.width / width))
    cv2 = opencv.load()
    with opencv.memory_errors():
        return cv2.resize(np.asarray(small), None, fx=2, fy=2, interpolation=cv2.INTER_LINEAR), 2 * _SHARP


def _variants(rooted: NDArray[np.float32]) -> list[NDArray[np.float32]]:
    mirrored = rooted[:, feature_codes.AS_MIRRORED]
    found = {
        0: rooted,
        MIRRORED: mirrored,
        NEGATIVE: rooted[:, feature_codes.AS_NEGATIVE],
        MIRRORED | NEGATIVE: mirrored[:, feature_codes.AS_NEGATIVE],
    }
    return [found[variant] for variant in sorted(found)]


def resized(image: Image.Image, pixels: int, most: float) -> Image.Image:
    """Bring a picture to about so many pixels, in grey; small ones are enlarged, at most so many times."""
    factor = min((pixels / (image.width * image.height)) ** 0.5, most)
    size = max(1, round(image.width * factor)), max(1, round(image.height * factor))
    method = Image.Resampling.BILINEAR if factor < 1 else Image.Resampling.BICUBIC
    return _grey(image).resize(size, method, reducing_gap=2.0)


def _grey(image: Image.Image) -> Image.Image:
    return image if image.mode == "L" else image.convert("L")


def _thumbnail(image: Image.Image, side: int) -> NDArray[np.uint8]:
    factor = side / max(image.size)
    size = max(1, round(image.width * factor)), max(1, round(image.height * factor))
    return np.asarray(_grey(image).resize(size, Image.Resampling.BOX, reducing_gap=3.0))


def sift(grey: NDArray[np.uint8], blur: float, count: int) -> tuple[NDArray[np.void], NDArray[np.float32]]:
    """Find and describe at most `count` features of a grey picture: `PLACE`, (N,), and float32, (N, 128).

    For `blur` see `scale_space`.
    """
    space = scale_space.scale_space(grey, blur)
    x, y, sigma = space.blobs.places()
    points = np.stack([x, y], axis=1)
    rows = _chosen(points, 2 * sigma, space.blobs.contrast, grey.shape, count)
    row, turns = descriptors.directions(space, space.blobs.take(rows))
    row, turns = rows[row[:count]], turns[:count]
    described = descriptors.describe(space, space.blobs.take(row), turns)
    return _places(points[row], 2 * sigma[row], turns, grey.shape), described


def _chosen(
    points: NDArray[np.float32],
    sizes: NDArray[np.float32],
    response: NDArray[np.float32],
    shape: tuple[int, ...],
    count: int,
) -> NDArray[np.int64]:
    """Take the strongest in each cell of a grid first, so that sharp text somewhere does not take all places.

    A part of the places is for large features alone: they are what is left where a copy shows the picture small.
    """
    if len(points) <= count:
        return np.arange(len(points))
    cells = np.minimum((points / (shape[1], shape[0]) * GRID).astype(int), GRID - 1)
    cell = cells[:, 1] * GRID + cells[:, 0]
    large = np.flatnonzero(sizes >= LARGE * max(shape))
    first = large[_best(response[large], cell[large], int(count * SHARE_OF_LARGE))]
    rest = np.setdiff1d(np.arange(len(points)), first)
    return np.concatenate([first, rest[_best(response[rest], cell[rest], count - len(first))]])


def _best(response: NDArray[np.float32], cell: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    order = np.lexsort((-response, cell))
    starts = np.flatnonzero(np.diff(cell[order], prepend=-1))
    rank = np.empty(len(response), dtype=int)
    rank[order] = np.arange(len(response)) - np.repeat(starts, np.diff(starts, append=len(response)))
    chosen: NDArray[np.int64] = np.lexsort((-response, rank))[:count]
    return chosen


def _places(
    points: NDArray[np.float32], sizes: NDArray[np.float32], turns: NDArray[np.float32], shape: tuple[int, ...]
) -> NDArray[np.void]:
    height, width = shape
    places = np.empty(len(points), PLACE)
    # Points are counted from the centre of the first pixel.
    places["x"] = np.round((points[:, 0] + 0.5) / width * 65535).clip(0, 65535)
    places["y"] = np.round((points[:, 1] + 0.5) / height * 65535).clip(0, 65535)
    places["scale"] = np.round(np.log2(np.maximum(sizes / max(shape) / SIZE_UNIT, 1)) * SIZE_STEPS).clip(0, 255)
    places["angle"] = np.round(turns * (_DIRECTIONS / (2 * np.pi))) % _DIRECTIONS
    return places
