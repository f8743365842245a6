"""PDQ decides by distance, quality and which views are compared."""

from collections.abc import Callable

import numpy as np
import pytest

from fingerprinting.index.segment import Index
from fingerprinting.types import Depth, Fingerprint, Span, Strength

Picture = Callable[..., Fingerprint]
Flip = Callable[[bytes, int], bytes]


@pytest.mark.parametrize(
    ("bits", "strength"), [(0, Strength.MATCH), (31, Strength.MATCH), (32, Strength.LIKELY), (48, Strength.LIKELY)]
)
def test_the_distance_decides_how_sure_a_match_is(
    picture: Picture, flip: Flip, rng: np.random.Generator, bits: int, strength: Strength
) -> None:
    value = rng.bytes(32)
    index = Index.build([(0, picture(rng.bytes(32))), (1, picture(value))])

    (match,) = index.search([[picture(flip(value, bits))]])

    assert (match.work, match.distance, match.strength) == (1, bits, strength)
    assert match.threshold == (31 if strength is Strength.MATCH else 48)


def test_beyond_the_widest_limit_there_is_no_match(picture: Picture, flip: Flip, rng: np.random.Generator) -> None:
    value = rng.bytes(32)

    assert Index.build([(0, picture(value))]).search([[picture(flip(value, 49))]]) == []


@pytest.mark.parametrize(("work", "asset"), [(49, 100), (100, 49)])
@pytest.mark.parametrize(
    ("bits", "strength"), [(16, Strength.MATCH), (17, Strength.LIKELY), (31, Strength.LIKELY), (32, None)]
)
def test_a_flat_picture_on_either_side_must_be_nearer(
    picture: Picture, flip: Flip, rng: np.random.Generator, work: int, asset: int, bits: int, strength: Strength | None
) -> None:
    value = rng.bytes(32)
    index = Index.build([(0, picture(value, quality=work))])

    found = index.search([[picture(flip(value, bits), quality=asset)]])

    assert [match.strength for match in found] == ([strength] if strength else [])


@pytest.mark.parametrize(("work", "asset"), [((0, 0, 5, 5), (1, 1, 6, 6)), ((0, 0, 5, 5), None), (None, (0, 0, 5, 5))])
@pytest.mark.parametrize(
    ("bits", "strength"), [(24, Strength.MATCH), (25, Strength.LIKELY), (31, Strength.LIKELY), (32, None)]
)
def test_frames_must_be_nearer_than_whole_pictures(
    picture: Picture,
    flip: Flip,
    rng: np.random.Generator,
    work: Span | None,
    asset: Span | None,
    bits: int,
    strength: Strength | None,
) -> None:
    value = rng.bytes(32)
    index = Index.build([(0, picture(value, span=work))])

    found = index.search([[picture(flip(value, bits), span=asset)]])

    assert [(match.strength, match.query_span, match.work_span) for match in found] == (
        [(strength, asset, work)] if strength else []
    )


@pytest.mark.parametrize(
    ("bits", "strength"), [(16, Strength.MATCH), (17, Strength.LIKELY), (24, Strength.LIKELY), (25, None)]
)
def test_flat_frames_must_be_nearest_of_all(
    picture: Picture, flip: Flip, rng: np.random.Generator, bits: int, strength: Strength | None
) -> None:
    value = rng.bytes(32)
    index = Index.build([(0, picture(value, quality=40, span=(0, 0, 5, 5)))])

    found = index.search([[picture(flip(value, bits), span=(0, 0, 5, 5))]])

    assert [match.strength for match in found] == ([strength] if strength else [])


def test_the_fast_depth_leaves_out_what_is_only_likely(picture: Picture, flip: Flip, rng: np.random.Generator) -> None:
    value = rng.bytes(32)
    index = Index.build([(0, picture(value, quality=40))])

    assert index.search([[picture(flip(value, 20))]], depth=Depth.FAST) == []


def test_of_several_views_the_surest_then_the_nearest_is_reported_with_its_spans(
    picture: Picture, flip: Flip, rng: np.random.Generator
) -> None:
    value = rng.bytes(32)
    work = [
        (5, picture(rng.bytes(32))),
        (5, picture(value, span=(10, 20, 90, 80))),
        (5, picture(flip(value, 26), quality=10)),
    ]
    asset = [picture(rng.bytes(32)), picture(flip(value, 9)), picture(flip(value, 20), quality=20, span=(0, 0, 5, 5))]

    (match,) = Index.build(work).search([asset])

    assert (match.work, match.distance, match.strength) == (5, 9, Strength.MATCH)
    assert (match.query_span, match.work_span) == (None, (10, 20, 90, 80))


def test_the_fast_depth_reports_matches_only(picture: Picture, flip: Flip, rng: np.random.Generator) -> None:
    value = rng.bytes(32)
    index = Index.build([(0, picture(value)), (1, picture(flip(value, 40)))])

    assert [match.work for match in index.search([[picture(value)]], depth=Depth.FAST)] == [0]


def test_more_works_than_one_are_all_reported(picture: Picture, rng: np.random.Generator) -> None:
    value = rng.bytes(32)
    index = Index.build([(work, picture(value)) for work in range(40)])

    found = index.search([[picture(rng.bytes(32))], [picture(value)]])

    assert [(match.asset, match.work) for match in found] == [(1, work) for work in range(40)]


def test_a_large_batch_gives_each_asset_its_own_work(picture: Picture, rng: np.random.Generator) -> None:
    values = [rng.bytes(32) for _ in range(700)]
    index = Index.build([(work, picture(value)) for work, value in enumerate(values)])

    found = index.search([[picture(value)] for value in reversed(values)])

    assert [(match.asset, match.work) for match in found] == [(asset, 699 - asset) for asset in range(700)]
