"""Pictures that are seen at a slant: maps of places, and the placement that agrees with most pairs of features."""

import numpy as np
import pytest

from fingerprinting.image.feature_bytes import MIRRORED
from fingerprinting.index import feature_geometry, slant
from fingerprinting.index.feature_geometry import Placement, Spots

SLANTED = np.array([[0.9, 0.1, 20.0], [-0.05, 0.8, 30.0], [0.0006, 0.0004, 1.0]])
FRAME = (640.0, 480.0)


def grid(count: int) -> np.ndarray:
    return np.random.default_rng(3).uniform((20, 20), (600, 440), (count, 2))


def test_a_map_is_found_from_the_places_that_it_maps() -> None:
    here = grid(12)

    found = slant.fit(here, slant.moved(SLANTED, here))

    assert found is not None
    np.testing.assert_allclose(slant.moved(found, grid(40)), slant.moved(SLANTED, grid(40)), atol=1e-6)


def test_places_on_one_line_tell_no_map() -> None:
    here = np.stack([np.linspace(0, 500, 20), np.linspace(30, 400, 20)], axis=1)

    assert slant.fit(here, here + 5) is None


def test_the_inverse_maps_back_and_makes_smaller_what_was_made_larger() -> None:
    inverse = np.linalg.inv(SLANTED)
    there = slant.moved(SLANTED, grid(30))

    np.testing.assert_allclose(slant.moved(inverse, there), grid(30), atol=1e-9)
    np.testing.assert_allclose(slant.enlargement(inverse, there) * slant.enlargement(SLANTED, grid(30)), 1)


def test_close_to_a_place_it_is_an_affine_map() -> None:
    place = np.array([300.0, 200.0])

    near = slant.near(SLANTED, place)

    around = place + np.array([[0, 0], [0.01, 0], [0, 0.01]])
    np.testing.assert_allclose(slant.moved(near, around), slant.moved(SLANTED, around), atol=1e-6)
    assert np.sqrt(np.linalg.det(near[:2, :2])) == pytest.approx(slant.enlargement(SLANTED, place[np.newaxis])[0])


def test_what_lies_behind_the_camera_is_nowhere() -> None:
    behind = np.array([[-2000.0, -500.0], [10.0, 10.0]])

    moved = slant.moved(SLANTED, behind)

    assert np.isnan(moved[0]).all()
    assert np.isnan(slant.enlargement(SLANTED, behind)[0])
    assert not np.isnan(moved[1]).any()


def seen(matrix: np.ndarray, *, strange: int = 0) -> tuple[Spots, Spots]:
    """Features of an asset and of the work that lies in it as a map says; and so many that have nothing in common."""
    here = grid(90)
    there = slant.moved(matrix, here)
    growth, turn = np.log(slant.enlargement(matrix, here)), np.empty(90)
    for row, place in enumerate(here):
        linear = slant.near(matrix, place)[:2, :2]
        turn[row] = np.arctan2(linear[1, 0] - linear[0, 1], linear[0, 0] + linear[1, 1])
    dice = np.random.default_rng(4)
    there[:strange] = dice.uniform(0, 480, (strange, 2))
    spots = [
        Spots(places.astype(np.float32), sizes.astype(np.float32), directions.astype(np.float32), FRAME)
        for places, sizes, directions in ((here, np.zeros(90), np.zeros(90)), (there, growth, turn % (2 * np.pi)))
    ]
    return spots[0], spots[1]


def placed(matrix: np.ndarray, *, strange: int = 0) -> Placement:
    found = feature_geometry.place(*seen(matrix, strange=strange))
    assert found is not None
    return found


def test_a_picture_seen_at_a_slant_is_placed_with_nearly_all_its_features() -> None:
    found = placed(SLANTED, strange=30)

    assert found.is_slanted
    assert found.inliers >= 50
    np.testing.assert_allclose(slant.moved(found.matrix, grid(40)), slant.moved(SLANTED, grid(40)), atol=1)


def test_one_that_is_seen_from_the_front_is_not_slanted() -> None:
    turned = slant.affine(np.array([0.8, -0.2, 60, 0.2, 0.8, 10]))

    found = placed(turned, strange=30)

    assert not found.is_slanted
    np.testing.assert_array_equal(found.matrix[2], (0, 0, 1))


def test_the_box_of_a_slanted_picture_is_around_its_four_corners() -> None:
    found = placed(SLANTED)
    corners = np.array([[0, 0], [640, 0], [0, 480], [640, 480]])
    where = slant.moved(np.linalg.inv(SLANTED), corners)

    in_asset, _ = feature_geometry.boxes(found, (640, 480), (640, 480), 0)

    wanted = np.concatenate([where.min(axis=0), where.max(axis=0)]).clip(0, [640, 480, 640, 480])
    np.testing.assert_allclose(in_asset, wanted, atol=2)


def test_where_a_slanted_picture_lies_is_told_by_its_middle() -> None:
    found = placed(SLANTED)

    a, b, c, d, e, f = feature_geometry.in_pixels(found, (1280, 960), (640, 480), 0)

    middle = slant.moved(np.linalg.inv(SLANTED), np.array([[320.0, 240.0]]))[0] * 2
    np.testing.assert_allclose((a * 320 + c * 240 + e, b * 320 + d * 240 + f), middle, atol=2)


@pytest.mark.parametrize("variant", [0, MIRRORED])
def test_the_corners_of_a_slanted_picture_are_written_and_of_another_none(variant: int) -> None:
    found, flat = placed(SLANTED), placed(slant.affine(np.array([0.8, -0.2, 60, 0.2, 0.8, 10])))
    wanted = slant.moved(np.linalg.inv(SLANTED), np.array([[0.0, 0.0], [640, 0], [640, 480], [0, 480]])) * 2
    if variant:
        wanted[:, 0] = 1280 - wanted[:, 0]

    written = feature_geometry.laid(found, (1280, 960), (320, 240), variant)

    read = np.array(str(written["corners"]).split(" "), float).reshape(4, 2)
    np.testing.assert_allclose(read, wanted, atol=4)
    assert "corners" not in feature_geometry.laid(flat, (1280, 960), (320, 240), variant)


@pytest.mark.parametrize("seed", range(40))
def test_whatever_pairs_there_are_a_placement_can_be_seen_or_there_is_none(seed: int) -> None:
    dice = np.random.default_rng(seed)
    step = dice.choice([1, 40, 200])  # many of them in one place, or in few lines
    here, there = ((dice.integers(0, 640 // step, (120, 2)) * step).astype(np.float32) for _ in range(2))
    same = int(dice.integers(0, 120))
    there[:same] = here[0] if seed % 2 else here[:same] + 3
    sizes, directions = dice.uniform(-0.3, 0.3, (2, 120)), dice.uniform(0, 0.5, (2, 120))
    asked, known = (
        Spots(places, size.astype(np.float32), direction.astype(np.float32), FRAME)
        for places, size, direction in zip((here, there), sizes, directions, strict=True)
    )

    found = feature_geometry.place(asked, known)

    if found is not None:
        assert np.isfinite(found.matrix).all()
        assert np.isfinite(slant.inverse(found.matrix)).all()
