"""Whether two recordings hold the same sound where a search says so: by their waveforms, not by any fingerprint."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import signal

from benchmarks.audio.transformations import RATE_HZ, Sound

_AROUND_SECONDS = 0.4
_ELSEWHERE_SECONDS = (2.3, 3.7, 5.9)


@dataclass(frozen=True)
class Likeness:
    """The highest correlation of two waveforms where they are said to agree, and some seconds away from there."""

    there: float
    elsewhere: float

    @property
    def is_shared(self) -> bool:
        """Whether the same samples are in both; a note or a word played or said twice does not correlate like that."""
        return self.there >= 0.3 and self.there >= 1.5 * self.elsewhere


def likeness(asked: Sound, known: Sound, asked_span: tuple[float, ...], known_span: tuple[float, ...]) -> Likeness:
    """Correlate a stretch of an asset with where it is said to lie in a recording."""
    piece = _part(asked, asked_span[0], asked_span[1])
    length = len(piece) / RATE_HZ
    places = [known_span[0] + sign * shift for shift in _ELSEWHERE_SECONDS for sign in (-1, 1)]
    elsewhere = [
        _highest(piece, known, place, length) for place in places if 0 <= place <= len(known) / RATE_HZ - length
    ]
    return Likeness(_highest(piece, known, known_span[0], length), max(elsewhere, default=0.0))


def _highest(piece: Sound, known: Sound, start: float, length: float) -> float:
    around = _part(known, start - _AROUND_SECONDS, start + length + _AROUND_SECONDS)
    if len(around) < len(piece) or not len(piece):
        return 0.0
    power = np.concatenate(([0.0], np.cumsum(np.square(around, dtype=np.float64))))
    beside = np.sqrt(np.maximum(power[len(piece) :] - power[: -len(piece)], 1e-9))
    found: NDArray[np.float64] = np.abs(signal.correlate(around, piece, mode="valid", method="fft")) / beside
    return float(found.max() / max(float(np.linalg.norm(piece)), 1e-9))


def _part(sound: Sound, first: float, last: float) -> Sound:
    return sound[max(0, int(first * RATE_HZ)) : max(0, int(last * RATE_HZ))]
