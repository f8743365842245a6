"""The index over all algorithms: what is saved opens again, and what is damaged is refused."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from fingerprinting.errors import CorruptIndexError, InvalidFingerprintError
from fingerprinting.index.algorithm import CrowdedError
from fingerprinting.index.segment import Index
from fingerprinting.types import Fingerprint, Match, Strength

Entries = list[tuple[int, Fingerprint]]


@pytest.fixture
def entries(
    rng: np.random.Generator,
    picture: Callable[..., Fingerprint],
    sound: Callable[..., Fingerprint],
    text: Callable[..., Fingerprint],
) -> Entries:
    """Works 0 to 11, each with a fingerprint of every kind."""
    made: Entries = []
    for work in range(12):
        made += [
            (work, Fingerprint("sha256", 1, rng.bytes(32))),
            (work, Fingerprint("key-url", 1, rng.bytes(32))),
            (work, picture(rng.bytes(32))),
            (work, picture(rng.bytes(32), span=(0, 0, 50, 40))),
            (work, picture(rng.bytes(8), algorithm="phash-64")),
            (work, sound(rng.integers(0, 2**32, 100, dtype=np.uint32))),
            (work, text(rng.integers(0, 2**64, 50, dtype=np.uint64))),
        ]
    return made


@pytest.fixture
def assets(entries: Entries, rng: np.random.Generator) -> list[list[Fingerprint]]:
    return [[each for work, each in entries if work == asset] for asset in (3, 11)] + [[], [entries[0][1]]]


def test_an_asset_finds_its_work_by_each_of_its_algorithms(entries: Entries, assets: list[list[Fingerprint]]) -> None:
    found = Index.build(entries).search(assets)

    first = [match for match in found if match.asset == 0]
    assert {match.work for match in first} == {3}
    assert sorted(match.algorithm for match in first) == [
        "chromaprint-2",
        "key-url",
        "pdq-256",
        "phash-64",
        "sha256",
        "shingle-3",
    ]
    assert [match.asset for match in found] == sorted(match.asset for match in found)
    assert {match.asset for match in found} == {0, 1, 3}


def test_the_surest_match_comes_first(entries: Entries, assets: list[list[Fingerprint]]) -> None:
    found = Index.build(entries).search([assets[0]])

    strengths = [match.strength for match in found]
    assert strengths == [Strength.EXACT] * 2 + [Strength.MATCH] * 4


def test_rows_of_works_are_given_back_as_they_came(entries: Entries) -> None:
    far = 2**40
    index = Index.build((work + far, each) for work, each in entries)

    assert {match.work for match in index.search([[each for _, each in entries[:7]]])} == {far}


def test_a_saved_index_opens_and_finds_the_same(
    tmp_path: Path, entries: Entries, assets: list[list[Fingerprint]]
) -> None:
    index = Index.build(entries)
    index.save(tmp_path / "index")

    for verify in (True, False):
        opened = Index.open(tmp_path / "index", verify=verify)
        assert opened.search(assets) == index.search(assets)
        assert (opened.works, opened.counts) == (12, index.counts)


def test_an_empty_index_saves_opens_and_finds_nothing(tmp_path: Path, assets: list[list[Fingerprint]]) -> None:
    Index.build([]).save(tmp_path / "index")

    opened = Index.open(tmp_path / "index")

    assert (opened.search(assets), opened.works, opened.counts) == ([], 0, {})


def test_a_batch_gives_what_its_assets_give_alone(entries: Entries, assets: list[list[Fingerprint]]) -> None:
    index = Index.build(entries)

    def alone(asset: int) -> list[tuple[int, str, Strength]]:
        return [facts(match) for match in index.search([assets[asset]])]

    def facts(match: Match) -> tuple[int, str, Strength]:
        return match.work, match.algorithm, match.strength

    together = index.search(assets)

    for asset in range(len(assets)):
        assert [facts(match) for match in together if match.asset == asset] == alone(asset)


@pytest.mark.parametrize("name", ["sha256", "pixels-sha256", "key-url", "pdq-256", "phash-64", "dct-256"])
@pytest.mark.parametrize("works", [40, 20_000])
def test_more_matches_than_there_is_room_for_are_to_be_asked_for_in_parts(name: str, works: int) -> None:
    one = Fingerprint(
        name, 1, {"phash-64": bytes(range(8)), "dct-256": bytes(range(32)) * 9}.get(name, bytes(range(32)))
    )
    index = Index.build((work, one) for work in range(works))

    assert len(index.search([[one]], room=works)) == works
    with pytest.raises(CrowdedError):
        index.search([[one], [one]], room=works)


def test_a_malformed_fingerprint_is_refused_when_building_and_when_asking(entries: Entries) -> None:
    bad = Fingerprint("pdq-256", 1, b"short")

    with pytest.raises(InvalidFingerprintError):
        Index.build([(0, bad)])
    with pytest.raises(InvalidFingerprintError):
        Index.build(entries).search([[bad]])


def test_saving_over_an_index_is_refused_and_leaves_it_whole(tmp_path: Path, entries: Entries) -> None:
    Index.build(entries).save(tmp_path / "index")

    with pytest.raises(FileExistsError):
        Index.build([]).save(tmp_path / "index")

    assert Index.open(tmp_path / "index").works == 12
    assert [each.name for each in tmp_path.iterdir()] == ["index"]


def test_a_flipped_byte_in_any_file_is_noticed(tmp_path: Path, entries: Entries) -> None:
    Index.build(entries).save(tmp_path / "index")
    files = [file.relative_to(tmp_path / "index") for file in (tmp_path / "index").rglob("*") if file.is_file()]
    assert len(files) > 20

    for file in files:
        shutil.copytree(tmp_path / "index", tmp_path / "broken")
        content = bytearray((tmp_path / "broken" / file).read_bytes())
        content[-2] ^= 4
        (tmp_path / "broken" / file).write_bytes(content)
        with pytest.raises(CorruptIndexError):
            Index.open(tmp_path / "broken")
        (tmp_path / "broken" / file).unlink()
        with pytest.raises(CorruptIndexError):
            Index.open(tmp_path / "broken", verify=False)
        shutil.rmtree(tmp_path / "broken")


def test_an_algorithm_that_this_program_does_not_know_is_refused(tmp_path: Path, entries: Entries) -> None:
    Index.build(entries).save(tmp_path / "index")
    manifest = json.loads((tmp_path / "index" / "manifest.json").read_text())
    (tmp_path / "index" / "manifest.json").write_text(json.dumps(manifest).replace("phash-64.v1", "phash-64.v2"))
    (tmp_path / "index" / "phash-64.v1").rename(tmp_path / "index" / "phash-64.v2")

    with pytest.raises(CorruptIndexError, match=r"phash-64\.v2"):
        Index.open(tmp_path / "index")


@pytest.mark.parametrize("name", ["sha256.v1/keys/rows", "chromaprint-2.v1/copies", "shingle-3.v3/copies"])
def test_a_file_that_points_outside_of_another_is_damage_and_no_bug_of_ours(
    entries: Entries, tmp_path: Path, name: str
) -> None:
    Index.build(entries).save(tmp_path / "index")
    path = tmp_path / "index" / f"{name}.npy"
    held = np.load(path)
    with path.open("r+b") as file:
        file.seek(-held.nbytes, 2)
        file.write((held + 99).tobytes())

    opened = Index.open(tmp_path / "index", verify=False)

    with pytest.raises(CorruptIndexError, match="Build it again"):
        opened.search([[each for _, each in entries]])


def test_what_a_damaged_index_was_built_of_is_damage_and_no_bug_of_ours(entries: Entries, tmp_path: Path) -> None:
    Index.build(entries).save(tmp_path / "index")
    path = tmp_path / "index" / "shingle-3.v3" / "copies.npy"
    held = np.load(path)
    with path.open("r+b") as file:
        file.seek(-held.nbytes, 2)
        file.write((held + 99).tobytes())

    with pytest.raises(CorruptIndexError, match="Build it again"):
        list(Index.open(tmp_path / "index", verify=False).entries())
