"""Shingles: a hash of every few tokens in a row, each with its place, which survive edits elsewhere in the text."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from fingerprinting.errors import InvalidFingerprintError
from fingerprinting.text.normalise import Tokens

WORDS: Final = 3
"""Kept words in a shingle. Three survive transcription errors; with stop words gone they tell as much as five."""

CHARACTERS: Final = 5
"""Characters in a shingle of a script without spaces."""

RECORD: Final = np.dtype([("hash", "<u8"), ("position", "<u4")])
"""One shingle in a fingerprint's value: 12 bytes, little-endian."""

_MAX_RAW_TOKENS: Final = 30
"""A shingle that reaches over more tokens than this, before dropping, joins what does not belong together."""

# Of the shingles of characters only every other one, by value, is kept: they overlap more and cost twice as many.
_CHARACTER_LIMIT: Final = np.uint64(1 << 63)
# Multiplier and shifts of the finaliser of MurmurHash3 (public domain), for a whole mix of the bits.
_MIX_1, _MIX_2 = np.uint64(0xFF51AFD7ED558CCD), np.uint64(0xC4CEB9FE1A85EC53)
_SHIFT: Final = np.uint64(33)
_STEP: Final = np.uint64(0x9E3779B97F4A7C15)


@dataclass(frozen=True, slots=True)
class Shingles:
    """Shingles of one text, by position.

    Attributes:
        hashes: uint64, shape (s,).
        positions: uint32, shape (s,), not descending: the index of a shingle's first token among the kept tokens.
    """

    hashes: NDArray[np.uint64]
    positions: NDArray[np.uint32]

    def pack(self) -> bytes:
        """Write them as the value of a `shingle-3` fingerprint: RECORDs in order."""
        records = np.empty(len(self.hashes), dtype=RECORD)
        records["hash"], records["position"] = self.hashes, self.positions
        return records.tobytes()


def unpack(value: bytes) -> Shingles:
    """Read the value of a `shingle-3` fingerprint.

    Raises:
        InvalidFingerprintError: not whole records, or not in order.
    """
    if len(value) % RECORD.itemsize:
        raise InvalidFingerprintError(
            f"a shingle-3 fingerprint is made of records of {RECORD.itemsize} bytes, this one has {len(value)} bytes",
            algorithm="shingle-3",
            field="value",
        )
    records = np.frombuffer(value, dtype=RECORD)
    positions = records["position"].astype(np.uint32)
    if np.any(positions[1:] < positions[:-1]):
        raise InvalidFingerprintError(
            "the records of a shingle-3 fingerprint must be sorted by position", algorithm="shingle-3", field="value"
        )
    return Shingles(hashes=records["hash"].astype(np.uint64), positions=positions)


def shingles(tokens: Tokens) -> Shingles:
    """Hash every run of WORDS kept words and, sampled, of CHARACTERS characters of scripts without spaces."""
    are_characters = tokens.are_characters
    word_hashes, word_positions = _runs(tokens, np.flatnonzero(~are_characters), WORDS)
    hashes, positions = _runs(tokens, np.flatnonzero(are_characters), CHARACTERS)
    sampled = hashes < _CHARACTER_LIMIT
    hashes = np.concatenate((word_hashes, hashes[sampled]))
    positions = np.concatenate((word_positions, positions[sampled]))
    order = np.argsort(positions, kind="stable")
    return Shingles(hashes=hashes[order], positions=positions[order].astype(np.uint32))


def _runs(tokens: Tokens, kept: NDArray[np.intp], size: int) -> tuple[NDArray[np.uint64], NDArray[np.intp]]:
    """Hash each `size` consecutive ones of the tokens at `kept`; give hashes and indices of their first tokens."""
    count = max(0, len(kept) - size + 1)
    hashes = np.full(count, size, dtype=np.uint64)
    for step in range(size):
        hashes = _mixed(hashes * _STEP ^ tokens.ids[kept[step : step + count]])
    first, last = kept[:count], kept[size - 1 : size - 1 + count]
    near = tokens.raw[last] - tokens.raw[first] < _MAX_RAW_TOKENS
    return hashes[near], first[near]


def _mixed(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    values = (values ^ values >> _SHIFT) * _MIX_1
    values = (values ^ values >> _SHIFT) * _MIX_2
    return values ^ values >> _SHIFT
