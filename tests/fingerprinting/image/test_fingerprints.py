"""Copies of a picture are found by its fingerprints; other pictures are not."""

import sys
from pathlib import Path

import numpy as np
import pytest
import synthetic_media
from numpy.typing import NDArray
from PIL import Image, ImageOps

from fingerprinting import thresholds
from fingerprinting.errors import MissingExtraError
from fingerprinting.image import features, opencv
from fingerprinting.image.fingerprints import IMAGE_FLAT, fingerprint_image
from fingerprinting.index.segment import Index
from fingerprinting.media import DEFAULT_LIMITS
from fingerprinting.types import FEATURES_MISSING, Depth, Prints, Role, Strength


@pytest.fixture(scope="module")
def work_image() -> Image.Image:
    return synthetic_media.natural_picture(11)


@pytest.fixture(scope="module")
def work(work_image: Image.Image, tmp_path_factory: pytest.TempPathFactory) -> Prints:
    return printed(tmp_path_factory.mktemp("work"), synthetic_media.encoded(work_image), Role.WORK)


def printed(folder: Path, data: bytes, role: Role = Role.QUERY) -> Prints:
    path = folder / "picture"
    path.write_bytes(data)
    return fingerprint_image(path, DEFAULT_LIMITS, role=role)


def is_match(query: Prints, work: Prints, depth: Depth = Depth.STANDARD) -> bool:
    index = Index.build((0, each) for each in work.fingerprints)
    found = index.search([query.fingerprints], depth=depth)
    return any(match.strength is Strength.MATCH for match in found)


def hashes(prints: Prints) -> NDArray[np.uint8]:
    values = [each.value for each in prints.fingerprints if each.algorithm == "pdq-256"]
    return np.frombuffer(b"".join(values), np.uint8).reshape(-1, 32)


def distance(query: Prints, work: Prints) -> int:
    return int(np.bitwise_count(hashes(query)[:, None] ^ hashes(work)[None]).sum(axis=2).min())


def test_a_work_has_each_algorithm_and_frames_with_spans(work: Prints, work_image: Image.Image) -> None:
    algorithms = [each.algorithm for each in work.fingerprints]
    spans = [each.span for each in work.fingerprints if each.algorithm == "pdq-256"]

    wanted = ["pixels-sha256", "pdq-256", "phash-64", "dct-256", *["pdq-256"] * 12, "sift-itq-128"]
    assert algorithms == wanted
    assert spans[0] is None
    for span in spans[1:]:
        assert span is not None
        left, top, right, bottom = span
        assert 0 <= left < right <= work_image.width
        assert 0 <= top < bottom <= work_image.height
    assert work.identifiable
    assert work.notes == ()


@pytest.mark.parametrize("share", [0.9, 0.8, 0.75])
@pytest.mark.parametrize("at", [(0.5, 0.5), (0.0, 0.0), (1.0, 0.3), (0.2, 1.0)])
@pytest.mark.parametrize("has_opencv", [True, False])
def test_a_recompressed_crop_is_found(
    work: Prints,
    work_image: Image.Image,
    tmp_path: Path,
    share: float,
    at: tuple[float, float],
    has_opencv: bool,  # noqa: FBT001 - a parameter of the test
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(features, "is_available", lambda: has_opencv)

    crop = printed(tmp_path, synthetic_media.cropped_copy(work_image, share=share, at=at))

    assert any(each.algorithm == "sift-itq-128" for each in crop.fingerprints) == has_opencv
    assert is_match(crop, work)


def test_a_small_recompressed_copy_is_found_by_the_whole(work: Prints, work_image: Image.Image, tmp_path: Path) -> None:
    copy = printed(tmp_path, synthetic_media.encoded(work_image.resize((320, 240)), "JPEG", quality=30))

    whole = np.bitwise_count(hashes(copy)[0] ^ hashes(work)[0]).sum()
    assert whole <= thresholds.PDQ_MATCH_BITS


@pytest.mark.parametrize("turn", [None, *Image.Transpose])
def test_a_mirrored_or_turned_copy_is_found(
    work: Prints, work_image: Image.Image, tmp_path: Path, turn: Image.Transpose | None
) -> None:
    turned = ImageOps.mirror(work_image) if turn is None else work_image.transpose(turn)

    path = tmp_path / "copy"
    path.write_bytes(synthetic_media.encoded(turned, "JPEG", quality=80))

    for depth in Depth:
        assert is_match(fingerprint_image(path, DEFAULT_LIMITS, role=Role.QUERY, depth=depth), work, depth)


def test_without_opencv_a_work_says_so_and_a_thorough_query_is_an_error(
    work_image: Image.Image, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "cv2", None)
    opencv.load.cache_clear()
    path = tmp_path / "picture.png"
    path.write_bytes(synthetic_media.encoded(work_image))

    try:
        assert fingerprint_image(path, DEFAULT_LIMITS).notes == (FEATURES_MISSING,)
        assert fingerprint_image(path, DEFAULT_LIMITS, role=Role.QUERY).notes == (FEATURES_MISSING,)
        with pytest.raises(MissingExtraError, match="OpenCV"):
            fingerprint_image(path, DEFAULT_LIMITS, role=Role.QUERY, depth=Depth.THOROUGH)
    finally:
        opencv.load.cache_clear()


@pytest.mark.heavy
def test_strangers_are_far_away(tmp_path: Path, work: Prints) -> None:
    for seed in range(100, 108):
        stranger = printed(tmp_path, synthetic_media.encoded(synthetic_media.natural_picture(seed, (400, 300)), "BMP"))
        assert distance(stranger, work) > thresholds.PDQ_LIKELY_BITS


def test_the_same_pixels_in_another_file_are_exact(work: Prints, work_image: Image.Image, tmp_path: Path) -> None:
    rewrapped = printed(tmp_path, synthetic_media.encoded(work_image, "WEBP", lossless=True))
    altered = work_image.copy()
    altered.putpixel((0, 0), (1, 2, 3))

    assert rewrapped.fingerprints[0] == work.fingerprints[0]
    assert printed(tmp_path, synthetic_media.encoded(altered)).fingerprints[0] != work.fingerprints[0]


def test_pixels_of_another_shape_are_not_the_same(tmp_path: Path) -> None:
    wide, tall = (printed(tmp_path, synthetic_media.encoded(Image.new("RGB", size))) for size in ((40, 10), (10, 40)))

    assert wide.fingerprints[0].value != tall.fingerprints[0].value


@pytest.mark.parametrize("kind", ["blank", "tiled", "ramp", "dot"])
def test_a_flat_picture_is_known_by_its_pixels_alone(tmp_path: Path, kind: str) -> None:
    image = {
        "blank": Image.new("RGB", (300, 200), "white"),
        "tiled": Image.fromarray(np.tile(synthetic_media.noise(2, 8, 8), (64, 64, 1))),
        "ramp": Image.linear_gradient("L").resize((300, 200)),
        "dot": Image.new("RGB", (1, 1), "red"),
    }[kind]

    prints = printed(tmp_path, synthetic_media.encoded(image))

    assert [each.algorithm for each in prints.fingerprints] == ["pixels-sha256"]
    assert not prints.identifiable
    assert prints.notes == (IMAGE_FLAT,)
