"""Fingerprints that would fit a multitude are refused with the reason, and telling ones are not."""

import hashlib
from collections.abc import Callable

import numpy as np
import pytest

from fingerprinting import thresholds
from fingerprinting.errors import InvalidFingerprintError
from fingerprinting.image import page_bytes
from fingerprinting.image.page_bytes import PageView
from fingerprinting.index import blanks, registry
from fingerprinting.text.shingle_bytes import Shingles
from fingerprinting.types import Fingerprint

SILENCE = np.full(300, thresholds.CHROMAPRINT_SILENCE, dtype="<u4").tobytes()
DRONE = np.tile(np.arange(9, dtype="<u4"), 50).tobytes()
PHRASE = Shingles(np.full(50, 7, dtype=np.uint32), np.arange(50, dtype=np.uint32), 52).pack()
TELLING_PAGE = PageView(1, Fingerprint("dct-256", 1, bytes(256) + b"\x5a\xb1" * 16))
BLANK_PAGE = PageView(2, Fingerprint("dct-256", 1, bytes(256 + 32)))


@pytest.mark.parametrize(
    ("algorithm", "value", "quality", "reason"),
    [
        ("pdq-256", bytes(32), 100.0, "all bits"),
        ("pdq-256", b"\xff" * 32, 100.0, "all bits"),
        ("pdq-256", b"\x5a" * 32, 3.0, "quality below 4"),
        ("phash-64", bytes(8), 100.0, "all bits"),
        ("dct-256", bytes(1024) + bytes(32), 100.0, "all bits"),
        ("pages-dct-256", page_bytes.write([TELLING_PAGE, BLANK_PAGE]), 100.0, "all bits"),
        ("chromaprint-2", SILENCE, 100.0, "silence"),
        ("chromaprint-2", SILENCE[: 4 * 18], 100.0, "less than 5 seconds"),
        ("chromaprint-2", DRONE, 100.0, "one steady sound"),
        ("shingle-3", PHRASE, 100.0, "too few different phrases"),
        ("sha256", hashlib.sha256(b"").digest(), 100.0, "empty file"),
    ],
)
def test_what_identifies_nothing_is_refused_with_the_reason_and_what_to_do(
    algorithm: str, value: bytes, quality: float, reason: str
) -> None:
    with pytest.raises(InvalidFingerprintError, match=rf"{reason}.*Leave it out") as refused:
        blanks.refuse_blank(Fingerprint(algorithm, registry.ALGORITHMS[algorithm].version, value, quality))

    assert refused.value.parameters["algorithm"] == algorithm


def test_what_tells_one_work_from_others_is_not(
    sound: Callable[..., Fingerprint], text: Callable[..., Fingerprint], rng: np.random.Generator
) -> None:
    telling = [
        sound(rng.integers(0, 2**32, 19, dtype=np.uint32)),
        text(rng.integers(0, 2**63, 20, dtype=np.uint64)),
        Fingerprint("pdq-256", 1, rng.bytes(32), 4.0),
        Fingerprint("phash-64", 1, rng.bytes(8), 4.0),
        Fingerprint("dct-256", 1, rng.bytes(1024 + 32)),
        Fingerprint("pages-dct-256", 1, page_bytes.write([TELLING_PAGE])),
        Fingerprint("sha256", 1, hashlib.sha256(b"a").digest()),
        Fingerprint("key-url", 1, bytes(32)),
    ]

    assert [blanks.blank_because(one) for one in telling] == [None] * len(telling)
