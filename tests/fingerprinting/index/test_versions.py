"""Versions of an algorithm stand side by side, and are never compared with one another."""

import dataclasses
import hashlib
from pathlib import Path

import pytest
from newer_algorithms import bring_second_version, retire_first_version, second

from fingerprinting.errors import CorruptIndexError, InvalidFingerprintError
from fingerprinting.index import coverage, exact, registry
from fingerprinting.index.segment import Index
from fingerprinting.types import Extraction, Fingerprint, Modality

VALUE = hashlib.sha256(b"a").digest()


def pixels(version: int) -> Fingerprint:
    return Fingerprint("pixels-sha256", version, VALUE)


@pytest.fixture
def two_versions(monkeypatch: pytest.MonkeyPatch) -> None:
    specs = (*registry.VERSIONS.values(), exact.digests("pixels-sha256", Modality.IMAGE, version=2))
    monkeypatch.setattr(registry, "VERSIONS", registry.by_id(specs))
    monkeypatch.setattr(registry, "ALGORITHMS", registry.newest(specs))


def test_a_fingerprint_is_compared_only_with_those_of_its_version(two_versions: None) -> None:
    index = Index.build([(0, pixels(1)), (1, pixels(2))])

    found = index.search([[pixels(1)], [pixels(2)], [pixels(1), pixels(2)]])

    assert [(match.asset, match.work, match.version) for match in found] == [
        (0, 0, 1), (1, 1, 2), (2, 0, 1), (2, 1, 2),
    ]  # fmt: skip


def test_a_work_known_by_both_is_found_by_both(two_versions: None) -> None:
    index = Index.build([(7, pixels(1)), (7, pixels(2))])

    assert [match.version for match in index.search([[pixels(1), pixels(2)]])] == [1, 2]
    assert (index.works, index.counts) == (1, {"pixels-sha256": 2})


def test_both_are_saved_and_opened(two_versions: None, tmp_path: Path) -> None:
    index = Index.build([(0, pixels(1)), (1, pixels(2))])

    index.save(tmp_path / "index")
    opened = Index.open(tmp_path / "index")

    assert opened.search([[pixels(2)]]) == index.search([[pixels(2)]])
    assert opened.counts == {"pixels-sha256": 2}


def test_an_index_of_a_version_that_is_not_known_here_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as newer:
        bring_second_version(newer)
        Index.build([(0, second(b"a"))]).save(tmp_path / "index")

    with pytest.raises(CorruptIndexError, match=r"shingle-3\.v4"):
        Index.open(tmp_path / "index")


def test_the_wire_carries_every_known_version(two_versions: None) -> None:
    for version in (1, 2):
        assert registry.decode("pixels-sha256", version, registry.encode(pixels(version))).version == version
    with pytest.raises(InvalidFingerprintError, match="compute version 2"):
        registry.validate(pixels(3))


def test_what_is_missing_is_the_newest_version_of_what_suits_the_modality(two_versions: None) -> None:
    had = {"sha256.v1", "pixels-sha256.v1", "pdq-256.v1", "phash-64.v1", "dct-256.v1", "sift-itq-128.v1"}

    assert coverage.missing(Modality.IMAGE, had) == {"pixels-sha256.v2"}
    assert coverage.missing(Modality.IMAGE, had | {"pixels-sha256.v2"}) == set()
    assert coverage.missing(Modality.TEXT, {"sha256.v1", "shingle-3.v3"}) == set()
    assert coverage.missing(Modality.VIDEO, {"sha256.v1"}) == {
        "chromaprint-2.v1",
        "landmark-1024.v3",
        "bandenergy-32.v1",
        "video-dct-256.v2",
        "video-sift-itq-128.v1",
    }


def test_a_newer_version_of_a_key_is_missing_only_where_there_is_an_older_one(monkeypatch: pytest.MonkeyPatch) -> None:
    specs = (*registry.VERSIONS.values(), exact.digests("key-url", None, version=2))
    monkeypatch.setattr(registry, "ALGORITHMS", registry.newest(specs))

    assert coverage.missing(Modality.TEXT, {"shingle-3.v3", "key-url.v1"}) == {"key-url.v2"}
    assert coverage.missing(Modality.TEXT, {"shingle-3.v3", "sha256.v1"}) == set()


def test_an_algorithm_that_found_nothing_was_applied_all_the_same() -> None:
    flat = Extraction(Modality.IMAGE, "image/png", (pixels(1),), identifiable=True)

    hashes = {"pixels-sha256.v1", "pdq-256.v1", "phash-64.v1", "dct-256.v1"}
    assert coverage.applied(flat, complete=True) == {*hashes, "sift-itq-128.v1"}
    without_opencv = dataclasses.replace(flat, notes=("image-features-missing",))
    assert coverage.applied(without_opencv, complete=True) == hashes
    assert coverage.applied(flat, complete=False) == {"pixels-sha256.v1"}
    unidentifiable = Extraction(Modality.IMAGE, "image/png", (pixels(1),), identifiable=False)
    assert coverage.missing(Modality.IMAGE, coverage.applied(unidentifiable, complete=False)) == set()


def test_a_retired_version_is_known_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    bring_second_version(monkeypatch)
    retire_first_version(monkeypatch)

    assert not registry.is_known(Fingerprint("shingle-3", 3, b""))
    assert registry.is_known(second(b"a"))
