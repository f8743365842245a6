"""Shingles: a hash of every few tokens in a row, each with its place, which survive edits elsewhere in the text."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from fingerprinting.text.normalise import Tokens
from fingerprinting.text.shingle_bytes import HASH_BITS, MAX_HALVINGS, NO_TRACK, Shingles, Track

WORDS: Final = 3
"""Kept words in a shingle. Three survive transcription errors; with stop words gone they tell as much as five."""

CHARACTERS: Final = 5
"""Characters in a shingle of a script without spaces."""

MOST_SHINGLES: Final = 1 << 17
"""Of a text with more (a novel has half of that), half are left out, by value, until there are no more."""

_MAX_RAW_TOKENS: Final = 30
"""A shingle that reaches over more tokens than this, before dropping, joins what does not belong together."""

# Of the shingles of characters only every other one, by value, is kept: they overlap more and cost twice as many.
_WORD_BITS, _CHARACTER_BITS = 64, 63
# Multiplier and shifts of the finaliser of MurmurHash3 (public domain), for a whole mix of the bits.
_MIX_1, _MIX_2 = np.uint64(0xFF51AFD7ED558CCD), np.uint64(0xC4CEB9FE1A85EC53)
_SHIFT: Final = np.uint64(33)
_STORED: Final = np.uint64((1 << HASH_BITS) - 1)
_STEP: Final = np.uint64(0x9E3779B97F4A7C15)


def shingles(tokens: Tokens, track: Track = NO_TRACK) -> Shingles:
    """Hash every run of WORDS kept words and, sampled, of CHARACTERS characters of scripts without spaces.

    What is kept of a long text depends on the hash alone, so that copies keep the same.
    """
    are_characters = tokens.are_characters
    words, word_positions = _runs(tokens, np.flatnonzero(~are_characters), WORDS)
    characters, character_positions = _runs(tokens, np.flatnonzero(are_characters), CHARACTERS)
    if not len(characters) and len(words) <= MOST_SHINGLES:  # as most texts are: nothing is left out, all in order
        return Shingles(
            (words & _STORED).astype(np.uint32), word_positions.astype(np.uint32), len(tokens.ids), track=track
        )
    halvings = 0
    while True:
        are_words = _sampled(words, _WORD_BITS - halvings)
        are_kept = _sampled(characters, _CHARACTER_BITS - halvings)
        number = int(np.count_nonzero(are_words)) + int(np.count_nonzero(are_kept))
        if number <= MOST_SHINGLES or halvings == MAX_HALVINGS:
            break
        halvings += 1
    hashes = np.concatenate((words[are_words], characters[are_kept]))
    positions = np.concatenate((word_positions[are_words], character_positions[are_kept]))
    order = np.argsort(positions, kind="stable")
    return Shingles(
        hashes=(hashes[order] & _STORED).astype(np.uint32),
        positions=positions[order].astype(np.uint32),
        tokens=len(tokens.ids),
        characters=int(np.count_nonzero(are_kept)),
        halvings=halvings,
        track=track,
    )


def _sampled(hashes: NDArray[np.uint64], bits: int) -> NDArray[np.bool_]:
    """Choose the hashes below 2**bits. What is stored of a hash are other bits of it."""
    return hashes >> np.uint64(bits) == 0 if bits < _WORD_BITS else np.ones(len(hashes), dtype=np.bool_)


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
