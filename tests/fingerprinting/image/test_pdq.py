"""PDQ equals the reference bit for bit."""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import synthetic_media
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from fingerprinting.image import pdq, views

VECTORS = Path(__file__).parents[2] / "vectors" / "pdq" / "vectors.json"
SIZES = (
    (512, 512),
    (128, 128),
    (129, 77),
    (65, 64),
    (63, 64),
    (311, 300),
    (5, 5),
    (6, 9),
    (13, 700),
    (300, 7),
    (64, 64),
)


def pictures() -> Iterator[NDArray[np.uint8]]:
    for seed, (height, width) in enumerate(SIZES):
        yield synthetic_media.noise(seed, height, width)
        rows, columns = np.mgrid[:height, :width]
        yield np.stack([columns * 255 // width, rows * 255 // height, (rows + columns) % 256], -1).astype(np.uint8)
        yield np.full((height, width, 3), 77, np.uint8)
    for seed, size in enumerate(((512, 512), (333, 257), (200, 301))):
        yield np.asarray(synthetic_media.natural_picture(seed, size))


def packed(bits: NDArray[np.integer]) -> bytes:
    return np.packbits(bits.astype(np.uint8)).tobytes()


def test_hash_and_quality_equal_the_reference_on_pictures_of_odd_and_even_sizes() -> None:
    reference = pytest.importorskip("pdqhash")

    for pixels in pictures():
        bits, quality = reference.compute(np.ascontiguousarray(pixels))
        assert pdq.pdq(pixels) == (packed(bits), quality), pixels.shape


@settings(max_examples=30, deadline=None)
@given(height=st.integers(5, 150), width=st.integers(5, 150), seed=st.integers(0, 1000), coarse=st.booleans())
def test_hash_equals_the_reference_on_any_size(height: int, width: int, seed: int, coarse: bool) -> None:  # noqa: FBT001
    reference = pytest.importorskip("pdqhash")
    pixels = synthetic_media.noise(seed, height, width)
    if coarse:  # many equal coefficients and sums that cancel
        pixels = pixels // 128 * 255

    bits, quality = reference.compute(pixels)

    assert pdq.pdq(pixels) == (packed(bits), quality)


def test_golden_vectors_hold_where_the_reference_is_not_installed() -> None:
    vectors = json.loads(VECTORS.read_text())

    assert len(vectors) >= 10
    for vector in vectors:
        value, quality = pdq.pdq(synthetic_media.noise(vector["seed"], vector["height"], vector["width"]))
        assert (value.hex(), quality) == (vector["hash"], vector["quality"])


def test_a_picture_that_is_too_small_says_nothing() -> None:
    value, quality = pdq.pdq(synthetic_media.noise(1, 4, 300))

    assert (value, quality) == (bytes(32), 0)


def test_an_exactly_tiled_pattern_has_no_strength() -> None:
    tile = synthetic_media.noise(3, 8, 8)

    spectrum = pdq.spectrum(np.tile(tile, (64, 64, 1)))

    assert spectrum.strength < 1


def test_what_a_query_computes_quickly_is_nearly_the_same_hash() -> None:
    for seed in range(4):
        image = synthetic_media.natural_picture(seed, (900, 700))
        exact = views.whole(image)

        near = views.near(views.squeezed(image.convert("L")))

        moved = np.frombuffer(pdq.bits(exact.coefficients), np.uint8) ^ np.frombuffer(
            pdq.bits(near.coefficients), np.uint8
        )
        assert np.bitwise_count(moved).sum() <= 4
        assert abs(near.quality - exact.quality) <= 1
    assert pdq.near_spectrum(synthetic_media.noise(1, 4, 300)[:, :, 0]).quality == 0
