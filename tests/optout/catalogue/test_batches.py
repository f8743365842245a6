"""A flood of matches is answered in parts that fit in memory, as each asset is answered alone."""

from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

import pytest

from fingerprinting.index.algorithm import CrowdedError
from fingerprinting.types import Depth, Fingerprint
from optout.catalogue import answer as answering
from optout.catalogue import batches, folder
from optout.catalogue.answer import FoundWork
from optout.catalogue.answers import Asset
from optout.catalogue.folder import Catalogue
from optout.catalogue.works import CatalogueWork
from optout.consent.reasons import Code
from optout.consent.statements import Statement
from optout.consent.vocabulary import Preference, Use

WORKS = 60
Print = Callable[..., Fingerprint]


@pytest.fixture
def crowd(
    tmp_path: Path, make_statement: Callable[..., Statement], sha256: Print, pdq: Print, monkeypatch: pytest.MonkeyPatch
) -> Catalogue:
    """Works that all show one picture; one of them, which comes last, is reserved. There is room for 200 matches."""
    monkeypatch.setattr(batches, "MOST_FOUND", 200)

    def work(number: int) -> CatalogueWork:
        preference = Preference.DISALLOWED if number == WORKS - 1 else Preference.ALLOWED
        said = (make_statement({Use.ALL: preference}, id=f"claim {number}", source=f"owner {number}"),)
        prints = (sha256("same"), pdq("same", flip=number % 8))
        return CatalogueWork(f"work {number:03}", prints, said, f"owner {number}")

    folder.build(tmp_path / "c", map(work, range(WORKS)))
    return folder.open(tmp_path / "c")


@pytest.fixture
def searched(crowd: Catalogue, monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    """How many assets the catalogue was asked for at once, and how many matches it gave; filled as it is asked."""
    seen: list[tuple[int, int]] = []
    search = crowd.search

    def watched(assets: Sequence[Asset], depth: Depth, room: int | None = None) -> list[FoundWork]:
        found = search(assets, depth, room)
        seen.append((len(assets), len(found)))
        return found

    monkeypatch.setattr(crowd, "search", watched)
    return seen


def test_a_flood_is_answered_in_parts_as_each_asset_is_alone(
    crowd: Catalogue, searched: list[tuple[int, int]], sha256: Print, pdq: Print, now: datetime
) -> None:
    assets = [
        Asset((sha256("same"), sha256(f"other {number}")) if number % 3 else (pdq("same"), sha256(f"other {number}")))
        for number in range(40)
    ]
    assets[7] = Asset((sha256("stranger"),))

    together = crowd.answer(assets, Use.TRAIN_GENAI, None, now)

    assert [one.verdict for one in together].count(Preference.DISALLOWED) == 39
    assert sum(asked for asked, _ in searched) == 40
    assert max(found for _, found in searched) <= 200
    for asset, one in zip(assets, together, strict=True):
        [alone] = crowd.answer([asset], Use.TRAIN_GENAI, None, now)
        assert (one.verdict, one.matches, list(one.reasons)) == (alone.verdict, alone.matches, list(alone.reasons))


def test_an_asset_with_more_matches_than_there_is_room_for_is_answered_from_all_of_them(
    crowd: Catalogue, sha256: Print, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batches, "MOST_FOUND", 5)

    one, other = crowd.answer([Asset((sha256("same"),)), Asset((sha256("stranger"),))], Use.TRAIN_GENAI, None, now)

    assert (one.verdict, other.verdict) == (Preference.DISALLOWED, Preference.UNKNOWN)
    assert len(one.matches) == answering.MAX_MATCHES_SHOWN
    assert one.reasons[0].parameters["work"] == f"work {WORKS - 1:03}"  # beyond what is shown, and decides
    assert one.reasons[-1].code == Code.WORKS_COMBINED
    assert one.reasons[-1].parameters["works"] == WORKS


def test_what_is_in_a_batch_many_times_is_asked_once(
    crowd: Catalogue, searched: list[tuple[int, int]], sha256: Print, now: datetime
) -> None:
    same, other = Asset((sha256("same"),)), Asset((sha256("x"),))

    answers = crowd.answer([same, other, *[same] * 500, other], Use.TRAIN_GENAI, None, now)

    assert searched == [(2, WORKS)]
    assert [one.verdict for one in answers] == [
        Preference.DISALLOWED,
        Preference.UNKNOWN,
        *[Preference.DISALLOWED] * 500,
        Preference.UNKNOWN,
    ]


def test_the_same_content_from_another_address_is_another_asset(sha256: Print) -> None:
    here, there = (Asset((sha256("x"),), location=f"https://{name}.example/") for name in ("a", "b"))

    assert batches.distinct([here, there, here]) == ([here, there], [0, 1, 0])


def test_what_was_made_by_hand_and_can_not_be_compared_is_asked_all_the_same(crowd: Catalogue, now: datetime) -> None:
    listed = Asset([Fingerprint("sha256", 1, bytes(32))])  # type: ignore[arg-type] # the point of the test

    assert [one.verdict for one in crowd.answer([listed, listed], Use.ALL, None, now)] == [Preference.UNKNOWN] * 2


def test_no_assets_are_asked_for_nothing() -> None:
    def search(_assets: Sequence[Asset], _room: int | None) -> None:
        raise CrowdedError

    assert list(batches.in_parts([], search)) == []
