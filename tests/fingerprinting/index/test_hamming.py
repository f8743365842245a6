"""The Hamming index finds exactly what brute force finds, and needs nothing compiled while it is small."""

import subprocess
import sys
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from fingerprinting.errors import CorruptIndexError
from fingerprinting.index import hamming
from fingerprinting.index.hamming import Pairs


def oracle(hashes: NDArray[np.uint8], queries: NDArray[np.uint8], radius: int) -> set[tuple[int, int, int]]:
    """All pairs within the radius, by unpacked bits: no code in common with the index."""
    bits, asked = np.unpackbits(hashes, axis=1), np.unpackbits(queries, axis=1)
    return {
        (query, row, int(distance))
        for query, one in enumerate(asked)
        for row, distance in enumerate((bits != one).sum(axis=1))
        if distance <= radius
    }


def as_set(pairs: Pairs) -> set[tuple[int, int, int]]:
    return set(zip(pairs.query.tolist(), pairs.row.tolist(), pairs.distance.tolist(), strict=True))


def clustered(seed: int, rows: int, width: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Hashes in clusters and on their own, and queries at every distance from some of them."""
    rng = np.random.default_rng(seed)
    centres = rng.integers(0, 256, (max(1, rows // 8), width), dtype=np.uint8)
    hashes = centres[rng.integers(0, len(centres), rows)]
    flips = rng.random((rows, width * 8)) < rng.choice([0.0, 0.02, 0.1, 0.5], (rows, 1))
    hashes = hashes ^ np.packbits(flips, axis=1)
    queries = hashes[rng.integers(0, rows, 12)] ^ np.packbits(
        rng.random((12, width * 8)) < rng.choice([0.0, 0.05, 0.12, 0.2], (12, 1)), axis=1
    )
    return hashes, queries


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 90), st.sampled_from([8, 32]), st.integers(0, 256))
def test_search_finds_every_pair_within_the_radius_and_no_other(seed: int, rows: int, width: int, radius: int) -> None:
    hashes, queries = clustered(seed, rows, width)

    pairs = hamming.build(hashes).search(queries, radius)

    assert as_set(pairs) == oracle(hashes, queries, radius)
    assert len(pairs.query) == len(as_set(pairs))


def test_best_is_the_nearest_and_the_first_of_equals() -> None:
    hashes = np.array([[7], [1], [1], [0]], dtype=np.uint8).repeat(8, axis=1)
    query = np.ones((1, 8), dtype=np.uint8)

    pairs = hamming.build(hashes).search(query, 31, "best")

    assert as_set(pairs) == {(0, 1, 0)}


def test_any_gives_one_pair_within_the_radius_for_each_query_that_has_one(rng: np.random.Generator) -> None:
    hashes = rng.integers(0, 256, (50, 32), dtype=np.uint8)
    queries = np.concatenate([hashes[:3], rng.integers(0, 256, (2, 32), dtype=np.uint8)])

    pairs = hamming.build(hashes).search(queries, 31, "any")

    assert pairs.query.tolist() == [0, 1, 2]


def test_identical_hashes_are_all_found() -> None:
    hashes = np.full((300, 32), 9, dtype=np.uint8)

    assert len(hamming.build(hashes).search(hashes[:5], 0).row) == 1500


def test_the_nearest_of_many_equal_hashes_takes_no_memory_for_the_others() -> None:
    hashes = np.zeros((19_999, 8), np.uint8)
    index = hamming.build(hashes)

    tracemalloc.start()
    best = index.search(hashes[:640], 6, "best")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert best.row.tolist() == [0] * 640
    assert peak < 250 * 2**20  # 12.8 million pairs take 600 MiB


@pytest.mark.parametrize("rows", [100, 20_000])
def test_who_gave_the_hashes_may_go_on_writing_to_them(rng: np.random.Generator, rows: int) -> None:
    hashes = rng.integers(0, 256, (rows, 32), dtype=np.uint8)
    kept = hashes.copy()
    index = hamming.build(hashes)

    hashes[:] = 0

    assert index.search(kept[:3], 0).row.tolist() == [0, 1, 2]
    np.testing.assert_array_equal(index.hashes, kept)


def test_an_empty_index_and_no_queries_give_no_pairs() -> None:
    none = np.empty((0, 32), dtype=np.uint8)

    assert len(hamming.build(none).search(np.zeros((3, 32), np.uint8)).query) == 0
    assert len(hamming.build(np.zeros((3, 32), np.uint8)).search(none).query) == 0
    assert len(hamming.build(np.zeros((3, 32), np.uint8)).search(none, []).query) == 0


@pytest.mark.parametrize(
    "hashes", [np.zeros((3, 16), np.uint8), np.zeros((3, 32), np.int64), np.zeros(32, np.uint8), np.zeros((3, 1, 8))]
)
def test_hashes_of_another_shape_or_type_are_refused(hashes: NDArray[np.uint8]) -> None:
    with pytest.raises(ValueError, match="uint8 of shape"):
        hamming.build(hashes)


def test_a_query_of_another_width_a_negative_radius_and_an_unknown_mode_are_refused() -> None:
    index = hamming.build(np.zeros((3, 32), np.uint8))

    with pytest.raises(ValueError, match="shape"):
        index.search(np.zeros((1, 8), np.uint8))
    with pytest.raises(ValueError, match="radius"):
        index.search(np.zeros((1, 32), np.uint8), -1)
    with pytest.raises(ValueError, match="mode"):
        index.search(np.zeros((1, 32), np.uint8), 31, "first")  # type: ignore[arg-type] # the point of the test


@pytest.mark.parametrize("rows", [0, 100])
def test_a_saved_index_opens_and_finds_the_same(tmp_path: Path, rng: np.random.Generator, rows: int) -> None:
    hashes = rng.integers(0, 256, (rows, 32), dtype=np.uint8)
    index = hamming.build(hashes)
    queries = np.concatenate([hashes[:20], rng.integers(0, 256, (5, 32), dtype=np.uint8)])

    index.save(tmp_path / "saved")

    assert as_set(hamming.open(tmp_path / "saved").search(queries)) == as_set(index.search(queries))


def test_a_small_index_comes_in_blocks_that_keep_groups_together() -> None:
    hashes = np.zeros((100, 8), np.uint8)
    groups = np.repeat(np.arange(9), [1, 1, 20, 1, 1, 3, 1, 1, 1])

    blocks = list(hamming.build(hashes).blocks(hashes[:30], 3, groups=groups, most_pairs=500))

    assert [query for block in blocks for query in np.unique(block.query).tolist()] == list(range(30))
    assert [len(block.query) for block in blocks] == [200, 2000, 500, 300]  # one group is larger than a block


def test_each_query_may_have_a_radius_of_its_own(rng: np.random.Generator) -> None:
    hashes = rng.integers(0, 256, (60, 32), dtype=np.uint8)
    queries = hashes[:3] ^ np.uint8(1)  # 32 bits away

    assert hamming.build(hashes).search(queries, [31, 32, 33]).query.tolist() == [1, 2]
    with pytest.raises(ValueError, match="one for each"):
        hamming.build(hashes).search(queries, [31, 32])


@pytest.mark.parametrize("number", [np.int8, np.uint8, np.int16, np.uint64])
@pytest.mark.parametrize("rows", [60, 20_000])
def test_radiuses_may_be_whole_numbers_of_any_type(
    rng: np.random.Generator, number: type[np.integer[Any]], rows: int
) -> None:
    hashes = rng.integers(0, 256, (rows, 32), dtype=np.uint8)
    queries = hashes[:3] ^ np.uint8(1)  # 32 bits away

    assert hamming.build(hashes).search(queries, np.array([31, 32, 33], number)).query.tolist() == [1, 2]
    assert hamming.build(hashes).search(queries, number(32)).query.tolist() == [0, 1, 2]


@pytest.mark.parametrize("radius", [True, 31.0, "31", None, [31.0], [2**70], [-1]])
def test_a_radius_that_is_no_number_of_bits_is_refused(radius: object) -> None:
    hashes = np.zeros((1, 32), np.uint8)

    with pytest.raises(ValueError, match="radius must"):
        hamming.build(hashes).search(hashes, radius)  # type: ignore[arg-type] # the point of the test


def test_groups_that_are_not_those_of_the_queries_are_refused() -> None:
    hashes = np.zeros((3, 32), np.uint8)

    with pytest.raises(ValueError, match="a group for each of the 3"):
        list(hamming.build(hashes).blocks(hashes, groups=[1, 1]))


def test_a_folder_may_be_named_by_a_string(tmp_path: Path) -> None:
    hashes = np.zeros((3, 32), np.uint8)

    hamming.build(hashes).save(str(tmp_path / "saved"))

    assert len(hamming.open(str(tmp_path / "saved"))) == 3


def test_a_small_index_never_loads_numba() -> None:
    code = (
        "import sys, numpy as np; from fingerprinting.index import hamming, segment;"
        "hamming.build(np.zeros((1000, 32), np.uint8)).search(np.zeros((5, 32), np.uint8));"
        "sys.exit('numba' in sys.modules)"
    )

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_saved_index_with_a_flipped_byte_is_refused(tmp_path: Path, rng: np.random.Generator) -> None:
    hamming.build(rng.integers(0, 256, (10, 32), dtype=np.uint8)).save(tmp_path / "saved")
    file = tmp_path / "saved" / "hashes.npy"
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)

    with pytest.raises(CorruptIndexError, match="altered"):
        hamming.open(tmp_path / "saved")
