"""Postings by hash are what a search through all texts finds, in both of their layouts."""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from fingerprinting.errors import CorruptIndexError
from fingerprinting.index import folder as folders
from fingerprinting.index import postings
from fingerprinting.index.postings import Found, Piece, Postings
from fingerprinting.index.segment import Index
from fingerprinting.text.shingle_bytes import HASH_BITS, Shingles, track_of
from fingerprinting.types import Fingerprint

LENGTHS = [3000, 1, 50, 4000]


@pytest.fixture(params=["few", "many"])
def layout(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Unpacked as a whole by numpy, or searched where it lies by compiled code, as for a million."""
    monkeypatch.setattr(postings, "_COMPILED_FROM_POSTINGS", 0 if request.param == "many" else 1 << 20)
    return str(request.param)


@pytest.fixture
def pieces(rng: np.random.Generator) -> Callable[[], Iterator[Piece]]:
    # Few different hashes, half of them in one bucket, as a stranger may choose them.
    hashes = np.concatenate([rng.integers(0, 2**HASH_BITS, 500), rng.integers(7 << 10, 8 << 10, 500)]).astype(np.uint32)
    made = []
    base = 0
    for length in LENGTHS:
        positions = np.flatnonzero(rng.random(length) < 0.7).astype(np.uint32)
        made.append((base, rng.choice(hashes, len(positions)), positions))
        base += length
    return lambda: iter(made)


@pytest.fixture
def index(layout: str, pieces: Callable[[], Iterator[Piece]]) -> Postings:
    return postings.build(pieces, sum(len(hashes) for _, hashes, _ in pieces()), sum(LENGTHS))


def every(pieces: Callable[[], Iterator[Piece]]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    hashes = np.concatenate([hashes for _, hashes, _ in pieces()]).astype(np.int64)
    return hashes, np.concatenate([base + positions.astype(np.int64) for base, _, positions in pieces()])


def test_the_places_of_each_hash_are_found(index: Postings, pieces: Callable[[], Iterator[Piece]]) -> None:
    hashes, places = every(pieces)
    asked = np.append(np.unique(hashes), [0, 7 << 10, 2**HASH_BITS - 1]).astype(np.uint32)

    found = index.find(asked)

    starts, held = index.places(found, np.arange(len(asked)))
    for one, begin, end in zip(asked.tolist(), starts[:-1].tolist(), starts[1:].tolist(), strict=True):
        assert held[begin:end].tolist() == places[hashes == one].tolist()


def test_everything_comes_back_by_place(index: Postings, pieces: Callable[[], Iterator[Piece]]) -> None:
    hashes, places = every(pieces)

    held = index.by_place()

    np.testing.assert_array_equal(held >> postings.PLACE_BITS, places)
    np.testing.assert_array_equal(held.astype(np.uint32), hashes)


def test_no_posting_is_missed_that_has_enough_others_near_its_diagonal(
    index: Postings, pieces: Callable[[], Iterator[Piece]]
) -> None:
    _, hashes, positions = list(pieces())[3]
    some = slice(500, 900)
    asked, queries = hashes[some], positions[some] - positions[500]
    found = index.find(asked)

    which, places = index.agreeing(found, found.within(1 << 20), queries, 20)

    on_diagonal = places - queries[which] == sum(LENGTHS[:3]) + int(positions[500])
    assert set(which[on_diagonal].tolist()) == set(range(400))
    assert len(index.agreeing(found, found.within(1 << 20)[:19], queries, 20)[0]) == 0


def test_a_budget_reads_the_rarest_first(index: Postings, pieces: Callable[[], Iterator[Piece]]) -> None:
    asked = np.unique(every(pieces)[0]).astype(np.uint32)
    found = index.find(asked)
    counts = found.ends - found.begins

    chosen = found.within(200)

    assert 0 < counts[chosen].sum() <= 200
    assert counts[chosen].max() <= np.delete(counts, chosen).min() + 1
    assert len(found.within(0)) == 1


def test_a_budget_for_few_is_spent_on_neighbours_and_on_what_is_rare() -> None:
    """A hash here and another far from it are no passage, and a work that thousands copied would be found nowhere."""
    begins = np.arange(60_000, dtype=np.int64) * 10_000
    ends = begins + np.where(np.arange(60_000) % 1000 == 7, 1, 5000)

    found = Found(begins, ends, begins, is_compiled=False)
    chosen = found.within(1 << 22)

    assert (found.ends - found.begins)[chosen].sum() <= 1 << 22
    assert set(range(7, 60_000, 1000)) <= set(chosen.tolist())
    assert max(np.diff(np.flatnonzero(np.diff(chosen, prepend=-9, append=10**9) > 2))) >= 60


def test_what_is_saved_is_read(index: Postings, tmp_path: Path) -> None:
    with folders.new_folder(tmp_path / "saved") as scratch:
        folders.write(scratch, "any", index.arrays(), {})

    contents = folders.read(tmp_path / "saved", "any", verify=True)
    read = postings.read(tmp_path / "saved", contents, len(index), sum(LENGTHS))

    assert read.by_place().tolist() == index.by_place().tolist()
    with pytest.raises(CorruptIndexError):
        postings.read(tmp_path / "saved", contents, len(index), 0)
    with pytest.raises(CorruptIndexError):
        postings.read(tmp_path / "saved", contents, 3 * len(index), sum(LENGTHS))


@pytest.mark.usefixtures("layout")
def test_texts_come_back_with_their_times_from_an_index_of_any_size(tmp_path: Path, rng: np.random.Generator) -> None:
    def made(tokens: int) -> Fingerprint:
        positions = np.flatnonzero(rng.random(tokens) < 0.8).astype(np.uint32)
        hashes = rng.integers(0, 2**HASH_BITS, len(positions), dtype=np.uint32)
        track = track_of(np.cumsum(rng.exponential(1.0, tokens + 1)))
        value = Shingles(hashes, positions, tokens, len(positions) // 2, 1, track).pack()
        return Fingerprint("shingle-3", 3, value, unit=None)

    texts = [made(500), made(40), made(900)]
    entries = [(work, texts[work % 3]) for work in range(7)]
    Index.build(entries).save(tmp_path / "index")

    back = [(work, one.value) for work, one in Index.open(tmp_path / "index").entries()]

    assert back == [(work, one.value) for work, one in entries]


@pytest.mark.parametrize("number", [0, 1, 5_000])
def test_compiled_code_that_is_asked_for_finds_the_same_as_numpy(number: int) -> None:
    rng = np.random.default_rng(7)
    hashes = rng.integers(0, 3_000, number, dtype=np.uint32)
    index = postings.build(lambda: iter([(0, hashes, np.arange(number, dtype=np.uint32))]), number, number)
    asked = rng.integers(0, 4_000, 400, dtype=np.uint32)

    plain, compiled = (index.find(asked, is_compiled=is_compiled) for is_compiled in (False, True))

    assert (compiled.is_compiled, plain.is_compiled) == (True, False)
    chosen = plain.within(1 << 22)
    assert chosen.tolist() == compiled.within(1 << 22).tolist()
    for mine, its in zip(index.places(plain, chosen), index.places(compiled, chosen), strict=True):
        assert mine.tolist() == its.tolist()
