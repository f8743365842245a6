"""Half the rate: the lower half of the spectrum stays as it was, the upper one does not fold into it."""

import numpy as np
import pytest
from numpy.typing import NDArray

from fingerprinting.audio.halving import Halver
from fingerprinting.audio.print_bytes import RATE_HZ


def _halved(sound: NDArray[np.int16], cuts: tuple[int, ...] = ()) -> NDArray[np.float32]:
    halver = Halver()
    pieces = [halver.feed(piece) for piece in np.split(sound, cuts)]
    return np.concatenate([*pieces, halver.finish()])


def _tone(hz: float) -> NDArray[np.int16]:
    tone: NDArray[np.int16] = (10_000 * np.sin(2 * np.pi * hz * np.arange(RATE_HZ) / RATE_HZ)).astype(np.int16)
    return tone


@pytest.mark.parametrize(("hz", "least", "most"), [(300, 0.99, 1.01), (2000, 0.98, 1.01), (3600, 0, 0.01)])
def test_what_is_looked_at_passes_and_what_would_fold_into_it_does_not(hz: float, least: float, most: float) -> None:
    tone = _tone(hz)

    halved = _halved(tone)[20:-20]

    assert least <= halved.std() / tone.std() <= most


@pytest.mark.parametrize("cuts", [(1,), (1, 2, 3, 500, 501, 7000), (11_000,)])
def test_chunks_make_no_difference(cuts: tuple[int, ...]) -> None:
    sound = np.random.default_rng(1).integers(-9000, 9000, RATE_HZ).astype(np.int16)

    np.testing.assert_array_equal(_halved(sound, cuts), _halved(sound))


def test_a_sample_lies_where_every_second_one_lay() -> None:
    click = np.zeros(201, dtype=np.int16)
    click[100] = 1000

    halved = _halved(click)

    assert len(halved) == 101
    assert int(np.argmax(halved)) == 50
