"""Chromaprint: the C library, its twin in numpy, and known codes."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from synthetic_sound import RATE_HZ, melody, noise, tone

from fingerprinting import thresholds
from fingerprinting.audio import chromaprint, chromaprint_numpy

VECTORS = Path(__file__).parents[2] / "vectors" / "chromaprint"

needs_library = pytest.mark.skipif(
    not chromaprint.has_library(), reason="compares with libchromaprint, which is not installed; golden codes still run"
)


def chirp(seconds: float) -> NDArray[np.int16]:
    time = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    return (9000 * np.sin(2 * np.pi * (60 * time + 40 * time**2))).astype(np.int16)


SIGNALS = {
    "melody": melody(40, seed=1),
    "quiet melody": melody(20, seed=2) // 500,
    "clipped melody": np.clip(melody(20, seed=3).astype(np.int32) * 8, -32768, 32767).astype(np.int16),
    "two melodies": melody(20, seed=4) // 2 + melody(20, seed=5) // 2,
    "melody in noise": melody(20, seed=6) // 2 + noise(20, seed=6, slope=1) // 2,
    "white noise": noise(20, seed=7),
    "pink noise": noise(20, seed=8, slope=1),
    "brown noise": noise(20, seed=9, slope=2),
    "tone": tone(10),
    "silence": np.zeros(10 * RATE_HZ, dtype=np.int16),
    "silence, then sound": np.concatenate((np.zeros(5 * RATE_HZ, dtype=np.int16), melody(10, seed=10))),
    "clicks": np.where(np.arange(10 * RATE_HZ) % 3000 == 0, 30_000, 0).astype(np.int16),
    "full scale": np.tile(np.array([32767, 32767, -32768, -32768], dtype=np.int16), 30_000),
    "chirp": chirp(20),
}


@needs_library
@pytest.mark.parametrize("name", SIGNALS)
def test_numpy_gives_the_codes_of_the_library_bit_for_bit(name: str) -> None:
    ours = chromaprint_numpy.codes([SIGNALS[name]])

    assert ours.dtype == np.uint32
    assert len(ours) > 50
    np.testing.assert_array_equal(ours, chromaprint.codes(SIGNALS[name]))


@needs_library
@pytest.mark.parametrize("samples", [0, 1, 4095, 4096, 30_030, 30_031, 30_032, 31_395, 31_396])
def test_numpy_and_library_agree_on_how_many_codes_short_sounds_have(samples: int) -> None:
    sound = melody(4, seed=11)[:samples]

    ours = chromaprint_numpy.codes([sound])

    np.testing.assert_array_equal(ours, chromaprint.codes(sound))
    assert len(ours) == max(0, (samples - chromaprint_numpy.CODE_SAMPLES) // chromaprint_numpy.HOP_SAMPLES + 1)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(min_value=0, max_value=11025 * 6), max_size=12))
def test_codes_do_not_depend_on_how_the_sound_is_cut_into_chunks(cuts: list[int]) -> None:
    sound = SIGNALS["melody"][: 6 * RATE_HZ]

    chunks = np.split(sound, sorted(cuts))

    np.testing.assert_array_equal(chromaprint_numpy.codes(chunks), chromaprint_numpy.codes([sound]))
    np.testing.assert_array_equal(chromaprint.codes(iter(chunks)), chromaprint_numpy.codes([sound]))


def test_without_the_library_numpy_takes_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chromaprint, "_library", None)

    assert not chromaprint.has_library()
    np.testing.assert_array_equal(chromaprint.codes(SIGNALS["chirp"]), chromaprint_numpy.codes([SIGNALS["chirp"]]))


def test_numpy_gives_the_golden_codes() -> None:
    # A sawtooth whose period grows is exact in integers, so it is the same sound on every machine.
    golden = np.array([int(line) for line in (VECTORS / "sawtooth.txt").read_text().split()], dtype=np.uint32)

    np.testing.assert_array_equal(chromaprint_numpy.codes([sawtooth()]), golden)


@needs_library
def test_the_library_gives_the_golden_codes() -> None:
    golden = np.array([int(line) for line in (VECTORS / "sawtooth.txt").read_text().split()], dtype=np.uint32)

    np.testing.assert_array_equal(chromaprint.codes(sawtooth()), golden)


def sawtooth() -> NDArray[np.int16]:
    position = np.arange(12 * RATE_HZ, dtype=np.int64)
    period = 25 + position // 4000 * 7 % 90
    return ((position % period) * 20_000 // period - 10_000).astype(np.int16)


def test_the_constants_of_codes_agree_with_those_of_matching() -> None:
    silent = chromaprint_numpy.codes([SIGNALS["silence"]])

    assert set(silent.tolist()) == {thresholds.CHROMAPRINT_SILENCE}
    assert pytest.approx(thresholds.CHROMAPRINT_CODE_SECONDS) == chromaprint.SECONDS_PER_CODE
    reach_seconds = thresholds.CHROMAPRINT_REACH_SECONDS + thresholds.CHROMAPRINT_CODE_SECONDS
    assert pytest.approx(reach_seconds) == chromaprint.SECONDS_SEEN_BY_CODE
