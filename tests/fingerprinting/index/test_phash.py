"""pHash alone is worth a look at most."""

from collections.abc import Callable

import numpy as np
import pytest

from fingerprinting.index.segment import Index
from fingerprinting.types import Depth, Fingerprint, Strength

Picture = Callable[..., Fingerprint]
Flip = Callable[[bytes, int], bytes]


@pytest.mark.parametrize(("bits", "found"), [(0, 1), (4, 1), (5, 0)])
def test_alone_it_is_likely_at_most(
    picture: Picture, flip: Flip, rng: np.random.Generator, bits: int, found: int
) -> None:
    value = rng.bytes(8)
    index = Index.build([(0, picture(value, algorithm="phash-64"))])

    matches = index.search([[picture(flip(value, bits), algorithm="phash-64")]])

    assert [match.strength for match in matches] == [Strength.LIKELY] * found


def test_where_pdq_calls_the_work_a_match_phash_is_one_too(
    picture: Picture, flip: Flip, rng: np.random.Generator
) -> None:
    small, large = rng.bytes(8), rng.bytes(32)
    entries = [(work, picture(small, algorithm="phash-64")) for work in (0, 1)]
    index = Index.build([*entries, (1, picture(large))])

    found = index.search([[picture(small, algorithm="phash-64"), picture(flip(large, 20))]])

    strengths = {(match.work, match.algorithm): match.strength for match in found}
    assert strengths == {
        (0, "phash-64"): Strength.LIKELY,
        (1, "phash-64"): Strength.MATCH,
        (1, "pdq-256"): Strength.MATCH,
    }


def test_the_fast_depth_leaves_it_out(picture: Picture, rng: np.random.Generator) -> None:
    print_ = picture(rng.bytes(8), algorithm="phash-64")

    assert Index.build([(0, print_)]).search([[print_]], depth=Depth.FAST) == []
