"""Thresholds grow and shrink where they should."""

import pytest

from fingerprinting import thresholds

CURVE = ((40, 3.0), (60, 5.0), (220, 6.6))


@pytest.mark.parametrize(("codes", "bits"), [(39, None), (40, 3.0), (50, 4.0), (60, 5.0), (140, 5.8), (5000, 6.6)])
def test_longer_sound_may_differ_more_and_too_short_never_counts(codes: int, bits: float | None) -> None:
    assert thresholds.chromaprint_limit(CURVE, codes) == pytest.approx(bits)


def test_what_makes_a_match_is_always_worth_a_look() -> None:
    for codes in range(19, 400):
        sure = thresholds.chromaprint_limit(thresholds.CHROMAPRINT_MATCH_CURVE, codes)
        likely = thresholds.chromaprint_limit(thresholds.CHROMAPRINT_LIKELY_CURVE, codes)
        assert likely is not None
        assert sure is None or sure <= likely


@pytest.mark.parametrize(("works", "evidence"), [(0, 6), (10_000, 6), (10_001, 7), (1_000_000, 8), (100_000_000, 10)])
def test_a_text_match_needs_more_evidence_in_a_larger_registry(works: int, evidence: int) -> None:
    assert thresholds.shingle_match_evidence(works) == evidence
