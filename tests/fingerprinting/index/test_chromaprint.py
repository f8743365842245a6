"""Recordings are found by excerpts and re-encodings, and by nothing else."""

import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from synthetic_sound import RATE_HZ, melody

from fingerprinting import thresholds
from fingerprinting.audio import chromaprint as audio
from fingerprinting.index import chromaprint
from fingerprinting.index.algorithm import SearchContext
from fingerprinting.index.chromaprint_align import Alignment, Recording, align
from fingerprinting.index.inverted import InvertedIndex
from fingerprinting.index.segment import Index
from fingerprinting.types import Depth, Fingerprint, Match, Strength

Codes = NDArray[np.uint32]
Sound = Callable[..., Fingerprint]
Recode = Callable[[Codes, float], Codes]

SECOND = 11025 / 1365


@pytest.fixture
def songs(rng: np.random.Generator) -> list[Codes]:
    return [rng.integers(0, 2**32, 1500, dtype=np.uint32) for _ in range(6)]


@pytest.fixture
def index(songs: list[Codes], sound: Sound) -> Index:
    return Index.build([(work, sound(codes)) for work, codes in enumerate(songs)])


@pytest.fixture
def compared(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The lengths of the alignments that a search compares."""
    lengths: list[int] = []

    def counted(query: Recording, work: Recording, offset: int) -> Alignment | None:
        lengths.append(min(len(query.codes), len(work.codes) - offset) - max(0, -offset))
        return align(query, work, offset)

    monkeypatch.setattr(chromaprint, "align", counted)
    return lengths


def search_one(index: Index, asset: Fingerprint) -> Match:
    (match,) = index.search([[asset]])
    return match


@pytest.mark.parametrize(("codes", "bits"), [(61, 2.5), (221, 4.0), (1500, 2.0)])
def test_an_excerpt_is_a_match_with_its_place_in_seconds(
    index: Index, songs: list[Codes], sound: Sound, recode: Recode, codes: int, bits: float
) -> None:
    start = (1500 - codes) // 2

    match = search_one(index, sound(recode(songs[3][start : start + codes], bits)))

    assert (match.work, match.strength) == (3, Strength.MATCH)
    assert match.query_span == pytest.approx((0, codes / SECOND + 2.6), abs=0.5)
    assert match.work_span == pytest.approx((start / SECOND, (start + codes) / SECOND + 2.6), abs=0.5)
    assert match.score is not None
    assert match.threshold is not None
    assert match.score >= match.threshold
    assert match.evidence["bit_error"] == pytest.approx(bits, abs=1)


def test_five_seconds_are_only_worth_a_look(index: Index, songs: list[Codes], sound: Sound, recode: Recode) -> None:
    asset = sound(recode(songs[2][500:520], 0.5))

    assert search_one(index, asset).strength is Strength.LIKELY
    assert index.search([[asset]], depth=Depth.FAST) == []


@pytest.mark.parametrize(("codes", "bits"), [(43, 1.5), (60, 4.4), (300, 6.0)])
def test_what_differs_more_than_copies_do_is_only_worth_a_look(
    index: Index, songs: list[Codes], sound: Sound, recode: Recode, codes: int, bits: float
) -> None:
    assert search_one(index, sound(recode(songs[2][500 : 500 + codes], bits))).strength is Strength.LIKELY


def test_less_than_five_seconds_are_no_evidence(index: Index, songs: list[Codes], sound: Sound) -> None:
    assert index.search([[sound(songs[2][500:518])]]) == []


def test_unrelated_recordings_do_not_match(index: Index, sound: Sound, rng: np.random.Generator) -> None:
    assets = [[sound(rng.integers(0, 2**32, 800, dtype=np.uint32))] for _ in range(5)]

    assert index.search(assets) == []


def test_ten_seconds_in_the_middle_of_a_long_recording_are_found_where_they_are(
    index: Index, songs: list[Codes], sound: Sound, rng: np.random.Generator, recode: Recode
) -> None:
    asset = rng.integers(0, 2**32, 9000, dtype=np.uint32)
    asset[5000:5070] = recode(songs[1][100:170], 2.0)

    match = search_one(index, sound(asset))

    assert (match.work, match.strength) == (1, Strength.MATCH)
    assert match.query_span == pytest.approx((5000 / SECOND, 5070 / SECOND + 2.6), abs=1.5)
    assert match.work_span == pytest.approx((100 / SECOND, 170 / SECOND + 2.6), abs=1.5)


def test_every_work_in_a_mix_is_found(index: Index, songs: list[Codes], sound: Sound) -> None:
    asset = sound(np.concatenate([songs[work][:200] for work in (4, 0, 5)]))

    assert sorted(match.work for match in index.search([[asset]])) == [0, 4, 5]


def test_a_work_of_which_many_copies_are_registered_is_found_under_each(songs: list[Codes], sound: Sound) -> None:
    index = Index.build([(work, sound(songs[0])) for work in range(60)])

    assert len(index.search([[sound(songs[0][300:400])]])) == 60


def test_shared_silence_is_no_evidence(songs: list[Codes], sound: Sound) -> None:
    silence = np.full(300, thresholds.CHROMAPRINT_SILENCE, dtype=np.uint32)
    index = Index.build([(0, sound(np.concatenate([silence, songs[0]])))])

    assert index.search([[sound(np.concatenate([silence, songs[1]]))]]) == []
    assert index.search([[sound(silence)]]) == []


def test_a_stretch_of_few_different_codes_never_matches(songs: list[Codes], sound: Sound) -> None:
    drone = np.tile(songs[0][:9], 40)
    varied = np.tile(songs[0][:40], 10)

    assert Index.build([(0, sound(drone))]).search([[sound(drone)]]) == []
    assert search_one(Index.build([(0, sound(varied))]), sound(varied)).strength is Strength.MATCH


def test_a_sound_that_fits_at_every_shift_never_matches(songs: list[Codes], sound: Sound, recode: Recode) -> None:
    steady = recode(np.repeat(songs[0][:1], 400), 1.0)  # one tone: varied codes, all near each other

    assert len(np.unique(steady)) > thresholds.CHROMAPRINT_MIN_DISTINCT
    assert Index.build([(0, sound(steady))]).search([[sound(steady)]]) == []


def test_music_that_repeats_itself_is_found_once_at_its_longest_stretch(songs: list[Codes], sound: Sound) -> None:
    loop = np.concatenate([songs[0][:100], songs[0][:100], songs[0][:100]])

    match = search_one(Index.build([(0, sound(loop))]), sound(loop))

    assert match.query_span == match.work_span == pytest.approx((0, 300 / SECOND + 2.6), abs=0.1)


@pytest.mark.parametrize("bits", [0.0, 1.0])
def test_a_loop_finds_all_fifty_works_of_it_and_is_laid_on_each_a_few_times(
    sound: Sound, recode: Recode, bits: float, compared: list[int]
) -> None:
    period = 81  # codes of 10 s
    heard = audio.codes(np.tile(melody(period * 1365 / RATE_HZ, seed=1), 4))
    loop = np.tile(heard[period : 2 * period], 24)  # 4 minutes
    index = Index.build([(work, sound(recode(loop, bits))) for work in range(50)])
    compared.clear()

    found = index.search([[sound(recode(loop, bits))]])

    assert sorted(match.work for match in found) == list(range(50))
    assert {match.strength for match in found} == {Strength.MATCH}
    assert all(match.query_span == pytest.approx((0, 24 * 10 + 2.6), abs=5) for match in found)
    assert len(compared) <= 50 * 4


def test_recordings_that_no_alignment_settles_cost_no_more_than_time_allows(
    songs: list[Codes], sound: Sound, recode: Recode, compared: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Loops of few codes get votes at every offset, and identify nothing."""
    monkeypatch.setattr(chromaprint, "_FURTHER_CODES", 20_000)
    drones = [(work, sound(np.tile(songs[0][:9], 500))) for work in range(5)]
    index = Index.build([*drones, (9, sound(songs[1]))])

    match = search_one(index, sound(np.concatenate([np.tile(songs[0][:9], 500), recode(songs[1], 1.0)])))

    assert (match.work, match.strength) == (9, Strength.MATCH)
    assert sum(compared) <= 20_000 + 2 * 4 * 4500 + 1500


def test_a_work_is_found_whose_codes_thousands_of_loops_hold(
    songs: list[Codes], sound: Sound, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a question reads is bounded; nobody can use it up by repeating a work's codes without end."""
    monkeypatch.setattr(chromaprint, "_BUDGET", 8_000)
    loops = [(work, sound(np.tile(np.roll(songs[0][300:400], 3 * work), 100))) for work in range(30)]
    index = Index.build([*loops, (99, sound(songs[0]))])

    strengths = {match.work: match.strength for match in index.search([[sound(songs[0][300:400])]])}

    assert strengths[99] is Strength.MATCH


def test_near_copies_of_one_recording_hide_no_other(songs: list[Codes], sound: Sound, recode: Recode) -> None:
    crowd = songs[0].copy()
    crowd[700:730] = songs[1][100:130]
    index = Index.build([*((work, sound(recode(crowd, 0.7))) for work in range(200)), (999, sound(songs[1]))])

    mixed = index.search([[sound(np.concatenate([recode(crowd, 1.0), songs[1][300:400]]))]])

    assert len(mixed) == 201
    assert search_one(index, sound(songs[1][80:180])).work == 999


def test_parts_of_a_work_report_their_place_in_the_whole(songs: list[Codes], sound: Sound) -> None:
    index = Index.build([(7, sound(songs[0], span=(0, 190))), (7, sound(songs[1], span=(200, 390)))])

    match = search_one(index, sound(songs[1][:100], span=(50, 70)))

    assert match.work == 7
    assert match.query_span == pytest.approx((50, 65), abs=0.2)
    assert match.work_span == pytest.approx((200, 215), abs=0.2)


@pytest.mark.parametrize("offset", [-2000, -90, 90, 2000])
def test_an_alignment_with_too_little_overlap_is_none(songs: list[Codes], offset: int) -> None:
    assert align(Recording(songs[0][:100]), Recording(songs[0][:100]), offset) is None


def test_many_searches_at_once_hold_the_memory_of_few() -> None:
    """Codes that repeat themselves in very many works: each search reads all postings that it may."""
    codes = np.tile(np.arange(8, dtype="<u4") << 1 | 1 << 31, 400)
    value = Fingerprint(algorithm="chromaprint-2", version=1, value=codes.tobytes())
    searcher = chromaprint.SPEC.build([(work, value) for work in range(30)])
    short = Fingerprint(algorithm="chromaprint-2", version=1, value=codes[:900].tobytes())
    inside, most = 0, 0
    lock = threading.Lock()
    gather = InvertedIndex.gather

    def counted(self: InvertedIndex, *rest: Any) -> Any:
        nonlocal inside, most
        with lock:
            inside += 1
            most = max(most, inside)
        time.sleep(0.05)
        try:
            return gather(self, *rest)
        finally:
            with lock:
                inside -= 1

    with pytest.MonkeyPatch.context() as watched, ThreadPoolExecutor(12) as pool:
        watched.setattr(InvertedIndex, "gather", counted)
        found = list(pool.map(lambda _: searcher.search([(0, short)], SearchContext(Depth.FAST, 30)), range(12)))

    assert most <= max(2, os.cpu_count() or 2)
    assert len({len(matches) for matches in found}) == 1
