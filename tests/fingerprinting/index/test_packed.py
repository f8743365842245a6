"""Numbers that are packed come back as they were, and what a file says never leads out of its arrays."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from fingerprinting.index import packed, packed_kernels, postings_kernels
from fingerprinting.index.packed import Packed

PLACE_BITS = 12


def words(held: Packed) -> packed_kernels.Held:
    return held.lows, held.highs, held.marks, held.sizes.number, held.sizes.low_bits


def found(held: Packed, asked: NDArray[np.uint32]) -> list[list[int]]:
    begins, ends, bits = (np.empty(len(asked), dtype=np.int64) for _ in range(3))
    postings_kernels.find(words(held), PLACE_BITS, asked, begins, ends, bits)
    starts = np.empty(len(asked) + 1, dtype=np.int64)
    places = np.zeros(int((ends - begins).sum()), dtype=np.uint32)
    postings_kernels.read(words(held), PLACE_BITS, begins, ends, bits, starts, places)
    return [places[starts[at] : starts[at + 1]].tolist() for at in range(len(asked))]


@given(st.integers(0, 2000), st.integers(1, 26), st.integers(0, 2**32 - 1))
def test_what_is_packed_is_found_and_comes_back(number: int, hash_bits: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    numbers = np.sort(rng.integers(0, 1 << hash_bits + PLACE_BITS, number, dtype=np.uint64))

    held = packed.pack(numbers, hash_bits + PLACE_BITS)

    assert held.fits()
    assert held.numbers().tolist() == numbers.tolist()
    read = np.empty(number, dtype=np.uint64)
    assert packed_kernels.read_all(words(held), read) == number
    assert read.tolist() == numbers.tolist()
    hashes, places = numbers >> np.uint64(PLACE_BITS), numbers & np.uint64((1 << PLACE_BITS) - 1)
    asked = np.append(hashes[:50], rng.integers(0, 1 << hash_bits, 20)).astype(np.uint32)
    assert found(held, asked) == [places[hashes == one].tolist() for one in asked]


def test_both_ways_of_packing_write_the_same(rng: np.random.Generator) -> None:
    hashes = np.sort(rng.integers(0, 1 << 26, 5000, dtype=np.uint32))
    places = rng.integers(0, 1 << PLACE_BITS, 5000, dtype=np.uint32)
    numbers = np.sort(hashes.astype(np.uint64) << np.uint64(PLACE_BITS) | places)
    held = packed.pack(numbers, 26 + PLACE_BITS)
    counts = np.bincount(
        numbers >> np.uint64(PLACE_BITS + postings_kernels.REMAINDER_BITS),
        minlength=1 << 26 - postings_kernels.REMAINDER_BITS,
    )
    room = np.zeros(5000, dtype=np.uint64)  # low parts take the place of what they are read from
    ordered = room.view(np.uint32)[:5000]
    ordered[:] = numbers & np.uint64((1 << PLACE_BITS) - 1)
    remainders = (numbers >> np.uint64(PLACE_BITS) & np.uint64((1 << postings_kernels.REMAINDER_BITS) - 1)).astype(
        np.uint8
    )
    highs, marks = np.zeros_like(held.highs), np.empty_like(held.marks)

    postings_kernels.pack(
        np.append(0, np.cumsum(counts)), remainders, ordered, PLACE_BITS, held.sizes.low_bits, (room, highs), marks
    )

    assert room[: held.sizes.low_words].tolist() == held.lows.tolist()
    assert (highs.tolist(), marks.tolist()) == (held.highs.tolist(), held.marks.tolist())


@pytest.mark.parametrize("number", [1, 700])
def test_a_hostile_file_is_read_inside_of_its_arrays(number: int, rng: np.random.Generator) -> None:
    sizes = packed.sizes_of(number, 26 + PLACE_BITS)
    for fill in (0, 2**64 - 1, None):
        lows, highs = (
            rng.integers(0, 2**64, size, dtype=np.uint64) if fill is None else np.full(size, fill, dtype=np.uint64)
            for size in (sizes.low_words, sizes.high_words)
        )
        marks = rng.integers(0, 2**32, sizes.marks, dtype=np.uint32)
        held = Packed(sizes, lows, highs, marks)

        for places in found(held, rng.integers(0, 2**26, 500, dtype=np.uint32)):
            assert len(places) <= number
        assert packed_kernels.read_all(words(held), np.empty(number, dtype=np.uint64)) <= number
