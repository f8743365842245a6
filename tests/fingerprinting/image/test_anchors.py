"""Frames lie inside the picture, and a cropped copy yields the same ones."""

import io
import math

import numpy as np
import pytest
import synthetic_media
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from fingerprinting.image import anchors, views


def test_frames_are_squares_inside_the_picture_and_strongest_first() -> None:
    image = synthetic_media.natural_picture(1)

    found = list(anchors.frames(image))

    assert len(found) >= 12
    for frame in found:
        assert 0 <= frame.left < frame.right <= image.width
        assert 0 <= frame.top < frame.bottom <= image.height
        assert math.isclose(frame.right - frame.left, frame.bottom - frame.top, rel_tol=0.02)


def test_a_crop_points_out_a_frame_of_the_original() -> None:
    image = synthetic_media.natural_picture(2)
    left, top = 130, 90
    crop = Image.open(io.BytesIO(synthetic_media.encoded(image.crop((left, top, 770, 580)), "JPEG", quality=60)))
    originals = np.array([(f.left, f.top, f.right, f.bottom) for f in list(anchors.frames(image))[:12]])

    moved = np.array([(f.left + left, f.top + top, f.right + left, f.bottom + top) for f in anchors.frames(crop)])

    off = np.abs(originals[:, None] - moved[None]).max(axis=2) / (originals[:, 2] - originals[:, 0])[:, None]
    assert (off.min(axis=1) < 0.03).sum() >= 3


@pytest.mark.parametrize("size", [(1, 1), (3, 2000), (2000, 3), (40, 30), (700, 90)])
def test_odd_shapes_do_no_harm(size: tuple[int, int]) -> None:
    for frame in anchors.frames(synthetic_media.natural_picture(3, size)):
        assert frame.right <= size[0]
        assert frame.bottom <= size[1]


def test_a_blank_picture_has_no_frames() -> None:
    assert list(anchors.frames(Image.new("RGB", (400, 300), "teal"))) == []


@pytest.mark.heavy
@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10_000), width=st.integers(1, 300), height=st.integers(1, 300))
def test_views_are_worth_keeping_whatever_the_picture(seed: int, width: int, height: int) -> None:
    image = Image.fromarray(synthetic_media.noise(seed, height, width))

    kept = list(views.views(image, 5))

    assert len(kept) <= 5
    assert all(view.spectrum.quality >= views.MIN_FRAME_QUALITY for view in kept)
