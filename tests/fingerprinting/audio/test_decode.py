"""Decoding: every usual format, and every way in which a file can be broken."""

import io
import struct
import wave
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from synthetic_sound import melody, write_sound

from fingerprinting.audio import chromaprint, containers, decode
from fingerprinting.audio.decode import RATE_HZ, Recording
from fingerprinting.errors import (
    FingerprintingError,
    LimitExceededError,
    UnreadableMediaError,
    UnsupportedMediaError,
)
from fingerprinting.media import Limits

pytestmark = pytest.mark.heavy

SOUND = melody(8, rate_hz=44_100)

FORMATS = {
    "wav": {"codec": "pcm_s16le", "container_format": "wav"},
    "wav24": {"codec": "pcm_s24le", "container_format": "wav"},
    "flac": {"codec": "flac", "container_format": "flac"},
    "mp3": {"codec": "libmp3lame", "container_format": "mp3", "bit_rate": 128_000},
    "m4a": {"codec": "aac", "container_format": "ipod", "bit_rate": 128_000},
    "aac": {"codec": "aac", "container_format": "adts", "bit_rate": 128_000},
    "opus": {"codec": "libopus", "container_format": "ogg", "rate_hz": 48_000},
    "mka": {"codec": "aac", "container_format": "matroska", "bit_rate": 128_000},
    "aiff": {"codec": "pcm_s16be", "container_format": "aiff"},
    "ts": {"codec": "aac", "container_format": "mpegts", "bit_rate": 128_000},
    "avi": {"codec": "libmp3lame", "container_format": "avi", "bit_rate": 128_000},
}
OPUS = {"codec": "libopus", "container_format": "ogg"}


def encoded(path: Path, name: str, sound: NDArray[np.int16] = SOUND) -> Path:
    options = {"rate_hz": 44_100, "layout": "stereo", **FORMATS[name]}
    return write_sound(path, sound, **options)  # type: ignore[arg-type]  # values of a table, each right for its key


@pytest.mark.parametrize("name", FORMATS)
def test_every_usual_format_gives_the_same_sound(tmp_path: Path, name: str) -> None:
    rate_hz = int(str(FORMATS[name].get("rate_hz", 44_100)))
    recording = Recording(encoded(tmp_path / "sound", name, melody(8, rate_hz=rate_hz)))

    codes = chromaprint.codes(recording)

    original = chromaprint.codes(
        decode.decode(write_sound(tmp_path / "original", melody(8, rate_hz=rate_hz), rate_hz=rate_hz))
    )
    count = min(len(codes), len(original))
    assert count >= len(original) - 1
    assert np.bitwise_count(codes[:count] ^ original[:count]).mean() < 3
    assert recording.samples == pytest.approx(8 * RATE_HZ, abs=0.1 * RATE_HZ)
    assert not recording.is_damaged


def test_sound_that_is_in_our_form_passes_through_unchanged(tmp_path: Path) -> None:
    sound = melody(3)

    decoded = decode.decode(write_sound(tmp_path / "sound.wav", sound))

    assert decoded.dtype == np.int16
    np.testing.assert_array_equal(decoded, sound)


def test_a_file_is_known_by_its_content_and_not_by_its_name(tmp_path: Path) -> None:
    path = encoded(tmp_path / "holiday.jpg", "flac")

    assert len(decode.decode(path)) == pytest.approx(8 * RATE_HZ, abs=10)


def test_a_tag_with_a_large_cover_before_an_mp3_does_not_hide_it(tmp_path: Path) -> None:
    plain = encoded(tmp_path / "plain.mp3", "mp3").read_bytes()
    size = 300_000
    tag = b"ID3\x04\0\0" + bytes((size >> shift) & 0x7F for shift in (21, 14, 7, 0)) + b"\0" * size
    tagged = tmp_path / "tagged.mp3"
    tagged.write_bytes(tag + plain)

    assert len(decode.decode(tagged)) == len(decode.decode(tmp_path / "plain.mp3"))


def test_stereo_is_mixed_to_mono(tmp_path: Path) -> None:
    left, right = melody(3, seed=1), melody(3, seed=2)
    path = tmp_path / "stereo.wav"
    with wave.open(str(path), "wb") as file:
        file.setparams((2, 2, RATE_HZ, 0, "NONE", ""))
        file.writeframes(np.stack((left, right), axis=1).tobytes())

    mixed = decode.decode(path).astype(np.int64)

    expected = (left.astype(np.int64) + right) // 2
    assert np.abs(mixed - expected).max() <= 2


