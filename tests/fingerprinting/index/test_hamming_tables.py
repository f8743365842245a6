"""Compiled tables find exactly what comparing every bit finds: every way of searching, every radius, any data."""

import itertools
import tracemalloc
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from fingerprinting.errors import CorruptIndexError
from fingerprinting.index import folder as folders
from fingerprinting.index import hamming, hamming_order, hamming_plan, hamming_search, hamming_tables
from fingerprinting.index.hamming import HammingIndex, Mode, Pairs

pytestmark = pytest.mark.heavy  # the first one in a fresh cache compiles every kernel

WAYS = ("join", "probe", "scan")


@pytest.fixture(autouse=True, params=WAYS)
def way(request: pytest.FixtureRequest) -> Iterator[str]:
    """Make one way of searching win, whatever the size."""
    chosen: str = request.param
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(hamming_plan, "tables_win", lambda _plan, _count: chosen != "scan")
        patch.setattr(hamming_plan, "join_wins", lambda _queries, _count: chosen == "join")
        yield chosen


def tables_of(hashes: NDArray[np.uint8]) -> HammingIndex:
    return HammingIndex(None, hamming_tables.build(np.ascontiguousarray(hashes)))


def oracle(
    hashes: NDArray[np.uint8], queries: NDArray[np.uint8], radius: int | NDArray[np.int64]
) -> list[tuple[int, int, int]]:
    """All pairs within the radius, in order, by unpacked bits: no code in common with the index."""
    bits, asked = np.unpackbits(hashes, axis=1), np.unpackbits(queries, axis=1)
    distances = (bits[None].astype(bool) != asked[:, None].astype(bool)).sum(axis=2)
    query, row = np.nonzero(distances <= np.broadcast_to(radius, len(queries))[:, None])
    return sorted(
        zip(query.tolist(), row.tolist(), distances[query, row].tolist(), strict=True),
        key=lambda pair: (pair[0], pair[2], pair[1]),
    )


def listed(pairs: Pairs) -> list[tuple[int, int, int]]:
    return list(zip(pairs.query.tolist(), pairs.row.tolist(), pairs.distance.tolist(), strict=True))


def expect_all_modes(hashes: NDArray[np.uint8], queries: NDArray[np.uint8], radius: int | NDArray[np.int64]) -> None:
    index, wanted = tables_of(hashes), oracle(hashes, queries, radius)

    assert listed(index.search(queries, radius)) == wanted
    first = [next(pairs) for _, pairs in itertools.groupby(wanted, key=lambda pair: pair[0])]
    assert listed(index.search(queries, radius, "best")) == first
    some = listed(index.search(queries, radius, "any"))
    assert [query for query, _, _ in some] == [query for query, _, _ in first]
    assert set(some) <= set(wanted)


