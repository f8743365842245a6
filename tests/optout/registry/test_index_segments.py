"""Rows are found by the ids of works, and segments fall in size."""

from uuid import UUID

import numpy as np
import pytest
from factories import pdq
from hypothesis import given
from hypothesis import strategies as st

from fingerprinting.types import Depth
from optout.registry.index_segments import Works, first_to_merge, ids_of, in_memory, merged, rows_of, sorted_ids

# Zeros at either end are where a comparison of bytes could go wrong.
WORKS = st.one_of(st.integers(0, 2**128 - 1), st.integers(0, 255), st.integers(0, 255).map(lambda low: low << 120)).map(
    lambda number: UUID(int=number)
)


@given(held=st.sets(WORKS), asked=st.sets(WORKS))
def test_a_work_is_found_where_it_is_and_nowhere_else(held: set[UUID], asked: set[UUID]) -> None:
    ids = sorted_ids(held)
    mapped = np.array(ids).reshape(-1, 16)

    expected = [row for row, work in enumerate(sorted(held)) if work in asked]

    assert rows_of(mapped, sorted_ids(asked)).tolist() == expected


def test_ids_are_in_the_order_of_their_bytes() -> None:
    works = [UUID(int=number) for number in (1, 256, 1 << 64, 1 << 127)]

    assert [UUID(bytes=each.tobytes()) for each in ids_of(works)] == works


def test_who_reads_at_a_version_sees_what_was_there_then() -> None:
    works = [UUID(int=number) for number in range(20)]
    segment = in_memory((work, pdq(number)) for number, work in enumerate(works))
    before = Works.of(7, [segment])

    segment.strike(ids_of(works[3:5]), 8)
    after = Works.of(8, [segment])

    def seen(by: Works) -> set[UUID]:
        return {work for work, _match in by.search([[pdq(number)] for number in range(20)], Depth.FAST)}

    assert (before.size, after.size) == (20, 18)
    assert seen(before) == set(works)
    assert seen(after) == set(works) - set(works[3:5])
    ids, entries = merged([segment])
    assert len(ids) == 18
    assert sorted(one.value for _row, one in entries) == sorted(
        pdq(number).value for number in range(20) if number not in {3, 4}
    )


@pytest.mark.parametrize(
    ("sizes", "first"),
    [([], 0), ([5], 0), ([5, 5], 0), ([100, 5], 1), ([100, 8, 5], 1), ([20, 8, 5], 0), ([100, 40, 2, 1], 2)],
)
def test_neighbours_of_like_size_are_merged(sizes: list[int], first: int) -> None:
    assert first_to_merge(sizes, 2, 1000) == first


def test_nothing_is_merged_beyond_the_limit() -> None:
    assert first_to_merge([600, 600], 2, 1000) == 1
    assert first_to_merge([600, 300, 300], 2, 1000) == 1
