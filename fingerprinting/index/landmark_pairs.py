"""Pairs of landmarks: what an index of peaks is asked for. Peaks may first be moved as by another tempo or pitch."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from fingerprinting.audio.print_bytes import LANDMARK_BINS, Peaks

FRAMES_A_POSITION: Final = 2
"""Positions are in steps of two frames (46 ms), which is the step of the codes of band energies, too."""

WORK_FAN: Final = 3
ALL_FAN: Final = 2
QUERY_FAN: Final = 20
"""Peaks that each is paired with: of a work's strongest ones, of all of a work's, and of an asset's. Under noise the
strongest are left, under a voice those that lie between its words. Of 210 copies under both, from 2.5 to 10 s long, 156
are proposed where 4 pairs of strong peaks are kept, and 177 by these, which are half as many again."""

_LEAST_FRAMES: Final = 2
_MOST_FRAMES: Final = 63
_MOST_BINS: Final = 127
_AT_ONCE: Final = 1024


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
    frames, bins, heard = moved(peaks, tempo, pitch)
    looks = [heard & (peaks.shifted == look) for look in (False, True)]
    return _named([_pairs(frames[look], bins[look], fan) for look in looks if look.any()])


def pairs_of_work(peaks: Peaks) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    """Give what a work is found by, as `pairs` does: the pairs of its strongest peaks, and those of all clear ones."""
    peaks = peaks.clear()
    strong = np.ones(len(peaks.frames), dtype=np.bool_) if peaks.weak is None else ~peaks.weak
    found = [_pairs(peaks.frames[strong], peaks.bins[strong], WORK_FAN), _pairs(peaks.frames, peaks.bins, ALL_FAN)]
    return _named(found)


def moved(
    peaks: Peaks, tempo: float = 1.0, pitch: float = 1.0
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_]]:
    """Give frames and bins of peaks as the work has them, and which of these there are, each of shape (P,)."""
    frames = np.rint((peaks.frames + 0.5 * peaks.shifted * (tempo != 1.0)) * tempo).astype(np.int64)
    bins = np.rint(peaks.bins / pitch).astype(np.int64)
    return frames, bins, bins < LANDMARK_BINS


def _named(
    found: list[tuple[NDArray[np.int64], NDArray[np.int64]]],
) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    """Put what pairs are named by and their positions in order, each once."""
    both = np.unique(np.concatenate([np.empty(0, np.int64), *(positions << 24 | terms for terms, positions in found)]))
    return (both & 0xFFFFFF).astype(np.uint64), both >> 24


def _pairs(frames: NDArray[np.int64], bins: NDArray[np.int64], fan: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    terms, positions = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    ends = np.searchsorted(frames, frames + _MOST_FRAMES, side="right")
    for begin in range(0, len(frames), _AT_ONCE):
        end = min(begin + _AT_ONCE, len(frames))
        steps = int((ends[begin:end] - np.arange(begin, end)).max())
        # A row for each peak: those after it, as many as any of these has within reach. What lies beyond is too late.
        others = np.arange(begin, end)[:, None] + np.arange(1, steps)
        inside = others < len(frames)
        others[~inside] = 0
        later, higher = frames[others] - frames[begin:end, None], bins[others] - bins[begin:end, None]
        near = inside & (later >= _LEAST_FRAMES) & (later <= _MOST_FRAMES) & (np.abs(higher) <= _MOST_BINS)
        row, step = np.nonzero(near & (np.cumsum(near, axis=1) <= fan))
        first = row + begin
        terms.append(bins[first] >> 1 << 13 | (higher[row, step] + _MOST_BINS + 1) >> 1 << 6 | later[row, step])
        positions.append(frames[first] // FRAMES_A_POSITION)
    return np.concatenate(terms), np.concatenate(positions)
