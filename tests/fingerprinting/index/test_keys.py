"""Exact keys: contained or not, and where; few of them, and so many that they lie in blocks."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from fingerprinting.errors import CorruptIndexError
from fingerprinting.index import folder, keys, keys_places
from fingerprinting.index.kernels_layout import MULTIPLIER, TAGS
from fingerprinting.index.keys import KeyIndex

Keys = NDArray[np.uint64]

MANY = 10_000
small = st.lists(st.integers(0, 40) | st.integers(2**64 - 5, 2**64 - 1), max_size=60)


@pytest.fixture(autouse=True, scope="module")
def compiled_from_here() -> Iterator[None]:
    """Fewer keys than in production lie in blocks, so that the tests stay quick."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(keys_places, "_COMPILED_FROM_KEYS", MANY)
        yield


def unmixed(values: Sequence[int]) -> Keys:
    """The keys that are mixed into these values: what a stranger would register to fill one place of an index."""
    inverse = np.uint64(pow(MULTIPLIER, -1, 1 << 64))
    keys = np.array(values, dtype=np.uint64)
    for _ in range(2):
        keys = (keys ^ (keys >> np.uint64(32))) * inverse
    return keys ^ (keys >> np.uint64(32))


def assert_exact(index: KeyIndex, indexed: Keys, asked: Keys) -> None:
    """Compare with a dictionary, which has no code in common with the index."""
    rows: dict[int, list[int]] = {}
    for row, key in enumerate(indexed.tolist()):
        rows.setdefault(key, []).append(row)
    expected = [(query, row) for query, key in enumerate(asked.tolist()) for row in rows.get(key, ())]
    pairs = index.find(asked)
    assert list(zip(pairs.query.tolist(), pairs.row.tolist(), strict=True)) == expected
    assert index.contains(asked).tolist() == [key in rows for key in asked.tolist()]


@given(small, small)
def test_find_gives_every_equal_pair_and_contains_agrees(indexed: list[int], asked: list[int]) -> None:
    indexed_keys = np.array(indexed, dtype=np.uint64)

    assert_exact(keys.build(indexed_keys), indexed_keys, np.array(asked, dtype=np.uint64))


@pytest.mark.heavy
@settings(max_examples=25)
@given(st.integers(0, 2**32), st.sampled_from(["random", "small", "high", "repeated"]), st.integers(0, 3000))
def test_many_keys_of_any_kind_are_found_and_no_others(seed: int, kind: str, more: int) -> None:
    rng = np.random.default_rng(seed)
    count = MANY + more
    indexed = {
        "random": rng.integers(0, 2**64, count, dtype=np.uint64),
        "small": np.arange(count, dtype=np.uint64) * np.uint64(2),
        "high": rng.integers(0, 2**16, count, dtype=np.uint64) << np.uint64(48),
        "repeated": rng.integers(0, 2**64, 200, dtype=np.uint64)[rng.integers(0, 200, count)],
    }[kind]
    near = rng.choice(indexed, 300)
    asked = np.concatenate([near, near + np.uint64(1), near ^ np.uint64(1 << 63), rng.integers(0, 2**64, 300, "u8")])

    assert_exact(keys.build(indexed), indexed, asked if kind != "repeated" else asked[::50])


@pytest.mark.heavy
@pytest.mark.parametrize("crowd", [TAGS - 1, TAGS, TAGS + 1, 5000])
def test_keys_chosen_to_crowd_one_block_are_found(rng: np.random.Generator, crowd: int) -> None:
    others = rng.integers(0, 2**64, MANY, dtype=np.uint64)
    # Neighbours among the mixed values that even have their tag in common, and one of them several times.
    chosen = unmixed([(77 << 56) + (place << 8) for place in range(crowd)])
    indexed = np.concatenate([others, chosen, chosen[:3], chosen[:3]])
    absent = unmixed([(77 << 56) + (place << 8) + 1 for place in range(100)])

    assert_exact(keys.build(indexed), indexed, np.concatenate([chosen, absent, others[:50]]))


@pytest.mark.heavy
def test_keys_that_differ_in_what_a_block_implies_only_are_told_apart(rng: np.random.Generator) -> None:
    low = 0x00123456789ABC11
    indexed = np.concatenate([unmixed([(top << 56) + low for top in range(0, 256, 2)]), np.full(MANY, 5, np.uint64)])
    index = keys.build(indexed)

    asked = unmixed([(top << 56) + low for top in range(256)])

    assert index.contains(asked).tolist() == [top % 2 == 0 for top in range(256)]
    assert index.find(asked).row.tolist() == list(range(128))


@pytest.mark.heavy
def test_a_flood_of_one_key_is_found_row_by_row(rng: np.random.Generator) -> None:
    indexed = np.concatenate([np.full(300_000, 9, np.uint64), rng.integers(0, 2**64, 100, dtype=np.uint64)])

    pairs = keys.build(indexed).find(np.array([8, 9], dtype=np.uint64))

    assert pairs.row.tolist() == list(range(300_000))
    assert keys.build(indexed).count(np.array([8, 9, 9], dtype=np.uint64)).tolist() == [0, 300_000, 300_000]
    assert set(pairs.query.tolist()) == {1}


