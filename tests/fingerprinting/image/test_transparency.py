"""A picture with transparency is recognised, whatever the program that made the copy put behind it."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from synthetic_media import natural_picture

from fingerprinting.image.fingerprints import fingerprint_image
from fingerprinting.media import DEFAULT_LIMITS
from fingerprinting.types import Role

pytestmark = pytest.mark.heavy


def whole_hashes(path: Path, role: Role) -> list[np.ndarray]:
    prints = fingerprint_image(path, DEFAULT_LIMITS, role=role).fingerprints
    return [np.frombuffer(one.value, np.uint8) for one in prints if one.algorithm == "pdq-256" and one.span is None]


def nearest(work: Path, asset: Path) -> int:
    pairs = [(a, b) for a in whole_hashes(work, Role.WORK) for b in whole_hashes(asset, Role.QUERY)]
    return min((int(np.bitwise_count(a ^ b).sum()) for a, b in pairs), default=256)


@pytest.fixture
def drawing(tmp_path: Path) -> Image.Image:
    """A drawing in one colour whose shape is all in its transparency, over whatever lies below."""
    shape = natural_picture(7).convert("L")
    layered = Image.new("RGBA", shape.size, (255, 255, 255, 0))
    layered.putalpha(shape)
    layered.save(tmp_path / "drawing.png")
    return layered


@pytest.mark.parametrize("backdrop", ["black", "#205080", "#777777"])
def test_a_white_drawing_is_found_over_any_dark_backdrop(drawing: Image.Image, tmp_path: Path, backdrop: str) -> None:
    copy = Image.new("RGBA", drawing.size, backdrop)
    copy.alpha_composite(drawing)
    copy.convert("RGB").save(tmp_path / "copy.jpg", quality=75)

    assert nearest(tmp_path / "drawing.png", tmp_path / "copy.jpg") <= 31


def test_a_copy_whose_transparency_was_thrown_away_is_found(tmp_path: Path) -> None:
    colours = natural_picture(11).convert("RGBA")
    colours.putalpha(Image.linear_gradient("L").resize(colours.size))
    colours.save(tmp_path / "work.png")
    colours.convert("RGB").save(tmp_path / "copy.jpg", quality=75)

    assert nearest(tmp_path / "work.png", tmp_path / "copy.jpg") <= 31


def test_a_blank_drawing_stays_unidentifiable(tmp_path: Path) -> None:
    Image.new("RGBA", (400, 300), (255, 255, 255, 0)).save(tmp_path / "blank.png")

    assert fingerprint_image(tmp_path / "blank.png", DEFAULT_LIMITS).identifiable is False
