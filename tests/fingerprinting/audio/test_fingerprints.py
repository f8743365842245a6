"""Fingerprinting a recording: what is kept, and when sound says nothing."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from synthetic_sound import RATE_HZ, melody, noise, tone, write_sound

from fingerprinting.audio import chromaprint
from fingerprinting.audio.fingerprints import fingerprint_audio, unidentifiable_because
from fingerprinting.index import registry
from fingerprinting.types import SpanUnit


def test_the_fingerprint_of_a_recording_is_its_codes(tmp_path: Path) -> None:
    sound = melody(12)

    prints = fingerprint_audio(write_sound(tmp_path / "song.wav", sound))

    (fingerprint,) = prints.fingerprints
    assert (fingerprint.algorithm, fingerprint.version, fingerprint.unit) == ("chromaprint-2", 1, SpanUnit.SECONDS)
    np.testing.assert_array_equal(np.frombuffer(fingerprint.value, "<u4"), chromaprint.codes(sound))
    assert fingerprint.quality == 100.0
    assert prints.identifiable
    assert prints.notes == ()


def test_the_index_accepts_the_fingerprint(tmp_path: Path) -> None:
    (fingerprint,) = fingerprint_audio(write_sound(tmp_path / "song.wav", melody(12))).fingerprints

    decoded = registry.decode(
        fingerprint.algorithm, fingerprint.version, registry.encode(fingerprint), quality=fingerprint.quality, span=None
    )

    assert decoded.value == fingerprint.value


@pytest.mark.parametrize(
    ("sound", "note"),
    [
        (melody(4.8), "audio-too-short"),
        (melody(0.05), "audio-too-short"),
        (np.zeros(20 * RATE_HZ, dtype=np.int16), "audio-silent"),
        (tone(20), "audio-monotonous"),
        (noise(20), "audio-monotonous"),
        (np.concatenate((np.zeros(20 * RATE_HZ, dtype=np.int16), tone(3))), "audio-monotonous"),
    ],
    ids=["4.8 s", "50 ms", "silence", "tone", "white noise", "silence and a tone"],
)
def test_sound_that_identifies_nothing_has_no_fingerprint_and_a_reason(
    tmp_path: Path, sound: NDArray[np.int16], note: str
) -> None:
    prints = fingerprint_audio(write_sound(tmp_path / "sound.wav", sound))

    assert prints.fingerprints == ()
    assert not prints.identifiable
    assert prints.notes == (note,)


@pytest.mark.parametrize("seed", range(4))
def test_five_seconds_of_a_melody_are_identifiable(seed: int) -> None:
    assert unidentifiable_because(chromaprint.codes(melody(5, seed=seed))) is None


def test_silence_around_a_song_lowers_its_quality_only(tmp_path: Path) -> None:
    pause = np.zeros(10 * RATE_HZ, dtype=np.int16)

    prints = fingerprint_audio(write_sound(tmp_path / "song.wav", np.concatenate((pause, melody(10), pause))))

    assert prints.identifiable
    assert 30 < prints.fingerprints[0].quality < 60


def test_a_recording_cut_short_is_fingerprinted_with_a_remark(tmp_path: Path) -> None:
    whole = write_sound(tmp_path / "whole.flac", melody(20), codec="flac", container_format="flac").read_bytes()
    cut = tmp_path / "cut.flac"
    cut.write_bytes(whole[: len(whole) * 3 // 4])

    prints = fingerprint_audio(cut)

    assert prints.identifiable
    assert prints.notes == ("audio-damaged",)
