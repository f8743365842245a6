"""Blobs lie where OpenCV's SIFT finds them, and are described as it does."""

import numpy as np
import pytest
import synthetic_media
from PIL import Image

from fingerprinting.image import descriptors, feature_codes
from fingerprinting.image.scale_space import scale_space

cv2 = pytest.importorskip("cv2")


@pytest.fixture(scope="module")
def grey() -> np.ndarray:
    return np.asarray(synthetic_media.natural_picture(5, (500, 400)).convert("L"))


def test_nearly_all_features_of_opencv_are_found_with_nearly_the_same_codes(grey: np.ndarray) -> None:
    theirs, described = cv2.SIFT_create(contrastThreshold=0.02).detectAndCompute(grey, None)
    space = scale_space(cv2.resize(grey, None, fx=2, fy=2), 1.0)
    row, turns = descriptors.directions(space, space.blobs)
    mine = descriptors.describe(space, space.blobs.take(row), turns)
    x, y, sigma = (each[row] for each in space.blobs.places())

    place, size = np.array([one.pt for one in theirs]), np.array([one.size for one in theirs])
    angle = np.radians([one.angle for one in theirs])
    apart = np.hypot(place[:, :1] - x / 2, place[:, 1:] - y / 2)
    turned = np.abs((angle[:, None] - turns[None] + np.pi) % (2 * np.pi) - np.pi)
    same = (apart < 1) & (np.abs(np.log(size[:, None] / sigma[None])) < 0.2) & (turned < 0.3)
    assert same.any(axis=1).mean() > 0.8
    one, other = np.nonzero(same)
    codes = [feature_codes.codes(feature_codes.root(each)) for each in (described, mine)]
    off = np.bitwise_count(codes[0][one] ^ codes[1][other]).sum(axis=1)
    assert np.median(off) <= 6
    assert np.percentile(off, 90) <= 16


@pytest.mark.parametrize("size", [(1, 1), (3, 200), (16, 16), (40, 17), (2000, 12)])
def test_small_and_narrow_pictures_have_few_or_none(size: tuple[int, int]) -> None:
    noise = np.asarray(Image.effect_noise(size, 90))

    space = scale_space(noise, 0.5)
    row, turns = descriptors.directions(space, space.blobs)

    assert descriptors.describe(space, space.blobs.take(row), turns).shape == (len(row), 128)


def test_a_plain_picture_has_none() -> None:
    assert len(scale_space(np.full((200, 300), 90, np.uint8), 0.5).blobs) == 0


def test_a_spot_is_found_where_it_lies_and_as_large_as_it_is() -> None:
    down, across = np.mgrid[0:120, 0:160]
    spot = 60 + 120 * np.exp(-((across - 70.3) ** 2 + (down - 55.6) ** 2) / (2 * 6.0**2))

    space = scale_space(spot.astype(np.uint8), 0.5)

    x, y, sigma = (each[space.blobs.contrast.argmax()] for each in space.blobs.places())
    assert (x, y) == (pytest.approx(70.3, abs=0.3), pytest.approx(55.6, abs=0.3))
    assert sigma == pytest.approx(6.0, rel=0.35)
