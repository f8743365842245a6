"""Local features: what their bytes hold, and that mirror images and negatives have the same codes, permuted."""

import numpy as np
import pytest
import synthetic_media
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageOps

from fingerprinting.errors import MissingExtraError
from fingerprinting.image import feature_bytes, feature_codes, features, opencv
from fingerprinting.image.feature_bytes import MIRRORED, NEGATIVE, Features

pytest.importorskip("cv2")


@pytest.fixture(scope="module")
def picture() -> Image.Image:
    return synthetic_media.natural_picture(5).convert("L")


def described(image: Image.Image, effort: features.Effort = features.THOROUGH) -> Features:
    return features.describe(image, image.size, effort)


def shared(one: Features, variant: int, other: Features) -> float:
    """How many codes of a variant of the one have a near one among the plain codes of the other."""
    distances = np.bitwise_count(one.codes[variant][:, None] ^ other.codes[0][None]).sum(axis=2)
    return float((distances.min(axis=1) <= 12).mean())


def test_writing_and_reading_gives_the_same(picture: Image.Image) -> None:
    found = described(picture, features.WORK)

    read = feature_bytes.read(feature_bytes.write(found))

    assert read.size == picture.size
    assert read.codes.shape == (1, len(found), 2)
    np.testing.assert_array_equal(read.codes, found.codes)
    np.testing.assert_array_equal(read.places, found.places)
    np.testing.assert_array_equal(read.thumbnail, found.thumbnail)


@given(st.binary(max_size=200))
def test_bytes_that_are_none_are_refused(value: bytes) -> None:
    assert feature_bytes.check(value) is not None


def test_a_query_asks_as_its_mirror_image_and_as_its_negative(picture: Image.Image) -> None:
    found = described(picture)

    assert shared(found, MIRRORED, described(ImageOps.mirror(picture))) > 0.8
    assert shared(found, NEGATIVE, described(ImageOps.invert(picture))) > 0.95
    assert shared(found, MIRRORED | NEGATIVE, described(ImageOps.invert(ImageOps.mirror(picture)))) > 0.8
    assert shared(found, 0, described(ImageOps.mirror(picture))) < 0.1


def test_a_rectangle_that_may_be_a_picture_is_looked_at_more_closely(picture: Image.Image) -> None:
    page = Image.new("L", (1600, 1200), 255)
    page.paste(picture.resize((320, 240)), (1200, 900))
    box = (1200.0, 900.0, 1520.0, 1140.0)

    plain = features.describe(page, page.size, features.THOROUGH)
    closer = features.describe(page, page.size, features.THOROUGH, [box])

    assert len(closer) == len(plain) + features.PART_FEATURES
    places = closer.places[len(plain) :]
    assert places["x"].min() >= 1200 / 1600 * 65535
    assert places["x"].max() <= 1520 / 1600 * 65535
    assert places["y"].min() >= 900 / 1200 * 65535
    # What both looks find lies at the same place, and is as large.
    far = np.bitwise_count(closer.codes[0][len(plain) :, None] ^ plain.codes[0][None]).sum(axis=2)
    both = far.min(axis=1) <= 10
    assert both.sum() >= 10
    again = plain.places[far.argmin(axis=1)[both]]
    for name, most in (("x", 130), ("y", 130), ("scale", 6)):
        apart = np.abs(places[name][both].astype(int) - again[name].astype(int))
        assert np.median(apart) <= most


def test_sharp_text_does_not_take_all_places() -> None:
    page = Image.new("L", (800, 800), 255)
    page.paste(synthetic_media.natural_picture(6, (400, 400)).convert("L"), (400, 400))
    page.paste(Image.effect_noise((800, 390), 200), (0, 0))

    found = described(page)

    in_picture = (found.places["x"] > 32768) & (found.places["y"] > 32768)
    assert in_picture.sum() >= 80


def test_a_blank_picture_has_none() -> None:
    assert len(described(Image.new("L", (300, 200), 128))) == 0


def test_half_of_the_bits_of_a_code_are_set(picture: Image.Image) -> None:
    bits = np.bitwise_count(described(picture, features.WORK).codes).sum(axis=2)

    assert 55 < bits.mean() < 73
    assert feature_codes.rotation()[1].shape == (128, 128)


def test_without_opencv_the_error_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "cv2", None)
    opencv.load.cache_clear()
    try:
        assert not features.is_available()
        with pytest.raises(MissingExtraError, match="extra `thorough`"):
            described(synthetic_media.natural_picture(1, (100, 100)).convert("L"))
    finally:
        opencv.load.cache_clear()


def test_of_a_rectangle_in_another_the_outer_one_is_looked_at_closely(
    picture: Image.Image, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked_at: list[tuple[float, ...]] = []
    closer = features._closer

    def noted(image: Image.Image, box: tuple[float, float, float, float]) -> object:
        looked_at.append(box)
        return closer(image, box)

    monkeypatch.setattr(features, "_closer", noted)
    inner, outer, elsewhere = (120.0, 120.0, 200.0, 200.0), (100.0, 100.0, 300.0, 250.0), (400.0, 300.0, 600.0, 500.0)
    whole = (0.0, 0.0, 790.0, 590.0)

    features.describe(picture, picture.size, features.THOROUGH, [inner, whole, outer, elsewhere])

    assert looked_at == [outer, elsewhere]
