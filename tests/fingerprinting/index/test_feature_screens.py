"""Windows and dialogs are told from pictures by their grey and by the directions of their edges."""

import numpy as np
import pytest

from fingerprinting.index.feature_screens import is_screen

DICE = np.random.default_rng(6)
PLAIN = np.full((30, 48), 240, np.uint8)
MIXED = DICE.integers(0, 256, (30, 48)).astype(np.uint8)
ALONG = (np.arange(40) % 4 * np.pi / 2 + DICE.uniform(-0.05, 0.05, 40)).astype(np.float32)
ANYHOW = np.linspace(0, 2 * np.pi, 40, endpoint=False, dtype=np.float32)


@pytest.mark.parametrize(
    ("thumbnail", "directions", "is_one"),
    [(PLAIN, ALONG, True), (PLAIN, ANYHOW, False), (MIXED, ALONG, False), (MIXED, ANYHOW, False)],
)
def test_a_window_is_mostly_of_one_grey_and_has_edges_along_the_page(
    thumbnail: np.ndarray, directions: np.ndarray, *, is_one: bool
) -> None:
    assert is_screen(thumbnail, directions % np.float32(2 * np.pi)) is is_one


def test_a_third_of_one_grey_is_enough() -> None:
    thumbnail = MIXED.copy()
    thumbnail[:10] = 200

    assert is_screen(thumbnail, ALONG)
    assert not is_screen(np.maximum(thumbnail[9:], 0), ALONG)
