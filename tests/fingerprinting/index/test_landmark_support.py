"""Peaks that meet at one place speak for a recording; those that meet as often elsewhere don't."""

import numpy as np
import pytest

from fingerprinting import thresholds
from fingerprinting.audio.print_bytes import Peaks
from fingerprinting.index import band_limits
from fingerprinting.index.band_stretches import Stretch
from fingerprinting.index.landmark_support import Grid, Support, barely_heard, heard_positions, support, surer
from fingerprinting.index.sound_found import Found, merged

FRAMES = 1200


def peaks(frames: np.ndarray, bins: np.ndarray) -> Peaks:
    order = np.argsort(frames, kind="stable")
    return Peaks(frames[order], bins[order], np.zeros(len(frames), dtype=np.bool_), 28)


def scattered(seed: int, count: int = 600) -> Peaks:
    dice = np.random.default_rng(seed)
    return peaks(dice.integers(0, FRAMES, count), dice.integers(8, 400, count))


def part_of(known: Peaks, first: int, last: int, keep: float = 1.0) -> Peaks:
    """Cut frames out of a recording, keep some of its peaks, and put as many others among them."""
    inside = np.flatnonzero((known.frames >= first) & (known.frames < last))
    kept = inside[np.random.default_rng(5).random(len(inside)) < keep]
    other = scattered(77)
    beside = other.frames < last - first
    frames = np.concatenate((known.frames[kept] - first, other.frames[beside]))
    return peaks(frames, np.concatenate((known.bins[kept], other.bins[beside])))


def test_a_part_is_supported_where_it_lies_though_half_of_its_peaks_are_others() -> None:
    known = scattered(1)

    told = support(Grid(part_of(known, 400, 600, keep=0.4), 1.0, 1.0), known, 200, 0, 100)

    assert told is not None
    assert told.decades > 10
    assert told.count == pytest.approx(100, abs=25)
    assert 0.3 * told.count < told.hits < 0.7 * told.count


def test_what_is_unrelated_has_no_support() -> None:
    known = scattered(1)

    told = [support(Grid(scattered(seed), 1.0, 1.0), known, 200, 0, 100) for seed in range(20, 60)]

    assert max(each.decades for each in told if each is not None) < thresholds.BAND_WHOLE_DECADES[0]


def test_a_rhythm_that_fits_at_every_beat_is_no_support() -> None:
    beats = np.arange(0, FRAMES, 12)
    loop = peaks(np.repeat(beats, 3), np.tile([40, 90, 200], len(beats)))

    told = support(Grid(part_of(loop, 480, 680), 1.0, 1.0), loop, 240, 0, 100)

    assert told is not None
    assert told.hits == pytest.approx(told.count, abs=6)
    assert told.decades < 1


def test_a_change_of_tempo_and_pitch_is_taken_back_first() -> None:
    known = scattered(2)
    part = part_of(known, 300, 520)
    changed = peaks(np.rint(part.frames / 1.1).astype(np.int64), np.rint(part.bins * 1.05).astype(np.int64))

    plain = support(Grid(changed, 1.0, 1.0), known, 150, 0, 100)
    taken_back = support(Grid(changed, 1.1, 1.05), known, 150, 0, 110)

    assert plain is not None
    assert taken_back is not None
    assert taken_back.decades > 20
    assert plain.decades < 3


def test_nothing_is_said_of_a_recording_without_another_place() -> None:
    known = peaks(np.arange(0, 30), np.arange(40, 70))

    assert support(Grid(known, 1.0, 1.0), known, 0, 0, 15) is None


def test_what_is_barely_heard_lies_where_its_peaks_are() -> None:
    known = scattered(1)
    asked = Grid(part_of(known, 440, 560, keep=0.5), 1.0, 1.0, bins=0)

    told = barely_heard(asked, known, 220, 0, 100)

    assert told is not None
    assert told.decades >= thresholds.LANDMARK_ALONE_DECADES
    assert told.shift == pytest.approx(440, abs=1)
    first, last = heard_positions(asked, known, told, 0, 100)
    assert first == pytest.approx(0, abs=8)
    assert last == pytest.approx(60, abs=8)


def test_what_a_recording_plays_again_a_phrase_later_is_no_evidence_for_it() -> None:
    phrase = scattered(1, 300)
    again = peaks(np.concatenate((phrase.frames, phrase.frames + FRAMES)), np.tile(phrase.bins, 2))
    asked = Grid(part_of(again, 400, 600, keep=0.5), 1.0, 1.0, bins=0)

    within_six_seconds = support(asked, again, 200, 0, 100)

    assert within_six_seconds is not None
    assert within_six_seconds.decades > thresholds.LANDMARK_ALONE_DECADES
    told = barely_heard(asked, again, 200, 0, 100)
    assert told is not None
    assert told.decades == 0


