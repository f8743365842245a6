"""Whether the frames of an asset are those of a work: they must agree in order, and nowhere else as well."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from fingerprinting import thresholds
from fingerprinting.index import timeline
from fingerprinting.index.timeline import Floats, Known, Line
from fingerprinting.types import EvidenceValue, Span, Strength
from fingerprinting.video import frame_bytes
from fingerprinting.video.frame_bytes import Views

_MOVED: Final = (-3.0, -2.0, -1.4, 1.4, 2.0, 3.0)
_STEP_BITS: Final = 16
_LONGEST_GAP: Final = 1.5
_ROUNDING: Final = 0.05
_OTHER_MOMENT: Final = 0.7
_SHOT_SECONDS: Final = 4.0
_SHOT_BITS: Final = 60


@dataclass(frozen=True, slots=True)
class Track:
    """The views of one moving picture: `frame_bytes.VIEW`, shape (M,)."""

    views: NDArray[np.void]

    @property
    def known(self) -> Known:
        """When they stand."""
        return Known(self.views["since"] / 1000.0, self.views["until"] / 1000.0)

    def greys(self, rows: Sequence[int] | NDArray[np.int64]) -> NDArray[np.float32]:
        """Give the grey of some views, shape (N, 256)."""
        return frame_bytes.greys(self.views[np.asarray(rows)]).astype(np.float32)

    def span_around(self, view: int, alike: NDArray[np.int64]) -> Span:
        """Give from when until when a view, and those beside it in time that are alike, stand."""
        since, until = self.known.since, self.known.until
        start, end = float(since[view]), float(until[view])
        for row in sorted(set(alike.tolist()), reverse=True):
            if since[row] <= start and until[row] >= start - _LONGEST_GAP:
                start = float(since[row])
        for row in sorted(set(alike.tolist())):
            if until[row] >= end and since[row] <= end + _LONGEST_GAP:
                end = float(until[row])
        return round(start, 2), round(end, 2)


@dataclass(frozen=True, slots=True)
class Judged:
    """How surely and where."""

    strength: Strength
    distance: int
    query_span: Span
    work_span: Span
    evidence: Mapping[str, EvidenceValue]


def judge(read: Views, hashes: NDArray[np.uint8], track: Track, registry_size: int) -> Judged | None:
    """Lay an asset on a work and judge how well they agree; None where hardly anything does.

    Args:
        read: the views of the asset.
        hashes: theirs, in the form in which they are compared, shape (N, 32).
        track: the work's.
        registry_size: works that are searched in all.
    """
    distances = _distances(hashes, np.ascontiguousarray(track.views["hash"]))
    times, rows = np.unique(read.views["since"], return_inverse=True)
    nearest = np.full((len(times), distances.shape[1]), 256, np.int16)
    np.minimum.at(nearest, rows, distances)
    seconds = times / 1000.0
    until = np.append(seconds[1:], max(read.end / 1000.0, seconds[-1]))
    likeness = np.maximum(thresholds.VIDEO_AGREE_BITS + 1 - nearest, 0).astype(np.float32)
    found = timeline.best_line(seconds, track.known, likeness)
    if found is None:
        return None
    line, met = found
    run = timeline.stretch(seconds, met, thresholds.VIDEO_AGREE_COST)
    if run is None:
        return None
    within = slice(run[0], run[1] + 1)
    inside = seconds[within]
    found_there, which = timeline.along(line, inside, track.known, likeness[within])
    agreeing = found_there > 0
    bits = thresholds.VIDEO_AGREE_BITS + 1 - found_there[agreeing]
    share = max(float(agreeing.mean()), _share_of_work(line, inside, track.known, which[agreeing]))
    apart = _apart(line, inside[agreeing], track.known, nearest[within][agreeing], bits)
    steps = _steps(track.views["hash"][which[agreeing]])
    mean = float(bits.mean())
    spans = _spans(line, inside, until[within], track.known)
    nearest_in_time = _nearest_in_time(line, inside[agreeing], track, nearest[within][agreeing], which[agreeing])
    evidence: dict[str, EvidenceValue] = {
        "frames": int(agreeing.sum()),
        "different_frames": steps,
        "agreeing": round(share, 2),
        "mean_distance": round(mean, 1),
        "offset_seconds": round(line.offset, 2),
        "speed": round(line.speed, 3),
    }
    if apart is not None:
        evidence["distance_elsewhere"] = round(apart, 1)
    if nearest_in_time is not None:
        evidence["nearest_in_time"] = round(nearest_in_time, 2)
    sure = _is_sure(mean, apart, steps, share, registry_size)
    sure = sure and (nearest_in_time is None or nearest_in_time >= thresholds.VIDEO_NEAREST_IN_TIME)
    return Judged(Strength.MATCH if sure else Strength.LIKELY, round(mean), *spans, evidence)


def _is_sure(mean: float, apart: float | None, steps: int, share: float, works: int) -> bool:
    if mean > thresholds.VIDEO_MATCH_BITS or share < thresholds.VIDEO_MIN_SHARE:
        return False
    if apart is None or steps < thresholds.video_steps(works):
        return mean <= thresholds.VIDEO_STILL_BITS and (apart is None or apart - mean >= thresholds.VIDEO_SHARPNESS)
    return apart - mean >= max(thresholds.VIDEO_SHARPNESS, thresholds.VIDEO_SHARPNESS_SHARE * mean)


def _apart(line: Line, times: Floats, known: Known, nearest: NDArray[np.int16], aligned: Floats) -> float | None:
    """Give the mean distance when the line is moved, where that meets other frames at all; the least of several."""
    means = []
    flipped = (256 - nearest).astype(np.float32)
    _, own = timeline.along(line, times, known, flipped)
    for moved in _MOVED:
        met, which = timeline.along(line, times, known, flipped, moved)
        other = (which >= 0) & (which != own)
        if other.sum() >= max(1, len(times) // 2):
            means.append(float((256 - met[other]).mean() - aligned[other].mean() + aligned.mean()))
    return min(means) if means else None


def _nearest_in_time(
    line: Line, times: Floats, track: Track, nearest: NDArray[np.int16], met: NDArray[np.int64]
) -> float | None:
    """Give the share of frames that are nearer to what they meet than to other moments of the same shot.

    None where no shot lasts long enough to tell. Another take from the same place is as near to any moment of it.
    """
    since, until = track.known.since, track.known.until
    hashes = np.ascontiguousarray(track.views["hash"])
    won = []
    for time, own, distances in zip(line(times).tolist(), met.tolist(), nearest, strict=True):
        away = np.maximum(since - time, time - until)
        others = np.flatnonzero((away >= _OTHER_MOMENT) & (away <= _SHOT_SECONDS))
        apart = np.bitwise_count(hashes[others] ^ hashes[own]).sum(axis=1)
        others = others[(apart <= _SHOT_BITS) & (apart > 0)]
        if len(others):
            won.append(bool(distances[own] < distances[others].min()))
    return float(np.mean(won)) if won else None


def _share_of_work(line: Line, inside: Floats, known: Known, met: NDArray[np.int64]) -> float:
    """Give the share of the work's frames in the stretch that were met: what changes quickly meets only these."""
    start, end = line(inside[[0, -1]]).tolist()
    there = np.unique(known.since[(known.since >= start - _ROUNDING) & (known.since <= end + _ROUNDING)])
    return min(1.0, len(np.unique(known.since[met])) / len(there)) if len(there) else 0.0


