"""The inverted index gives every posting of the terms asked for, within its budget, and all that agree."""

import tracemalloc
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from fingerprinting.errors import CorruptIndexError
from fingerprinting.index import folder, inverted
from fingerprinting.index.inverted import Hits, InvertedIndex

postings = st.lists(st.tuples(st.integers(0, 12), st.integers(0, 5), st.integers(0, 50)), max_size=60)
queries = st.lists(st.integers(0, 14), max_size=20)
ways = pytest.mark.parametrize("compiled", [False, pytest.param(True, marks=pytest.mark.heavy)])


@contextmanager
def asked_by(*, compiled: bool) -> Iterator[None]:
    """Let even the smallest index be asked by what is compiled, or none."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(inverted, "_COMPILED_FROM_POSTINGS", 0 if compiled else 1 << 60)
        yield


def build(held: list[tuple[int, int, int]]) -> InvertedIndex:
    columns = np.array(held, dtype=np.int64).reshape(-1, 3)
    return inverted.build(
        columns[:, 0].astype(np.uint64), columns[:, 1].astype(np.uint32), columns[:, 2].astype(np.uint32)
    )


def triples(hits: Hits) -> list[tuple[int, int, int]]:
    return list(zip(hits.query.tolist(), hits.row.tolist(), hits.position.tolist(), strict=True))


def many(rng: np.random.Generator, rows: int = 500) -> tuple[InvertedIndex, list[tuple[int, int, int]]]:
    """An index in which terms are as unequal as words are, and some rows repeat parts of others."""
    texts = list((rng.zipf(1.3, rows * 40) % 5000).reshape(rows, 40))
    for row in range(0, rows, 5):
        texts[row][5:30] = texts[(row + 1) % rows][2:27]
    held = [(int(term), row, at) for row, text in enumerate(texts) for at, term in enumerate(text.tolist())]
    return build(held), held


def agreeing(
    held: list[tuple[int, int, int]], asked: list[int], needed: int, *, by_offset: bool
) -> set[tuple[int, ...]]:
    """By definition, without an index: the hits that agree with enough others."""
    hits = [(query, row, at) for query, one in enumerate(asked) for term, row, at in held if term == one]
    cells = Counter((row, offset) for _, row, offset in {(q, r, at - q if by_offset else None) for q, r, at in hits})
    return {hit for hit in hits if cells[hit[1], hit[2] - hit[0] if by_offset else None] >= needed}


@given(postings, queries)
def test_gather_gives_every_posting_of_every_term(held: list[tuple[int, int, int]], asked: list[int]) -> None:
    index = build(held)

    hits = index.gather(index.find(np.array(asked, dtype=np.uint64)), 10_000)

    assert sorted(triples(hits)) == sorted(
        (q, row, at) for q, one in enumerate(asked) for term, row, at in held if term == one
    )


def test_over_budget_the_most_frequent_terms_are_left_out() -> None:
    index = build([(1, 0, at) for at in range(50)] + [(2, 0, 7), (3, 1, 8)])

    hits = index.gather(index.find(np.array([1, 2, 3], dtype=np.uint64)), 10)

    assert hits.query.tolist() == [1, 2]


def test_a_single_term_is_read_whatever_the_budget() -> None:
    index = build([(1, 0, at) for at in range(50)])

    assert len(index.gather(index.find(np.array([1], dtype=np.uint64)), 10).row) == 50


@ways
@given(postings, queries, st.integers(1, 5), st.booleans())
def test_no_agreeing_hit_is_missed(
    compiled: bool,  # noqa: FBT001
    held: list[tuple[int, int, int]],
    asked: list[int],
    needed: int,
    by_offset: bool,  # noqa: FBT001
) -> None:
    index = build(held)
    found = index.find(np.array(asked, dtype=np.uint64))

    with asked_by(compiled=compiled):
        hits = index.agreeing(found, 10_000, needed, by_offset=by_offset)

    assert (
        agreeing(held, asked, needed, by_offset=by_offset)
        <= set(triples(hits))
        <= set(triples(index.gather(found, 10_000)))
    )


@pytest.mark.heavy
@pytest.mark.parametrize("by_offset", [False, True])
@pytest.mark.parametrize("needed", [1, 4, 20])
def test_hardly_any_hit_is_given_that_does_not_agree(rng: np.random.Generator, needed: int, by_offset: bool) -> None:  # noqa: FBT001
    index, held = many(rng)
    asked = [term for term, row, _ in held if row == 1] + rng.integers(0, 5000, 60).tolist() + [2**60]
    found = index.find(np.array(asked, dtype=np.uint64))

    with asked_by(compiled=True):
        hits = triples(index.agreeing(found, 1 << 40, needed, by_offset=by_offset))

    wanted, every = agreeing(held, asked, needed, by_offset=by_offset), triples(index.gather(found, 1 << 40))
    assert wanted <= set(hits) <= set(every)
    assert len(hits) == len(set(hits))
    same_cell = Counter((row, at - query if by_offset else None) for query, row, at in every)
    crowded = sum(same_cell[row, at - query if by_offset else None] >= needed for query, row, at in every)
    assert len(hits) <= crowded + len(every) // 10


@ways
def test_no_more_is_read_than_the_budget(rng: np.random.Generator, compiled: bool) -> None:  # noqa: FBT001
    index, _ = many(rng)
    found = index.find(np.arange(200, dtype=np.uint64))

    with asked_by(compiled=compiled):
        hits = index.agreeing(found, 3000, 1, by_offset=False)

    assert triples(hits) == triples(index.gather(found, 3000))
    assert len(hits.row) <= 3000 < len(index.gather(found, 1 << 40).row)


@ways
def test_more_hits_than_there_is_room_for_at_first_are_all_given(compiled: bool) -> None:  # noqa: FBT001
    index = build([(term, row, term) for term in range(10) for row in range(3000)])
    found = index.find(np.arange(10, dtype=np.uint64))

    with asked_by(compiled=compiled):
        assert len(index.agreeing(found, 1 << 40, 10, by_offset=True).row) == 30_000


@pytest.mark.heavy
def test_a_flood_is_read_within_the_budget_and_what_is_not_enough_is_not_read_at_all() -> None:
    count, budget = 3_000_000, 1 << 21
    rows = np.tile(np.arange(count // 6, dtype=np.uint32), 6)
    terms = np.repeat(np.array([1, 2, 3, 4, 5, 5], dtype=np.uint64), count // 6)
    index = inverted.build(terms, rows, np.zeros(count, np.uint32))
    found = index.find(np.array([1, 2, 3, 4, 5, 1], dtype=np.uint64))
    index.agreeing(found, budget, 4, by_offset=False)

    tracemalloc.start()
    agreed = index.agreeing(found, budget, 4, by_offset=False)
    too_few = index.agreeing(found, budget, 5, by_offset=False)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert len(agreed.row) == 4 * count // 6
    assert len(too_few.row) == 0
    assert peak <= 64 * budget


def test_postings_in_any_order_are_put_in_order(rng: np.random.Generator) -> None:
    held = [(int(term), row, at) for row in range(20) for at, term in enumerate(rng.integers(0, 30, 40))]
    mixed_up = [held[place] for place in rng.permutation(len(held))]

    found = np.arange(30)

    assert triples(build(held).gather(found, 10_000)) == triples(build(mixed_up).gather(found, 10_000))


def saved(index: InvertedIndex, place: Path, **changed: NDArray[np.int64]) -> folder.FolderContents:
    with folder.new_folder(place) as scratch:
        folder.write(scratch, "test", {**index.arrays(), **changed}, {})
    return folder.read(place, "test", verify=True)


def test_what_is_saved_is_read_again(tmp_path: Path) -> None:
    index = build([(1, 0, 3), (1, 2, 4), (9, 1, 0)])

    opened = inverted.read(tmp_path, saved(index, tmp_path / "index"), 3)

    assert triples(opened.gather(opened.find(np.array([9, 1], dtype=np.uint64)), 100)) == [
        (0, 1, 0),
        (1, 0, 3),
        (1, 2, 4),
    ]


@pytest.mark.parametrize("starts", [[0, 1, 2], [0, 3], [1, 1, 3], [0, 1, 1, 3]])
def test_arrays_that_do_not_belong_together_are_refused(tmp_path: Path, starts: list[int]) -> None:
    index = build([(1, 0, 3), (1, 2, 4), (9, 1, 0)])

    contents = saved(index, tmp_path / "index", starts=np.array(starts))
    with pytest.raises(CorruptIndexError):
        inverted.read(tmp_path, contents, 3)


@pytest.mark.heavy
def test_a_strangers_numbers_lead_nowhere_else(rng: np.random.Generator) -> None:
    index, _ = many(rng)
    wild = rng.integers(-(2**40), 2**40, len(index.starts))
    forged = InvertedIndex(index.terms, wild, index.rows, index.positions)
    begins, counts = wild[:200], np.full(200, 1000)

    hits = forged._vote((np.arange(200), begins, counts), 1, False)

    assert set(hits.row.tolist()) <= set(range(500))


@given(postings, st.integers(1, 5))
def test_of_what_a_row_says_over_and_over_so_much_is_kept_from_all_parts_of_it(
    held: list[tuple[int, int, int]], most: int
) -> None:
    held = sorted(held, key=lambda one: one[1:])
    columns = np.array(held, dtype=np.int64).reshape(-1, 3)
    terms, rows, positions = columns[:, 0].astype(np.uint64), columns[:, 1].astype(np.uint32), columns[:, 2]
    index = inverted.build(terms, rows, positions.astype(np.uint32), np.full(6, most))

    asked = np.arange(13, dtype=np.uint64)
    left = Counter(triple[:2] for triple in triples(index.gather(index.find(asked), 1 << 30)))
    assert left == {key: min(most, count) for key, count in Counter(one[:2] for one in held).items()}
    assert set(triples(index.gather(index.find(asked), 1 << 30))) <= set(held)


def test_what_is_kept_is_spread_over_the_row() -> None:
    zeros = np.zeros(1000, dtype=np.int64)
    index = inverted.build(
        zeros.astype(np.uint64), zeros.astype(np.uint32), np.arange(1000, dtype=np.uint32), zeros[:1] + 4
    )

    assert np.diff(index.positions).tolist() == [250, 250, 250]
