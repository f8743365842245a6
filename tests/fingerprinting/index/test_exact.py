"""Digests and keys match when all of their bytes are equal, and else not."""

import hashlib

import pytest

from fingerprinting.index.segment import Index
from fingerprinting.types import Fingerprint, Strength


def digest(content: str, algorithm: str = "sha256") -> Fingerprint:
    return Fingerprint(algorithm, 1, hashlib.sha256(content.encode()).digest())


@pytest.mark.parametrize("algorithm", ["sha256", "pixels-sha256", "key-url", "key-youtube"])
def test_an_equal_digest_is_exact(algorithm: str) -> None:
    index = Index.build([(4, digest("a", algorithm)), (9, digest("b", algorithm))])

    found = index.search([[digest("c", algorithm)], [digest("b", algorithm)]])

    assert [(match.asset, match.work, match.strength, match.distance) for match in found] == [(1, 9, Strength.EXACT, 0)]
    assert found[0].algorithm == algorithm


def test_a_digest_that_agrees_in_its_first_24_bytes_only_does_not_match() -> None:
    value = digest("a").value
    index = Index.build([(0, Fingerprint("sha256", 1, value))])

    assert index.search([[Fingerprint("sha256", 1, value[:24] + bytes(8))]]) == []


def test_every_work_with_the_digest_is_found_once() -> None:
    index = Index.build([(work, digest("a")) for work in (3, 1, 1)])

    found = index.search([[digest("a"), digest("a")]])

    assert [match.work for match in found] == [1, 3]


def test_digests_of_different_algorithms_do_not_match_each_other() -> None:
    index = Index.build([(0, digest("a", "sha256"))])

    assert index.search([[digest("a", "key-url")]]) == []
