"""Codes of band energies: 32 bits for every 46 ms, by which a candidate is verified.

Each bit says whether the difference of two neighbouring bands (a semitone each, 300 to 2000 Hz) grew or fell. Bits of
unrelated recordings differ by half, with a spread that can be computed.

Source: Haitsma and Kalker, A Highly Robust Audio Fingerprinting System (2002); windows and hop are our own.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from fingerprinting.audio.gaps import Gap, gaps
from fingerprinting.audio.halving import Halver
from fingerprinting.audio.movement import BLOCK_CODES, Movement
from fingerprinting.audio.print_bytes import BAND_FRAME, BAND_HOP, NOTHING, RATE_HZ, BandCodes
from fingerprinting.types import Role

_BANDS: Final = 33
_LOWEST_HZ, _HIGHEST_HZ = 300.0, 2000.0
_STEADY: Final = 0.004
_QUIET: Final = 4e-10
_FRAME: Final = BAND_FRAME // 2
_WINDOW: Final = np.hanning(_FRAME + 1)[:-1].astype(np.float32) / np.float32(32768 * _FRAME / 4)
_FINE_HOP: Final = 128
_AT_ONCE: Final = 32
"""Frames that are transformed together: no more than a processor's own memory holds."""

_POWERS: Final = (1 << np.arange(32, dtype=np.uint64)).astype(np.uint64)

Energies = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Change:
    """What may have been done to a recording: faster and higher by so many thousandths (slower and lower: below 0)."""

    tempo: int = 0
    pitch: int = 0


UNCHANGED: Final = Change()


@dataclass(frozen=True, slots=True)
class BandPrint:
    """What band energies tell of a recording.

    Attributes:
        codes: under each change that was asked for, in that order.
        telling_seconds: how much of it can be recognised.
        other_seconds: how much is silent or changes too little.
        is_audible: there is something else than silence.
        gaps: where it can't be recognised, and why.
    """

    codes: tuple[BandCodes, ...]
    telling_seconds: float
    other_seconds: float
    is_audible: bool
    gaps: tuple[Gap, ...] = ()


class BandPrinter:
    """Takes a recording in chunks and gives its codes, under each of several changes that may have been made to it.

    The first of these must be that nothing was changed. Codes of a work say where it tells nothing. An asset's don't:
    noise as loud as the music in it tells nothing to the ear of a printer, and the music is still there.
    """

    def __init__(self, changes: Sequence[Change] = (UNCHANGED,), role: Role = Role.WORK) -> None:
        self._role = role
        self._hop = BAND_HOP if list(changes) == [UNCHANGED] else _FINE_HOP
        pitches = sorted({change.pitch for change in changes})
        self._rows = [_Row(change, pitches.index(change.pitch), self._hop) for change in changes]
        edges = [_edges(1 + pitch / 1000) for pitch in pitches]
        self._first_bin = min(int(each[0]) for each in edges)
        self._end_bin = max(int(each[-1]) for each in edges) + 1
        self._edges = [each - self._first_bin for each in edges]
        self._halved = Halver()
        self._rest = np.empty(0, dtype=np.float32)
        self._movement = Movement()

    def feed(self, chunk: NDArray[np.int16]) -> None:
        """Take the next samples, int16, shape (n,), at RATE_HZ."""
        self._take(self._halved.feed(chunk))

    def _take(self, samples: NDArray[np.float32]) -> None:
        self._rest = np.concatenate((self._rest, samples))
        if len(self._rest) < _FRAME:
            return
        frames = sliding_window_view(self._rest, _FRAME)[:: self._hop // 2]
        for start in range(0, len(frames), _AT_ONCE):
            spectrum = np.fft.rfft(frames[start : start + _AT_ONCE] * _WINDOW, axis=1)
            kept = spectrum[:, self._first_bin : self._end_bin]
            power = kept.real**2 + kept.imag**2
            # What lies beyond the last edge is added up, too, and not wanted.
            sums = [np.add.reduceat(power, each, axis=1)[:, :_BANDS] for each in self._edges]
            energy = np.hstack(sums) if len(sums) > 1 else sums[0]
            for row in self._rows:
                picked = row.take(energy)
                if row.is_unchanged:
                    self._movement.take(picked)
        self._rest = self._rest[len(frames) * (self._hop // 2) :].copy()

    def finish(self) -> BandPrint:
        """Give the codes of everything that was fed, and what of it is telling."""
        self._take(self._halved.finish())
        told, is_loud = self._movement.telling()
        step = BLOCK_CODES * BAND_HOP / RATE_HZ
        kept = told if self._role is Role.WORK else np.ones_like(told)
        return BandPrint(
            codes=tuple(row.finish(kept) for row in self._rows),
            telling_seconds=float(told.sum()) * step,
            other_seconds=float((~told).sum()) * step,
            is_audible=bool(is_loud.any()) or not len(is_loud),
            gaps=gaps(told, is_loud, step),
        )


class _Row:
    """The codes under one assumption, and the energies that the next one is compared with."""

    def __init__(self, change: Change, place: int, hop: int) -> None:
        self._change = change
        self._columns = slice(place * _BANDS, (place + 1) * _BANDS)
        self._step = BAND_HOP / (1 + change.tempo / 1000) / hop
        self._seen = 0
        self._next = 0
        self._last: Energies | None = None
        self._codes: list[NDArray[np.uint32]] = []

    @property
    def is_unchanged(self) -> bool:
        """Whether nothing is assumed to have been done."""
        return self._change == UNCHANGED

    def take(self, energy: Energies) -> Energies:
        """Take the energies of the next frames; give back those that it goes by."""
        end = self._seen + len(energy)
        last = int(np.ceil((end - 0.5) / self._step)) + 1
        wanted = np.rint(np.arange(self._next, last + 1) * self._step).astype(np.int64)
        wanted = wanted[wanted < end]
        self._next += len(wanted)
        picked = energy[wanted - self._seen, self._columns]
        self._seen = end
        both = picked if self._last is None else np.vstack((self._last, picked))
        if len(both):
            self._codes.append(_codes(both))
            self._last = both[-1:]
        return picked

    def finish(self, told: NDArray[np.bool_]) -> BandCodes:
        """Give the codes; those of blocks that tell nothing say so."""
        codes = np.concatenate([np.empty(0, dtype=np.uint32), *self._codes])
        if len(told):
            block = (np.arange(len(codes)) / (BLOCK_CODES * (1 + self._change.tempo / 1000))).astype(np.int64)
            codes[~told[np.minimum(block, len(told) - 1)]] = NOTHING
        return BandCodes(codes, self._change.tempo, self._change.pitch)


def _codes(energy: Energies) -> NDArray[np.uint32]:
    """Turn band energies, shape (n + 1, 33), into codes, shape (n,)."""
    slope = energy[:, :-1] - energy[:, 1:]
    growth = slope[1:] - slope[:-1]
    codes = ((growth > 0) @ _POWERS).astype(np.uint32)
    loud = energy[1:].sum(axis=1)
    codes[(loud < _QUIET * _BANDS) | (np.abs(growth).sum(axis=1) < _STEADY * loud)] = NOTHING
    return codes


def _edges(pitch: float) -> NDArray[np.intp]:
    """Say at which bin of the spectrum each band begins, and where the last ends: shape (34,)."""
    hz = np.arange(_FRAME // 2 + 1) * RATE_HZ / BAND_FRAME
    return np.searchsorted(hz, np.geomspace(_LOWEST_HZ, _HIGHEST_HZ, _BANDS + 1) * pitch, side="left")
