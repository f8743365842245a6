"""Recordings are found by a few seconds of them, also changed ones, with the place in both, and nothing else is."""

import dataclasses
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from synthetic_sound import RATE_HZ, melody, noise, write_sound

from fingerprinting import thresholds
from fingerprinting.audio import print_bytes
from fingerprinting.audio.fingerprints import fingerprint_audio
from fingerprinting.audio.print_bytes import BandCodes, Peaks
from fingerprinting.index import bandenergy, landmark
from fingerprinting.index.landmark import Proposal
from fingerprinting.index.segment import Index
from fingerprinting.types import Depth, Fingerprint, Match, Role, Strength

Sound = NDArray[np.int16]
Ask = Callable[..., list[Match]]
SECONDS = 30


@pytest.fixture(scope="module")
def works(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[int, Fingerprint]]:
    folder = tmp_path_factory.mktemp("works")
    prints = [fingerprint_audio(write_sound(folder / f"{seed}.wav", melody(SECONDS, seed=seed))) for seed in range(4)]
    return [(work, one) for work, each in enumerate(prints) for one in each.fingerprints]


@pytest.fixture(scope="module")
def index(works: list[tuple[int, Fingerprint]]) -> Index:
    return Index.build(works)


@pytest.fixture
def ask(index: Index, tmp_path: Path) -> Ask:
    def ask(sound: Sound, depth: Depth = Depth.STANDARD, of: Index | None = None) -> list[Match]:
        asset = fingerprint_audio(write_sound(tmp_path / "asked.wav", sound), role=Role.QUERY, depth=depth)
        found = (of or index).search([asset.fingerprints], depth=depth)
        return [match for match in found if match.algorithm == bandenergy.SPEC.name]

    return ask


def part(seed: int, start: float, seconds: float) -> Sound:
    return melody(SECONDS, seed=seed)[round(start * RATE_HZ) : round((start + seconds) * RATE_HZ)]


@pytest.mark.parametrize("seconds", [2.6, 5, 12])
def test_a_few_seconds_are_a_match_with_their_place(ask: Ask, seconds: float) -> None:
    (match,) = ask(part(2, 11, seconds))

    assert (match.work, match.strength) == (2, Strength.MATCH)
    assert match.query_span == pytest.approx((0, seconds), abs=0.4)
    assert match.work_span == pytest.approx((11, 11 + seconds), abs=0.4)
    assert match.score is not None
    assert match.threshold is not None
    assert match.score >= match.threshold
    assert float(match.evidence["z"]) > 9
    assert float(match.evidence["log10_p"]) < -18


