"""Moving pictures find each other, and stills, with the time of both; strangers find nothing."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image, ImageOps

from fingerprinting.extract import extract
from fingerprinting.index.segment import Index
from fingerprinting.types import Depth, Match, Modality, Role, Strength
from tests.fingerprinting.video import films

_LENGTH = 13.0


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Index:
    """Films and a picture, which is a frame of a fourth film."""
    folder = tmp_path_factory.mktemp("films")
    entries = []
    for seed in (0, 1, 2):
        path = films.write(folder / f"{seed}.mp4", films.frames(seed, 0, _LENGTH))
        entries += [(seed, one) for one in extract(path).fingerprints]
    picture = folder / "still.png"
    next(films.frames(3, 6, 6.1)).save(picture)
    entries += [(3, one) for one in extract(picture).fingerprints]
    built = Index.build(entries)
    built.save(folder / "index")
    return Index.open(folder / "index")


def _ask(index: Index, path: Path, depth: Depth = Depth.STANDARD) -> list[Match]:
    found = extract(path, role=Role.QUERY, depth=depth).fingerprints
    return [match for match in index.search([found], depth=depth) if match.strength is not Strength.LIKELY]


def _letterboxed(frame: Image.Image) -> Image.Image:
    return ImageOps.pad(frame, (320, 320), color="black")


@pytest.mark.parametrize(
    ("change", "mirrored"),
    [
        pytest.param(lambda frame: frame.resize((176, 144)), False, id="small"),
        pytest.param(ImageOps.mirror, True, id="mirrored"),
        pytest.param(_letterboxed, False, id="letterboxed"),
    ],
)
def test_a_clip_is_found_with_its_place_in_the_work(
    index: Index, tmp_path: Path, change: films.Change, *, mirrored: bool
) -> None:
    clip = films.write(tmp_path / "clip.mp4", films.frames(1, 5, 11), change)

    [match] = _ask(index, clip)

    assert (match.work, match.algorithm, match.evidence["mirrored"]) == (1, "video-dct-256", mirrored)
    assert match.query_span == pytest.approx((0, 6), abs=0.6)
    assert match.work_span == pytest.approx((5, 11), abs=0.6)


def test_a_clip_that_runs_faster_is_found_with_its_speed(index: Index, tmp_path: Path) -> None:
    clip = films.write(tmp_path / "clip.mp4", films.frames(2, 2, 12, speed=1.25))

    [match] = _ask(index, clip)

    assert match.evidence["speed"] == pytest.approx(1.25, abs=0.03)
    assert match.work_span == pytest.approx((2, 12), abs=0.8)


def test_a_part_of_a_longer_video_is_found_where_it_lies(index: Index, tmp_path: Path) -> None:
    def mixed() -> Iterator[Image.Image]:
        yield from films.frames(20, 0, 6)
        yield from films.frames(0, 4, 9)
        yield from films.frames(21, 0, 6)

    [match] = _ask(index, films.write(tmp_path / "mixed.mp4", mixed()))

    assert match.query_span == pytest.approx((6, 11), abs=0.6)
    assert match.work_span == pytest.approx((4, 9), abs=0.6)


def test_a_small_part_of_the_picture_is_found_thoroughly(index: Index, tmp_path: Path) -> None:
    def inset(frame: Image.Image) -> Image.Image:
        page = next(films.frames(30, 1, 1.1)).resize((480, 360))
        page.paste(frame.resize((200, 150)), (240, 160))
        return page

    clip = films.write(tmp_path / "clip.mp4", films.frames(1, 4, 8), inset)

    assert _ask(index, clip) == []
    [match] = _ask(index, clip, Depth.THOROUGH)
    assert (match.work, match.algorithm) == (1, "video-sift-itq-128")
    assert match.work_span is not None
    assert len(match.work_span) == 2


def test_a_still_finds_the_video_and_the_video_a_registered_still(index: Index, tmp_path: Path) -> None:
    still = tmp_path / "still.jpg"
    next(films.frames(1, 9, 9.1)).save(still)
    video = films.write(tmp_path / "video.mp4", films.frames(3, 4, 8))

    by_still, by_video = _ask(index, still), _ask(index, video)

    assert {match.work for match in by_still} == {1}
    assert by_still[0].work_span is not None
    assert by_still[0].work_span[0] - 1 <= 9 <= by_still[0].work_span[1] + 1
    assert {(match.work, match.algorithm) for match in by_video} == {(3, "dct-256")}
    assert by_video[0].query_span is not None
    assert by_video[0].query_span[0] - 0.5 <= 2 <= by_video[0].query_span[1] + 0.5


@pytest.mark.parametrize("depth", list(Depth))
def test_a_stranger_finds_nothing(index: Index, tmp_path: Path, depth: Depth) -> None:
    assert _ask(index, films.write(tmp_path / "stranger.mp4", films.frames(40, 0, 8)), depth) == []


def test_a_video_without_sound_is_identifiable_and_a_held_frame_costs_one(tmp_path: Path) -> None:
    held = next(films.frames(5, 0, 0.1))
    video = films.write(tmp_path / "held.mp4", iter([held] * 300))

    found = extract(video)

    assert (found.modality, found.identifiable) == (Modality.VIDEO, True)
    sizes = {one.algorithm: len(one.value) for one in found.fingerprints}
    assert sizes["video-dct-256"] < 1000
    assert sizes["video-sift-itq-128"] < 10_000