def drawn(seed: int, kind: str, rows: int, asked: int, width: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Hashes of some kind, and queries at every distance from some of them."""
    rng = np.random.default_rng(seed)
    bits = width * 8

    def flipped(hashes: NDArray[np.uint8], shares: list[float]) -> NDArray[np.uint8]:
        flips = rng.random((len(hashes), bits)) < rng.choice(shares, (len(hashes), 1))
        return hashes ^ np.packbits(flips, axis=1)

    if kind == "constant":
        hashes = rng.choice(np.array([0, 255], np.uint8), (rows, 1)).repeat(width, axis=1)
    elif kind == "duplicates":
        hashes = rng.integers(0, 256, (max(1, rows // 40), width), dtype=np.uint8)[
            rng.integers(0, max(1, rows // 40), rows)
        ]
    elif kind == "clusters":
        centres = rng.integers(0, 256, (max(1, rows // 16), width), dtype=np.uint8)
        hashes = flipped(centres[rng.integers(0, len(centres), rows)], [0.0, 0.01, 0.05, 0.1, 0.2])
    elif kind == "sparse":
        hashes = flipped(np.zeros((rows, width), np.uint8), [0.01, 0.03, 0.1])
    else:
        hashes = rng.integers(0, 256, (rows, width), dtype=np.uint8)
    queries = flipped(hashes[rng.integers(0, rows, asked)], [0.0, 0.02, 0.05, 0.1, 0.13, 0.2, 0.5])
    return hashes, queries


KINDS = ("random", "constant", "duplicates", "clusters", "sparse")


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 2**32),
    st.sampled_from(KINDS),
    st.integers(1, 300),
    st.integers(1, 40),
    st.sampled_from([8, 32]),
    st.integers(0, 70),
)
def test_every_way_and_mode_finds_exactly_what_comparing_each_bit_finds(
    seed: int, kind: str, rows: int, asked: int, width: int, radius: int
) -> None:
    expect_all_modes(*drawn(seed, kind, rows, asked, width), radius)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32), st.sampled_from(KINDS), st.sampled_from([8, 32]), st.data())
def test_each_query_may_have_a_radius_of_its_own(seed: int, kind: str, width: int, data: st.DataObject) -> None:
    hashes, queries = drawn(seed, kind, 200, 12, width)
    radius = np.array(data.draw(st.lists(st.integers(0, 70), min_size=12, max_size=12)))

    expect_all_modes(hashes, queries, radius)


@pytest.mark.parametrize("width", [8, 32])
@pytest.mark.parametrize("radius", range(66))
def test_the_worst_spread_of_bits_is_decided_to_the_bit(width: int, radius: int) -> None:
    """Bits that differ, spread over the chunks as evenly as can be, and just as many as the radius, or one more."""
    bits = width * 8
    order = hamming_order.permutation(width).astype(np.int64).reshape(-1, 16)
    rng = np.random.default_rng(radius)
    spread = np.concatenate([rng.permutation(len(order)) + len(order) * level for level in range(16)])
    places = order.T.reshape(-1)[spread]
    queries = np.zeros((2, bits), dtype=np.uint8)
    for query, count in enumerate((radius, radius + 1)):
        queries[query, places[:count]] = 1
    hashes = np.zeros((1, width), dtype=np.uint8)

    expect_all_modes(hashes, np.packbits(queries, axis=1), radius)


@pytest.mark.parametrize(
    ("rows", "asked"),
    [(1, 1), (31, 5), (32, 5), (33, 5), (64, 4097), (4128, 3), (20_000, 2), (40_000, 1)],
)
def test_sizes_around_every_internal_limit(rows: int, asked: int) -> None:
    rng = np.random.default_rng(rows)
    hashes = np.zeros((rows, 8), np.uint8)
    hashes[::2, 0] = rng.integers(0, 4, len(hashes[::2]))
    queries = np.zeros((asked, 8), np.uint8)
    queries[:, 7] = rng.integers(0, 256, asked)

    for radius in (0, 3):
        bits, asked_bits = np.bitwise_count(hashes[:, 0].astype(int)), np.bitwise_count(queries[:, 7].astype(int))
        wanted = int(sum((bits <= radius - one).sum() for one in asked_bits.tolist()))
        found = tables_of(hashes).search(queries, radius)
        assert len(found.query) == wanted
        assert len({*zip(found.query.tolist(), found.row.tolist(), strict=True)}) == wanted


def test_a_flood_of_pairs_comes_in_blocks_that_keep_groups_together() -> None:
    hashes, queries = np.zeros((500, 32), np.uint8), np.zeros((40, 32), np.uint8)
    groups = np.repeat(np.arange(10), [1, 1, 30, 1, 1, 1, 1, 1, 1, 2])

    blocks = list(tables_of(hashes).blocks(queries, 31, groups=groups, most_pairs=1000))

    assert [query for block in blocks for query in np.unique(block.query).tolist()] == list(range(40))
    assert sum(len(block.query) for block in blocks) == 500 * 40
    assert max(len(block.query) for block in blocks) == 500 * 30  # the one group that is larger than a block
    assert sorted(len(block.query) for block in blocks)[-2] <= 1000


def test_queries_that_come_together_take_memory_for_what_they_find(rng: np.random.Generator) -> None:
    hashes = rng.integers(0, 256, (20_000, 32), dtype=np.uint8)
    hashes[:200] = hashes[0]
    index = tables_of(hashes)
    queries = np.repeat(hashes[:1], 1000, axis=0)

    tracemalloc.start()
    [block] = index.blocks(queries, 31, groups=np.zeros(1000), most_pairs=1000)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert len(block.query) == 200_000
    assert peak < 50_000_000  # for all pairs that there could be it would be 200


def test_a_search_with_more_pairs_than_it_makes_room_for_is_complete(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hamming_search, "_PAIRS_A_QUERY", 2)
    hashes, queries = drawn(5, "duplicates", 3000, 300, 8)

    assert listed(tables_of(hashes).search(queries, 4)) == oracle(hashes, queries, 4)


@pytest.mark.parametrize("mode", ["all", "best", "any"])
@pytest.mark.parametrize("width", [8, 32])
def test_a_saved_index_opens_and_finds_the_same(tmp_path: Path, width: int, mode: Mode) -> None:
    hashes, queries = drawn(3, "clusters", 2000, 50, width)
    index = tables_of(hashes)

    index.save(tmp_path / "saved")
    opened = hamming.open(tmp_path / "saved")

    assert len(opened) == 2000
    assert opened.width == width
    np.testing.assert_array_equal(opened.hashes, hashes)
    assert listed(opened.search(queries, 10, mode)) == listed(index.search(queries, 10, mode))


def test_several_threads_may_search_one_index_at_once() -> None:
    hashes, queries = drawn(9, "clusters", 5000, 400, 32)
    index = tables_of(hashes)
    parts = np.array_split(queries, 8)

    with ThreadPoolExecutor(4) as threads:
        found = list(threads.map(index.search, parts))

    assert [listed(each) for each in found] == [oracle(hashes, part, 31) for part in parts]


def test_an_index_with_its_bits_in_another_order_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    index = tables_of(drawn(3, "random", 100, 1, 32)[0])
    with monkeypatch.context() as patch:
        patch.setattr(hamming_order, "permutation_id", lambda _width: 1)
        index.save(tmp_path / "saved")

    with pytest.raises(CorruptIndexError, match="order"):
        hamming.open(tmp_path / "saved")


@pytest.mark.parametrize("broken", ["starts", "rows", "following", "second", "hashes", "order", "end"])
def test_tables_that_would_lead_out_of_their_arrays_are_refused(tmp_path: Path, broken: str) -> None:
    tables = hamming_tables.build(drawn(3, "random", 100, 1, 32)[0])
    arrays = {name: array.copy() for name, array in tables._asdict().items()}
    if broken == "order":
        arrays["starts"][3, 1000] = 101
    elif broken == "end":
        arrays["starts"][:, -1] = 101
    else:
        arrays[broken] = arrays[broken][:-1]
    with folders.new_folder(tmp_path / "saved") as scratch:
        folders.write(scratch, "hamming", arrays, {"width": 32, "layout": 1, "order": hamming_order.permutation_id(32)})

    with pytest.raises(CorruptIndexError):
        hamming.open(tmp_path / "saved")


def test_a_row_that_is_none_leads_nowhere(tmp_path: Path) -> None:
    hashes, queries = drawn(3, "duplicates", 100, 30, 32)
    tables = hamming_tables.build(hashes)
    lying = tables._replace(rows=np.full(len(tables.rows), 2**32 - 1, np.uint32))

    found = HammingIndex(None, hamming_tables.frozen(lying)).search(queries, 31, "best")

    assert found.row.max(initial=0) < 100


def test_the_order_of_bits_never_changes() -> None:
    """It is part of the file format: an index is refused by a program that has another one."""
    assert hamming_order.permutation_id(32) == 180866801847613
    assert hamming_order.permutation_id(8) == 173813774824380
    assert sorted(hamming_order.permutation(32).tolist()) == list(range(256))
