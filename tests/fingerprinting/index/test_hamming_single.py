"""A single query finds what it finds in a batch: in every mode, at every radius, in files, from several threads."""

import copy
import pickle
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from fingerprinting.index import hamming, hamming_plan, hamming_tables
from fingerprinting.index.hamming import HammingIndex, Mode, Pairs
from fingerprinting.index.kernels_layout import Tables

pytestmark = pytest.mark.heavy  # the first one in a fresh cache compiles every kernel


@pytest.fixture(autouse=True)
def tables_always_win(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take the way of single queries, whatever the size."""
    monkeypatch.setattr(hamming_plan, "tables_win", lambda _plan, _count: True)


def clusters(seed: int, rows: int, width: int) -> NDArray[np.uint8]:
    rng = np.random.default_rng(seed)
    centres = rng.integers(0, 256, (max(1, rows // 20), width), np.uint8)
    chosen = centres[rng.integers(0, len(centres), rows)]
    flips = rng.random((rows, width * 8)) < rng.choice([0.0, 0.02, 0.1, 0.25], (rows, 1))
    return np.asarray(chosen ^ np.packbits(flips, axis=1))


def index_of(hashes: NDArray[np.uint8]) -> HammingIndex:
    return HammingIndex(None, hamming_tables.build(hashes))


def truth(hashes: NDArray[np.uint8], query: NDArray[np.uint8], radius: int) -> list[tuple[int, int]]:
    """Row and distance of each hash within the radius, by unpacked bits: no code in common with the index."""
    distances = (np.unpackbits(hashes, axis=1) != np.unpackbits(query)).sum(axis=1)
    rows = np.flatnonzero(distances <= radius)
    return sorted(zip(rows.tolist(), distances[rows].tolist(), strict=True), key=lambda pair: (pair[1], pair[0]))


def listed(pairs: Pairs) -> list[tuple[int, int]]:
    assert not pairs.query.any()
    assert (pairs.query.dtype, pairs.row.dtype, pairs.distance.dtype) == (np.int64, np.int64, np.int16)
    return list(zip(pairs.row.tolist(), pairs.distance.tolist(), strict=True))


@given(st.integers(0, 2**32), st.integers(1, 400), st.sampled_from([8, 32]), st.integers(0, 300))
@settings(max_examples=150, deadline=None)
def test_every_mode_agrees_with_comparing_every_bit(seed: int, rows: int, width: int, radius: int) -> None:
    hashes = clusters(seed, rows + 1, width)
    query = hashes[seed % (rows + 1)]  # the last one isn't in the index
    index, wanted = index_of(hashes[:rows]), truth(hashes[:rows], query, radius)

    assert listed(index.search(query[None], radius)) == wanted
    assert listed(index.search(query[None], radius, "best")) == wanted[:1]
    some = listed(index.search(query[None], radius, "any"))
    assert len(some) == min(1, len(wanted))
    assert set(some) <= set(wanted)


@pytest.mark.parametrize("mode", ["all", "best", "any"])
def test_more_pairs_than_a_thread_has_room_for_are_all_found(mode: Mode) -> None:
    hashes = np.repeat(clusters(1, 3, 32), 20_000, axis=0)
    index, wanted = index_of(hashes), truth(hashes, hashes[0], 31)

    found = listed(index.search(hashes[:1], 31, mode))

    assert len(wanted) >= 20_000
    assert found == (wanted if mode == "all" else found)
    assert mode == "any" or found[0] == wanted[0]
    assert set(found) <= set(wanted)


def test_searches_of_one_thread_leave_nothing_to_the_next_search_or_another_index() -> None:
    some, others = clusters(2, 3000, 32), clusters(3, 3000, 32)
    first, second = index_of(some), index_of(others)

    for number in range(50):
        assert listed(first.search(some[number][None], 40)) == truth(some, some[number], 40)
        assert listed(second.search(some[number][None], 40)) == truth(others, some[number], 40)
        assert listed(second.search(others[number][None], 12)) == truth(others, others[number], 12)


def test_a_result_is_not_written_again_by_the_next_search() -> None:
    hashes = clusters(4, 3000, 32)
    index = index_of(hashes)
    kept = [index.search(hashes[number][None], 40) for number in range(100)]

    assert [listed(each) for each in kept] == [truth(hashes, hashes[number], 40) for number in range(100)]


def test_threads_that_search_at_once_do_not_disturb_each_other() -> None:
    hashes = clusters(5, 5000, 32)
    index = index_of(hashes)
    wanted = [truth(hashes, hashes[number], 40) for number in range(200)]

    def ask(number: int) -> bool:
        return all(listed(index.search(hashes[each][None], 40)) == wanted[each] for each in range(number, 200, 4))

    with ThreadPoolExecutor(4) as threads:
        assert all(threads.map(ask, [0, 1, 2, 3] * 20))


@pytest.mark.parametrize("width", [8, 32])
def test_a_mapped_file_is_searched_as_well_and_lives_as_long_as_its_index(tmp_path: Path, width: int) -> None:
    hashes = clusters(6, 3000, width)
    index_of(hashes).save(tmp_path / "saved")
    opened = hamming.open(tmp_path / "saved")

    radius = 10 if width == 8 else 40
    assert [listed(opened.search(one[None], radius)) for one in hashes[:50]] == [
        truth(hashes, one, radius) for one in hashes[:50]
    ]


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda index: pickle.loads(pickle.dumps(index))])
def test_a_copy_searches_its_own_arrays(copied: Callable[[HammingIndex], HammingIndex]) -> None:
    hashes = clusters(9, 3000, 32)
    tables = Tables(*(array.copy() for array in hamming_tables.build(hashes)))
    index = HammingIndex(None, tables)
    index.search(hashes[:1], 40)

    other = copied(index)
    for array in tables:
        array[:] = 0

    assert [listed(other.search(one[None], 40)) for one in hashes[:20]] == [
        truth(hashes, one, 40) for one in hashes[:20]
    ]


def test_a_query_that_lies_apart_in_memory_is_read_as_what_it_is() -> None:
    hashes = clusters(7, 3000, 32)
    apart = np.repeat(hashes[:1], 2, axis=1)[:, ::2]

    assert not apart.flags.c_contiguous
    assert listed(index_of(hashes).search(apart, 40)) == truth(hashes, hashes[0], 40)


@pytest.mark.parametrize("radius", [-1, 2.5, "31", None])
def test_a_radius_that_is_none_is_refused(radius: object) -> None:
    with pytest.raises(ValueError, match="radius"):
        index_of(clusters(8, 100, 32)).search(clusters(8, 1, 32), radius)  # type: ignore[arg-type]
