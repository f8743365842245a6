"""Pictures that would take too much memory are refused by their header, and huge JPEG pictures are decoded smaller."""

from pathlib import Path

import pytest
import synthetic_media
from PIL import Image

from fingerprinting.errors import LimitExceededError
from fingerprinting.image import budget
from fingerprinting.image.decode import appearances, decode
from fingerprinting.image.fingerprints import fingerprint_image, pixels_sha256
from fingerprinting.media import DEFAULT_LIMITS, Limits


def written(folder: Path, data: bytes) -> Path:
    path = folder / "picture"
    path.write_bytes(data)
    return path


def test_a_picture_that_takes_more_memory_than_it_may_is_refused_with_what_its_kind_may_have(tmp_path: Path) -> None:
    picture = synthetic_media.natural_picture(1, (400, 300))
    path = written(tmp_path, synthetic_media.encoded(picture, "PNG"))

    assert decode(path, Limits(max_picture_bytes=8 * 400 * 300)).size == (400, 300)
    with pytest.raises(LimitExceededError, match="accepted of its kind") as caught:
        decode(path, Limits(max_picture_bytes=8 * 400 * 300 - 1))
    assert caught.value.parameters["max_pixels"] == 400 * 300 - 1


@pytest.mark.parametrize("format_name", ["PNG", "WEBP", "GIF", "TIFF", "AVIF", "JPEG2000"])
def test_transparency_costs_more(tmp_path: Path, format_name: str) -> None:
    opaque = synthetic_media.natural_picture(1, (64, 64))
    clear = opaque.convert("RGBA")
    clear.putalpha(Image.new("L", (64, 64), 0))
    costs = []
    for image in (opaque, clear):
        with Image.open(written(tmp_path, synthetic_media.encoded(image, format_name))) as opened:
            costs.append(budget._bytes_a_pixel(opened))

    assert costs[0] < costs[1]


def test_a_progressive_picture_costs_more(tmp_path: Path) -> None:
    picture = synthetic_media.natural_picture(1, (64, 64))
    with (
        Image.open(written(tmp_path, synthetic_media.encoded(picture, "JPEG"))) as plain,
        Image.open(written(tmp_path, synthetic_media.encoded(picture, "JPEG", progressive=True))) as progressive,
    ):
        assert budget._bytes_a_pixel(progressive) == budget._bytes_a_pixel(plain) + 6


def test_a_huge_jpeg_is_decoded_at_half_its_size_and_its_spans_are_those_of_the_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    picture = synthetic_media.natural_picture(3, (801, 600))
    path = written(tmp_path, synthetic_media.encoded(picture, "JPEG", quality=95))
    whole = fingerprint_image(path, DEFAULT_LIMITS)
    monkeypatch.setattr(budget, "MAX_WHOLE_PIXELS", 100_000)

    shown = next(appearances(path, DEFAULT_LIMITS))
    half = fingerprint_image(path, DEFAULT_LIMITS)

    assert shown.image.size == (401, 300)
    assert shown.scale == pytest.approx(2, abs=0.01)
    spans = [print_.span for print_ in half.fingerprints if print_.span is not None]
    assert max(span[2] for span in spans) > 401
    assert max(span[2] for span in spans) <= 801.5
    pdq = [next(print_.value for print_ in prints.fingerprints if print_.algorithm == "pdq-256")
           for prints in (whole, half)]  # fmt: skip
    distance = (int.from_bytes(pdq[0], "big") ^ int.from_bytes(pdq[1], "big")).bit_count()
    assert distance <= 10


def test_a_hundred_million_pixels_of_jpeg_are_within_the_default_limits() -> None:
    image = Image.new("L", (1, 1))
    image.format, image._size = "JPEG", (10_000, 10_000)

    budget.check(image, DEFAULT_LIMITS)


def test_the_hash_of_the_pixels_does_not_depend_on_the_strips(monkeypatch: pytest.MonkeyPatch) -> None:
    picture = synthetic_media.natural_picture(1, (64, 48))
    whole = pixels_sha256(picture)
    monkeypatch.setattr(budget, "_STRIP_PIXELS", 100)

    assert pixels_sha256(picture) == whole
    assert list(budget.strips((60, 3))) == [(0, 0, 60, 1), (0, 1, 60, 2), (0, 2, 60, 3)]
    assert list(budget.strips((500, 2))) == [(0, 0, 500, 1), (0, 1, 500, 2)]
