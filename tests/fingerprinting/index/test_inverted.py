"""The inverted index gives every posting of the terms asked for, within its budget."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from fingerprinting.index import inverted

postings = st.lists(st.tuples(st.integers(0, 12), st.integers(0, 5), st.integers(0, 50)), max_size=60)


def build(held: list[tuple[int, int, int]]) -> inverted.InvertedIndex:
    columns = np.array(held, dtype=np.int64).reshape(-1, 3)
    return inverted.build(
        columns[:, 0].astype(np.uint64), columns[:, 1].astype(np.uint32), columns[:, 2].astype(np.uint32)
    )


@given(postings, st.lists(st.integers(0, 14), max_size=20))
def test_gather_gives_every_posting_of_every_term(held: list[tuple[int, int, int]], asked: list[int]) -> None:
    index = build(held)

    hits = index.gather(index.find(np.array(asked, dtype=np.uint64)), 10_000)

    found = sorted(zip(hits.query.tolist(), hits.row.tolist(), hits.position.tolist(), strict=True))
    assert found == sorted((q, row, at) for q, one in enumerate(asked) for term, row, at in held if term == one)


def test_over_budget_the_most_frequent_terms_are_left_out() -> None:
    index = build([(1, 0, at) for at in range(50)] + [(2, 0, 7), (3, 1, 8)])

    hits = index.gather(index.find(np.array([1, 2, 3], dtype=np.uint64)), 10)

    assert hits.query.tolist() == [1, 2]


def test_a_single_term_is_read_whatever_the_budget() -> None:
    index = build([(1, 0, at) for at in range(50)])

    assert len(index.gather(index.find(np.array([1], dtype=np.uint64)), 10).row) == 50
