"""Equal fingerprints are one row, and every work that has one is found."""

from collections.abc import Callable

import numpy as np
import pytest

from fingerprinting.index import chromaprint, copies, shingle
from fingerprinting.index.segment import Index
from fingerprinting.types import Fingerprint

Make = Callable[..., Fingerprint]


def test_equal_values_make_one_row_that_knows_where_each_stands() -> None:
    values = [b"b", b"a", b"b", b"c", b"a", b"b"]

    distinct, held = copies.distinct([(0, Fingerprint("sha256", 1, value)) for value in values])

    assert distinct == [b"b", b"a", b"c"]
    assert [held.of(row) for row in range(3)] == [[0, 2, 5], [1, 4], [3]]
    assert copies.distinct([])[1].fit(0, 0)


@pytest.fixture
def small_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    """Room for fewer postings than there are copies: were each copy a row, no two terms could be read."""
    for module in (chromaprint, shingle):
        monkeypatch.setattr(module, "_BUDGET", 1000)


@pytest.mark.usefixtures("small_budget")
def test_more_copies_of_a_recording_than_the_budget_has_postings_are_all_found(
    sound: Make, rng: np.random.Generator
) -> None:
    codes = rng.integers(0, 2**32, 100, dtype=np.uint32)
    index = Index.build([(work, sound(codes, span=(work, work + 10))) for work in range(2000)])

    found = index.search([[sound(codes)]])

    assert sorted(match.work for match in found) == list(range(2000))
    assert all(match.work_span is not None and match.work_span[0] == match.work for match in found)


@pytest.mark.usefixtures("small_budget")
def test_more_copies_of_a_text_than_the_budget_has_postings_are_all_found(text: Make, rng: np.random.Generator) -> None:
    shingles = rng.integers(0, 2**64, 200, dtype=np.uint64)
    index = Index.build([(work, text(shingles)) for work in range(2000)])

    assert sorted(match.work for match in index.search([[text(shingles[50:150])]])) == list(range(2000))
