"""The bytes of a text's fingerprint: one spelling, small, refused by name where they are malformed, and with times."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fingerprinting.errors import InvalidFingerprintError
from fingerprinting.text.shingle_bytes import (
    HASH_BITS,
    HEADER,
    NO_TRACK,
    Shingles,
    Track,
    problem_of,
    track_of,
    unpack,
)

SMALL = Shingles(
    hashes=np.array([0x01020304, 0x3FFFFFF], dtype=np.uint32),
    positions=np.array([0, 9], dtype=np.uint32),
    tokens=12,
    characters=1,
    halvings=3,
    track=Track(np.array([0, 12], dtype=np.uint8), np.array([15, 0x0102], dtype=np.uint16)),
)


def changed(*places_and_bytes: int) -> bytes:
    value = bytearray(SMALL.pack())
    for at, byte in zip(places_and_bytes[::2], places_and_bytes[1::2], strict=True):
        value[at] = byte
    return bytes(value)


def test_a_value_is_numbers_bits_hashes_and_knots() -> None:
    # The second hash begins with the 27th bit, the second step with the fifth, the second tenths with the tenth.
    expected = "0c000000 02000000 01000000 02000000 03 0409" + "0102" + "040302fdffff0f" + "c0" + "0f0402"

    assert SMALL.pack() == bytes.fromhex(expected)
    assert HEADER.itemsize == 19


@given(st.lists(st.booleans(), min_size=1, max_size=60).filter(any), st.integers(0, 2**32 - 1), st.booleans())
def test_a_value_comes_back_as_it_was(begins: list[bool], seed: int, timed: bool) -> None:  # noqa: FBT001 - drawn
    rng = np.random.default_rng(seed)
    positions = np.flatnonzero(begins).astype(np.uint32)
    hashes = rng.integers(0, 2**HASH_BITS, len(positions), dtype=np.uint32)
    track = track_of(np.cumsum(rng.exponential(1.0, len(begins) + 1))) if timed else NO_TRACK

    value = Shingles(hashes, positions, len(begins), track=track).pack()
    back = unpack(value)

    assert back.pack() == value
    np.testing.assert_array_equal(back.hashes, hashes)
    np.testing.assert_array_equal(back.positions, positions)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (b"", "must begin with 19 bytes"),
        (SMALL.pack()[:-1], "32 bytes long"),
        (SMALL.pack() + b"\0", "32 bytes long"),
        (bytes(19), "a shingle or more"),
        (changed(0, 1), "a shingle or more"),
        (b"\xff" * 19, "a shingle or more"),
        (changed(8, 3), "of characters"),
        (changed(16, 64), "of characters"),
        (changed(17, 9), "a step takes at most 8 bits"),
        (changed(18, 17), "at most 16"),
        (changed(19, 3), "bits must be set"),
        (changed(19, 0, 20, 0x12), "must be zeros"),
        (changed(27, 0x1F), "must be zeros"),
        (changed(31, 0x06), "must be zeros"),
        (changed(28, 0xB0), "end with the last token"),
        (changed(29, 0, 30, 0, 31, 0), "as many bits as the greatest"),
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
