"""Where a match lies, read out of its evidence."""

import pytest

from fingerprinting.types import EvidenceValue, Modality, Span, SpanUnit, Strength
from optout.catalogue.answers import WorkMatch
from optout.catalogue.places import Place, Places, places
from optout.consent.vocabulary import Preference


def match(algorithm: str, query: Span | None = None, work: Span | None = None, **evidence: EvidenceValue) -> WorkMatch:
    return WorkMatch(
        "w", Strength.MATCH, Modality.AUDIO, algorithm, 1, None, 9.0, 5.0, query, work, Preference.UNKNOWN, evidence
    )


def test_every_place_of_a_recording_is_read_with_both_lengths() -> None:
    heard = match(
        "bandenergy-32",
        (1.0, 9.5),
        (31.0, 39.5),
        spans="1.0-9.5 in 31.0-39.5; 20-24.25 in 2.0-6.25",
        asset_seconds=30.5,
        work_seconds=60,
    )

    assert places(heard) == Places(
        SpanUnit.SECONDS,
        (Place((1.0, 9.5), (31.0, 39.5)), Place((20.0, 24.25), (2.0, 6.25))),
        asset_seconds=30.5,
        work_seconds=60.0,
    )


def test_a_picture_has_a_region_and_sizes() -> None:
    transform = "0.5 -1e-05 0.0312 -0.5 100.25 7"
    seen = match("sift-itq-128", (1, 2, 3, 4), None, asset_size="1200x900", work_size="60x40", transform=transform)

    assert places(seen).places == (Place((1, 2, 3, 4), None),)
    assert (places(seen).asset_size, places(seen).work_size) == ((1200, 900), (60, 40))
    assert places(seen).transform == (0.5, -1e-05, 0.0312, -0.5, 100.25, 7)


@pytest.mark.parametrize(
    "written", ["", "1 0 0 1 5", "1 0 0 1 5 6 7", "1 0 0 1 5 x", "nan 0 0 1 5 6", '1 0 0 1 5 6"/><', 7]
)
def test_a_transform_that_is_none_is_not_read(written: EvidenceValue) -> None:
    assert places(match("sift-itq-128", transform=written)).transform is None


def test_a_picture_at_a_slant_has_four_corners() -> None:
    written = "-10.5 0.0 20.0 1.5 21.0 30.0 -9.0 31.0"

    assert places(match("sift-itq-128", corners=written)).corners == (-10.5, 0, 20, 1.5, 21, 30, -9, 31)
    assert places(match("sift-itq-128", corners=written + " 7")).corners is None
    assert places(match("sift-itq-128", corners=written.replace("1.5", '1"/>'))).corners is None


@pytest.mark.parametrize("said", ["x", "1-2", "0x5", 7, True])
def test_what_is_not_understood_is_nothing(said: EvidenceValue) -> None:
    strange = match("algorithm-of-tomorrow", spans=said, asset_size=said, work_seconds="long")

    assert places(strange) == Places(None)
