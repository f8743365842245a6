"""Local features of a picture: small spots that a copy still shows, wherever and however large it shows them."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from fingerprinting.errors import MissingExtraError
from fingerprinting.image import feature_codes
from fingerprinting.image.feature_bytes import MIRRORED, NEGATIVE, PLACE, SIZE_STEPS, SIZE_UNIT, Features


@dataclass(frozen=True, slots=True)
class Effort:
    """How closely a picture is looked at.

    Attributes:
        pixels: it is brought to so many first.
        features: at most so many are kept.
        thumbnail: longer side of the grey picture that confirms a match.
        variants: how many of `feature_bytes.VARIANTS` the codes have.
        most: the strongest so many are described before some are chosen; 0: all are found, and only the chosen ones are
            described, which takes longer where there are few, because the picture is blurred twice.
    """

    pixels: int
    features: int
    thumbnail: int
    variants: int = 4
    most: int = 0


WORK: Final = Effort(200_000, 400, 48, 1)
THOROUGH: Final = Effort(160_000, 800, 128, most=2000)
STANDARD: Final = Effort(60_000, 300, 96, 2, most=1200)

MAX_ENLARGEMENT: Final = 3.0
CONTRAST: Final = 0.02
GRID: Final = 8
LARGE: Final = 0.016
SHARE_OF_LARGE: Final = 0.4

_DIRECTIONS: Final = 256


def is_available() -> bool:
    """Say whether OpenCV, which finds the features, is installed."""
    try:
        _opencv()
    except MissingExtraError:
        return False
    return True


def describe(image: Image.Image, size: tuple[int, int], effort: Effort) -> Features:
    """Find and describe the local features of an upright RGB or grey picture.

    Args:
        image: the pixels.
        size: the picture's full size, if the pixels were decoded smaller.
        effort: `WORK` for one variant of the codes; a query has four, frames of a video two (see `feature_bytes`).

    Raises:
        MissingExtraError: OpenCV is not installed.
    """
    places, descriptors = sift(np.asarray(resized(image, effort.pixels)), effort.features, effort.most)
    rooted = feature_codes.root(descriptors)
    variants = [rooted] if effort.variants == 1 else _variants(rooted)[: effort.variants]
    return Features(
        size=size,
        thumbnail=_thumbnail(image, effort.thumbnail),
        places=places,
        codes=np.stack([feature_codes.codes(each) for each in variants]),
    )


def _variants(rooted: NDArray[np.float32]) -> list[NDArray[np.float32]]:
    mirrored = rooted[:, feature_codes.AS_MIRRORED]
    found = {
        0: rooted,
        MIRRORED: mirrored,
        NEGATIVE: rooted[:, feature_codes.AS_NEGATIVE],
        MIRRORED | NEGATIVE: mirrored[:, feature_codes.AS_NEGATIVE],
    }
    return [found[variant] for variant in sorted(found)]


def resized(image: Image.Image, pixels: int) -> Image.Image:
    """Bring a picture to about so many pixels, in grey; small ones are enlarged, but not without end."""
    factor = min((pixels / (image.width * image.height)) ** 0.5, MAX_ENLARGEMENT)
    size = max(1, round(image.width * factor)), max(1, round(image.height * factor))
    method = Image.Resampling.BILINEAR if factor < 1 else Image.Resampling.BICUBIC
    return _grey(image).resize(size, method, reducing_gap=2.0)


def _grey(image: Image.Image) -> Image.Image:
    return image if image.mode == "L" else image.convert("L")


def _thumbnail(image: Image.Image, side: int) -> NDArray[np.uint8]:
    factor = side / max(image.size)
    size = max(1, round(image.width * factor)), max(1, round(image.height * factor))
    return np.asarray(_grey(image).resize(size, Image.Resampling.BOX, reducing_gap=3.0))


def sift(grey: NDArray[np.uint8], count: int, most: int = 0) -> tuple[NDArray[np.void], NDArray[np.float32]]:
    """Find and describe at most `count` features of a grey picture: `PLACE`, (N,), and float32, (N, 128).

    For `most` see `Effort`.
    """
    sift = _detector(most)
    with _memory_errors():
        found, described = sift.detectAndCompute(grey, None) if most else (sift.detect(grey, None), None)
    rows = _chosen(found, grey.shape, count)
    chosen = [found[at] for at in rows]
    if not chosen:
        return np.empty(0, PLACE), np.empty((0, feature_codes.BITS), np.float32)
    if described is not None:
        return _places(chosen, grey.shape), described[rows]
    with _memory_errors():
        chosen, descriptors = sift.compute(grey, chosen)
    return _places(chosen, grey.shape), descriptors


def _chosen(found: Sequence[Any], shape: tuple[int, ...], count: int) -> list[int]:
    """Take the strongest in each cell of a grid first, so that sharp text somewhere does not take all places.

    A part of the places is for large features alone: they are what is left where a copy shows the picture small.
    """
    if len(found) <= count:
        return list(range(len(found)))
    response = np.array([one.response for one in found])
    points = np.array([one.pt for one in found])
    sizes = np.array([one.size for one in found])
    cells = np.minimum((points / (shape[1], shape[0]) * GRID).astype(int), GRID - 1)
    cell = cells[:, 1] * GRID + cells[:, 0]
    large = np.flatnonzero(sizes >= LARGE * max(shape))
    first = large[_best(response[large], cell[large], int(count * SHARE_OF_LARGE))]
    rest = np.setdiff1d(np.arange(len(found)), first)
    return [*first.tolist(), *rest[_best(response[rest], cell[rest], count - len(first))].tolist()]


def _best(response: NDArray[np.float64], cell: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    order = np.lexsort((-response, cell))
    starts = np.flatnonzero(np.diff(cell[order], prepend=-1))
    rank = np.empty(len(response), dtype=int)
    rank[order] = np.arange(len(response)) - np.repeat(starts, np.diff(starts, append=len(response)))
    chosen: NDArray[np.int64] = np.lexsort((-response, rank))[:count]
    return chosen


def _places(found: Sequence[Any], shape: tuple[int, ...]) -> NDArray[np.void]:
    height, width = shape
    places = np.empty(len(found), PLACE)
    points = np.array([one.pt for one in found])
    sizes = np.array([one.size for one in found]) / max(shape)
    # OpenCV counts from the centre of the first pixel.
    places["x"] = np.round((points[:, 0] + 0.5) / width * 65535).clip(0, 65535)
    places["y"] = np.round((points[:, 1] + 0.5) / height * 65535).clip(0, 65535)
    places["scale"] = np.round(np.log2(np.maximum(sizes / SIZE_UNIT, 1)) * SIZE_STEPS).clip(0, 255)
    places["angle"] = np.round(np.array([one.angle for one in found]) / 360 * _DIRECTIONS) % _DIRECTIONS
    return places


@contextmanager
def _memory_errors() -> Iterator[None]:
    """OpenCV has an error of its own for a lack of memory; who decodes strangers' media waits for Python's."""
    try:
        yield
    except _opencv().error as error:
        if error.code == _opencv().Error.StsNoMem:
            raise MemoryError from error
        raise


@cache
def _detector(most: int) -> Any:
    return _opencv().SIFT_create(nfeatures=most, contrastThreshold=CONTRAST)


@cache
def _opencv() -> Any:
    try:
        import cv2  # noqa: PLC0415 - 150 MB that only the thorough depth needs
    except ImportError as error:
        raise MissingExtraError(
            "Pictures can't be searched thoroughly here, because OpenCV is not installed: install the extra `thorough`"
            " of mediamanager, or ask with depth fast or standard.",
            extra="thorough",
        ) from error
    cv2.setNumThreads(1)  # the caller has a process for each core already
    return cv2
