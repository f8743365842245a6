"""However many others registered nearly the same film: each work that an asset shows is found."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fingerprinting.extract import extract
from fingerprinting.index.segment import Index
from fingerprinting.types import Depth, Fingerprint, Match, Role, Strength
from fingerprinting.video import frame_bytes
from tests.fingerprinting.video import films

_WORKS = 30
_LAST = _WORKS - 1


def _nearly(prints: tuple[Fingerprint, ...], seed: int) -> list[Fingerprint]:
    """Give the prints of a film as another encoding of it has them: a few bits of each hash differ."""
    draw = np.random.default_rng(seed)
    made = []
    for one in prints:
        if one.algorithm == frame_bytes.ALGORITHM:
            read = frame_bytes.read(one.value)
            views = read.views.copy()
            for view in views:
                view["hash"][draw.integers(0, 32, 3)] ^= 1
            made.append(dataclasses.replace(one, value=frame_bytes.write(read.end, views)))
        else:
            made.append(one)
    return made


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Index:
    """Thirty works of nearly the same film; the last one as it is."""
    path = films.write(tmp_path_factory.mktemp("flood") / "film.mp4", films.frames(7, 0, 10))
    prints = extract(path).fingerprints
    entries = [(_LAST, one) for one in prints if one.algorithm != "sha256"]
    for work in range(_LAST):
        entries += [(work, one) for one in _nearly(prints, work) if one.algorithm != "sha256"]
    return Index.build(entries)


def _sure(found: list[Match]) -> set[int]:
    return {match.work for match in found if match.strength is Strength.MATCH}


def test_a_clip_of_a_film_that_many_registered_finds_them_all(index: Index, tmp_path: Path) -> None:
    clip = films.write(tmp_path / "clip.mp4", films.frames(7, 2, 7), lambda frame: frame.resize((176, 144)))

    found = index.search([extract(clip, role=Role.QUERY).fingerprints])

    assert _sure(found) == set(range(_WORKS))


def test_a_part_of_the_picture_of_a_film_that_many_registered_finds_them_all(index: Index, tmp_path: Path) -> None:
    def inset(frame: Image.Image) -> Image.Image:
        page = next(films.frames(30, 1, 1.1)).resize((480, 360))
        page.paste(frame.resize((240, 180)), (200, 140))
        return page

    clip = films.write(tmp_path / "clip.mp4", films.frames(7, 3, 6), inset)
    prints = extract(clip, role=Role.QUERY, depth=Depth.THOROUGH).fingerprints

    found = index.search([prints], depth=Depth.THOROUGH)

    assert _sure(found) == set(range(_WORKS))
    assert len({(match.work, match.algorithm) for match in found}) == len(found)
