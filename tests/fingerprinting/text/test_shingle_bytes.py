"""The bytes of a text's fingerprint: one spelling, small, refused by name where they are malformed, and with times."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fingerprinting.errors import InvalidFingerprintError
from fingerprinting.text.shingle_bytes import HEADER, NO_TRACK, Shingles, Track, problem_of, track_of, unpack

SMALL = Shingles(
    hashes=np.array([0x01020304, 0xFFFFFFFF], dtype=np.uint32),
    positions=np.array([0, 9], dtype=np.uint32),
    tokens=12,
    characters=1,
    halvings=3,
    track=Track(np.array([0, 12], dtype=np.uint8), np.array([15, 0x0102], dtype=np.uint16)),
)


def test_a_value_is_numbers_bits_hashes_and_knots() -> None:
    expected = "0c000000 02000000 01000000 02000000 03" + "0102" + "04030201 ffffffff" + "000c" + "0f000201"

    assert SMALL.pack() == bytes.fromhex(expected)
    assert HEADER.itemsize == 17


@given(st.lists(st.booleans(), min_size=1, max_size=60).filter(any), st.integers(0, 2**32 - 1), st.booleans())
def test_a_value_comes_back_as_it_was(begins: list[bool], seed: int, timed: bool) -> None:  # noqa: FBT001 - drawn
    rng = np.random.default_rng(seed)
    positions = np.flatnonzero(begins).astype(np.uint32)
    hashes = rng.integers(0, 2**32, len(positions), dtype=np.uint32)
    track = track_of(np.cumsum(rng.exponential(1.0, len(begins) + 1))) if timed else NO_TRACK

    value = Shingles(hashes, positions, len(begins), track=track).pack()
    back = unpack(value)

    assert back.pack() == value
    np.testing.assert_array_equal(back.hashes, hashes)
    np.testing.assert_array_equal(back.positions, positions)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (b"", "must begin with 17 bytes"),
        (SMALL.pack()[:-1], "33 bytes long"),
        (SMALL.pack() + b"\0", "33 bytes long"),
        (bytes(17), "a shingle or more"),
        (b"\x01\0\0\0" + SMALL.pack()[4:], "a shingle or more"),
        (b"\xff" * 17, "a shingle or more"),
        (SMALL.pack()[:8] + b"\x03" + SMALL.pack()[9:], "of characters"),
        (SMALL.pack()[:16] + b"\x40" + SMALL.pack()[17:], "of characters"),
        (SMALL.pack()[:17] + b"\x03" + SMALL.pack()[18:], "bits must be set"),
        (SMALL.pack()[:18] + b"\x10" + SMALL.pack()[19:], "bits must be set"),
        (SMALL.pack()[:28] + b"\x0b" + SMALL.pack()[29:], "end with the last token"),
    ],
)
def test_a_malformed_value_is_refused_with_what_is_wrong(value: bytes, said: str) -> None:
    assert said in (problem_of(value) or "")
    with pytest.raises(InvalidFingerprintError, match="shingle-3"):
        unpack(value)


@given(st.lists(st.floats(0, 400), min_size=2, max_size=300), st.floats(0, 40_000))
def test_times_are_told_to_a_second(steps: list[float], silence: float) -> None:
    seconds = np.cumsum(steps)
    seconds[len(steps) // 2 :] += silence

    track = track_of(seconds)

    assert track.steps.sum(dtype=np.int64) == len(steps) - 1
    told = track.seconds(np.arange(len(steps)))
    assert np.abs(told - seconds).max() < 1


def test_steady_speech_takes_a_few_bytes() -> None:
    assert len(track_of(np.arange(0, 3600, 0.9)).steps) < 20