def test_ogg_files_one_after_the_other_are_decoded_to_their_end(tmp_path: Path) -> None:
    # Radio recordings are made so; RFC 3533 calls it chaining.
    parts = [
        write_sound(tmp_path / f"{seed}", melody(4, seed=seed, rate_hz=48_000), rate_hz=48_000, **OPUS)
        for seed in (1, 2)
    ]
    chained = tmp_path / "chained.opus"
    chained.write_bytes(b"".join(part.read_bytes() for part in parts))

    assert len(decode.decode(chained)) == pytest.approx(8 * RATE_HZ, abs=0.2 * RATE_HZ)


def test_a_change_of_rate_and_layout_within_a_stream_loses_nothing() -> None:
    resampler = decode._Resampler()
    frames = []
    for rate_hz, layout, channels in (
        (44_100, "stereo", 2),
        (22_050, "mono", 1),
        (RATE_HZ, "mono", 1),
        (48_000, "mono", 1),
    ):
        sound = np.repeat(melody(1, rate_hz=rate_hz), channels).reshape(1, -1)
        frame = av.AudioFrame.from_ndarray(sound, format="s16", layout=layout)
        frame.sample_rate = rate_hz
        frames.append(frame)

    pieces = [piece for frame in frames for piece in resampler.resample(frame)]
    pieces.extend(resampler.flush())

    assert sum(map(len, pieces)) == pytest.approx(4 * RATE_HZ, abs=20)
    assert list(resampler.flush()) == []


@pytest.mark.parametrize(("name", "content"), [("nothing", b""), ("wav", b"RIFF\0\0\0\0WAVE"), ("flac", b"fLaC" * 50)])
def test_a_file_without_any_sound_in_it_is_unreadable(tmp_path: Path, name: str, content: bytes) -> None:
    path = tmp_path / name
    path.write_bytes(content)

    with pytest.raises(UnreadableMediaError):
        decode.decode(path)


