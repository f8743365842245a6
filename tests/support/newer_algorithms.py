"""A further version of `shingle-3` that does not exist: as if an update had brought it."""

import dataclasses
import hashlib
import random

import pytest

from fingerprinting.index import exact, registry
from fingerprinting.index.algorithm import AlgorithmSpec
from fingerprinting.types import Extraction, Fingerprint, Modality

SECOND = exact.digests("shingle-3", Modality.TEXT, version=4)


def bring_second_version(monkeypatch: pytest.MonkeyPatch) -> AlgorithmSpec:
    """From now on, both versions can be compared, and the second one is that of today."""
    specs = (*registry.VERSIONS.values(), SECOND)
    monkeypatch.setattr(registry, "VERSIONS", registry.by_id(specs))
    monkeypatch.setattr(registry, "ALGORITHMS", registry.newest(specs))
    return SECOND


def retire_first_version(monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on, only the second version can be compared."""
    specs = [spec for spec in registry.VERSIONS.values() if spec.id != "shingle-3.v3"]
    monkeypatch.setattr(registry, "VERSIONS", registry.by_id(specs))


def second(content: bytes) -> Fingerprint:
    """What the second version computes from some content."""
    return Fingerprint("shingle-3", 4, hashlib.sha256(b"second" + content).digest())


def by_both(extraction: Extraction, content: bytes) -> Extraction:
    """What fingerprinting gives after the update: what it gave before, and the second version's."""
    return dataclasses.replace(extraction, fingerprints=(*extraction.fingerprints, second(content)))


def prose(seed: int) -> bytes:
    """A text of 600 words that no other seed has."""
    chance = random.Random(seed)
    return " ".join("".join(chance.choices("aeioubcdfglmnprst", k=7)) for _ in range(600)).encode()