@pytest.mark.parametrize("count", [0, 3, pytest.param(MANY, marks=pytest.mark.heavy)])
def test_a_saved_index_opens_and_finds_the_same(tmp_path: Path, rng: np.random.Generator, count: int) -> None:
    indexed = rng.integers(0, 2**64, count, dtype=np.uint64)
    keys.build(indexed).save(tmp_path / "keys")

    opened = keys.open(tmp_path / "keys")

    assert len(opened) == count
    assert_exact(opened, indexed, np.concatenate([indexed[:100], rng.integers(0, 2**64, 100, dtype=np.uint64)]))


@pytest.mark.heavy
def test_queries_that_do_not_lie_side_by_side_are_answered(rng: np.random.Generator) -> None:
    indexed = rng.integers(0, 2**64, MANY, dtype=np.uint64)

    assert keys.build(indexed).contains(indexed[::7]).all()


@pytest.mark.heavy
def test_nine_bytes_a_key_are_enough(rng: np.random.Generator) -> None:
    indexed = rng.integers(0, 2**64, 20 * MANY, dtype=np.uint64)
    places = keys_places.build(np.sort(keys_places.mixed(indexed)))

    assert sum(array.nbytes for array in places.arrays().values()) / len(indexed) <= 8.9


@pytest.mark.heavy
def test_the_compiled_sort_keeps_equal_keys_as_they_were(rng: np.random.Generator) -> None:
    given_keys = rng.integers(0, 500, MANY, dtype=np.uint64) << rng.integers(0, 50, MANY, dtype=np.uint64)

    sorted_keys, order = keys_places.ascending(given_keys)

    assert order.tolist() == np.argsort(given_keys, kind="stable").tolist()
    assert sorted_keys.tolist() == given_keys[order].tolist()


@pytest.mark.heavy
def test_a_strangers_blocks_lead_nowhere_else(tmp_path: Path, rng: np.random.Generator) -> None:
    keys.build(rng.integers(0, 2**64, MANY, dtype=np.uint64)).save(tmp_path / "keys")
    contents = folder.read(tmp_path / "keys", "keys", verify=True)
    blocks = np.full_like(contents.arrays["key_blocks"], 255)
    opened = keys_places.ManyKeys(blocks, np.asarray(contents.arrays["key_rest"]))
    asked = rng.integers(0, 2**64, 50_000, dtype=np.uint64)

    places = opened.locate(asked)

    assert ((places >= -1) & (places < MANY)).all()
    assert (opened.runs(asked, places) <= MANY).all()


def test_an_older_layout_is_refused(tmp_path: Path) -> None:
    arrays = {"keys": np.arange(3, dtype=np.uint64), "rows": np.arange(3, dtype=np.uint32)}
    with folder.new_folder(tmp_path / "keys") as scratch:
        folder.write(scratch, "keys", arrays, {})

    with pytest.raises(CorruptIndexError, match="layout"):
        keys.open(tmp_path / "keys")


@pytest.mark.heavy
@pytest.mark.parametrize("name", ["key_blocks", "key_rest", "rows"])
def test_parts_that_do_not_belong_together_are_refused(tmp_path: Path, rng: np.random.Generator, name: str) -> None:
    keys.build(rng.integers(0, 2**64, MANY, dtype=np.uint64)).save(tmp_path / "whole")
    arrays = dict(folder.read(tmp_path / "whole", "keys", verify=True).arrays)
    arrays[name] = arrays[name][:100]
    with folder.new_folder(tmp_path / "keys") as scratch:
        folder.write(scratch, "keys", arrays, {"layout": 2})

    with pytest.raises(CorruptIndexError, match="belong together"):
        keys.open(tmp_path / "keys")


def test_keys_of_another_type_are_refused() -> None:
    with pytest.raises(ValueError, match="uint64"):
        keys.build(np.array([1.5]))


def test_a_folder_may_be_named_by_a_string(tmp_path: Path) -> None:
    keys.build(np.arange(3, dtype=np.uint64)).save(str(tmp_path / "saved"))

    assert len(keys.open(str(tmp_path / "saved"))) == 3


def test_more_keys_than_one_index_holds_are_refused() -> None:
    with pytest.raises(ValueError, match="make several"):
        keys_places.check_number(2**32)


def test_ranges_are_joined_in_order_and_empty_ones_vanish() -> None:
    joined = keys.ranges(np.array([5, 9, 0]), np.array([2, 0, 3]))

    assert joined.tolist() == [5, 6, 0, 1, 2]
    assert keys.ranges(np.empty(0, np.int64), np.empty(0, np.int64)).tolist() == []


@pytest.mark.parametrize("count", [0, 1, 1000, 200_000])
def test_keys_come_back_in_their_order(count: int, rng: np.random.Generator) -> None:
    held = np.sort(keys_places.mixed(np.unique(rng.integers(0, 2**64, count, dtype=np.uint64))))

    given = keys_places.build(held).keys()

    assert (keys_places.mixed(given) == held).all()
    assert (keys_places.unmixed(keys_places.mixed(given)) == given).all()
