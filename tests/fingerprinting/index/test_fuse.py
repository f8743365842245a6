"""The fuse filter never loses a key, and lets through hardly more than it must."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fingerprinting.errors import CorruptIndexError
from fingerprinting.index import folder, fuse
from fingerprinting.index.fuse import Bits

MANY = 20_000
anything = st.lists(st.integers(0, 2**64 - 1) | st.integers(0, 30), max_size=80)


@settings(deadline=None)
@given(anything, st.sampled_from([8, 16]))
def test_no_key_is_ever_lost(keys: list[int], bits: Bits) -> None:
    given_keys = np.array(keys, dtype=np.uint64)

    made = fuse.build(given_keys, bits)

    assert made.contains(given_keys).all()
    assert len(made) == len(set(keys))


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32), st.integers(0, 40_000), st.sampled_from([8, 16]), st.sampled_from([1, 3, 2**20]))
def test_no_key_of_many_is_ever_lost(seed: int, more: int, bits: Bits, step: int) -> None:
    rng = np.random.default_rng(seed)
    keys = rng.integers(0, 2**64, MANY + more, dtype=np.uint64)
    keys[::2] = np.arange(len(keys[::2]), dtype=np.uint64) * np.uint64(step)
    keys[:1000] = keys[-1000:]

    made = fuse.build(keys, bits)

    assert made.contains(keys).all()
    assert len(made) == len(set(keys.tolist()))


@pytest.mark.parametrize(("bits", "count"), [(8, 5000), (8, 100_000), (16, 100_000)])
def test_others_pass_no_more_often_than_the_bits_say(rng: np.random.Generator, bits: Bits, count: int) -> None:
    made = fuse.build(rng.integers(0, 2**64, count, dtype=np.uint64), bits)
    strangers = rng.integers(0, 2**64, 1 << 20, dtype=np.uint64)

    passed = made.contains(strangers).sum()

    expected = len(strangers) / 2**bits
    assert abs(passed - expected) <= 5 * expected**0.5 + 5
    assert made.bits == bits


def test_nine_bits_a_key_are_enough_for_many(rng: np.random.Generator) -> None:
    made = fuse.build(rng.integers(0, 2**64, 1_000_000, dtype=np.uint64))

    assert made.nbytes / len(made) <= 1.14


def test_few_and_many_keys_are_laid_out_alike(rng: np.random.Generator) -> None:
    keys = rng.integers(0, 2**64, MANY, dtype=np.uint64)
    shape = fuse._shape(len(keys), 0)
    mixed = np.sort(shape.mixed(keys))
    filled = np.zeros((2, shape.size), dtype=np.uint16)

    assert fuse._fill(mixed, shape, filled[0])
    assert fuse._fill_many(mixed, shape, filled[1])

    # Both fill by an order of their own, and every key agrees with either, asked in either way.
    few, many = fuse.FuseFilter(10, shape, filled[1]), fuse.FuseFilter(len(keys), shape, filled[0])
    assert few.contains(keys).all()
    assert many.contains(keys).all()


@pytest.mark.parametrize("count", [1, 2, MANY])
def test_keys_that_share_their_places_under_one_seed_are_kept_under_another(count: int) -> None:
    shape = fuse._shape(count + 1, 0)
    inverse = np.uint64(pow(0xD6E8FEB86659FD93, -1, 1 << 64))
    # The bits that choose places are equal: as many in one place as a peeling cannot take apart.
    mixed = np.arange(count + 1, dtype=np.uint64) << np.uint64(40) & np.uint64(0xFF) << np.uint64(40)
    keys = mixed
    for _ in range(2):
        keys = (keys ^ (keys >> np.uint64(32))) * inverse
    keys = (keys ^ (keys >> np.uint64(32))) - np.uint64(shape.seed)

    assert fuse.build(keys).contains(keys).all()


def test_an_empty_filter_holds_nothing(rng: np.random.Generator) -> None:
    made = fuse.build(np.empty(0, np.uint64))

    assert not made.contains(rng.integers(0, 2**64, 100_000, dtype=np.uint64)).any()


@pytest.mark.parametrize("count", [0, 5, MANY])
@pytest.mark.parametrize("bits", [8, 16])
def test_a_saved_filter_opens_and_answers_the_same(
    tmp_path: Path, rng: np.random.Generator, count: int, bits: Bits
) -> None:
    keys = rng.integers(0, 2**64, count, dtype=np.uint64)
    made = fuse.build(keys, bits)
    made.save(tmp_path / "filter")
    asked = np.concatenate([keys, rng.integers(0, 2**64, 50_000, dtype=np.uint64)])

    opened = fuse.open(tmp_path / "filter")

    assert opened.contains(asked).tolist() == made.contains(asked).tolist()
    assert (len(opened), opened.bits) == (count, bits)


@pytest.mark.parametrize(
    "change",
    [
        {"segment": 3},
        {"segment": 1 << 20},
        {"segments": 10_000},
        {"segments": -1},
        {"seed": -1},
        {"keys": 10**9},
        {"layout": 7},
    ],
)
def test_a_filter_whose_parts_do_not_belong_together_is_refused(tmp_path: Path, change: dict[str, int]) -> None:
    fuse.build(np.arange(50, dtype=np.uint64)).save(tmp_path / "whole")
    contents = folder.read(tmp_path / "whole", "fuse", verify=True)
    with folder.new_folder(tmp_path / "filter") as scratch:
        folder.write(scratch, "fuse", contents.arrays, {**contents.parameters, **change})

    with pytest.raises(CorruptIndexError):
        fuse.open(tmp_path / "filter")


def test_other_widths_are_refused() -> None:
    with pytest.raises(ValueError, match="8 or 16"):
        fuse.build(np.empty(0, np.uint64), 12)  # type: ignore[arg-type]
