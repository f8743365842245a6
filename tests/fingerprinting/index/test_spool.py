"""An index that is written from files on its way is the one that is built in memory, to the last byte."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from fingerprinting.errors import InvalidFingerprintError
from fingerprinting.index import registry
from fingerprinting.index.segment import Index
from fingerprinting.index.spool import Spool
from fingerprinting.types import Fingerprint

Entries = list[tuple[int, Fingerprint]]


@pytest.fixture
def entries(
    rng: np.random.Generator,
    picture: Callable[..., Fingerprint],
    sound: Callable[..., Fingerprint],
    text: Callable[..., Fingerprint],
) -> Entries:
    """Works 0 to 39, with fingerprints of every kind."""
    made: Entries = []
    for work in range(40):
        made += [
            (work, Fingerprint("sha256", 1, rng.bytes(32))),
            (work, picture(rng.bytes(32), quality=87.3)),
            (work, picture(rng.bytes(32), span=(0, 0, 50, 40))),
            (work, picture(rng.bytes(8), algorithm="phash-64")),
            (work, sound(rng.integers(0, 2**32, 50 + work, dtype=np.uint32), span=(work * 1.5, work * 1.5 + 9))),
            (work, text(rng.integers(0, 2**64, 30 + work, dtype=np.uint64), first=work)),
        ]
    return made


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_an_index_that_is_written_is_the_one_that_is_built_in_any_order_of_works(
    entries: Entries, tmp_path: Path, rng: np.random.Generator
) -> None:
    Index.build(entries).save(tmp_path / "built")
    places = rng.permutation(40)
    shuffled = sorted(entries, key=lambda entry: places[entry[0]])

    counts = Index.write(tmp_path / "written", shuffled)

    assert contents(tmp_path / "written") == contents(tmp_path / "built")
    assert counts == Index.open(tmp_path / "written").counts
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]


def test_what_an_index_gives_back_builds_the_same_index(entries: Entries, tmp_path: Path) -> None:
    Index.build(entries).save(tmp_path / "one")

    Index.write(tmp_path / "two", Index.open(tmp_path / "one").entries())

    assert contents(tmp_path / "two") == contents(tmp_path / "one")


def test_values_qualities_and_places_come_back_sorted_by_work(
    entries: Entries, tmp_path: Path, rng: np.random.Generator
) -> None:
    pictures = [entry for entry in entries if entry[1].algorithm == "pdq-256"]
    unit = registry.ALGORITHMS["pdq-256"].unit

    with Spool(tmp_path / "spool") as spool:
        for work, one in sorted(pictures, key=lambda entry: -entry[0]):
            spool.add(work, one)
        found = spool.taken()["pdq-256.v1"]
        held = list(found)
        assert found[0] == held[0]
        assert found[-1] == held[-1]
        assert list(found[3:7]) == held[3:7]
        with pytest.raises(IndexError):
            found[len(held)]

    expected = sorted(pictures, key=lambda entry: entry[0])
    assert [(work, one.value, one.quality, one.span) for work, one in held] == [
        (work, one.value, one.quality, one.span) for work, one in expected
    ]
    assert {one.unit for _work, one in held} == {unit}
    assert list(tmp_path.iterdir()) == []


def test_a_malformed_fingerprint_leaves_nothing_behind(tmp_path: Path) -> None:
    with pytest.raises(InvalidFingerprintError):
        Index.write(tmp_path / "index", [(0, Fingerprint("pdq-256", 1, b"short"))])

    assert list(tmp_path.iterdir()) == []


def test_an_index_of_nothing_is_written_too(tmp_path: Path) -> None:
    assert Index.write(tmp_path / "index", []) == {}
    assert Index.open(tmp_path / "index").works == 0
