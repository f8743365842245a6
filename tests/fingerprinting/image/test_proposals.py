"""Rectangles of a picture that may be a whole other picture: what holds of each, whatever the picture."""

import numpy as np
from PIL import Image

from fingerprinting.image import proposals


def strip(dice: np.random.Generator) -> Image.Image:
    """A long strip with rectangles on it: a banner, a panorama, a page of a comic that is scrolled."""
    length = int(dice.integers(200, 2000))
    pixels = np.full((length, length // int(dice.integers(9, 14))), 128, np.uint8)
    for _ in range(6):
        top, left = (int(dice.integers(0, side)) for side in pixels.shape)
        down, across = (int(dice.integers(1, side)) for side in pixels.shape)
        pixels[top : top + down, left : left + across] = dice.integers(0, 256)
    found = Image.fromarray(pixels)
    return found if dice.integers(2) else found.transpose(Image.Transpose.ROTATE_90)


def test_a_rectangle_of_a_long_strip_has_an_inside_that_can_be_looked_at() -> None:
    dice = np.random.default_rng(11)
    for _ in range(150):
        picture = strip(dice)
        for left, top, right, bottom in proposals.boxes(picture):
            assert 0 <= left <= right - 1
            assert right <= picture.width + 1e-6
            assert 0 <= top <= bottom - 1
            assert bottom <= picture.height + 1e-6
            assert round(left) < round(right)
            assert round(top) < round(bottom)
