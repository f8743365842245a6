"""HEIC pictures are decoded as programs show them, within the same limits as others, and hostile ones are refused."""

import sys
from pathlib import Path

import numpy as np
import pytest
import synthetic_media
from heic import Still, heic
from PIL import Image

from fingerprinting import media
from fingerprinting.errors import LimitExceededError, UnreadableMediaError, UnsupportedMediaError
from fingerprinting.extract import extract
from fingerprinting.image.decode import appearances, decode
from fingerprinting.media import DEFAULT_LIMITS, Limits
from fingerprinting.types import Depth, Role


@pytest.fixture(scope="module")
def picture() -> Image.Image:
    return synthetic_media.natural_picture(7, (320, 240))


def written(folder: Path, data: bytes) -> Path:
    path = folder / "picture.heic"
    path.write_bytes(data)
    return path


def off(found: Image.Image, wanted: Image.Image) -> float:
    assert found.size == wanted.size
    return float(np.abs(np.asarray(found, np.int16) - np.asarray(wanted.convert("RGB"), np.int16)).mean())


@pytest.mark.parametrize("depth", [8, 10])
def test_eight_and_ten_bits_are_decoded(tmp_path: Path, picture: Image.Image, depth: int) -> None:
    data = heic(Still(picture, depth))

    assert media.sniff(data, "x.heic").media_type == "image/heic"
    assert off(decode(written(tmp_path, data), DEFAULT_LIMITS), picture) < 3


def test_it_is_upright_by_its_own_box_and_not_by_exif(tmp_path: Path, picture: Image.Image) -> None:
    exif = Image.Exif()
    exif[0x0112] = 8
    data = heic(Still(picture, turns=1), exif=exif.tobytes())

    assert off(decode(written(tmp_path, data), DEFAULT_LIMITS), picture.rotate(90, expand=True)) < 3


def test_the_primary_one_of_several_pictures_counts(tmp_path: Path, picture: Image.Image) -> None:
    data = heic(Still(Image.new("RGB", (64, 64), "red")), Still(picture), primary=1)

    assert off(decode(written(tmp_path, data), DEFAULT_LIMITS), picture) < 3


def test_transparency_is_shown_in_each_way(tmp_path: Path, picture: Image.Image) -> None:
    clear = Image.new("L", picture.size, 255)
    clear.paste(0, (0, 0, 160, 240))

    shown = [one.image for one in appearances(written(tmp_path, heic(Still(picture, alpha=clear))), DEFAULT_LIMITS)]

    corners = [one.getpixel((40, 40)) for one in shown]
    assert corners[:2] == [(255, 255, 255), (0, 0, 0)]
    assert off(shown[2], picture) < 3


def test_a_copy_of_a_work_is_found_in_it(tmp_path: Path, picture: Image.Image) -> None:
    path = written(tmp_path, heic(Still(picture)))

    found = extract(path, role=Role.QUERY, depth=Depth.STANDARD)

    assert found.media_type == "image/heic"
    assert {"pixels-sha256", "dct-256", "pdq-256"} <= {each.algorithm for each in found.fingerprints}


def test_more_pixels_than_allowed_are_refused_by_the_header(tmp_path: Path, picture: Image.Image) -> None:
    path = written(tmp_path, heic(Still(picture)))

    with pytest.raises(LimitExceededError):
        decode(path, Limits(max_pixels=320 * 240 - 1))
    with pytest.raises(LimitExceededError, match="accepted of its kind"):
        decode(path, Limits(max_picture_bytes=320 * 240))


@pytest.mark.parametrize("stated", [(64, 64), (3200, 2400)])
def test_a_header_that_lies_makes_it_unreadable(tmp_path: Path, picture: Image.Image, stated: tuple[int, int]) -> None:
    with pytest.raises(UnreadableMediaError):
        decode(written(tmp_path, heic(Still(picture, stated=stated))), DEFAULT_LIMITS)


def test_a_header_of_a_whole_wall_is_refused(tmp_path: Path, picture: Image.Image) -> None:
    with pytest.raises(LimitExceededError):
        decode(written(tmp_path, heic(Still(picture, stated=(65_500, 65_500)))), DEFAULT_LIMITS)


def test_damaged_ones_end_in_a_sentence(tmp_path: Path, picture: Image.Image) -> None:
    whole = heic(Still(picture.resize((64, 48)), alpha=Image.new("L", (64, 48), 99)))
    dice = np.random.default_rng(3)
    for number in range(120):
        data = bytearray(whole)
        for at in dice.integers(12, len(data), 1 + number % 8).tolist():
            data[at] = int(dice.integers(0, 256))
        damaged = bytes(data[: int(dice.integers(40, len(data)))] if number % 3 == 0 else data)
        try:
            shown = decode(written(tmp_path, damaged), DEFAULT_LIMITS)
        except (UnreadableMediaError, LimitExceededError):
            continue
        assert shown.mode == "RGB"


def test_a_sequence_is_refused_with_a_remedy() -> None:
    with pytest.raises(UnsupportedMediaError, match="Export the picture as JPEG or PNG"):
        media.sniff(b"\0\0\0\x18ftypmsf1\0\0\0\0msf1hevc", "burst.heics")


def test_a_missing_decoder_says_nothing_about_the_file(
    tmp_path: Path, picture: Image.Image, monkeypatch: pytest.MonkeyPatch
) -> None:
    from fingerprinting.image import heic as reader  # noqa: PLC0415 - the module of the same name writes them

    monkeypatch.setitem(sys.modules, "pi_heif", None)
    reader.load.cache_clear()
    try:
        with pytest.raises(ImportError):
            decode(written(tmp_path, heic(Still(picture))), DEFAULT_LIMITS)
    finally:
        reader.load.cache_clear()