def test_a_recording_of_no_length_is_unreadable(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setparams((1, 2, 44_100, 0, "NONE", ""))
    path = tmp_path / "empty.wav"
    path.write_bytes(buffer.getvalue())

    with pytest.raises(UnreadableMediaError, match="no sound"):
        decode.decode(path)


def test_a_file_that_is_not_there_is_unreadable(tmp_path: Path) -> None:
    with pytest.raises(UnreadableMediaError):
        decode.decode(tmp_path / "missing.mp3")


def test_a_video_without_sound_says_so(tmp_path: Path) -> None:
    path = tmp_path / "silent.avi"
    with av.open(str(path), "w", format="avi") as container:
        stream = container.add_stream("mjpeg", rate=5)
        stream.width, stream.height, stream.pix_fmt = 32, 32, "yuvj420p"
        frame = av.VideoFrame.from_ndarray(np.zeros((32, 32, 3), dtype=np.uint8), format="rgb24")
        for _ in range(3):
            container.mux(stream.encode(frame.reformat(format="yuvj420p")))
        container.mux(stream.encode(None))

    with pytest.raises(UnreadableMediaError, match="no track of sound"):
        decode.decode(path)


@pytest.mark.parametrize("name", ["mp3", "flac", "wav", "opus"])
def test_a_truncated_recording_gives_what_is_there_and_says_that_it_is_damaged(tmp_path: Path, name: str) -> None:
    path = encoded(tmp_path / "whole", name, melody(8, rate_hz=int(str(FORMATS[name].get("rate_hz", 44_100)))))
    whole = path.read_bytes()
    cut = tmp_path / "cut"
    cut.write_bytes(whole[: len(whole) // 2])
    recording = Recording(cut)

    samples = sum(len(chunk) for chunk in recording)

    assert 2 * RATE_HZ < samples < 7 * RATE_HZ
    # Ogg states no length in its header, and FFmpeg takes WAV's from the size of the file.
    assert recording.is_damaged or name in {"opus", "wav"}


def test_broken_bytes_in_the_middle_are_skipped_and_remembered(tmp_path: Path) -> None:
    path = encoded(tmp_path / "scratched.flac", "flac")
    content = bytearray(path.read_bytes())
    start, end = len(content) // 4, len(content) * 3 // 4
    content[start:end] = bytes(end - start)
    path.write_bytes(content)
    recording = Recording(path)

    samples = sum(len(chunk) for chunk in recording)

    assert 3 * RATE_HZ < samples < 5 * RATE_HZ
    assert recording.is_damaged


def test_a_recording_longer_than_the_limit_is_refused(tmp_path: Path) -> None:
    path = encoded(tmp_path / "long.mp3", "mp3")

    with pytest.raises(LimitExceededError) as caught:
        decode.decode(path, Limits(max_seconds=5))

    assert caught.value.parameters["max_seconds"] == 5


def test_a_day_of_sound_is_refused_before_any_of_it_is_decoded(tmp_path: Path) -> None:
    samples = 86_400 * 8000
    form = struct.pack("<IHHIIHH", 16, 1, 1, 8000, 8000, 1, 8)
    path = tmp_path / "day.wav"
    with path.open("wb") as file:
        file.write(
            b"RIFF" + struct.pack("<I", 36 + samples) + b"WAVEfmt " + form + b"data" + struct.pack("<I", samples)
        )
        file.truncate(44 + samples)  # a hole, which takes no space on the disk
    recording = Recording(path, Limits(max_seconds=900))

    with pytest.raises(LimitExceededError, match="longer than the 900 seconds"):
        list(recording)

    assert recording.samples == 0


def test_a_header_that_promises_more_than_is_accepted_refuses_nothing_by_itself(tmp_path: Path) -> None:
    path = write_sound(tmp_path / "cut.flac", melody(12), codec="flac", container_format="flac")
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 3])
    recording = Recording(path, Limits(max_seconds=7))

    decoded = np.concatenate(list(recording))

    assert 2 * RATE_HZ < len(decoded) < 6 * RATE_HZ
    assert recording.is_damaged


def test_a_recording_with_more_bytes_than_the_limit_is_refused(tmp_path: Path) -> None:
    path = encoded(tmp_path / "large.wav", "wav")

    with pytest.raises(LimitExceededError):
        decode.decode(path, Limits(max_bytes=1000))


@pytest.mark.parametrize(
    "content",
    [
        b"#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\nhttp://127.0.0.1:9/secret.ts\n#EXT-X-ENDLIST\n",
        b"ffconcat version 1.0\nfile '/etc/passwd'\n",
        b'<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static"></MPD>',
        b"v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\nm=audio 5004 RTP/AVP 0\r\n",
        b"just some words, and no sound at all",
        bytes(range(256)) * 16,
    ],
    ids=["hls", "concat", "dash", "sdp", "text", "binary"],
)
def test_playlists_and_strangers_are_never_given_to_ffmpeg(
    tmp_path: Path, content: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "trap.mp3"
    path.write_bytes(content)
    monkeypatch.setattr(containers.av, "open", lambda *_, **__: pytest.fail("FFmpeg was asked to open it"))

    with pytest.raises(UnsupportedMediaError):
        decode.decode(path)


@pytest.fixture(scope="module")
def mp3(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return encoded(tmp_path_factory.mktemp("mp3") / "sound.mp3", "mp3").read_bytes()


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_no_damage_raises_anything_but_an_error_of_ours(
    mp3: bytes, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    content = bytearray(mp3[: data.draw(st.integers(0, len(mp3)))])
    for _ in range(data.draw(st.integers(0, 20))):
        if content:
            content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.mktemp("broken") / "sound.mp3"
    path.write_bytes(content)

    try:
        decoded = decode.decode(path)
    except FingerprintingError:
        return
    assert len(decoded) > 0


@pytest.mark.parametrize("name", ["flac", "m4a", "opus", "wav", "ts", "mka"])
@pytest.mark.parametrize("seed", range(3))
def test_random_damage_in_any_format_raises_nothing_but_errors_of_ours(tmp_path: Path, name: str, seed: int) -> None:
    random = np.random.default_rng(seed)
    path = encoded(tmp_path / "sound", name, melody(3, rate_hz=int(str(FORMATS[name].get("rate_hz", 44_100)))))
    content = np.frombuffer(path.read_bytes(), dtype=np.uint8).copy()
    content[random.integers(16, len(content), 200)] = random.integers(0, 256, 200)
    path.write_bytes(content.tobytes()[: random.integers(len(content) // 2, len(content))])

    try:
        decoded = decode.decode(path)
    except FingerprintingError:
        return
    assert decoded.dtype == np.int16


def test_a_file_of_nothing_but_empty_tags_is_not_looked_through_to_its_end() -> None:
    read = 0

    class Counting(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            nonlocal read
            read += 1
            return super().read(size)

    assert containers.demuxer_of(Counting(b"ID3\x03\0\0\0\0\0\0" * 100_000)) == "mp3"
    assert read < 200
