"""The bytes of a `shingle-3` fingerprint: which tokens begin a shingle, a hash of each, and when captions show them.

    header     HEADER, 17 bytes
    begins     a bit for each token, least significant first: does a shingle begin there; zeros to the end of the byte
    hashes     uint32 for each shingle, in order
    steps      uint8 for each knot of the track of times: tokens since the knot before
    tenths     uint16 for each knot: tenths of a second since then

All little-endian. The first knot counts from token 0 at 0 seconds; between knots time runs evenly. A shingle takes 33
bits where every token begins one, which is 16 KB for an hour of English; the track takes about 1 KB.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from fingerprinting.errors import InvalidFingerprintError

HEADER: Final = np.dtype(
    [("tokens", "<u4"), ("shingles", "<u4"), ("characters", "<u4"), ("knots", "<u4"), ("halvings", "u1")]
)
"""Numbers of tokens, of shingles, of those that are of characters, and of knots; how often the shingles were halved."""

MAX_TOKENS: Final = (1 << 24) - 8
"""A fingerprint is of at most so many tokens: texts that we read are far shorter."""

MAX_HALVINGS: Final = 16

_MOST_TENTHS: Final = (1 << 16) - 1
_MOST_STEP: Final = (1 << 8) - 1
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
        hashes: uint32, shape (s,).
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
        header = np.array(
            (self.tokens, len(self.hashes), self.characters, len(self.track.steps), self.halvings), dtype=HEADER
        )
        parts = (
            header,
            np.packbits(begins, bitorder="little"),
            self.hashes.astype("<u4"),
            self.track.steps,
            self.track.tenths.astype("<u2"),
        )
        return b"".join(part.tobytes() for part in parts)


def problem_of(value: bytes) -> str | None:
    """Say in a sentence what is wrong with a value; None if it is well-formed. The same shingles have one spelling."""
    if len(value) < HEADER.itemsize:
        return f"the value must begin with {HEADER.itemsize} bytes of numbers, it has {len(value)} bytes"
    header = np.frombuffer(value, dtype=HEADER, count=1)[0]
    tokens, shingles, characters, knots, halvings = (int(each) for each in header.item())
    if not 0 < shingles <= tokens <= MAX_TOKENS:
        return f"it must have a shingle or more and no more than tokens, of which {MAX_TOKENS:,} are the most"
    if characters > shingles or halvings > MAX_HALVINGS:
        return f"no more shingles may be of characters than there are, and halved at most {MAX_HALVINGS} times"
    expected = HEADER.itemsize + (tokens + 7) // 8 + 4 * shingles + 3 * knots
    if len(value) != expected:
        return f"the value must be {expected} bytes long by its own numbers, not {len(value)}"
    return _problem_of_parts(value, tokens, shingles, knots)


def _problem_of_parts(value: bytes, tokens: int, shingles: int, knots: int) -> str | None:
    begins = np.frombuffer(value, dtype=np.uint8, count=(tokens + 7) // 8, offset=HEADER.itemsize)
    if int(np.bitwise_count(begins).sum()) != shingles or (tokens % 8 and int(begins[-1]) >> tokens % 8):
        return "as many bits must be set as there are shingles, none of them past the last token"
    if knots and _track(value, tokens, shingles, knots).steps.sum(dtype=np.int64) != tokens:
        return "the times must end with the last token"
    return None


def unpack(value: bytes) -> Shingles:
    """Read the value of a `shingle-3` fingerprint; its hashes lie where the value does.

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
    header = np.frombuffer(value, dtype=HEADER, count=1)[0]
    tokens, shingles, characters, knots, halvings = (int(each) for each in header.item())
    begins = np.frombuffer(value, dtype=np.uint8, count=(tokens + 7) // 8, offset=HEADER.itemsize)
    positions = np.flatnonzero(np.unpackbits(begins, bitorder="little")).astype(np.uint32)
    hashes = np.frombuffer(value, dtype="<u4", count=shingles, offset=HEADER.itemsize + len(begins))
    track = _track(value, tokens, shingles, knots) if knots else NO_TRACK
    return Shingles(hashes.astype(np.uint32, copy=False), positions, tokens, characters, halvings, track)


def _track(value: bytes, tokens: int, shingles: int, knots: int) -> Track:
    start = HEADER.itemsize + (tokens + 7) // 8 + 4 * shingles
    steps = np.frombuffer(value, dtype=np.uint8, count=knots, offset=start)
    return Track(steps, np.frombuffer(value, dtype="<u2", count=knots, offset=start + knots))


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