def test_every_other_place_of_a_recording_is_looked_at() -> None:
    known, other = scattered(1, 3000), scattered(2)
    asked = Grid(other, 1.0, 1.0, bins=0)

    rates = asked.rates_elsewhere(known, (0, 200), 5000, 50)

    shifts = np.arange(-200, FRAMES)
    low, high = np.searchsorted(known.frames, shifts), np.searchsorted(known.frames, shifts + 200)
    known_places = [place for place in zip(low, high, shifts, strict=True) if place[1] - place[0] >= 50]
    laid = [asked.hits(known, *place) / (place[1] - place[0]) for place in known_places]
    assert sorted(rates) == pytest.approx(sorted(laid))


def test_a_word_has_no_rest_elsewhere_and_what_is_spread_has() -> None:
    known = scattered(3)
    word, whole = part_of(known, 400, 440), part_of(known, 400, 600, keep=0.5)

    of_word, of_whole = (support(Grid(each, 1.0, 1.0), known, 200, 0, 100) for each in (word, whole))

    assert of_word is not None
    assert of_whole is not None
    assert of_word.rest < 1 < thresholds.BAND_SPREAD_DECADES[0] < of_whole.rest


def test_a_stretch_chosen_because_it_agrees_counts_less_than_all_that_was_asked() -> None:
    assert surer(Support(9, 90, 2.0), Support(9, 20, 9.0)) == Support(9, 90, 2.0)
    assert surer(Support(9, 90, 2.0), Support(9, 20, 11.0)) == Support(9, 20, 3.0)
    assert surer(None, Support(9, 20, 5.0)) == Support(9, 20, 0.0)
    assert surer(Support(9, 90, 2.0), None) == Support(9, 90, 2.0)


def found(
    bits: float,
    decades: float | None,
    *,
    window: int = 92,
    tempo: int = 0,
    asked: int = 0,
    length: int | None = None,
    rest: float = 0.0,
) -> Found:
    deviations = (16 - bits) / band_limits.deviation(window)
    limit = band_limits.limits(window)[0]
    last = window if length is None else length
    stretch = Stretch(0, last, 50, 50 + last, bits, bits, limit, window, deviations, 16 - bits)
    told = None if decades is None else Support(9, 50, decades, rest)
    return Found(0, tempo, 0, stretch, told, asked)


@pytest.mark.parametrize(
    ("stretch", "is_match"),
    [
        (found(5.0, 0.0), True),  # as near as this, peaks need not agree: loops fit at every beat
        (found(9.0, 0.0), False),  # one synthesiser's pieces, for some seconds
        (found(9.0, 2.0, asked=95), False),
        (found(9.0, 3.0, asked=95), True),  # from beginning to end
        (found(11.0, 2.0), False),
        (found(11.0, 3.0), False),
        (found(11.0, 3.0, asked=95), True),
        (found(11.0, 4.0), True),
        (found(11.0, None), True),  # a print without peaks is decided by band energies alone
        (found(12.9, 3.0), False),
        (found(12.9, 8.0), True),  # under a voice
        (found(14.0, 12.0), False),  # too few deviations, whatever landmarks say
        (found(9.5, 3.0, window=44), False),
        (found(9.5, 4.0, window=44), True),
        (found(9.5, 9.0, window=44, length=20), False),  # a word that is said twice
        (found(9.5, 9.0, window=44, length=20, rest=4.0), True),  # between words that are spoken over it
        (found(10.5, 5.0, tempo=50), False),
        (found(10.5, 7.0, tempo=50), True),
    ],
)
def test_band_energies_and_landmarks_decide_together(stretch: Found, is_match: bool) -> None:  # noqa: FBT001
    assert stretch.is_match is is_match


@pytest.mark.parametrize(
    ("z", "decades", "is_match"),
    [(5.0, 3.6, True), (4.0, 3.6, False), (9.0, 3.4, False), (0.0, 8.1, True), (-3.0, 8.1, False)],
)
def test_what_landmarks_chose_needs_both_kinds_of_evidence_together(
    z: float, decades: float, *, is_match: bool
) -> None:
    bits = 16 - z * band_limits.deviation(92)
    stretch = Stretch(0, 92, 50, 142, bits, bits, band_limits.limits(92)[0], 92, z, 0.0)

    chosen = Found(0, 0, 0, stretch, Support(9, 50, decades), is_barely_heard=True)

    assert chosen.is_match == is_match
    assert (bits <= chosen.limit) == is_match


def test_what_landmarks_chose_stays_a_match_where_band_energies_found_something_less_sure() -> None:
    doubtful = found(12.9, 3.0)
    chosen = Found(0, 0, 0, doubtful.stretch, Support(9, 50, 6.0), is_barely_heard=True)

    assert not doubtful.is_match
    assert [each.is_match for each in merged([doubtful, chosen])] == [True]
