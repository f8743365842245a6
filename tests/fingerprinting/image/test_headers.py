"""A picture's size is known before its decoder is opened, which may take memory for all pixels at once."""

import io
import struct
from pathlib import Path

import hostile_media
import pytest
from PIL import Image

from fingerprinting.errors import LimitExceededError, UnreadableMediaError
from fingerprinting.image import headers
from fingerprinting.image.decode import decode
from fingerprinting.image.headers import WebpHeader
from fingerprinting.media import Limits


def encoded(mode: str, size: tuple[int, int], **options: object) -> bytes:
    stream = io.BytesIO()
    colour = (9, 99, 9, 120)[: len(mode)]
    Image.new(mode, size, colour).save(stream, "WEBP", **options)
    return stream.getvalue()


@pytest.mark.parametrize("size", [(1, 1), (300, 2), (2, 5000)])
@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
@pytest.mark.parametrize("options", [{"lossless": True}, {}, {"exif": b"Exif\0\0MM\0*\0\0\0\x08\0\0"}])
def test_the_header_of_what_pillow_writes_is_read(mode: str, size: tuple[int, int], options: dict[str, object]) -> None:
    data = encoded(mode, size, **options)

    assert headers.webp_header(data[: headers.HEAD_BYTES]) == WebpHeader(*size, is_transparent=mode == "RGBA")


def test_an_animation_is_as_large_as_its_canvas() -> None:
    stream = io.BytesIO()
    pictures = [Image.new("RGB", (40, 30), (n, n, n)) for n in range(3)]
    pictures[0].save(stream, "WEBP", save_all=True, append_images=pictures[1:])

    header = headers.webp_header(stream.getvalue())

    assert header is not None
    assert (header.width, header.height) == (40, 30)


@pytest.mark.parametrize("data", [b"", b"RIFF", encoded("RGB", (3, 3))[:29], b"RIFF\x40\0\0\0WAVEVP8X" + bytes(40),
                                  b"RIFF\x40\0\0\0WEBPVP8L" + bytes(40), b"RIFF\x40\0\0\0WEBPVP8 " + bytes(40),
                                  b"RIFF\x40\0\0\0WEBPICCP" + bytes(40)])  # fmt: skip
def test_what_is_no_header_is_none(data: bytes) -> None:
    assert headers.webp_header(data) is None


@pytest.mark.parametrize("kind", [b"VP8 ", b"VP8L", b"VP8X"])
def test_one_that_is_too_large_is_called_so_and_not_damaged(tmp_path: Path, kind: bytes) -> None:
    path = tmp_path / "large.webp"
    path.write_bytes(hostile_media.webp(16_383, 16_383, kind))

    with pytest.raises(LimitExceededError, match="too large: it has more than 100 million pixels"):
        decode(path, Limits())


def test_one_that_needs_too_much_memory_says_how_many_pixels_it_may_have(tmp_path: Path) -> None:
    path = tmp_path / "large.webp"
    path.write_bytes(hostile_media.webp(8_000, 5_000, b"VP8L"))

    with pytest.raises(LimitExceededError, match="40 million pixels, and at most 31 million") as refused:
        decode(path, Limits())

    assert refused.value.parameters["limit"] == "memory"


def test_a_header_that_lies_is_damaged(tmp_path: Path) -> None:
    path = tmp_path / "small.webp"
    data = bytearray(encoded("RGB", (64, 64)))
    data[26:30] = struct.pack("<HH", 4000, 4000)
    path.write_bytes(data)

    with pytest.raises(UnreadableMediaError):
        decode(path, Limits())


@pytest.mark.parametrize("kind", ["AVIF", "JPEG2000"])
def test_the_size_that_boxes_state_is_read_and_one_too_large_is_called_so(tmp_path: Path, kind: str) -> None:
    stream = io.BytesIO()
    Image.new("RGB", (300, 200)).save(stream, kind)
    honest, path = stream.getvalue(), tmp_path / "picture"
    size_at = honest.index(b"ispe") + 8 if kind == "AVIF" else honest.index(b"ihdr") + 4
    path.write_bytes(honest[:size_at] + struct.pack(">II", 30_000, 30_000) + honest[size_at + 8 :])

    assert headers.stated_pixels(honest) == 60_000
    with pytest.raises(LimitExceededError, match="more than 100 million pixels"):
        decode(path, Limits())
