"""Recordings by one fixed camera: a copy is told from another recording by what moves, and by nothing else."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from fingerprinting.extract import extract
from fingerprinting.index.segment import Index
from fingerprinting.types import Depth, Match, Role, Strength
from tests.fingerprinting.video import films

_SECONDS = 16.0


def _street(take: int, start: float, end: float) -> Iterator[Image.Image]:
    """Give what a camera sees that never moves: the same street, and in each take other passers-by."""
    street = next(films.frames(50, 0, 0.1))
    draw = np.random.default_rng(take)
    passers = [(draw.uniform(0.15, 0.75), draw.uniform(-60, 60), draw.uniform(0, 320)) for _ in range(5)]
    for nth in range(round((end - start) * films.RATE)):
        time = start + nth / films.RATE
        frame = street.copy()
        for row, (height, speed, begin) in enumerate(passers):
            place = int((begin + speed * time) % 320), int(240 * height)
            frame.paste((40 * row, 200 - 40 * row, 90), (*place, place[0] + 26, place[1] + 50))
        yield frame


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Index:
    """One take, of a length."""
    path = films.write(tmp_path_factory.mktemp("street") / "take.mp4", _street(1, 0, _SECONDS))
    return Index.build([(0, one) for one in extract(path).fingerprints])


def _ask(index: Index, path: Path) -> list[Match]:
    found = extract(path, role=Role.QUERY, depth=Depth.STANDARD).fingerprints
    return index.search([found], depth=Depth.STANDARD)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(ImageOps.mirror, id="mirrored"),
        pytest.param(lambda frame: ImageOps.pad(frame, (320, 320), color="black"), id="letterboxed"),
    ],
)
def test_a_part_of_a_recording_by_a_fixed_camera_is_found_in_its_place(
    index: Index, tmp_path: Path, change: films.Change
) -> None:
    [match] = _ask(index, films.write(tmp_path / "clip.mp4", _street(1, 9, 13), change))

    assert match.strength is Strength.MATCH
    assert match.work_span == pytest.approx((9, 13), abs=0.5)
    assert float(match.evidence["motion"]) > 0.8
    assert float(match.evidence["motion_elsewhere"]) < 0.5


@pytest.mark.parametrize("take", [2, 3, 4])
def test_another_recording_by_the_same_camera_is_likely_and_no_match(index: Index, tmp_path: Path, take: int) -> None:
    found = _ask(index, films.write(tmp_path / "other.mp4", _street(take, 2, 8)))

    assert {match.strength for match in found} <= {Strength.LIKELY}
