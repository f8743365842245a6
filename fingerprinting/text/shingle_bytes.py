"""The bytes of a `shingle-3` fingerprint: which tokens begin a shingle, a hash of each, and when captions show them.

    header     HEADER, 19 bytes
    begins     a bit for each token: does a shingle begin there
    hashes     HASH_BITS for each shingle, in order
    steps      `step_bits` for each knot of the track of times: tokens since the knot before
    tenths     `tenth_bits` for each knot: tenths of a second since then

Numbers in the header are little-endian; each part after it begins with a byte of its own and holds the lowest bits
first, with zeros to the end of its last byte. As many bits are taken for a step, and for tenths, as the greatest needs.
The first knot counts from token 0 at 0 seconds; between knots time runs evenly. A shingle takes 27 bits where every
token begins one, which is 14 KB for an hour of English; the track takes about 1 KB.

Two different shingles have the same 26 bits once in 67 million times. A question of 1,000 words meets 4,000 such ones
among a million videos of ten minutes, one in 250 videos; evidence would be eight near one diagonal of one video.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from fingerprinting import bits
from fingerprinting.errors import InvalidFingerprintError

HASH_BITS: Final = 26
"""Of each shingle's hash, that are kept."""

HEADER: Final = np.dtype(
    [
        ("tokens", "<u4"),
        ("shingles", "<u4"),
        ("characters", "<u4"),
        ("knots", "<u4"),
        ("halvings", "u1"),
        ("step_bits", "u1"),
        ("tenth_bits", "u1"),
    ]
)
"""Numbers of tokens, of shingles, of those that are of characters, and of knots; how often the shingles were halved;
how many bits each number of the track takes."""

MAX_TOKENS: Final = (1 << 24) - 8
"""A fingerprint is of at most so many tokens: texts that we read are far shorter."""

MAX_HALVINGS: Final = 16

_STEP_BITS, _TENTH_BITS = 8, 16
_MOST_TENTHS: Final = (1 << _TENTH_BITS) - 1
_MOST_STEP: Final = (1 << _STEP_BITS) - 1
_TOLERANCE: Final = 9.0  # tenths of a second by which the track may err, before rounding


@dataclass(frozen=True, slots=True)
class Track:
    """When tokens are shown: knots between which time runs evenly.

    Attributes:
        steps: uint8, shape (k,): tokens from the knot before (the first: from token 0).
        tenths: uint16, shape (k,): tenths of a second from the knot before (the first: from 0 s).
    """

    steps: NDArray[np.uint8]
    tenths: NDArray[np.uint16]

    def seconds(self, tokens: NDArray[np.int64]) -> NDArray[np.float64]:
        """Say when each token begins, in seconds; the number of tokens asks for the end of the last. Not empty."""
        at = np.cumsum(self.steps, dtype=np.int64)
        told = np.cumsum(self.tenths, dtype=np.int64)
        last = np.append(at[1:] != at[:-1], True)  # of several at one token the last
        seconds: NDArray[np.float64] = np.interp(tokens, at[last], told[last]) / 10
        return seconds


NO_TRACK: Final = Track(np.empty(0, dtype=np.uint8), np.empty(0, dtype=np.uint16))


@dataclass(frozen=True, slots=True)
class Shingles:
    """Shingles of one text, by position.

    Attributes:
        hashes: uint32, shape (s,), below 2**HASH_BITS.
        positions: uint32, shape (s,), ascending: the index of a shingle's first token among the kept tokens.
        tokens: how many kept tokens the text has.
        characters: how many of the shingles are of characters, the others being of words.
        halvings: how often half of them were left out, by value: of long texts.
        track: when the tokens are shown, of captions; without knots for any other text.
    """

    hashes: NDArray[np.uint32]
    positions: NDArray[np.uint32]
    tokens: int
    characters: int = 0
    halvings: int = 0
    track: Track = NO_TRACK

    @property
    def is_timed(self) -> bool:
        """Whether it has a track of times."""
        return bool(len(self.track.steps))

    def pack(self) -> bytes:
        """Write them as the value of a `shingle-3` fingerprint."""
        begins = np.zeros(self.tokens, dtype=np.bool_)
        begins[self.positions] = True
        track = self.track
        step_bits, tenth_bits = (int(each.max(initial=0)).bit_length() for each in (track.steps, track.tenths))
        numbers = self.tokens, len(self.hashes), self.characters, len(track.steps), self.halvings
        parts = (
            np.array((*numbers, step_bits, tenth_bits), dtype=HEADER),
            np.packbits(begins, bitorder="little"),
            bits.pack(self.hashes, HASH_BITS),
            bits.pack(track.steps, step_bits),
            bits.pack(track.tenths, tenth_bits),
        )
        return b"".join(part.tobytes() for part in parts)


@dataclass(frozen=True, slots=True)
class _Parts:
    """What a header says, and where the parts after it begin and end, in bytes."""

    tokens: int
    shingles: int
    characters: int
    knots: int
    halvings: int
    step_bits: int
    tenth_bits: int

    @property
    def hashes(self) -> int:
        return HEADER.itemsize + bits.size_bytes(self.tokens, 1)

    @property
    def steps(self) -> int:
        return self.hashes + bits.size_bytes(self.shingles, HASH_BITS)

    @property
    def tenths(self) -> int:
        return self.steps + bits.size_bytes(self.knots, self.step_bits)

    @property
    def end(self) -> int:
        return self.tenths + bits.size_bytes(self.knots, self.tenth_bits)


def _parts(value: bytes) -> _Parts:
    return _Parts(*np.frombuffer(value, dtype=HEADER, count=1)[0].item())