def test_a_match_survives_noise_as_loud_as_the_music(ask: Ask) -> None:
    loud = part(1, 4, 8).astype(np.int32) + noise(8, slope=1.0)[: 8 * RATE_HZ]

    (match,) = ask((loud // 2).astype(np.int16))

    assert (match.work, match.strength) == (1, Strength.MATCH)


def test_what_was_played_faster_and_higher_is_found_thoroughly_with_the_change(ask: Ask) -> None:
    original = part(3, 5, 12)
    places = np.arange(0, len(original) - 1, 1.04)
    faster = np.interp(places, np.arange(len(original)), original).astype(np.int16)

    assert ask(faster, Depth.STANDARD) == []
    (match,) = ask(faster, Depth.THOROUGH)

    assert (match.work, match.strength) == (3, Strength.MATCH)
    assert (match.evidence["tempo_percent"], match.evidence["pitch_percent"]) == (4.0, 4.0)
    assert match.query_span == pytest.approx((0, 12 / 1.04), abs=0.6)
    assert match.work_span == pytest.approx((5, 17), abs=0.6)


def test_who_asks_only_about_changed_prints_is_answered(index: Index, tmp_path: Path) -> None:
    original = part(3, 5, 12)
    faster = np.interp(np.arange(0, len(original) - 1, 1.04), np.arange(len(original)), original).astype(np.int16)
    path = write_sound(tmp_path / "asked.wav", faster)
    asked = fingerprint_audio(path, role=Role.QUERY, depth=Depth.THOROUGH).fingerprints

    def is_changed(one: Fingerprint) -> bool:
        return one.algorithm != bandenergy.SPEC.name or print_bytes.read_codes(one.value).tempo != 0

    (match,) = (
        each
        for each in index.search([[one for one in asked if is_changed(one)]], depth=Depth.THOROUGH)
        if each.algorithm == bandenergy.SPEC.name
    )

    assert match.work == 3
    assert match.evidence["asset_seconds"] == pytest.approx(12 / 1.04, abs=0.2)


def test_every_work_in_a_mix_is_found_where_it_is(ask: Ask) -> None:
    found = {match.work: match for match in ask(np.concatenate((part(0, 3, 8), part(2, 20, 6), part(0, 15, 7))))}

    assert found.keys() == {0, 2}
    assert found[2].query_span == pytest.approx((8, 14), abs=0.6)
    placed = [each.partition("-")[0] for each in str(found[0].evidence["spans"]).split("; ")]
    assert [float(start) for start in placed] == pytest.approx([0, 14], abs=0.6)


def test_a_long_asset_is_one_span(ask: Ask) -> None:
    (match,) = ask(melody(SECONDS, seed=1))

    assert match.query_span == match.work_span == pytest.approx((0, SECONDS), abs=0.4)


def test_strangers_noise_and_silence_are_no_match(ask: Ask) -> None:
    strangers = [match for seed in (11, 12) for match in ask(melody(12, seed=seed), Depth.THOROUGH)]

    # Melodies of one synthesiser may sound alike enough to be worth a look.
    assert [match for match in strangers if match.strength is not Strength.LIKELY] == []
    assert ask(np.concatenate((noise(8), melody(6, seed=13)))) == []


def test_fast_asks_by_chromaprint_alone(index: Index, tmp_path: Path) -> None:
    asset = fingerprint_audio(write_sound(tmp_path / "asked.wav", part(2, 8, 12)), role=Role.QUERY)
    codes, peaks, bands = asset.fingerprints

    found = index.search([[codes, bands]], depth=Depth.FAST)
    assert {match.algorithm for match in found} == {codes.algorithm, bands.algorithm}
    assert index.search([[peaks, bands]], depth=Depth.FAST) == []
    assert len(index.search([[peaks, bands]], depth=Depth.STANDARD)) == 1


def test_chromaprint_is_not_believed_where_band_energies_say_no(index: Index, tmp_path: Path) -> None:
    asset = fingerprint_audio(write_sound(tmp_path / "asked.wav", part(2, 8, 14)), role=Role.QUERY)
    stranger = fingerprint_audio(write_sound(tmp_path / "stranger.wav", melody(14, seed=20)), role=Role.QUERY)
    codes, (_, peaks, bands) = asset.fingerprints[0], stranger.fingerprints

    (match,) = index.search([[codes, peaks, bands]])

    assert (match.algorithm, match.strength) == ("chromaprint-2", Strength.LIKELY)
    assert index.search([[codes, peaks, bands]], depth=Depth.FAST) == []
    (alone,) = index.search([[codes]])
    assert alone.strength is Strength.MATCH


def test_copies_of_a_recording_are_found_under_each_work(works: list[tuple[int, Fingerprint]], ask: Ask) -> None:
    copied = Index.build([*works, *((work + 10 * copy, one) for work, one in works for copy in (1, 2))])

    assert sorted(match.work for match in ask(part(3, 9, 6), of=copied)) == [3, 13, 23]


def test_an_index_is_the_same_after_saving_and_after_giving_back_what_it_was_built_of(
    index: Index, ask: Ask, tmp_path: Path
) -> None:
    index.save(tmp_path / "saved")
    expected = ask(part(0, 7, 6))

    assert ask(part(0, 7, 6), of=Index.open(tmp_path / "saved")) == expected
    assert ask(part(0, 7, 6), of=Index.build(index.entries())) == expected


def test_parts_of_a_work_report_their_place_in_the_whole(works: list[tuple[int, Fingerprint]], ask: Ask) -> None:
    placed = [(7, dataclasses.replace(one, span=(100.0, 130.0))) for work, one in works if work == 1]

    (match,) = ask(part(1, 10, 6), of=Index.build(placed))

    assert match.work == 7
    assert match.work_span == pytest.approx((110, 116), abs=0.4)


@pytest.mark.parametrize("value", [b"", b"12345678", b"1" * 13, b"1" * 16])
@pytest.mark.parametrize("spec", [landmark.SPEC, bandenergy.SPEC])
def test_malformed_prints_are_refused(spec: landmark.AlgorithmSpec, value: bytes) -> None:
    assert spec.check(Fingerprint(spec.name, spec.version, value)) is not None


def test_weak_peaks_are_read_as_they_were_written() -> None:
    weak = np.array([True, False, True])
    written = print_bytes.write_peaks(Peaks(np.array([1, 2, 3]), np.array([5, 6, 7]), np.zeros(3, np.bool_), 28, weak))

    read = print_bytes.read_peaks(written)

    assert read.weak is not None
    assert (read.weak.tolist(), read.shifted.any(), read.bins.tolist()) == (weak.tolist(), False, [5, 6, 7])
    assert print_bytes.check_peaks(written[:6] + b"\x02" + written[7:]) is not None


def test_faint_peaks_are_read_as_they_were_written_and_left_out_of_the_clear_ones() -> None:
    faint = np.array([False, True, False])
    peaks = Peaks(np.array([1, 2_097_000, 2_097_151]), np.array([5, 6, 7]), np.zeros(3, np.bool_), 28, None, faint)
    written = print_bytes.write_peaks(peaks)

    read = print_bytes.read_peaks(written)

    assert print_bytes.check_peaks(written) is None
    assert read.faint is not None
    assert (read.faint.tolist(), read.frames.tolist()) == (faint.tolist(), peaks.frames.tolist())
    assert read.clear().bins.tolist() == [5, 7]


def test_a_works_strongest_peaks_are_told_from_its_others(works: list[tuple[int, Fingerprint]]) -> None:
    (value,) = [one.value for work, one in works if work == 0 and one.algorithm == "landmark-1024"]

    peaks = print_bytes.read_peaks(value)

    assert peaks.weak is not None
    assert 5 * SECONDS < int((~peaks.weak).sum()) <= 10 * SECONDS
    assert 28 * SECONDS < len(peaks.frames) <= 36 * SECONDS
    assert 15 * SECONDS < len(peaks.clear().frames) <= 28 * SECONDS


def test_prints_are_read_as_they_were_written() -> None:
    peaks = Peaks(np.array([1, 4, 2_000_000]), np.array([0, 511, 7]), np.array([False, True, False]), 6)
    codes = BandCodes(np.array([1, 2**32 - 1], dtype=np.uint32), 50, -122)

    read = print_bytes.read_peaks(print_bytes.write_peaks(peaks))
    assert [read.frames.tolist(), read.bins.tolist(), read.shifted.tolist(), read.density] == [
        [1, 4, 2_000_000],
        [0, 511, 7],
        [False, True, False],
        6,
    ]
    again = print_bytes.read_codes(print_bytes.write_codes(codes))
    assert (again.codes.tolist(), again.tempo, again.pitch) == (codes.codes.tolist(), 50, -122)


def test_what_lies_under_much_louder_noise_is_found(ask: Ask) -> None:
    music, over = part(1, 4, 12).astype(np.float64), noise(12, slope=1.0)[: 12 * RATE_HZ].astype(np.float64)

    (match,) = ask((over * 0.3 + music * (0.3 * over.std() / music.std() * 10 ** (-9 / 20))).astype(np.int16))

    assert (match.work, match.strength) == (1, Strength.MATCH)


def test_what_band_energies_hardly_show_is_found_where_its_peaks_lie(index: Index, tmp_path: Path) -> None:
    path = write_sound(tmp_path / "asked.wav", part(1, 6, 6))
    prints = fingerprint_audio(path, role=Role.QUERY, depth=Depth.STANDARD).fingerprints
    dice = np.random.default_rng(3)

    def drowned(one: Fingerprint) -> Fingerprint:
        codes = print_bytes.read_codes(one.value).codes
        flipped = np.packbits(dice.random((len(codes), 32)) < 0.44, axis=1).view("<u4").ravel()
        return dataclasses.replace(one, value=print_bytes.write_codes(BandCodes(codes ^ flipped)))

    asked = [drowned(one) if one.algorithm == bandenergy.SPEC.name else one for one in prints]
    bare = [one for one in asked if one.algorithm != landmark.SPEC.name]
    (match,) = (each for each in index.search([asked]) if each.algorithm == bandenergy.SPEC.name)

    assert (match.work, match.strength) == (1, Strength.MATCH)
    assert match.query_span == pytest.approx((0, 6), abs=0.5)
    assert match.work_span == pytest.approx((6, 12), abs=0.5)
    assert match.score is not None
    assert match.threshold is not None
    assert match.score >= match.threshold
    assert float(match.evidence["z"]) < thresholds.BAND_FAINT_DEVIATIONS
    assert [each for each in index.search([bare]) if each.strength is Strength.MATCH] == []


def test_an_asset_of_many_parts_is_asked_for_changes_only_where_nothing_is_known(
    ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[float, float]] = []
    propose = landmark.LandmarkSearcher.propose

    def counted(self: landmark.LandmarkSearcher, peaks: Peaks, tempo: float = 1, *others: float) -> list[Proposal]:
        asked.append((tempo, float(peaks.frames[0])))
        return propose(self, peaks, tempo, *others)  # type: ignore[arg-type]  # pitch and budget, passed on

    monkeypatch.setattr(landmark.LandmarkSearcher, "propose", counted)
    long = np.concatenate([melody(SECONDS, seed=seed) for seed in (0, 1, 2, 3, 0, 40)])

    found = ask(long, Depth.THOROUGH)

    assert {match.work for match in found if match.strength is Strength.MATCH} == {0, 1, 2, 3}
    changed = [first for tempo, first in asked if tempo != 1]
    assert min(changed) > 120 / print_bytes.LANDMARK_SECONDS


def test_what_only_resembles_a_work_that_is_heard_clearly_is_worth_a_look(
    works: list[tuple[int, Fingerprint]], ask: Ask, tmp_path: Path
) -> None:
    loud = melody(SECONDS, seed=21).astype(np.float64)
    covered = (melody(SECONDS, seed=2) * 0.35 + loud * 0.6).astype(np.int16)
    prints = [(9, one) for one in fingerprint_audio(write_sound(tmp_path / "covered.wav", covered)).fingerprints]

    (alone,) = ask(part(2, 11, 8), of=Index.build(prints))
    found = {match.work: match.strength for match in ask(part(2, 11, 8), of=Index.build([*works, *prints]))}

    assert alone.strength is Strength.MATCH
    assert found == {2: Strength.MATCH, 9: Strength.LIKELY}


def test_what_agrees_very_nearly_may_be_short(ask: Ask) -> None:
    # 1.3 s of sound fill 28 codes or so: fewer than what agrees no better than a word that is said twice needs.
    around = noise(2, seed=5)[: 2 * RATE_HZ] // 4

    (match,) = ask(np.concatenate((around, part(2, 11, 1.3), around)))

    assert (match.work, match.strength) == (2, Strength.MATCH)
