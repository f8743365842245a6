"""Pairs of landmarks: what an index of peaks is asked for. Peaks may first be moved as by another tempo or pitch."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from fingerprinting.audio.print_bytes import LANDMARK_BINS, Peaks

FRAMES_A_POSITION: Final = 2
"""Positions are in steps of two frames (46 ms), which is the step of the codes of band energies, too."""

WORK_FAN: Final = 4
QUERY_FAN: Final = 12

_LEAST_FRAMES: Final = 2
_MOST_FRAMES: Final = 63
_MOST_BINS: Final = 127


def pairs(
    peaks: Peaks, fan: int, *, tempo: float = 1.0, pitch: float = 1.0
) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    """Pair each peak with the next ones that are near in frequency.

    Args:
        peaks: in order of time.
        fan: how many are paired with each.
        tempo: how much faster than the work they are assumed to be.
        pitch: how much higher.

    Returns:
        What each pair is named by, and its position, both of shape (P,), in order of position.
    """
    found = [_pairs(peaks, look, fan, tempo, pitch) for look in (False, True) if (peaks.shifted == look).any()]
    terms = np.concatenate([np.empty(0, np.uint64), *(terms for terms, _ in found)])
    positions = np.concatenate([np.empty(0, np.int64), *(positions for _, positions in found)])
    both = np.unique(positions << 24 | terms.astype(np.int64))
    return (both & 0xFFFFFF).astype(np.uint64), both >> 24


def _pairs(
    peaks: Peaks,
    look: bool,  # noqa: FBT001 - which of two
    fan: int,
    tempo: float,
    pitch: float,
) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    chosen = peaks.shifted == look
    frames = np.rint((peaks.frames[chosen] + 0.5 * look * (tempo != 1.0)) * tempo).astype(np.int64)
    bins = np.rint(peaks.bins[chosen] / pitch).astype(np.int64)
    audible = bins < LANDMARK_BINS
    frames, bins = frames[audible], bins[audible]
    count = np.zeros(len(frames), dtype=np.int64)
    terms, positions = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    for step in range(1, len(frames)):
        later, higher = frames[step:] - frames[:-step], bins[step:] - bins[:-step]
        if int(later.min()) > _MOST_FRAMES:
            break
        near = (later >= _LEAST_FRAMES) & (later <= _MOST_FRAMES) & (np.abs(higher) <= _MOST_BINS)
        near &= count[:-step] < fan
        first = np.flatnonzero(near)
        count[first] += 1
        terms.append(bins[first] >> 1 << 13 | (higher[first] + _MOST_BINS + 1) >> 1 << 6 | later[first])
        positions.append(frames[first] // FRAMES_A_POSITION)
    return np.concatenate(terms).astype(np.uint64), np.concatenate(positions)