def problem_of(value: bytes) -> str | None:
    """Say in a sentence what is wrong with a value; None if it is well-formed. The same shingles have one spelling."""
    if len(value) < HEADER.itemsize:
        return f"the value must begin with {HEADER.itemsize} bytes of numbers, it has {len(value)} bytes"
    parts = _parts(value)
    if not 0 < parts.shingles <= parts.tokens <= MAX_TOKENS:
        return f"it must have a shingle or more and no more than tokens, of which {MAX_TOKENS:,} are the most"
    if parts.characters > parts.shingles or parts.halvings > MAX_HALVINGS:
        return f"no more shingles may be of characters than there are, and halved at most {MAX_HALVINGS} times"
    if parts.step_bits > _STEP_BITS or parts.tenth_bits > _TENTH_BITS:
        return f"a step takes at most {_STEP_BITS} bits, and tenths take at most {_TENTH_BITS}"
    if len(value) != parts.end:
        return f"the value must be {parts.end} bytes long by its own numbers, not {len(value)}"
    return _problem_of_parts(value, parts)


def _problem_of_parts(value: bytes, parts: _Parts) -> str | None:
    begins = np.frombuffer(value, dtype=np.uint8, count=parts.hashes - HEADER.itemsize, offset=HEADER.itemsize)
    if int(np.bitwise_count(begins).sum()) != parts.shingles:
        return "as many bits must be set as there are shingles"
    of_parts = (
        (parts.tokens, parts.hashes),
        (parts.shingles * HASH_BITS, parts.steps),
        (parts.knots * parts.step_bits, parts.tenths),
        (parts.knots * parts.tenth_bits, parts.end),
    )
    if any(number % 8 and value[end - 1] >> number % 8 for number, end in of_parts):
        return "what follows the last number of a part must be zeros"
    track = _track(value, parts)
    if parts.knots and track.steps.sum(dtype=np.int64) != parts.tokens:
        return "the times must end with the last token"
    greatest = (int(each.max(initial=0)).bit_length() for each in (track.steps, track.tenths))
    if (parts.step_bits, parts.tenth_bits) != tuple(greatest):
        return "numbers of the track must take as many bits as the greatest of them needs"
    return None


def unpack(value: bytes) -> Shingles:
    """Read the value of a `shingle-3` fingerprint.

    Raises:
        InvalidFingerprintError: it is malformed.
    """
    problem = problem_of(value)
    if problem is not None:
        raise InvalidFingerprintError(
            f"invalid shingle-3 fingerprint: {problem}", algorithm="shingle-3", field="value", problem=problem
        )
    return read(value)


def read(value: bytes) -> Shingles:
    """Read a value as `unpack` does, of which `problem_of` finds nothing wrong."""
    parts = _parts(value)
    begins = np.frombuffer(value, dtype=np.uint8, count=parts.hashes - HEADER.itemsize, offset=HEADER.itemsize)
    positions = np.flatnonzero(np.unpackbits(begins, bitorder="little")).astype(np.uint32)
    hashes = bits.unpack(value, parts.shingles, HASH_BITS, parts.hashes)
    track = _track(value, parts) if parts.knots else NO_TRACK
    return Shingles(hashes, positions, parts.tokens, parts.characters, parts.halvings, track)


def _track(value: bytes, parts: _Parts) -> Track:
    steps = bits.unpack(value, parts.knots, parts.step_bits, parts.steps)
    tenths = bits.unpack(value, parts.knots, parts.tenth_bits, parts.tenths)
    return Track(steps.astype(np.uint8), tenths.astype(np.uint16))


def track_of(seconds: NDArray[np.float64]) -> Track:
    """Put knots so that no time is told more than a second wrong.

    Args:
        seconds: when each token begins, not descending, from 0 on, and when the last one ends: shape (tokens + 1,).
    """
    knots = _knots((seconds * 10).tolist())
    steps: list[int] = []
    tenths: list[int] = []
    token = time = 0
    for to, when in knots:
        step, left = to - token, max(0, when - time)
        token, time = to, time + left
        while left > _MOST_TENTHS:  # several knots at one token, of which the last counts: after hours of silence
            steps.append(step)
            tenths.append(_MOST_TENTHS)
            step, left = 0, left - _MOST_TENTHS
        steps.append(step)
        tenths.append(left)
    return Track(np.array(steps, dtype=np.uint8), np.array(tenths, dtype=np.uint16))


def _knots(times: list[float]) -> list[tuple[int, int]]:
    """Choose tokens with their times (in whole tenths) such that straight lines between them stay near all others."""
    knots = [(0, round(times[0]))]
    last = len(times) - 1
    at, base = knots[0]
    low, high = 0.0, float("inf")
    token = 1
    while token <= last:
        away = token - at
        lowest = max(low, (times[token] - _TOLERANCE - base) / away)
        highest = min(high, (times[token] + _TOLERANCE - base) / away)
        if lowest <= highest and away <= _MOST_STEP:
            low, high = lowest, highest
            token += 1
            continue
        # The one before still fits: it ends this line and begins the next, on which this token always fits.
        before = token - 1
        at, base = before, _tenths(base + (low + high) / 2 * (before - at), times[before])
        knots.append((at, base))
        low, high = 0.0, float("inf")
    if last > at:
        knots.append((last, _tenths(base + (low + high) / 2 * (last - at), times[last])))
    return knots


def _tenths(time: float, true: float) -> int:
    """Round a time; never so far past the true one that what follows could only be told by going back."""
    return min(round(time), int(true + _TOLERANCE))
