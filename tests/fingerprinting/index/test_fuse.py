"""The fuse filter never loses a key, and lets through hardly more than it must."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fingerprinting.errors import CorruptIndexError
from fingerprinting.index import folder, fuse
from fingerprinting.index.fuse import Bits
from fingerprinting.index.kernels_layout import MULTIPLIER

MANY = 20_000
HEAVY = pytest.mark.heavy
anything = st.lists(st.integers(0, 2**64 - 1) | st.integers(0, 30), max_size=80)


@given(anything, st.sampled_from([8, 16]))
def test_no_key_is_ever_lost(keys: list[int], bits: Bits) -> None:
    given_keys = np.array(keys, dtype=np.uint64)

    made = fuse.build(given_keys, bits)

    assert made.contains(given_keys).all()
    assert len(made) == len(set(keys))


@HEAVY
@settings(max_examples=25)
@given(st.integers(0, 2**32), st.integers(0, 40_000), st.sampled_from([8, 16]), st.sampled_from([1, 3, 2**20]))
def test_no_key_of_many_is_ever_lost(seed: int, more: int, bits: Bits, step: int) -> None:
    rng = np.random.default_rng(seed)
    keys = rng.integers(0, 2**64, MANY + more, dtype=np.uint64)
    keys[::2] = np.arange(len(keys[::2]), dtype=np.uint64) * np.uint64(step)
    keys[:1000] = keys[-1000:]

    made = fuse.build(keys, bits)

    assert made.contains(keys).all()
    assert len(made) == len(set(keys.tolist()))


@pytest.mark.parametrize(
    ("bits", "count"), [(8, 5000), pytest.param(8, 100_000, marks=HEAVY), pytest.param(16, 100_000, marks=HEAVY)]
)
def test_others_pass_no_more_often_than_the_bits_say(rng: np.random.Generator, bits: Bits, count: int) -> None:
    made = fuse.build(rng.integers(0, 2**64, count, dtype=np.uint64), bits)
    strangers = rng.integers(0, 2**64, 1 << 20, dtype=np.uint64)

    passed = made.contains(strangers).sum()

    expected = len(strangers) / 2**bits
    assert abs(passed - expected) <= 5 * expected**0.5 + 5
    assert made.bits == bits


@HEAVY
def test_nine_bits_a_key_are_enough_for_many(rng: np.random.Generator) -> None:
    made = fuse.build(rng.integers(0, 2**64, 1_000_000, dtype=np.uint64))

    assert made.nbytes / len(made) <= 1.14


@HEAVY
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


@pytest.mark.parametrize("others", [0, 50, pytest.param(MANY, marks=HEAVY)])
def test_keys_that_share_their_places_under_one_seed_are_kept_under_another(
    rng: np.random.Generator, others: int
) -> None:
    shape = fuse._shape(others + 5, 0)
    inverse = np.uint64(pow(MULTIPLIER, -1, 1 << 64))
    # These mixed values differ in bits that choose no place of so few, so no order tells them apart.
    chosen = np.arange(5, dtype=np.uint64) << np.uint64(38)
    assert len(np.unique(shape.places(chosen), axis=0)) == 1
    for _ in range(2):
        chosen = (chosen ^ (chosen >> np.uint64(32))) * inverse
    chosen = (chosen ^ (chosen >> np.uint64(32))) - np.uint64(shape.seed)
    keys = np.concatenate([chosen, rng.integers(0, 2**64, others, dtype=np.uint64)])
    fill = fuse._fill if len(keys) < MANY else fuse._fill_many
    assert not fill(np.sort(shape.mixed(keys)), shape, np.zeros(shape.size, np.uint8))

    made = fuse.build(keys)

    assert made.contains(keys).all()


def test_an_empty_filter_holds_nothing(rng: np.random.Generator) -> None:
    made = fuse.build(np.empty(0, np.uint64))

    assert not made.contains(rng.integers(0, 2**64, 100_000, dtype=np.uint64)).any()


@pytest.mark.parametrize("count", [0, 5, pytest.param(MANY, marks=HEAVY)])
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
