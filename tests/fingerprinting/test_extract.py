"""One entrance for every kind of file, with the file's digest first and no decoder's exception let out."""

import hashlib
import wave
from pathlib import Path

import av
import numpy as np
import packed_documents
import pytest
import synthetic_media
import synthetic_sound

from fingerprinting.errors import (
    FingerprintingError,
    LimitExceededError,
    UnreadableMediaError,
    UnsupportedMediaError,
)
from fingerprinting.extract import extract
from fingerprinting.media import Limits
from fingerprinting.types import Depth, Modality, Role

WORDS = synthetic_media.prose(1, 300)


def written(folder: Path, data: bytes, name: str = "file") -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


def test_a_picture_is_fingerprinted_whatever_its_name(tmp_path: Path) -> None:
    data = synthetic_media.encoded(synthetic_media.natural_picture(1, (300, 200)))

    found = extract(written(tmp_path, data), name="notes.txt")

    assert (found.modality, found.media_type) == (Modality.IMAGE, "image/png")
    assert found.fingerprints[0].algorithm == "sha256"
    assert found.fingerprints[0].value == hashlib.sha256(data).digest()
    assert {each.algorithm for each in found.fingerprints} == {
        "sha256",
        "pixels-sha256",
        "pdq-256",
        "phash-64",
        "dct-256",
        "sift-itq-128",
    }


def test_a_query_asks_with_the_turned_forms_too(tmp_path: Path) -> None:
    path = written(tmp_path, synthetic_media.encoded(synthetic_media.natural_picture(1, (300, 200))))

    wholes = {
        role: [each for each in extract(path, role=role).fingerprints if each.algorithm == "dct-256" and not each.span]
        for role in Role
    }

    assert [len(each.value) for each in wholes[Role.WORK]] == [256 + 32]
    assert [len(each.value) for each in wholes[Role.QUERY]] == [256 + 16 * 32]
    assert wholes[Role.QUERY][0].value.startswith(wholes[Role.WORK][0].value)


def test_the_fast_depth_asks_by_one_hash_alone(tmp_path: Path) -> None:
    picture = synthetic_media.natural_picture(1, (300, 200))
    path = written(tmp_path, synthetic_media.encoded(picture, "JPEG", quality=90))

    fast = extract(path, role=Role.QUERY, depth=Depth.FAST)
    work = extract(path)

    assert [each.algorithm for each in fast.fingerprints] == ["sha256", "dct-256"]
    [whole] = [each for each in work.fingerprints if each.algorithm == "dct-256" and not each.span]
    moved = np.bitwise_count(
        np.frombuffer(fast.fingerprints[1].value, np.uint8)[256:288] ^ np.frombuffer(whole.value, np.uint8)[256:]
    )
    assert moved.sum() <= 12


def test_a_recording_is_fingerprinted(tmp_path: Path) -> None:
    found = extract(synthetic_sound.write_sound(tmp_path / "song", synthetic_sound.melody(12)))

    assert found.modality is Modality.AUDIO
    assert [each.algorithm for each in found.fingerprints] == [
        "sha256",
        "chromaprint-2",
        "landmark-1024",
        "bandenergy-32",
    ]


def test_a_text_is_fingerprinted(tmp_path: Path) -> None:
    found = extract(written(tmp_path, WORDS.encode()), name="story.txt")

    assert (found.modality, found.media_type) == (Modality.TEXT, "text/plain")
    assert [each.algorithm for each in found.fingerprints] == ["sha256", "shingle-3"]


def test_a_part_of_a_web_page_is_one_by_its_name(tmp_path: Path) -> None:
    script, words = f"<script>{synthetic_media.prose(2, 300)}</script>", WORDS
    (tmp_path / "part.html").write_text(f"<div>{script}<p>{words}</p></div>")
    (tmp_path / "words.txt").write_text(words)

    part, whole = (extract(tmp_path / name) for name in ("part.html", "words.txt"))

    assert part.media_type == "text/html"
    assert [one.value for one in part.fingerprints[1:]] == [one.value for one in whole.fingerprints[1:]]


def test_of_a_document_only_its_text_has_to_be_short(tmp_path: Path) -> None:
    members = packed_documents.book(WORDS)
    book = packed_documents.zipped({**members, "OEBPS/cover.jpeg": bytes(50_000)}, packed=())

    found = extract(written(tmp_path, book), name="book", limits=Limits(max_text_bytes=len(WORDS) + 9_000))

    assert (found.modality, found.media_type) == (Modality.TEXT, "application/epub+zip")
    assert found.identifiable


