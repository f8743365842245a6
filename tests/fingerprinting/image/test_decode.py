"""Whatever the file, decoding ends in upright RGB or in a sentence."""

import io
from pathlib import Path

import numpy as np
import pytest
import synthetic_media
from PIL import Image

from fingerprinting.errors import FingerprintingError, LimitExceededError, UnreadableMediaError
from fingerprinting.image.decode import decode
from fingerprinting.media import DEFAULT_LIMITS, Limits


def written(folder: Path, data: bytes) -> Path:
    path = folder / "picture"
    path.write_bytes(data)
    return path


def decoded(folder: Path, data: bytes) -> Image.Image:
    return decode(written(folder, data), DEFAULT_LIMITS)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_exif_orientation_ends_upright(tmp_path: Path, orientation: int) -> None:
    upright = synthetic_media.natural_picture(1, (60, 40))
    stored_as = {
        1: None,
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }[orientation]
    stored = upright if stored_as is None else upright.transpose(stored_as)
    exif = Image.Exif()
    exif[0x0112] = orientation

    found = decoded(tmp_path, synthetic_media.encoded(stored, "PNG", exif=exif))

    assert found.tobytes() == upright.tobytes()


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
def test_every_mode_of_png_becomes_rgb(tmp_path: Path, mode: str) -> None:
    grey = np.tile(np.arange(256, dtype=np.uint16), (64, 1))
    plain = Image.fromarray(grey.astype(np.uint8))
    image = Image.fromarray(grey * 257) if mode == "I;16" else plain.convert(mode)

    found = decoded(tmp_path, synthetic_media.encoded(image))

    assert (found.mode, found.size) == ("RGB", (256, 64))
    if mode != "1":
        assert np.abs(np.asarray(found)[:, :, 0].astype(int) - grey).max() <= 8


def test_transparency_is_laid_over_white(tmp_path: Path) -> None:
    found = decoded(tmp_path, synthetic_media.encoded(Image.new("RGBA", (8, 8), (10, 20, 30, 0))))

    assert found.getpixel((3, 3)) == (255, 255, 255)


def test_cmyk_becomes_rgb(tmp_path: Path) -> None:
    found = decoded(tmp_path, synthetic_media.encoded(Image.new("CMYK", (16, 16), (0, 255, 255, 0)), "JPEG"))

    red, green, blue = found.getpixel((4, 4))
    assert red > 200
    assert max(green, blue) < 60


def test_the_first_frame_of_an_animation_counts(tmp_path: Path) -> None:
    frames = [Image.new("RGB", (20, 20), colour) for colour in ("red", "blue")]
    buffer = io.BytesIO()
    frames[0].save(buffer, "GIF", save_all=True, append_images=frames[1:])

    assert decoded(tmp_path, buffer.getvalue()).getpixel((5, 5)) == (255, 0, 0)


def test_a_header_of_ten_thousand_megapixels_is_refused_unread(tmp_path: Path) -> None:
    with pytest.raises(LimitExceededError, match="100 million pixels"):
        decoded(tmp_path, synthetic_media.png_header(100_000, 100_000))


def test_the_limit_is_the_callers(tmp_path: Path) -> None:
    path = written(tmp_path, synthetic_media.encoded(Image.new("RGB", (30, 30))))

    with pytest.raises(LimitExceededError):
        decode(path, Limits(max_pixels=899))

    assert decode(path, Limits(max_pixels=900)).size == (30, 30)


@pytest.mark.parametrize("format_name", ["PNG", "JPEG", "GIF", "WEBP", "TIFF", "BMP", "AVIF", "JPEG2000"])
def test_a_truncated_picture_is_called_damaged(tmp_path: Path, format_name: str) -> None:
    whole = synthetic_media.encoded(synthetic_media.natural_picture(1, (200, 150)), format_name)

    with pytest.raises(UnreadableMediaError, match="damaged or incomplete") as caught:
        decoded(tmp_path, whole[: len(whole) // 2])

    assert str(tmp_path) not in str(caught.value)


@pytest.mark.parametrize("format_name", ["PNG", "JPEG", "GIF", "WEBP", "TIFF", "BMP"])
def test_scrambled_bytes_never_raise_anything_else(tmp_path: Path, format_name: str) -> None:
    random = np.random.default_rng(9)
    whole = synthetic_media.encoded(synthetic_media.natural_picture(1, (64, 48)), format_name)

    for _ in range(40):
        broken = bytearray(whole)
        for at in random.integers(4, len(whole), 6):
            broken[at] = int(random.integers(0, 256))
        try:
            assert decoded(tmp_path, bytes(broken)).mode == "RGB"
        except FingerprintingError as error:
            assert error.code in {"unreadable-media", "limit-exceeded"}  # noqa: PT017 - either is a good end
