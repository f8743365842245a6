"""Videos that are broken, endless, tiny or lie about themselves end in a clear state, soon."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from fingerprinting.errors import LimitExceededError, UnreadableMediaError
from fingerprinting.extract import extract
from fingerprinting.media import DEFAULT_LIMITS
from fingerprinting.types import Modality, Role
from fingerprinting.video import decode, frame_bytes
from fingerprinting.video.fingerprints import VIDEO_FLAT, fingerprint_video
from tests.fingerprinting.video import films


def _spread(path: Path, seconds_apart: int, count: int) -> Path:
    """Write a few frames that stand far apart in time."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.codec_context.time_base = Fraction(1, 10)
        for nth, shown in enumerate(films.frames(1, 0, count / 10)):
            frame = av.VideoFrame.from_image(shown.resize((64, 48)))
            frame.pts, frame.time_base = nth * 10 * seconds_apart, Fraction(1, 10)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def test_a_video_of_twelve_hours_is_refused_by_its_length(tmp_path: Path) -> None:
    with pytest.raises(LimitExceededError, match="longer than"):
        extract(_spread(tmp_path / "long.mp4", 3600, 13))


def test_a_video_cut_short_is_known_by_what_is_left(tmp_path: Path) -> None:
    path = films.write(tmp_path / "film.mkv", films.frames(1, 0, 6))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])

    found = extract(path)

    values = [one.value for one in found.fingerprints if one.algorithm == "video-dct-256"]
    assert 1 < frame_bytes.read(values[0]).end / 1000 < 6


def test_a_video_without_any_frame_that_can_be_decoded_says_so(tmp_path: Path) -> None:
    path = films.write(tmp_path / "film.mkv", films.frames(1, 0, 1))
    data = bytearray(path.read_bytes())
    data[600:-200] = bytes(len(data) - 800)
    path.write_bytes(data)

    try:
        found = extract(path)
    except UnreadableMediaError:
        return
    assert not found.identifiable
    assert VIDEO_FLAT in found.notes


def test_a_blank_video_of_the_least_size_is_not_identifiable(tmp_path: Path) -> None:
    path = films.write(tmp_path / "dot.mp4", iter([Image.new("RGB", (2, 2))] * 5))

    found = extract(path)

    assert (found.modality, found.identifiable, found.notes) == (Modality.VIDEO, False, (VIDEO_FLAT,))


def test_frames_larger_than_any_are_refused_before_they_are_decoded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = films.write(tmp_path / "film.mp4", films.frames(1, 0, 0.3))
    monkeypatch.setattr(decode, "MAX_FRAME_PIXELS", 320 * 240 - 1)

    with pytest.raises(LimitExceededError, match="too large"):
        fingerprint_video(path, DEFAULT_LIMITS)


def test_of_a_long_video_the_later_part_is_known_by_key_frames(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = films.write(tmp_path / "film.mp4", films.frames(1, 0, 12))
    monkeypatch.setattr(decode, "DENSE_PIXELS", 320 * 240 * 40)

    found = fingerprint_video(path, DEFAULT_LIMITS, role=Role.QUERY)

    since = frame_bytes.read(found.fingerprints[0].value).since
    assert found.notes == ("video-sparse",)
    assert (since < 4.5).sum() > 8 > (since >= 4.5).sum() > 0


def test_an_animation_of_very_many_frames_is_looked_at_in_part(tmp_path: Path) -> None:
    shown = [Image.fromarray(np.full((8, 8), nth % 256, np.uint8)) for nth in range(4000)]
    shown[0].save(tmp_path / "many.gif", save_all=True, append_images=shown[1:], duration=20)

    assert extract(tmp_path / "many.gif").modality is Modality.IMAGE


def test_an_animation_finds_the_film_that_it_is_of(tmp_path: Path) -> None:
    first, *others = films.frames(1, 0, 3)
    first.save(tmp_path / "film.gif", save_all=True, append_images=others, duration=100)

    found = {one.algorithm: one.value for one in extract(tmp_path / "film.gif", role=Role.QUERY).fingerprints}

    assert frame_bytes.read(found["video-dct-256"]).end == 3000