@pytest.mark.parametrize(
    ("data", "name", "error", "words"),
    [
        (b"", "a.png", UnreadableMediaError, "empty"),
        (synthetic_media.png_header(100_000, 100_000), "a.png", LimitExceededError, "too large"),
        (synthetic_media.png_header(100, 100), "a.png", UnreadableMediaError, "damaged or incomplete"),
        (bytes(range(256)) * 9, "a.vtt", UnreadableMediaError, "named as text"),
        (bytes(range(256)) * 9, "a.xyz", UnsupportedMediaError, "not known"),
        (b"%PDF-1.4 ...", "a.pdf", UnreadableMediaError, "damaged or incomplete"),
    ],
)
def test_bad_files_end_in_a_sentence(
    tmp_path: Path, data: bytes, name: str, error: type[FingerprintingError], words: str
) -> None:
    path = written(tmp_path, data)

    with pytest.raises(error, match=words) as caught:
        extract(path, name=name)

    assert str(tmp_path) not in str(caught.value)


def test_a_recording_of_no_length_never_passes_as_recognisable(tmp_path: Path) -> None:
    with wave.open(str(tmp_path / "none.wav"), "wb") as recording:
        recording.setparams((1, 2, 11025, 0, "NONE", "not compressed"))

    with pytest.raises(UnreadableMediaError):
        extract(tmp_path / "none.wav")


def film(path: Path, *, has_sound: bool, has_video: bool, container_format: str = "mp4") -> Path:
    """Write 8 seconds of noise to watch, of a melody to hear, or of both."""
    with av.open(str(path), "w", format=container_format) as container:
        picture = container.add_stream("mpeg4", rate=2, width=64, height=48) if has_video else None
        sound = container.add_stream("aac", rate=44100, layout="mono") if has_sound else None
        if picture is not None:
            for seed in range(16):
                frame = av.VideoFrame.from_ndarray(synthetic_media.noise(seed, 48, 64), format="rgb24")
                container.mux(picture.encode(frame.reformat(format="yuv420p")))
            container.mux(picture.encode(None))
        if sound is not None:
            resampler = av.AudioResampler(format="fltp", layout="mono", rate=44100, frame_size=1024)
            melody = synthetic_sound.melody(8, rate_hz=44100).reshape(1, -1)
            frame = av.AudioFrame.from_ndarray(melody, format="s16", layout="mono")
            frame.sample_rate = 44100
            for piece in (*resampler.resample(frame), *resampler.resample(None)):
                container.mux(sound.encode(piece))
            container.mux(sound.encode(None))
    return path


def test_a_video_is_fingerprinted_by_its_moving_picture_and_its_sound(tmp_path: Path) -> None:
    found = extract(film(tmp_path / "film", has_sound=True, has_video=True))

    assert (found.modality, found.media_type) == (Modality.VIDEO, "video/mp4")
    assert [each.algorithm for each in found.fingerprints] == [
        "sha256",
        "video-dct-256",
        "video-sift-itq-128",
        "chromaprint-2",
        "landmark-1024",
        "bandenergy-32",
    ]
    assert found.notes == ()


def test_a_silent_film_is_fingerprinted_by_its_moving_picture(tmp_path: Path) -> None:
    found = extract(film(tmp_path / "film", has_sound=False, has_video=True))

    assert found.identifiable
    assert [each.algorithm for each in found.fingerprints] == ["sha256", "video-dct-256", "video-sift-itq-128"]


def test_a_container_of_videos_that_holds_only_sound_is_audio(tmp_path: Path) -> None:
    found = extract(film(tmp_path / "film", has_sound=True, has_video=False))

    assert (found.modality, found.media_type) == (Modality.AUDIO, "audio/mp4")
    assert found.notes == ()


@pytest.mark.parametrize("name", ["a.mp4", "a.webm", "a.ogg", "a.mp3", "a.flac", "a.mkv"])
def test_a_container_with_rubbish_in_it_is_unreadable(tmp_path: Path, name: str) -> None:
    magic = {
        "a.mp4": b"\0\0\0\x18ftypisom\0\0\0\0isommp42",
        "a.webm": b"\x1a\x45\xdf\xa3\x9f\x42\x86\x81\x01\x42\x82\x84webm",
        "a.ogg": b"OggS\0\x02",
        "a.mp3": b"ID3\x04\0\0\0\0\0\0",
        "a.flac": b"fLaC",
        "a.mkv": b"\x1a\x45\xdf\xa3\xa3\x42\x86\x81\x01\x42\x82\x88matroska",
    }[name]
    rubbish = np.random.default_rng(1).integers(0, 256, 3000, dtype=np.uint8).tobytes()

    with pytest.raises(FingerprintingError):
        extract(written(tmp_path, magic + rubbish), name=name)


def test_a_file_above_the_limit_is_refused_before_it_is_decoded(tmp_path: Path) -> None:
    path = written(tmp_path, WORDS.encode())

    with pytest.raises(LimitExceededError, match="too large"):
        extract(path, limits=Limits(max_bytes=100))
    with pytest.raises(LimitExceededError, match="too long"):
        extract(path, limits=Limits(max_text_bytes=100))


def test_a_missing_file_is_an_error_of_ours(tmp_path: Path) -> None:
    with pytest.raises(UnreadableMediaError, match="cannot be opened"):
        extract(tmp_path / "missing.png")
