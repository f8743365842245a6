"""Merging loses no work and nothing that was said, and permits nothing that a catalogue alone did not."""

import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fingerprinting.types import Fingerprint
from optout.catalogue import folder, merging
from optout.catalogue.answers import Asset
from optout.catalogue.works import CatalogueWork
from optout.consent.vocabulary import Preference, Use
from optout.errors import ConflictError, CorruptCatalogueError, InvalidInputError

MOMENT = datetime(2026, 1, 1, tzinfo=UTC)
MakeWork = Callable[..., CatalogueWork]
Print = Callable[..., Fingerprint]
A, C, D = Preference.ALLOWED, Preference.CONDITIONAL, Preference.DISALLOWED


def contents(path: Path) -> dict[str, bytes]:
    return {file.relative_to(path).as_posix(): file.read_bytes() for file in path.rglob("*") if file.is_file()}


def verdict(path: Path, *prints: Fingerprint) -> Preference:
    [one] = folder.open(path).answer([Asset(prints)], Use.TRAIN_GENAI)
    return one.verdict


def test_the_merged_catalogue_is_the_one_built_of_all_works(tmp_path: Path, make_work: MakeWork) -> None:
    works = [make_work(name) for name in ("fox", "crow", "hare", "éclair", "wolf", "a/b.png")]
    folder.build(tmp_path / "one", works[:2])
    folder.build(tmp_path / "two", works[2:5])
    folder.build(tmp_path / "three", works[4:])
    folder.build(tmp_path / "all", works, built_at=MOMENT)

    merged = merging.merge([tmp_path / name for name in ("one", "two", "three")], tmp_path / "m", built_at=MOMENT)

    assert contents(tmp_path / "m") == contents(tmp_path / "all")
    assert (merged.info, merged.renamed) == (folder.verify(tmp_path / "all"), {})


def test_a_catalogue_merged_with_itself_stays_as_it_is(tmp_path: Path, make_work: MakeWork) -> None:
    folder.build(tmp_path / "c", [make_work("fox"), make_work("crow")], built_at=MOMENT)
    before = contents(tmp_path / "c")

    merging.merge([tmp_path / "c", tmp_path / "c"], tmp_path / "c", built_at=MOMENT)

    assert contents(tmp_path / "c") == before


def test_what_two_catalogues_have_in_common_is_not_held_in_memory(tmp_path: Path, make_work: MakeWork) -> None:
    random = np.random.default_rng(1)
    print_of = [Fingerprint("chromaprint-2", 1, random.bytes(120_000)) for _ in range(100)]
    works = [replace(make_work(f"{row:03}"), fingerprints=(one,)) for row, one in enumerate(print_of)]
    folder.build(tmp_path / "c", works)
    merger = merging._Merger([folder.open(tmp_path / "c")] * 2, [])
    list(merger.works())

    tracemalloc.start()
    count = sum(1 for _ in merger.entries())
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert count == 100
    assert peak < 3_000_000  # of 12


@pytest.mark.parametrize("turned", [False, True])
def test_of_one_id_with_different_words_the_most_restrictive_counts(
    tmp_path: Path, make_work: MakeWork, sha256: Print, *, turned: bool
) -> None:
    folder.build(tmp_path / "old", [make_work("fox", D)])
    folder.build(tmp_path / "new", [make_work("fox", A), make_work("crow", A)])
    sources = [tmp_path / "old", tmp_path / "new"]
    if turned:
        sources.reverse()

    merged = merging.merge(sources, tmp_path / "m")

    assert verdict(tmp_path / "m", sha256("fox")) is D
    assert verdict(tmp_path / "m", sha256("crow")) is A
    assert merged.renamed == {(sources[1], "fox"): "fox#2"}
    assert merged.info.works == 3


def test_works_that_only_share_a_name_keep_their_own_words(tmp_path: Path, make_work: MakeWork, sha256: Print) -> None:
    folder.build(tmp_path / "one", [make_work("a.jpg", A), make_work("a.jpg#2", C)])
    other = replace(make_work("a.jpg", D), fingerprints=(sha256("another picture"),))
    folder.build(tmp_path / "two", [other])

    merged = merging.merge([tmp_path / "one", tmp_path / "two"], tmp_path / "m")

    assert verdict(tmp_path / "m", sha256("a.jpg")) is A
    assert verdict(tmp_path / "m", sha256("another picture")) is D
    assert list(merged.renamed.values()) == ["a.jpg#3"]


def test_a_work_that_was_fingerprinted_anew_is_found_by_both(
    tmp_path: Path, make_work: MakeWork, sha256: Print, pdq: Print
) -> None:
    work = make_work("fox")
    folder.build(tmp_path / "old", [replace(work, fingerprints=(sha256("fox"),))])
    folder.build(tmp_path / "new", [replace(work, fingerprints=(sha256("fox"), pdq("fox")))])

    merged = merging.merge([tmp_path / "old", tmp_path / "new"], tmp_path / "m")

    assert (merged.info.works, dict(merged.info.fingerprints)) == (1, {"sha256": 1, "pdq-256": 1})
    assert verdict(tmp_path / "m", pdq("fox", flip=3)) is D


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)
@given(st.lists(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4), st.sampled_from([A, C, D])), max_size=4,
                         unique_by=lambda one: one[0]), min_size=2, max_size=3))  # fmt: skip
def test_what_a_catalogue_reserves_is_reserved_in_the_merged_one(
    tmp_path_factory: pytest.TempPathFactory,
    make_work: MakeWork,
    sha256: Print,
    catalogues: list[list[tuple[int, int, Preference]]],
) -> None:
    place = tmp_path_factory.mktemp("merged")
    order = [Preference.ALLOWED, Preference.UNKNOWN, Preference.CONDITIONAL, Preference.DISALLOWED]
    for number, held in enumerate(catalogues):
        works = [
            replace(make_work(f"work {name}", said), fingerprints=(sha256(f"content {content}"),))
            for name, content, said in held
        ]
        folder.build(place / str(number), works)
    sources = [place / str(number) for number in range(len(catalogues))]

    merging.merge(sources, place / "m")

    folder.verify(place / "m")
    for content in range(5):
        asked = sha256(f"content {content}")
        alone = [verdict(source, asked) for source in sources]
        known = [one for one in alone if one is not Preference.UNKNOWN] or [Preference.UNKNOWN]
        assert verdict(place / "m", asked) is max(known, key=order.index)


def test_a_damaged_source_is_refused_and_nothing_is_written(tmp_path: Path, make_work: MakeWork) -> None:
    for name in ("one", "two"):
        folder.build(tmp_path / name, [make_work(name)])
    digests = next((tmp_path / "two").rglob("digests.npy"))
    raw = bytearray(digests.read_bytes())
    raw[-1] ^= 1
    digests.write_bytes(raw)

    with pytest.raises(CorruptCatalogueError, match=r"two is damaged"):
        merging.merge([tmp_path / "one", tmp_path / "two"], tmp_path / "m")

    assert {path.name for path in tmp_path.iterdir()} == {"one", "two"}


def test_one_source_or_a_place_that_is_taken_are_refused(tmp_path: Path, make_work: MakeWork) -> None:
    folder.build(tmp_path / "one", [make_work("one")])
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "diary.txt").write_text("mine")

    with pytest.raises(InvalidInputError, match="two catalogues"):
        merging.merge([tmp_path / "one"], tmp_path / "m")
    with pytest.raises(ConflictError, match="choose another place"):
        merging.merge([tmp_path / "one", tmp_path / "one"], tmp_path / "mine")
