"""Files made to hurt: each ends in bounded time and memory, opens no file or address, and the next goes on.

Time limits here are generous, because other tests run beside these: what they catch is minutes, not milliseconds.
"""

import contextlib
import resource
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import hostile_media
import pytest
import synthetic_media
import synthetic_sound
from opening import opening_of
from process_tree import watched_memory

from fingerprinting import extract as in_process
from fingerprinting.errors import FingerprintingError, LimitExceededError, UnreadableMediaError, UnsupportedMediaError
from fingerprinting.media import DEFAULT_LIMITS, Limits
from fingerprinting.types import Extraction, Role
from workers import sandbox

pytestmark = pytest.mark.heavy

MAX_SECONDS = 30.0


@pytest.fixture(autouse=True)
def goes_on(tmp_path: Path) -> Iterator[None]:
    """After whatever happened, an honest file is fingerprinted, and this process has not grown by much."""
    before = own_bytes()
    yield
    path = tmp_path / "honest.txt"
    path.write_text(synthetic_media.prose(1, 200), encoding="utf-8")
    assert sandbox.extract(path).identifiable
    assert own_bytes() - before < 400_000_000  # of which most is what the test itself made


def own_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


def outcome(path: Path, limits: Limits = DEFAULT_LIMITS) -> Extraction | FingerprintingError:
    """What the sandbox makes of a file, in bounded time."""
    started = time.monotonic()
    try:
        found: Extraction | FingerprintingError = sandbox.extract(path, name=path.name, role=Role.QUERY, limits=limits)
    except FingerprintingError as error:
        found = error
    assert time.monotonic() - started < MAX_SECONDS
    if isinstance(found, FingerprintingError):
        assert str(found).endswith(".")
        assert str(path.parent) not in str(found)
    return found


def written(folder: Path, name: str, data: bytes) -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


def is_identified(found: Extraction | FingerprintingError) -> bool:
    """Whether there is anything beside exact hashes."""
    return isinstance(found, Extraction) and any("sha256" not in each.algorithm for each in found.fingerprints)


def test_pictures_of_many_pixels_are_refused_by_their_header(tmp_path: Path) -> None:
    for width, height, colour in ((10_000, 9_999, 0), (100_000, 3_000, 2), (9_000, 8_000, 6)):
        found = outcome(written(tmp_path, "bomb.png", hostile_media.png(width, height, bits=8, colour=colour, rows=9)))
        assert isinstance(found, LimitExceededError)
        assert "too large" in str(found)


def test_a_picture_as_large_as_may_be_leaves_service_and_decoder_far_below_a_gigabyte(tmp_path: Path) -> None:
    path = written(tmp_path, "large.png", hostile_media.png(5_000, 5_000, bits=8, colour=6))

    with watched_memory() as peak:
        found = outcome(path)

    assert isinstance(found, Extraction)
    assert 200_000_000 < peak.largest_bytes < 500_000_000
    assert peak.total_bytes - peak.before_bytes < 500_000_000


def test_a_large_webp_is_read_though_its_decoder_takes_all_of_its_memory_when_it_is_opened(tmp_path: Path) -> None:
    path = tmp_path / "large.webp"
    synthetic_media.natural_picture(1, (500, 500)).resize((4_700, 4_700)).save(path, lossless=False, method=0)

    found = outcome(path)

    assert isinstance(found, Extraction)
    assert found.identifiable


@pytest.mark.parametrize("kind", [b"VP8 ", b"VP8L", b"VP8X"])
def test_a_webp_that_is_too_large_is_called_so(tmp_path: Path, kind: bytes) -> None:
    found = outcome(written(tmp_path, "large.webp", hostile_media.webp(16_383, 16_383, kind)))

    assert isinstance(found, LimitExceededError)
    assert "too large" in str(found)


def test_more_memory_than_allowed_exceeds_a_limit(tmp_path: Path) -> None:
    path = written(tmp_path, "bomb.png", hostile_media.png(7_000, 7_000, bits=8, colour=2))

    with pytest.raises(LimitExceededError, match="memory"):
        sandbox.extract(path, allowance=sandbox.Allowance(memory_bytes=600 * 1024**2, wall_seconds=MAX_SECONDS))


@pytest.mark.parametrize(
    ("name", "make"),
    [
        ("comment.png", hostile_media.png_text_bomb),
        ("frames.gif", lambda: hostile_media.gif_of_frames(3000)),
        ("frames.webp", lambda: hostile_media.webp_of_frames(40)),
        ("ring.tif", lambda: hostile_media.tiff_of_loops(1500)),
        ("ring.jpg", lambda: hostile_media.jpeg_with_exif(hostile_media.tiff_of_loops(2000))),
        ("exif.jpg", lambda: hostile_media.jpeg_with_exif(b"MM\0*" + b"\xff" * 60_000)),
        ("exif2.jpg", lambda: hostile_media.jpeg_with_exif(b"II*\0\x08\0\0\0\xff\xff" + b"\x12\x01\x03\0\xff" * 9_000)),
        ("longer.wav", lambda: hostile_media.wav(100, b"\1\2" * 500_000)),
        ("endless.wav", lambda: hostile_media.wav(0xFFFFFFFF, b"\1\2" * 50_000)),
        ("billion.mp4", lambda: hostile_media.mp4(10**9)),
        ("month.mp4", lambda: hostile_media.mp4(30 * 86_400)),
    ],
)
def test_a_bomb_ends_in_an_answer_or_in_a_sentence(tmp_path: Path, name: str, make: Callable[[], bytes]) -> None:
    found = outcome(written(tmp_path, name, make()))

    if isinstance(found, FingerprintingError):
        assert isinstance(found, UnreadableMediaError | LimitExceededError)


