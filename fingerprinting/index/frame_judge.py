"""Whether the frames of an asset are those of a work: they must agree in order, and nowhere else as well."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from fingerprinting import thresholds
from fingerprinting.index import frame_forms, frame_motion, timeline
from fingerprinting.index.frame_motion import Agreement
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
        shown: NDArray[np.float32] = self.views["grey"][np.asarray(rows)].astype(np.float32)
        return shown

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


@dataclass(frozen=True, slots=True)
class _Laid:
    """An asset laid on a work along a line: the frames of the stretch where they agree.

    Attributes:
        line: the asset's time on the work's.
        inside: when the frames of the stretch begin, shape (S,).
        end: when the stretch ends.
        nearest: how far each is from each view of the work, shape (S, M).
        met: which view each meets, shape (S,).
        bits: how far from it those are that agree, shape (A,).
        agreeing: which these are, shape (S,).
    """

    line: Line
    inside: Floats
    end: float
    nearest: NDArray[np.int16]
    met: NDArray[np.int64]
    bits: Floats
    agreeing: NDArray[np.bool_]


def judge(read: Views, hashes: NDArray[np.uint8], form: int, track: Track, registry_size: int) -> Judged | None:
    """Lay an asset on a work and judge how well they agree; None where hardly anything does.

    Args:
        read: the views of the asset.
        hashes: theirs, in the form in which they are compared, shape (N, 32).
        form: which of `dct.FORMS` that is.
        track: the work's.
        registry_size: works that are searched in all.
    """
    distances = _distances(hashes, np.ascontiguousarray(track.views["hash"]))
    times, rows = np.unique(read.views["since"], return_inverse=True)
    nearest = np.full((len(times), distances.shape[1]), 256, np.int16)
    np.minimum.at(nearest, rows, distances)
    seconds = times / 1000.0
    likeness = np.maximum(thresholds.VIDEO_AGREE_BITS + 1 - nearest, 0).astype(np.float32)
    found = timeline.best_line(seconds, track.known, likeness)
    if found is None:
        return None
    end = max(read.end / 1000.0, float(seconds[-1]))
    laid = _laid(found[0], seconds, end, track, nearest)
    if laid is None:
        return None
    moves = frame_motion.agreement(
        *_films(read, distances, form, track, laid), laid.line, (float(laid.inside[0]), laid.end)
    )
    if moves is not None and moves.is_sure:
        laid = _laid(moves.line, seconds, end, track, nearest) or laid
    return _judged(laid, track, moves, registry_size)


def _judged(laid: _Laid, track: Track, moves: Agreement | None, registry_size: int) -> Judged:
    agreeing, inside = laid.agreeing, laid.inside
    met, nearest = laid.met[agreeing], laid.nearest[agreeing]
    share = max(float(agreeing.mean()), _share_of_work(laid.line, inside, track.known, met))
    apart = _apart(laid.line, inside[agreeing], track.known, nearest, laid.bits)
    steps = _steps(track.views["hash"][met])
    mean = float(laid.bits.mean())
    nearest_in_time = _nearest_in_time(laid.line, inside[agreeing], track, nearest, met)
    evidence: dict[str, EvidenceValue] = {
        "frames": int(agreeing.sum()),
        "different_frames": steps,
        "agreeing": round(share, 2),
        "mean_distance": round(mean, 1),
        "offset_seconds": round(laid.line.offset, 2),
        "speed": round(laid.line.speed, 3),
    }
    if apart is not None:
        evidence["distance_elsewhere"] = round(apart, 1)
    if nearest_in_time is not None:
        evidence["nearest_in_time"] = round(nearest_in_time, 2)
    if moves is not None:
        evidence |= {"motion": round(moves.here, 2), "motion_elsewhere": round(moves.elsewhere, 2)}
    sure = _is_sure(mean, apart, steps, share, registry_size)
    sure = sure and (nearest_in_time is None or nearest_in_time >= thresholds.VIDEO_NEAREST_IN_TIME)
    sure = sure and (moves is None or moves.here >= thresholds.VIDEO_MOTION_LEAST)
    sure = sure or (moves is not None and moves.is_sure and share >= thresholds.VIDEO_MIN_SHARE)
    spans = _spans(laid.line, inside, laid.end, track.known)
    return Judged(Strength.MATCH if sure else Strength.LIKELY, round(mean), *spans, evidence)


def _laid(line: Line, seconds: Floats, end: float, track: Track, nearest: NDArray[np.int16]) -> _Laid | None:
    """Lay an asset along a line and find the stretch where it agrees."""
    likeness = np.maximum(thresholds.VIDEO_AGREE_BITS + 1 - nearest, 0).astype(np.float32)
    met, which = timeline.along(line, seconds, track.known, likeness)
    run = timeline.stretch(seconds, met, thresholds.VIDEO_AGREE_COST)
    if run is None:
        return None
    within = slice(run[0], run[1] + 1)
    agreeing = met[within] > 0
    bits = thresholds.VIDEO_AGREE_BITS + 1 - met[within][agreeing]
    ends = float(seconds[run[1] + 1]) if run[1] + 1 < len(seconds) else end
    return _Laid(line, seconds[within], ends, nearest[within], which[within], bits, agreeing)


def _films(
    read: Views, distances: NDArray[np.int16], form: int, track: Track, laid: _Laid
) -> tuple[frame_motion.Film, frame_motion.Film]:
    """Give the greys of asset and work in those views, whole or trimmed, in which most frames of the stretch met."""
    there = np.isin(read.since, laid.inside[laid.agreeing])
    met = np.unique(laid.met[laid.agreeing])
    best: tuple[int, int, int] | None = None
    for mine in np.unique(read.views["kind"][there]).tolist():
        for its in np.unique(track.views["kind"][met]).tolist():
            pairs = distances[there & (read.views["kind"] == mine)][:, met[track.views["kind"][met] == its]]
            close = int((pairs.min(axis=1) <= thresholds.VIDEO_AGREE_BITS).sum())
            if best is None or close > best[0]:
                best = (close, mine, its)
    _, mine, its = best or (0, frame_bytes.WHOLE, frame_bytes.WHOLE)
    return _film(read.views[read.views["kind"] == mine], form), _film(track.views[track.views["kind"] == its], 0)


def _film(views: NDArray[np.void], form: int) -> frame_motion.Film:
    greys = frame_forms.turned_greys(views["grey"], form).astype(np.float32)
    return frame_motion.Film(views["since"] / 1000.0, views["until"] / 1000.0, greys)


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


def _spans(line: Line, inside: Floats, end: float, known: Known) -> tuple[Span, Span]:
    start = float(inside[0])
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
