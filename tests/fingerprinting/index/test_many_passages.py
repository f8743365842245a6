"""Compiled code finds the passages in many texts that numpy finds in few, with the same times."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fingerprinting.index import many_passages, postings, shingle
from fingerprinting.index.diagonals import close_together
from fingerprinting.index.segment import Index
from fingerprinting.text.shingle_bytes import HASH_BITS, NO_TRACK, Shingles, track_of
from fingerprinting.types import Fingerprint, Match


def printed(hashes: list[int], *, halvings: int = 0, timed: bool = False, characters: bool = False) -> Fingerprint:
    number = len(hashes)
    track = track_of(np.linspace(3.0, number / 2, number + 3)) if timed else NO_TRACK
    told = Shingles(
        np.array(hashes, dtype=np.uint32),
        np.arange(number, dtype=np.uint32),
        number + 2,
        number if characters else 0,
        halvings,
        track,
    )
    return Fingerprint("shingle-3", 3, told.pack())


def both(index: Index, asked: Fingerprint) -> tuple[list[Match], list[Match]]:
    found = []
    for is_compiled in (True, False):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(postings, "_COMPILED_FROM_POSTINGS", 0 if is_compiled else 1 << 20)
            patch.setattr(many_passages, "is_loaded", is_compiled.__bool__)
            found.append(index.search([[asked]], registry_size=1))
    return found[0], found[1]


@settings(max_examples=60)
@given(seed=st.integers(0, 2**32 - 1), words=st.integers(3, 40), halvings=st.integers(0, 1), characters=st.booleans())
def test_both_ways_find_the_same(seed: int, words: int, halvings: int, characters: bool) -> None:  # noqa: FBT001 - drawn
    """Texts of few words, so that passages repeat, cross and lie thinly in one another."""
    rng = np.random.default_rng(seed)
    source = rng.integers(0, 1 << HASH_BITS, words * 8)

    def text() -> list[int]:
        made: list[int] = []
        wanted = rng.integers(100, 400)  # a window has 256
        while len(made) < wanted:
            begin, length = rng.integers(0, len(source)), rng.integers(1, 60)
            part = source[begin : begin + length].copy()
            lost = rng.random(len(part)) < rng.choice([0.0, 0.3, 0.6])
            part[lost] = rng.integers(0, 1 << HASH_BITS, int(lost.sum()))
            made += part.tolist()
        return made

    texts = [printed(text(), halvings=halvings, timed=work % 2 == 0, characters=characters) for work in range(4)]
    index = Index.build(enumerate([*texts, texts[0]]))

    compiled, plain = both(index, printed(text(), timed=seed % 2 == 0, characters=characters))

    assert compiled == plain


def test_what_was_not_read_may_be_missing_from_a_passage(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(shingle, "_BUDGET", 4_000)
    rng = np.random.default_rng(5)
    shared = rng.integers(0, 1 << HASH_BITS, 300).tolist()
    works = [(work, printed([*shared, *rng.integers(0, 1 << HASH_BITS, 9).tolist()])) for work in range(40)]
    Index.build(works).save(tmp_path / "index")

    compiled, plain = both(Index.open(tmp_path / "index"), printed(shared))

    assert [match.work for match in compiled] == list(range(40))
    assert compiled == plain


@given(steps=st.lists(st.tuples(st.integers(1, 12), st.integers(-6, 12)), max_size=40), least=st.floats(0.1, 0.9))
def test_the_longest_stretch_that_is_close_enough_is_found(steps: list[tuple[int, int]], least: float) -> None:
    query, work = (np.cumsum([0, *(step[side] for step in steps)]) for side in (0, 1))

    def is_close(begin: int, end: int) -> bool:
        spans = [max(query[at] - query[at - 1], work[at] - work[at - 1]) for at in range(begin + 1, end)]
        covered = [min(query[at] - query[at - 1], 3) for at in range(begin + 1, end)]
        return bool(3 + sum(covered) >= least * (3 + sum(spans)) - 1e-9)

    found = close_together(query, work, np.arange(len(query)), 3, least)

    assert all(is_close(begin, end) for begin, end in found)
    assert all(end <= begin for (_, end), (begin, _) in pairwise(found))
    pairs = [(begin, end) for begin in range(len(query)) for end in range(begin + 2, len(query) + 1)]
    longest = max((end - begin for begin, end in pairs if is_close(begin, end)), default=0)
    assert max((end - begin for begin, end in found), default=0) in (longest, longest - 1)  # sums are rounded


def test_of_several_places_in_a_work_the_one_on_the_diagonal_counts() -> None:
    query = np.arange(0, 90, 3)
    work = query.copy()
    strays = np.array([30, 30, 60])

    asked = np.insert(query, np.searchsorted(query, strays), strays)
    found = close_together(asked, np.insert(work, np.searchsorted(query, strays), 8), asked, 3, 0.9)

    assert found == [(0, len(query) + len(strays))]


def test_what_stands_further_apart_in_the_work_is_not_close() -> None:
    query = np.arange(0, 90, 3)

    assert max(end - begin for begin, end in close_together(query, query * 2, query, 3, 0.55)) < 10
    assert close_together(query, query + query // 12, query, 3, 0.55) == [(0, len(query))]


def test_what_is_said_again_and_again_is_not_close() -> None:
    query = np.arange(0, 90)

    assert close_together(query, query, query, 3, 0.55) == [(0, 90)]
    assert max(end - begin for begin, end in close_together(query, query, query % 4, 3, 0.55)) < 10
