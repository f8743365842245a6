"""Compiled loops of local features do what plain comparisons do."""

import numpy as np
import pytest

from fingerprinting.image.feature_bytes import MIRRORED, PLACE, Features
from fingerprinting.index import feature_again, feature_geometry, feature_lists, feature_votes
from fingerprinting.index.feature_geometry import Spots

DICE = np.random.default_rng(5)


def codes(count: int) -> np.ndarray:
    """Codes that crowd around some, as those of pictures do."""
    middles = DICE.integers(0, 2**63, (40, 2), dtype=np.uint64)
    flips = np.bitwise_and.reduce(DICE.integers(0, 2**63, (3, count, 2), dtype=np.uint64))
    return middles[DICE.integers(0, 40, count)] ^ flips


def bits(asked: np.ndarray, known: np.ndarray) -> np.ndarray:
    return np.bitwise_count(asked[:, None] ^ known[None]).sum(axis=2)


@pytest.mark.parametrize("count", [300, 30_000])
def test_with_every_list_scanned_the_nearest_codes_are_those_of_comparing_all(
    monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    known = codes(count)
    lists, positions = feature_lists.build(known, np.zeros(count, np.uint32))
    monkeypatch.setattr(feature_lists, "PARENTS", feature_lists.COARSE)
    monkeypatch.setattr(feature_lists, "PROBES", feature_lists.FINE)
    asked = np.concatenate([known[:20], codes(30)])

    found, distances = lists.find(asked, 4, 40)

    wanted = np.sort(bits(asked, known), axis=1)[:, :4]
    np.testing.assert_array_equal(np.where(found >= 0, distances, 99), np.where(wanted <= 40, wanted, 99))
    near = found[:20, 0]
    np.testing.assert_array_equal(lists.codes[near], known[:20])
    assert len(np.unique(positions)) == count


def test_few_lists_hold_most_of_the_nearest_codes() -> None:
    known = codes(30_000)
    lists, _ = feature_lists.build(known, np.zeros(len(known), np.uint32))

    _, distances = lists.find(known[:200], 1, 20)

    assert (distances[:, 0] == 0).mean() > 0.97


def spots(places: np.ndarray) -> Spots:
    sizes, directions = np.zeros((2, len(places)), np.float32)
    return Spots(places.astype(np.float32), sizes, directions, (640.0, 480.0))


def test_the_placement_of_true_pairs_is_found_among_false_ones() -> None:
    here = DICE.uniform(50, 450, (60, 2))
    turn, scale = 0.5, 0.8
    linear = scale * np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    there = here @ linear.T + [120, 40]
    there[40:] = DICE.uniform(0, 480, (20, 2))
    asked, known = spots(here), spots(there)
    known.sizes[:] = np.log(scale)
    known.directions[:] = turn
    known.directions[40:] = DICE.uniform(0, 6, 20)

    placed = feature_geometry.place(asked, known)

    assert placed is not None
    np.testing.assert_allclose(placed.matrix[:2], np.concatenate([linear, [[120], [40]]], axis=1), atol=0.05)
    assert set(range(40)) <= set(placed.pairs.tolist())
    assert placed.inliers >= 35
    low, high = np.percentile(there[placed.pairs], (5, 95), axis=0)
    assert placed.share == pytest.approx(np.prod(high - low) / (640 * 480), rel=1e-4)
    spread = np.sqrt(np.linalg.eigvalsh(np.cov(there[placed.pairs].T))[0])
    assert placed.spread == pytest.approx(spread, rel=1e-4)


def test_a_second_look_pairs_what_lies_where_it_should() -> None:
    asked, places = codes(60), DICE.uniform(50, 450, (60, 2))
    noise = np.bitwise_and.reduce(DICE.integers(0, 2**63, (2, 60, 2), dtype=np.uint64))
    known = asked ^ noise  # some 32 of 128 bits off, as other codes are
    known[50:] = known[49]  # one thing in many places
    both = feature_again.Both(asked, known.T.ravel(), spots(places), spots(places + 3))
    first = feature_geometry.place(spots(places[:8]), spots(places[:8] + 3))
    assert first is not None

    placed, mine, its = feature_again.again(both, first, np.arange(8), np.arange(8))

    assert placed.inliers > 40 > first.inliers
    np.testing.assert_array_equal(mine, its)
    assert mine.max() < 49


def test_places_on_one_line_fit_nothing_that_bends() -> None:
    here = np.stack([np.linspace(10, 500, 30), np.full(30, 200.0)], axis=1)

    placed = feature_geometry.place(spots(here), spots(here + np.array([5, 7])))

    assert placed is None or placed.spread < 1


def test_one_that_mirrors_is_no_placement() -> None:
    here = DICE.uniform(50, 450, (60, 2))

    placed = feature_geometry.place(spots(here), spots(here * [-1, 1] + np.array([500, 0])))

    assert placed is None or placed.inliers < 10


def ballot(asked: Features, row: int, variant: int, shown: np.ndarray) -> feature_votes.Ballot:
    count = len(shown)
    return feature_votes.Ballot(
        variant=np.full(count, variant),
        feature=np.arange(count),
        row=np.full(count, row),
        places=shown,
        sizes=np.tile(np.array([[800, 600]], np.uint32), (count, 1)),
    )


def joined(*some: feature_votes.Ballot) -> feature_votes.Ballot:
    return feature_votes.Ballot(
        *(np.concatenate([getattr(each, name) for each in some]) for name in feature_votes.Ballot.__slots__)
    )


@pytest.mark.parametrize("variant", [0, MIRRORED])
def test_pairs_that_agree_on_a_place_outvote_more_that_do_not(variant: int) -> None:
    places = np.zeros(60, PLACE)
    places["x"], places["y"] = DICE.integers(0, 65536, (2, 60))
    places["scale"], places["angle"] = 80, DICE.integers(0, 256, 60)
    asked = Features((800, 600), np.zeros((48, 64), np.uint8), places, np.zeros((4, 60, 2), np.uint64))
    same = places.copy()
    if variant:
        same["x"], same["angle"] = 65535 - places["x"], (128 - places["angle"].astype(int)) % 256
    other = places.copy()
    other["x"], other["y"] = DICE.integers(0, 65536, (2, 60))
    other["angle"] = DICE.integers(0, 256, 60)

    elected = feature_votes.elect(
        joined(ballot(asked, 900_000, variant, same[:20]), ballot(asked, 3, 0, other)), asked, 4, 3
    )

    assert elected[0] == (900_000, variant)
