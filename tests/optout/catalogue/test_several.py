"""Several catalogues asked at once: the most restrictive wins, and one that can't be read is never passed over."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fingerprinting.types import Fingerprint
from optout.catalogue import folder, merging, several
from optout.catalogue.answers import Asset
from optout.catalogue.folder import Catalogue
from optout.catalogue.works import LINES, CatalogueWork
from optout.consent.reasons import Code
from optout.consent.vocabulary import Preference, Use
from optout.errors import CorruptCatalogueError, InvalidInputError

NOW = datetime(2026, 6, 1, tzinfo=UTC)
A, C, D, U = Preference.ALLOWED, Preference.CONDITIONAL, Preference.DISALLOWED, Preference.UNKNOWN
RESTRICTION = [A, U, C, D]
CONTENTS = 5

MakeWork = Callable[..., CatalogueWork]
Print = Callable[..., Fingerprint]


def open_all(*places: Path) -> dict[str, Catalogue]:
    return {place.name: folder.open(place) for place in places}


held_works = st.lists(
    st.tuples(st.integers(0, 3), st.integers(0, CONTENTS - 1), st.integers(0, 40), st.sampled_from([A, C, D])),
    max_size=4,
    unique_by=lambda one: one[0],
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=12, deadline=None)
@given(catalogues=st.lists(held_works, min_size=2, max_size=3))
def test_the_answer_is_the_most_restrictive_of_each_and_never_milder_than_that_of_all_merged(
    tmp_path_factory: pytest.TempPathFactory,
    make_work: MakeWork,
    pdq: Print,
    catalogues: list[list[tuple[int, int, int, Preference]]],
) -> None:
    place = tmp_path_factory.mktemp("several")
    for number, held in enumerate(catalogues):
        works = [
            # `bits` more than a match allows: some copies are only likely, and decide nothing.
            replace(make_work(f"work {name}", said), fingerprints=(pdq(f"content {content}", flip=bits),))
            for name, content, bits, said in held
        ]
        folder.build(place / str(number), works)
    sources = [place / str(number) for number in range(len(catalogues))]
    merging.merge(sources, place / "merged")
    assets = [Asset((pdq(f"content {content}"),)) for content in range(CONTENTS)]

    answers = several.answer(open_all(*sources), assets, Use.TRAIN_GENAI, None, NOW)

    alone = [folder.open(source).answer(assets, Use.TRAIN_GENAI, None, NOW) for source in sources]
    merged = folder.open(place / "merged").answer(assets, Use.TRAIN_GENAI, None, NOW)
    for row, one in enumerate(answers):
        said = [each[row].verdict for each in alone]
        assert list(one.said.values()) == said
        assert one.verdict is max(said, key=RESTRICTION.index)
        assert RESTRICTION.index(one.verdict) >= RESTRICTION.index(merged[row].verdict)
        assert len(one.matches) == sum(len(each[row].matches) for each in alone)


@pytest.fixture
def two(tmp_path: Path, make_work: MakeWork) -> dict[str, Catalogue]:
    """Both know the fox; one allows it, and knows the crow as well."""
    folder.build(tmp_path / "mild", [make_work("fox", A), make_work("crow", A)])
    folder.build(tmp_path / "strict", [make_work("fox", D)])
    return open_all(tmp_path / "mild", tmp_path / "strict")


def test_it_is_said_who_said_what(two: dict[str, Catalogue], sha256: Print) -> None:
    fox, crow = several.answer(two, [Asset((sha256("fox"),)), Asset((sha256("crow"),))], Use.TRAIN_GENAI, None, NOW)

    assert (fox.verdict, dict(fox.said)) == (D, {"mild": A, "strict": D})
    assert {match.evidence["source"] for match in fox.matches} == {"mild", "strict"}
    assert fox.reasons[-1].code is Code.SOURCES_COMBINED
    assert fox.reasons[0].parameters["preference"] == D  # what decided comes first
    # One that does not know the crow keeps the other from permitting it.
    assert (crow.verdict, dict(crow.said)) == (U, {"mild": A, "strict": U})


def test_nothing_is_answered_where_one_can_not_be_read(two: dict[str, Catalogue], sha256: Print) -> None:
    lines = two["strict"].folder / LINES
    lines.write_bytes(b"x" * lines.stat().st_size)

    with pytest.raises(CorruptCatalogueError, match="strict"):
        several.answer(two, [Asset((sha256("fox"),))], Use.TRAIN_GENAI, None, NOW)


def test_no_catalogue_is_a_mistake_and_no_permission(sha256: Print) -> None:
    with pytest.raises(InvalidInputError, match="give one or more"):
        several.answer({}, [Asset((sha256("fox"),))], Use.TRAIN_GENAI)


def test_no_assets_give_no_answers(two: dict[str, Catalogue]) -> None:
    assert several.answer(two, [], Use.TRAIN_GENAI) == []


def test_one_catalogue_alone_answers_as_it_does(two: dict[str, Catalogue], sha256: Print) -> None:
    asset = Asset((sha256("fox"),))

    [one] = several.answer({"strict": two["strict"]}, [asset], Use.TRAIN_GENAI, None, NOW)

    [same] = two["strict"].answer([asset], Use.TRAIN_GENAI, None, NOW)
    assert (one.verdict, one.use, one.asset_key) == (same.verdict, same.use, same.asset_key)
