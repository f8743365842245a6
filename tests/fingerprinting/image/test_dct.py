"""`dct-256`: a golden value by a second implementation, and forms that are what they say."""

import numpy as np
import pytest
import synthetic_media
from PIL import Image, ImageOps

from fingerprinting.image import dct, proposals


@pytest.fixture(scope="module")
def picture() -> Image.Image:
    return synthetic_media.natural_picture(8, (640, 480)).convert("L")


def hashes(image: Image.Image, forms: int = 16) -> np.ndarray:
    return np.frombuffer(dct.value(dct.spectrum(image), forms)[dct.THUMBNAIL_BYTES :], np.uint8).reshape(-1, 32)


def distance(one: np.ndarray, other: np.ndarray) -> int:
    return int(np.bitwise_count(one ^ other).sum())


def test_it_is_as_defined(picture: Image.Image) -> None:
    cells = np.asarray(picture.resize((64, 64), Image.Resampling.BOX), float)
    k, n = np.mgrid[1:17, 0:64]
    cosines = np.cos(np.pi * k * (2 * n + 1) / 128)
    coefficients = cosines @ cells @ cosines.T
    expected = np.packbits((coefficients > np.median(coefficients)).ravel())

    assert distance(hashes(picture, 1)[0], expected) <= 1  # one coefficient may lie on the median but for rounding


@pytest.mark.parametrize("turn", [None, *Image.Transpose])
@pytest.mark.parametrize("negative", [False, True])
def test_one_of_a_querys_forms_is_that_of_the_work(
    picture: Image.Image,
    turn: Image.Transpose | None,
    negative: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    shown = picture if turn is None else picture.transpose(turn)
    shown = ImageOps.invert(shown) if negative else shown

    forms = hashes(shown)
    nearest = min(range(16), key=lambda form: distance(forms[form], hashes(picture, 1)[0]))

    assert distance(forms[nearest], hashes(picture, 1)[0]) <= 4
    assert (nearest >= 8) == negative
    mine = np.frombuffer(dct.value(dct.spectrum(shown)), np.uint8, 256).reshape(16, 16)
    its = np.frombuffer(dct.value(dct.spectrum(picture)), np.uint8, 256).reshape(16, 16)
    assert np.abs(dct.thumbnail_as(mine, nearest) - its).mean() < 1


@pytest.mark.parametrize("side", [83, 97, 150])
def test_a_picture_that_its_decoder_made_smaller_has_nearly_the_bits_of_the_whole(
    picture: Image.Image, side: int
) -> None:
    whole = picture.convert("L").resize((side * 8, side * 8), Image.Resampling.BICUBIC)
    shrunk = whole.reduce(8)  # as a JPEG decoder does: the mean of each block

    of_whole, of_shrunk = (
        np.frombuffer(dct.value(found), np.uint8)[dct.THUMBNAIL_BYTES :]
        for found in (dct.spectrum(whole), dct.spectrum_of_shrunk(shrunk))
    )

    assert int(np.bitwise_count(of_whole ^ of_shrunk).sum()) <= 4


def test_a_pattern_says_so_by_its_strength() -> None:
    tiles = Image.fromarray(np.tile(synthetic_media.noise(2, 8, 8)[:, :, 0], (64, 64)))

    assert dct.spectrum(tiles).strength < 2.0


def test_plain_borders_are_trimmed(picture: Image.Image) -> None:
    framed = ImageOps.expand(picture, (30, 60, 90, 10), fill=255)

    found = proposals.trimmed(framed)

    assert found == pytest.approx((30, 60, 670, 540), abs=4)
    assert proposals.trimmed(picture) is None
    assert proposals.trimmed(Image.new("L", (100, 100), 7)) is None


def test_a_picture_on_a_page_is_proposed(picture: Image.Image) -> None:
    page = Image.new("L", (1200, 900), 235)
    page.paste(picture.resize((500, 375)), (300, 200))

    found = proposals.rectangles(page)

    assert any(box == pytest.approx((300, 200, 800, 575), abs=8) for box in found)
    assert len(found) <= proposals.MAX_RECTANGLES


@pytest.mark.parametrize("seed", [11, 13, 14])
def test_a_small_picture_on_a_busy_page_is_proposed_to_within_two_pixels(picture: Image.Image, seed: int) -> None:
    page = synthetic_media.natural_picture(seed, (1024, 768)).convert("L")
    page.paste(picture.resize((256, 192)), (411, 323))

    found = proposals.rectangles(page)

    assert any(box == pytest.approx((411, 323, 667, 515), abs=2) for box in found)


def test_all_that_is_proposed_starts_with_what_lies_inside_plain_borders(picture: Image.Image) -> None:
    page = Image.new("L", (1200, 900), 235)
    page.paste(picture.resize((500, 375)), (300, 200))

    assert proposals.boxes(page) == [proposals.trimmed(page), *proposals.rectangles(page)]
    assert proposals.boxes(picture) == proposals.rectangles(picture)


@pytest.mark.parametrize("size", [(1, 1), (3, 2000), (2000, 2), (9, 9)])
def test_tiny_and_thin_pictures_do_no_harm(size: tuple[int, int]) -> None:
    image = Image.effect_noise(size, 90)

    proposals.trimmed(image)
    proposals.rectangles(image)
    assert len(dct.value(dct.spectrum(image), 16)) == 256 + 16 * 32
