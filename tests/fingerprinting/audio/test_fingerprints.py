"""Fingerprinting a recording: what is kept, and when sound says nothing."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from synthetic_sound import RATE_HZ, melody, noise, tone, write_sound

from fingerprinting.audio import chromaprint, print_bytes
from fingerprinting.audio.fingerprints import CHANGES, fingerprint_audio
from fingerprinting.index import registry
from fingerprinting.types import Depth, Role, SpanUnit


def _hum(seconds: float) -> NDArray[np.int16]:
    together = np.sum([tone(seconds, hz=hz).astype(np.float64) for hz in (50, 100, 150, 300, 450)], axis=0)
    hum: NDArray[np.int16] = (together / 6).astype(np.int16)
    return hum


def test_a_recording_has_three_prints(tmp_path: Path) -> None:
    sound = melody(12)

    prints = fingerprint_audio(write_sound(tmp_path / "song.wav", sound))

    codes, landmarks, bands = prints.fingerprints
    assert (codes.algorithm, codes.version, codes.unit) == ("chromaprint-2", 1, SpanUnit.SECONDS)
    np.testing.assert_array_equal(np.frombuffer(codes.value, "<u4"), chromaprint.codes(sound))
    assert (landmarks.algorithm, bands.algorithm) == ("landmark-1024", "bandenergy-32")
    assert {each.quality for each in prints.fingerprints} == {100.0}
    assert sum(len(each.value) for each in prints.fingerprints) < 16_000 * 12 / 60
    assert prints.identifiable
    assert prints.notes == ()


def test_a_query_that_asks_thoroughly_has_codes_under_every_change(tmp_path: Path) -> None:
    song = write_sound(tmp_path / "song.wav", melody(6))

    prints = fingerprint_audio(song, role=Role.QUERY, depth=Depth.THOROUGH).fingerprints

    read = [print_bytes.read_codes(each.value) for each in prints if each.algorithm == "bandenergy-32"]
    assert [(each.tempo, each.pitch) for each in read] == [(change.tempo, change.pitch) for change in CHANGES]
    (_, _, plain) = fingerprint_audio(song).fingerprints
    same = read[0].codes == print_bytes.read_codes(plain.value).codes
    assert same.mean() > 0.98  # the one that nothing was assumed of is what a work has


def test_the_index_accepts_every_print(tmp_path: Path) -> None:
    for fingerprint in fingerprint_audio(write_sound(tmp_path / "song.wav", melody(12))).fingerprints:
        decoded = registry.decode(
            fingerprint.algorithm, fingerprint.version, registry.encode(fingerprint), fingerprint.quality
        )

        assert decoded.value == fingerprint.value


@pytest.mark.parametrize(
    ("sound", "note"),
    [
        (melody(2.0), "audio-too-short"),
        (melody(0.05), "audio-too-short"),
        (np.zeros(20 * RATE_HZ, dtype=np.int16), "audio-silent"),
        (tone(20), "audio-monotonous"),
        (tone(3), "audio-monotonous"),
        (noise(20), "audio-monotonous"),
        (noise(3), "audio-monotonous"),
        (noise(12, slope=2), "audio-monotonous"),
        (_hum(15), "audio-monotonous"),
        (np.concatenate((np.zeros(20 * RATE_HZ, dtype=np.int16), tone(3))), "audio-monotonous"),
    ],
    ids=[
        "2 s",
        "50 ms",
        "silence",
        "tone",
        "3 s of it",
        "white noise",
        "3 s of it",
        "brown noise",
        "hum",
        "silence and a tone",
    ],
)
def test_sound_that_identifies_nothing_has_no_fingerprint_and_a_reason(
    tmp_path: Path, sound: NDArray[np.int16], note: str
) -> None:
    prints = fingerprint_audio(write_sound(tmp_path / "sound.wav", sound))

    assert prints.fingerprints == ()
    assert not prints.identifiable
    assert prints.notes == (note,)


def test_noise_is_asked_about_though_it_identifies_nothing(tmp_path: Path) -> None:
    prints = fingerprint_audio(write_sound(tmp_path / "noise.wav", noise(12)), role=Role.QUERY)

    assert not prints.identifiable
    assert prints.notes == ("audio-monotonous",)
    assert "bandenergy-32" in {each.algorithm for each in prints.fingerprints}


@pytest.mark.parametrize("seconds", [2.6, 5])
def test_a_few_seconds_of_a_melody_are_identifiable(tmp_path: Path, seconds: float) -> None:
    assert fingerprint_audio(write_sound(tmp_path / "song.wav", melody(seconds))).identifiable


def test_silence_and_noise_around_a_song_lower_its_quality_and_are_remarked(tmp_path: Path) -> None:
    pause = np.zeros(10 * RATE_HZ, dtype=np.int16)

    prints = fingerprint_audio(write_sound(tmp_path / "song.wav", np.concatenate((pause, melody(12), noise(20)))))

    assert prints.identifiable
    assert 25 < prints.fingerprints[0].quality < 50
    note, *parts = prints.notes
    code, _, seconds = note.partition(":")
    assert code == "audio-partly-unidentifiable"
    assert 22 < int(seconds) < 32
    silent, noisy = (part.partition(":") for part in parts)
    assert (silent[0], noisy[0]) == ("audio-part-silent", "audio-part-monotonous")
    ends = [float(end) for part in (silent, noisy) for end in part[2].split("-")]
    assert ends == pytest.approx([0, 10, 22, 42], abs=5)


def test_a_recording_cut_short_is_fingerprinted_with_a_remark(tmp_path: Path) -> None:
    whole = write_sound(tmp_path / "whole.flac", melody(20), codec="flac", container_format="flac").read_bytes()
    cut = tmp_path / "cut.flac"
    cut.write_bytes(whole[: len(whole) * 3 // 4])

    prints = fingerprint_audio(cut)

    assert prints.identifiable
    assert prints.notes == ("audio-damaged",)