def test_a_sound_that_unpacks_to_days_is_cut_off(tmp_path: Path) -> None:
    path = tmp_path / "silence.flac"
    synthetic_sound.write_sound(path, synthetic_sound.noise(1.0).repeat(400))  # compresses well, and is long

    found = outcome(path, limits=Limits(max_seconds=60))

    assert isinstance(found, LimitExceededError)
    assert "60 seconds" in str(found)


def test_archives_are_never_unpacked(tmp_path: Path) -> None:
    for name, data in hostile_media.archives().items():
        assert isinstance(outcome(written(tmp_path, name, data)), UnsupportedMediaError), name


def test_drawings_that_name_files_are_refused(tmp_path: Path) -> None:
    entity = b'<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY x SYSTEM "file:///etc/passwd">]><svg><text>&x;</text></svg>'
    laughs = b'<!DOCTYPE svg [<!ENTITY a "ha"><!ENTITY b "' + b"&a;" * 100 + b'">]><svg>&b;</svg>'
    for data in (entity, laughs, b'<svg xmlns:x="y"><image href="http://127.0.0.1/"/></svg>'):
        found = outcome(written(tmp_path, "drawing.svg", data))
        assert not is_identified(found)
        assert "passwd" not in repr(found)


@pytest.mark.parametrize("name", sorted(hostile_media.subtitles(1)))
def test_captions_of_any_shape_end(tmp_path: Path, name: str) -> None:
    found = outcome(written(tmp_path, name, hostile_media.subtitles(50_000)[name]))

    assert not is_identified(found)


@pytest.mark.parametrize("name", sorted(hostile_media.texts(1)))
def test_texts_of_any_pattern_end(tmp_path: Path, name: str) -> None:
    outcome(written(tmp_path, name, hostile_media.texts(2_000_000)[name]))


def test_a_gigabyte_of_text_is_refused_by_its_size(tmp_path: Path) -> None:
    path = hostile_media.sparse(tmp_path / "novel.txt", b"Once upon a time. " * 2000, 1024**3)

    found = outcome(path)

    assert isinstance(found, LimitExceededError)
    assert "too long" in str(found)


def test_more_bytes_than_accepted_are_refused_unread(tmp_path: Path) -> None:
    path = hostile_media.sparse(tmp_path / "film.mp3", b"ID3\x03\0\0\0\0\0\0", 3 * 1024**3)

    started = time.monotonic()
    assert isinstance(outcome(path), LimitExceededError)
    assert time.monotonic() - started < 5


@pytest.mark.parametrize("extracted", [sandbox.extract, in_process.extract], ids=["sandboxed", "bare"])
@pytest.mark.parametrize("name", sorted(hostile_media.playlists("x")))
def test_a_file_that_names_others_opens_none_and_sends_no_packet(
    tmp_path: Path, name: str, extracted: Callable[..., Extraction]
) -> None:
    """Also where nothing shuts the decoder in: a pipeline's own machine."""
    secret = tmp_path / "secret.wav"
    synthetic_sound.write_sound(secret, synthetic_sound.melody(20.0))
    with socket.create_server(("127.0.0.1", 0)) as server, opening_of(secret) as opened:
        server.settimeout(0.05)
        for target in (
            f"http://127.0.0.1:{server.getsockname()[1]}/x.wav", f"tcp://127.0.0.1:{server.getsockname()[1]}",
            f"file://{secret}", f"file:{secret}", str(secret), secret.name, f"concat:{secret}", f"subfile,,:{secret}",
        ):  # fmt: skip
            path = written(tmp_path, name, hostile_media.playlists(target)[name])
            with contextlib.suppress(FingerprintingError):
                assert not is_identified(extracted(path, name=name))
        with pytest.raises(TimeoutError):
            server.accept()

        assert not opened()


@pytest.mark.parametrize(
    "name", ["a.png", "a.jpg", "a.gif", "a.webp", "a.tif", "a.avif", "a.jp2", "a.wav", "a.flac", "a.mp3"]
)
def test_what_breaks_off_or_is_scrambled_is_said_to_be_damaged_or_read_as_far_as_it_goes(
    tmp_path: Path, name: str
) -> None:
    path = tmp_path / name
    formats = {".jpg": "JPEG", ".tif": "TIFF", ".jp2": "JPEG2000"}
    if path.suffix in {".wav", ".flac", ".mp3"}:
        synthetic_sound.write_sound(path, synthetic_sound.melody(8.0))
    else:
        picture = synthetic_media.natural_picture(1, (160, 120))
        path.write_bytes(synthetic_media.encoded(picture, formats.get(path.suffix, path.suffix[1:].upper())))
    whole = path.read_bytes()
    scrambled = bytearray(whole)
    scrambled[20::37] = bytes(each ^ 0x5A for each in scrambled[20::37])

    for data in (whole[: len(whole) // 2], whole[:40], bytes(scrambled), whole + whole, whole[:200] + bytes(10_000)):
        found = outcome(written(tmp_path, f"broken{path.suffix}", data))
        if isinstance(found, FingerprintingError):
            assert isinstance(found, UnreadableMediaError | LimitExceededError | UnsupportedMediaError)