def _steps(hashes: NDArray[np.uint8]) -> int:
    """Count the frames, in order, each of which differs clearly from the one counted before."""
    count, last = 0, None
    for one in hashes:
        if last is None or int(np.bitwise_count(one ^ last).sum()) > _STEP_BITS:
            count, last = count + 1, one
    return count


def _spans(line: Line, inside: Floats, until: Floats, known: Known) -> tuple[Span, Span]:
    start, end = float(inside[0]), float(until[-1])
    low, high = float(known.since[0]), float(known.until.max())
    there = [min(max(line.speed * each + line.offset, low), high) for each in (start, end)]
    return (round(start, 2), round(end, 2)), (round(there[0], 2), round(there[1], 2))


def _distances(ours: NDArray[np.uint8], theirs: NDArray[np.uint8]) -> NDArray[np.int16]:
    mine, its = np.ascontiguousarray(ours).view(np.uint64), theirs.view(np.uint64)
    total = np.zeros((len(mine), len(its)), np.int16)
    for word in range(mine.shape[1]):
        total += np.bitwise_count(mine[:, word, None] ^ its[None, :, word])
    return total


def correlation(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    """Correlate two grey pictures, shape (256,); 0 where one is plain."""
    one, other = one - one.mean(), other - other.mean()
    length = float(np.sqrt((one @ one) * (other @ other)))
    return float(one @ other) / length if length else 0.0
