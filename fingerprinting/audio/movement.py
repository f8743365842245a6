"""How much the colour of a sound changes: noise, hum and drones keep theirs, and can't be told from others."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

BLOCK_CODES: Final = 8
"""Codes of band energies that are averaged (0.37 s): noise is smoothed by it, notes and syllables are not."""

_WINDOW_BLOCKS: Final = 13
_SILENT: Final = 1e-8
_FLOOR: Final = 1e-10

LEAST_DECIBELS: Final = 1.4
"""Mean standard deviation of the bands of a window of 5 s, level aside, from which on it is telling. White, pink and
brown noise have 0.8 to 1.0 at any length, hum 0.6 to 0.75, drones of seven beating tones 0.9 to 1.3. Of 138 windows
of 5 s of music and voices the least had 1.7."""

LEAST_SHORT_DECIBELS: Final = 1.05
"""The same for recordings shorter than that. Noise of 3 s has 0.8 to 0.95; of 144 windows of music
the least had 1.1."""

PARTLY: Final = "audio-partly-unidentifiable"
"""The remark, with seconds after a colon, of a recording of which a part tells nothing."""


class Movement:
    """Takes band energies and says at the end which blocks of them are telling."""

    def __init__(self) -> None:
        self._rest: NDArray[np.float64] | None = None
        self._blocks: list[NDArray[np.float64]] = []

    def take(self, powers: NDArray[np.float32]) -> None:
        """Take the energies of the next steps, shape (n, bands)."""
        energies = powers.astype(np.float64)
        if self._rest is not None:
            energies = np.vstack((self._rest, energies))
        whole = len(energies) // BLOCK_CODES * BLOCK_CODES
        self._rest = energies[whole:]
        if whole:
            self._blocks.append(energies[:whole].reshape(-1, BLOCK_CODES, energies.shape[1]).mean(axis=1))

    def telling(self) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Say which blocks lie in a window that changes enough, and which are not silent, each of shape (blocks,)."""
        if not self._blocks:
            return np.empty(0, dtype=np.bool_), np.empty(0, dtype=np.bool_)
        energies = np.concatenate(self._blocks)
        # Silence is left out with its edges, not counted as a colour: a tone that begins does not change.
        is_loud = energies.mean(axis=1) > _SILENT
        around = np.pad(is_loud, 1, constant_values=True)
        audible = np.flatnonzero(is_loud & around[:-2] & around[2:])
        told = np.zeros(len(energies), dtype=np.bool_)
        if len(audible):
            told[audible] = _changing(energies[audible])
        return told, is_loud


def _changing(energies: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Say which blocks lie in a window over which their colour changes enough."""
    decibels = 10 * np.log10(energies + _FLOOR)
    colour = decibels - decibels.mean(axis=1, keepdims=True)
    window = min(_WINDOW_BLOCKS, len(energies))
    limit = LEAST_DECIBELS if window == _WINDOW_BLOCKS else LEAST_SHORT_DECIBELS
    sums, squares = _moving(colour, window), _moving(colour**2, window)
    spread = np.sqrt(np.maximum(squares / window - (sums / window) ** 2, 0)).mean(axis=1)
    changing = np.zeros(len(energies), dtype=np.bool_)
    for start in np.flatnonzero(spread >= limit).tolist():
        changing[start : start + window] = True
    return changing


def _moving(values: NDArray[np.float64], window: int) -> NDArray[np.float64]:
    total = np.concatenate((np.zeros((1, values.shape[1])), np.cumsum(values, axis=0)))
    difference: NDArray[np.float64] = total[window:] - total[:-window]
    return difference
