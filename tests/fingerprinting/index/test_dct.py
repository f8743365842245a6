"""`dct-256` in the index: near and confirmed is a match, near alone is worth a look."""

from pathlib import Path

import numpy as np
import pytest
import synthetic_media
from PIL import Image, ImageOps

from fingerprinting import thresholds
from fingerprinting.image import dct
from fingerprinting.index.dct import SPEC
from fingerprinting.index.segment import Index
from fingerprinting.types import Depth, Fingerprint, Match, Strength


def fingerprint(image: Image.Image, forms: int = 1) -> Fingerprint:
    return Fingerprint(SPEC.name, SPEC.version, dct.value(dct.spectrum(image), forms), unit=SPEC.unit)


@pytest.fixture(scope="module")
def works() -> list[Image.Image]:
    return [synthetic_media.natural_picture(seed, (400, 300)).convert("L") for seed in range(8)]


@pytest.fixture(scope="module")
def index(works: list[Image.Image]) -> Index:
    return Index.build((row, fingerprint(image)) for row, image in enumerate(works))


def found(index: Index, query: Fingerprint, depth: Depth = Depth.STANDARD) -> list[Match]:
    return index.search([[query]], depth=depth)


@pytest.mark.parametrize("depth", Depth)
def test_a_copy_is_confirmed_by_its_thumbnail(index: Index, works: list[Image.Image], depth: Depth) -> None:
    copy = ImageOps.invert(ImageOps.mirror(works[3])).resize((200, 150))

    [match] = found(index, fingerprint(copy, 16), depth)

    assert (match.work, match.strength) == (3, Strength.MATCH)
    assert match.evidence["confirmed_by"] == "thumbnail"
    assert match.evidence["mirrored"] is True
    assert match.evidence["negative"] is True


def test_a_near_hash_with_other_grey_is_only_likely(index: Index, works: list[Image.Image]) -> None:
    value = fingerprint(works[3]).value
    grey = np.random.default_rng(1).integers(0, 256, dct.THUMBNAIL_BYTES, dtype=np.uint8).tobytes()
    forged = Fingerprint(SPEC.name, SPEC.version, grey + value[dct.THUMBNAIL_BYTES :] * 8)

    [match] = found(index, forged)

    assert (match.work, match.strength, match.distance) == (3, Strength.LIKELY, 0)
    assert "confirmed_by" not in match.evidence
    assert found(index, forged, Depth.FAST) == []


def test_strangers_are_not_found(index: Index) -> None:
    for seed in range(60, 80):
        assert found(index, fingerprint(synthetic_media.natural_picture(seed, (300, 300)).convert("L"), 16)) == []


def test_a_larger_registry_asks_for_less_distance() -> None:
    assert thresholds.dct_bits(1_000) == (31, 44)
    assert thresholds.dct_bits(100_000_000) == (27, 44)


def test_what_was_saved_finds_the_same(index: Index, works: list[Image.Image], tmp_path: Path) -> None:
    index.save(tmp_path / "index")

    assert found(Index.open(tmp_path / "index"), fingerprint(works[1], 8)) == found(index, fingerprint(works[1], 8))
