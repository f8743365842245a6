"""Thresholds grow and shrink where they should."""

import pytest

from fingerprinting import thresholds


@pytest.mark.parametrize(("codes", "bits"), [(39, None), (40, 3.0), (59, 5.0), (140, 5.85), (221, 6.7), (5000, 6.7)])
def test_longer_sound_may_differ_more_and_too_short_never_matches(codes: int, bits: float | None) -> None:
    assert thresholds.chromaprint_match_bits(codes) == pytest.approx(bits)


@pytest.mark.parametrize(("works", "evidence"), [(0, 6), (10_000, 6), (10_001, 7), (1_000_000, 8), (100_000_000, 10)])
def test_a_text_match_needs_more_evidence_in_a_larger_registry(works: int, evidence: int) -> None:
    assert thresholds.shingle_match_evidence(works) == evidence


def test_what_counts_as_a_common_phrase_grows_with_the_registry() -> None:
    assert [thresholds.shingle_common_works(works) for works in (1, 400_000, 1_000_000)] == [2, 20, 50]
