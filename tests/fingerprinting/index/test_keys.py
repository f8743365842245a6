"""Exact keys: contained or not, and where."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fingerprinting.index import keys

small = st.lists(st.integers(0, 40) | st.integers(2**64 - 5, 2**64 - 1), max_size=60)


@given(small, small)
def test_find_gives_every_equal_pair_and_contains_agrees(indexed: list[int], asked: list[int]) -> None:
    index = keys.build(np.array(indexed, dtype=np.uint64))
    queries = np.array(asked, dtype=np.uint64)

    pairs = index.find(queries)

    expected = [(q, r) for q, one in enumerate(asked) for r, other in enumerate(indexed) if one == other]
    assert list(zip(pairs.query.tolist(), pairs.row.tolist(), strict=True)) == expected
    assert index.contains(queries).tolist() == [one in indexed for one in asked]


def test_a_saved_index_opens_and_finds_the_same(tmp_path: Path) -> None:
    keys.build(np.array([5, 3, 5], dtype=np.uint64)).save(tmp_path / "keys")

    opened = keys.open(tmp_path / "keys")

    assert opened.find(np.array([5], dtype=np.uint64)).row.tolist() == [0, 2]
    assert len(opened) == 3


def test_keys_of_another_type_are_refused() -> None:
    with pytest.raises(ValueError, match="uint64"):
        keys.build(np.array([1.5]))


def test_ranges_are_joined_in_order_and_empty_ones_vanish() -> None:
    joined = keys.ranges(np.array([5, 9, 0]), np.array([2, 0, 3]))

    assert joined.tolist() == [5, 6, 0, 1, 2]
    assert keys.ranges(np.empty(0, np.int64), np.empty(0, np.int64)).tolist() == []
