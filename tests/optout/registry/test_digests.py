"""The digest of a work's fingerprints depends on the set of them and on nothing else."""

import hashlib
from dataclasses import replace

from factories import pdq, sha256
from hypothesis import given
from hypothesis import strategies as st

from fingerprinting.types import Fingerprint
from optout.registry.digests import fingerprint_digest

FINGERPRINTS = st.builds(
    Fingerprint, st.sampled_from(["sha256", "pdq-256", "key-url"]), st.integers(1, 3), st.binary(max_size=8)
)


def test_it_is_what_its_description_says() -> None:
    one = sha256(b"a")
    inner = hashlib.sha256(b"crk1-fingerprint\0sha256\x001\0" + hashlib.sha256(b"a").digest()).digest()

    assert fingerprint_digest([one]) == hashlib.sha256(b"crk1-fingerprints\0" + inner).digest()


@given(st.lists(FINGERPRINTS, max_size=6), st.randoms())
def test_order_and_repetition_do_not_matter(fingerprints: list[Fingerprint], random: object) -> None:
    shuffled = fingerprints * 2
    random.shuffle(shuffled)  # type: ignore[attr-defined]  # hypothesis gives a random.Random

    assert fingerprint_digest(shuffled) == fingerprint_digest(fingerprints)


@given(st.sets(FINGERPRINTS, max_size=5), st.sets(FINGERPRINTS, max_size=5))
def test_different_sets_differ(some: set[Fingerprint], others: set[Fingerprint]) -> None:
    assert (fingerprint_digest(some) == fingerprint_digest(others)) == (some == others)


def test_quality_and_span_are_not_part_of_it() -> None:
    one = pdq(1)

    assert fingerprint_digest([replace(one, quality=3.0, span=(0.0, 1.0))]) == fingerprint_digest([one])
