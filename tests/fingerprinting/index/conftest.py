"""Synthetic fingerprints for the tests of the index, made from a seed."""

from collections.abc import Callable, Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from fingerprinting.text.shingle_bytes import HASH_BITS, NO_TRACK, Shingles, track_of
from fingerprinting.types import Fingerprint, Span

MakeFingerprint = Callable[..., Fingerprint]


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(20260101)


@pytest.fixture
def picture() -> MakeFingerprint:
    def make(value: bytes, quality: float = 100.0, span: Span | None = None, algorithm: str = "pdq-256") -> Fingerprint:
        return Fingerprint(algorithm, 1, value, quality, span)

    return make


@pytest.fixture
def sound() -> MakeFingerprint:
    def make(codes: NDArray[np.uint32], span: Span | None = None) -> Fingerprint:
        return Fingerprint("chromaprint-2", 1, codes.astype("<u4").tobytes(), span=span)

    return make


@pytest.fixture
def text() -> MakeFingerprint:
    def make(
        shingles: Sequence[int] | NDArray[np.uint64],
        first: int = 0,
        *,
        characters: bool = False,
        tokens_a_second: float | None = None,
    ) -> Fingerprint:
        hashes = np.asarray(shingles, dtype=np.uint64).astype(np.uint32) % (1 << HASH_BITS)
        positions = np.arange(first, first + len(hashes), dtype=np.uint32)
        of_characters = len(hashes) if characters else 0
        tokens = first + len(hashes) + 2
        track = NO_TRACK if tokens_a_second is None else track_of(np.arange(tokens + 1) / tokens_a_second)
        value = Shingles(hashes, positions, tokens, of_characters, track=track).pack()
        return Fingerprint("shingle-3", 3, value)

    return make


@pytest.fixture
def flip(rng: np.random.Generator) -> Callable[[bytes, int], bytes]:
    """Change exactly so many bits of a value."""

    def change(value: bytes, count: int) -> bytes:
        bits = np.unpackbits(np.frombuffer(value, dtype=np.uint8))
        bits[rng.choice(len(bits), count, replace=False)] ^= 1
        return np.packbits(bits).tobytes()

    return change


@pytest.fixture
def recode(rng: np.random.Generator) -> Callable[[NDArray[np.uint32], float], NDArray[np.uint32]]:
    """Change on average so many of the 32 bits of each code, as another encoding of a recording does."""

    def change(codes: NDArray[np.uint32], bits: float) -> NDArray[np.uint32]:
        changed = rng.random((len(codes), 32)) < bits / 32
        masks = (changed * (1 << np.arange(32, dtype=np.uint64))).sum(axis=1)
        return codes ^ masks.astype(np.uint32)

    return change
