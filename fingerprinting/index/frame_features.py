"""`video-sift-itq-128` in the index: parts of frames that an asset shows, again and again along one time line."""

import dataclasses
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from fingerprinting import thresholds
from fingerprinting.index import features, timeline
from fingerprinting.index import folder as folders
from fingerprinting.index.algorithm import AlgorithmSpec, Encoding, Entry, SearchContext
from fingerprinting.index.features import FeatureSearcher
from fingerprinting.index.timeline import Floats, Known
from fingerprinting.types import EvidenceValue, Fingerprint, Match, Modality, Span, SpanUnit, Strength
from fingerprinting.video import feature_frames
from fingerprinting.video.feature_frames import FeatureFrame

_KIND: Final = "frame-features"
_LAYOUT: Final = 1
_SHAPES: Final = {"works": ("<i8", 1), "firsts": ("<i8", 1), "times": ("<u4", 2)}
_IMAGE: Final = "sift-itq-128"
_MOST_SCALE: Final = 1.35
_CANDIDATES: Final = 6
_SPEED_SECONDS: Final = 6.0
_NEAR_SECONDS: Final = 1.2


@dataclass(frozen=True, slots=True)
class _Tracks:
    """T moving pictures with F frames in all.

    Attributes:
        works: int64, shape (T,).
        firsts: int64, shape (T + 1,): where the frames of each begin.
        times: uint32, shape (F, 2): from when until when each stands, in milliseconds.
    """

    works: NDArray[np.int64]
    firsts: NDArray[np.int64]
    times: NDArray[np.uint32]

    def track_of(self, frame: int) -> int:
        """Which track a frame is of."""
        return int(np.searchsorted(self.firsts, frame, side="right")) - 1

    def known(self, track: int) -> Known:
        """When the frames of one stand."""
        times = self.times[slice(*self.firsts[track : track + 2].tolist())] / 1000.0
        return Known(times[:, 0], times[:, 1])


class FrameFeatureSearcher:
    """The frames of works, searchable by their local features; still pictures ask it, too."""

    def __init__(self, tracks: _Tracks, pictures: FeatureSearcher) -> None:
        self._tracks = tracks
        self._pictures = pictures
        pictures.candidates = _CANDIDATES
        pictures.looks_again = False
        pictures.groups = np.repeat(np.arange(len(tracks.works)), np.diff(tracks.firsts))

    @property
    def count(self) -> int:
        """How many moving pictures it holds."""
        return len(self._tracks.works)

    def search(self, queries: Sequence[Entry], context: SearchContext) -> list[Match]:
        """Find the works of which assets show frames, or parts of frames."""
        best: dict[tuple[int, int], Match] = {}
        for asset, fingerprint in queries:
            if fingerprint.algorithm == _IMAGE:
                found = self._still(asset, fingerprint, context)
            else:
                found = self._moving(asset, feature_frames.read(fingerprint.value), context)
            for match in found:
                known = best.get((match.asset, match.work))
                if known is None or features.surer(match, known):
                    best[match.asset, match.work] = match
        return list(best.values())

    def entries(self) -> Iterator[Entry]:
        """Give back what it was built from."""
        values = (fingerprint.value for _, fingerprint in self._pictures.entries())
        for track, work in enumerate(self._tracks.works.tolist()):
            known = self._tracks.known(track)
            frames = [
                FeatureFrame(since, until, next(values))
                for since, until in zip(known.since.tolist(), known.until.tolist(), strict=True)
            ]
            yield work, Fingerprint(SPEC.name, SPEC.version, feature_frames.write(frames), unit=SPEC.unit)

    def save(self, folder: Path) -> None:
        """Write it into a new folder."""
        arrays: dict[str, folders.Array] = {name: getattr(self._tracks, name) for name in _Tracks.__slots__}
        with folders.new_folder(folder) as scratch:
            self._pictures.save(scratch / "pictures")
            folders.write(scratch, _KIND, arrays, {"layout": _LAYOUT}, {"pictures": scratch / "pictures"})

    def _still(self, asset: int, fingerprint: Fingerprint, context: SearchContext) -> Iterator[Match]:
        for found in self._pictures.search([(asset, fingerprint)], context):
            track = self._tracks.track_of(found.work)
            since, until = (self._tracks.times[found.work] / 1000.0).tolist()
            yield self._as_ours(found, track, (since, until))

    def _moving(self, asset: int, frames: Sequence[FeatureFrame], context: SearchContext) -> Iterator[Match]:
        by_track: defaultdict[int, list[tuple[int, Match]]] = defaultdict(list)
        entries = [(nth, Fingerprint(_IMAGE, SPEC.version, frame.value)) for nth, frame in enumerate(frames)]
        for found in self._pictures.search(entries, context):
            by_track[self._tracks.track_of(found.work)].append((found.asset, found))
        for track, sightings in by_track.items():
            match = self._judged(asset, frames, track, sightings)
            if match is not None:
                yield match

    def _judged(
        self, asset: int, frames: Sequence[FeatureFrame], track: int, sightings: Sequence[tuple[int, Match]]
    ) -> Match | None:
        """Keep the sightings that one time line and one arrangement explain."""
        known, first = self._tracks.known(track), int(self._tracks.firsts[track])
        times = np.array([frame.since for frame in frames])
        likeness = np.zeros((len(frames), len(known.since)), np.float32)
        by_place: dict[tuple[int, int], Match] = {}
        for nth, match in sightings:
            likeness[nth, match.work - first] = match.score or 0
            by_place[nth, match.work - first] = match
        line = _line(times, known, likeness)
        if line is None:
            return None
        met, which = timeline.along(line, times, known, likeness)
        agreeing = [(nth, int(which[nth])) for nth in np.flatnonzero(met > 0).tolist()]
        if not agreeing:
            return None
        chosen = {pair: by_place[pair] for pair in agreeing}
        best = max(chosen.values(), key=lambda match: (match.strength is Strength.MATCH, match.score or 0))
        alike = [pair for pair, match in chosen.items() if _is_alike(match, best)]
        inliers = sum(chosen[pair].score or 0 for pair in alike)
        seen = len({frame for _, frame in alike})
        asked_span, work_span = _spans(frames, known, alike, line)
        is_sure = _is_sure([chosen[pair] for pair in alike], seen) and _leads(line, times, known, likeness)
        evidence: dict[str, EvidenceValue] = {
            **best.evidence,
            "frames": len(alike),
            "different_frames": seen,
            "inliers_of_all": int(inliers),
            "offset_seconds": round(line.offset, 2),
            "speed": round(line.speed, 3),
            **_boxes(best),
        }
        return dataclasses.replace(
            best,
            asset=asset,
            work=int(self._tracks.works[track]),
            algorithm=SPEC.name,
            version=SPEC.version,
            strength=Strength.MATCH if is_sure else Strength.LIKELY,
            query_span=asked_span,
            work_span=work_span,
            evidence=evidence,
        )

    def _as_ours(self, found: Match, track: int, span: Span) -> Match:
        return dataclasses.replace(
            found,
            work=int(self._tracks.works[track]),
            algorithm=SPEC.name,
            version=SPEC.version,
            work_span=(round(span[0], 2), round(span[1], 2)),
        )


def _boxes(match: Match) -> dict[str, EvidenceValue]:
    """Say where the work lies in the asset, and which part of it that is, in pixels: the spans will be seconds."""
    spans = {"box": match.query_span, "part": match.work_span}
    return {name: ", ".join(f"{side:g}" for side in span) for name, span in spans.items() if span is not None}


def _line(times: Floats, known: Known, likeness: NDArray[np.float32]) -> timeline.Line | None:
    """Find the time line; of few frames, whose moments are coarse, at the usual speed."""
    seen = times[likeness.any(axis=1)]
    if not len(seen):
        return None
    if np.ptp(seen) >= _SPEED_SECONDS:
        found = timeline.best_line(times, known, likeness)
        return None if found is None else found[0]
    mine, its = np.nonzero(likeness)
    weight = likeness[mine, its] ** 2
    offsets = known.since[its] - times[mine]
    # The heaviest offset, and then the mean of all that lie near it: what is nearest in time has most features.
    near = np.abs(offsets[:, None] - offsets) <= _NEAR_SECONDS
    best = near[int((near @ weight).argmax())]
    return timeline.Line(1.0, float(np.average(offsets[best], weights=weight[best])))


def _leads(line: timeline.Line, times: Floats, known: Known, likeness: NDArray[np.float32]) -> bool:
    """Whether frames of the work on the line have clearly more features in common than those elsewhere in time."""
    at = line(times)[:, None]
    away = np.maximum(known.since - at, at - known.until)
    elsewhere = np.where(away >= thresholds.VIDEO_FEATURE_SECONDS, likeness, 0).max(axis=1)
    here = np.where(away < thresholds.VIDEO_FEATURE_SECONDS, likeness, 0).max(axis=1)
    compared = (elsewhere > 0) & (here > 0)
    if compared.sum() * 2 < (here > 0).sum():
        return True
    return float(here[compared].sum()) >= thresholds.VIDEO_FEATURE_LEAD * float(elsewhere[compared].sum())


def _is_alike(one: Match, best: Match) -> bool:
    """Whether two sightings show the work in the same way: one crop or one inset lasts for a while."""
    sizes = [float(each.evidence.get("scale", 1)) for each in (one, best)]
    turned = abs(float(one.evidence.get("turned_degrees", 0)) - float(best.evidence.get("turned_degrees", 0))) % 360
    return (
        max(sizes) <= _MOST_SCALE * min(sizes)
        and min(turned, 360 - turned) <= 20  # noqa: PLR2004 - degrees
        and one.evidence.get("mirrored") == best.evidence.get("mirrored")
    )


def _is_sure(matches: Sequence[Match], seen: int) -> bool:
    """Several frames that are each worth a look are sure together; one must be sure by itself."""
    if any(match.strength is Strength.MATCH for match in matches):
        return True
    inliers = sum(match.score or 0 for match in matches)
    return seen >= thresholds.VIDEO_FEATURE_FRAMES and inliers >= thresholds.VIDEO_FEATURE_INLIERS


def _spans(
    frames: Sequence[FeatureFrame], known: Known, alike: Sequence[tuple[int, int]], line: timeline.Line
) -> tuple[Span, Span]:
    start = frames[alike[0][0]].since
    end = max(frames[alike[-1][0]].until, start)
    low, high = float(known.since[0]), float(known.until.max())
    there = [min(max(line.speed * each + line.offset, low), high) for each in (start, end)]
    return (round(start, 2), round(end, 2)), (round(there[0], 2), round(there[1], 2))


def _build(entries: Sequence[Entry]) -> FrameFeatureSearcher:
    read = [feature_frames.read(fingerprint.value) for _, fingerprint in entries]
    frames = [frame for each in read for frame in each]
    tracks = _Tracks(
        works=np.array([work for work, _ in entries], np.int64),
        firsts=np.cumsum([0, *(len(each) for each in read)]).astype(np.int64),
        times=np.array([(frame.since * 1000, frame.until * 1000) for frame in frames]).round().astype(np.uint32),
    )
    pictures = [(nth, Fingerprint(_IMAGE, SPEC.version, frame.value)) for nth, frame in enumerate(frames)]
    return FrameFeatureSearcher(tracks, features.build(pictures, apart=True))


def _open(folder: Path, verify: bool) -> FrameFeatureSearcher:  # noqa: FBT001 - the shape that AlgorithmSpec asks for
    contents = folders.read(folder, _KIND, verify=verify)
    folders.require_layout(folder, contents, _LAYOUT)
    folders.require(folder, contents, _SHAPES)
    if contents.children != ("pictures",):
        raise folders.corrupt(folder, "the pictures are missing")
    pictures = features.open_folder(folder / "pictures", verify)
    tracks = _Tracks(**{name: contents.arrays[name] for name in _Tracks.__slots__})
    firsts = tracks.firsts
    fits = (
        len(firsts) == len(tracks.works) + 1
        and int(firsts[0]) == 0
        and tracks.times.shape == (int(firsts[-1]), 2)
        and pictures.count == len(tracks.times)
        and bool((np.diff(firsts) > 0).all())
    )
    if not fits:
        raise folders.corrupt(folder, "its arrays do not belong together")
    return FrameFeatureSearcher(tracks, pictures)


def _check(fingerprint: Fingerprint) -> str | None:
    return feature_frames.check(fingerprint.value)


SPEC = AlgorithmSpec(
    name=feature_frames.ALGORITHM,
    version=feature_frames.VERSION,
    modality=Modality.VIDEO,
    encoding=Encoding.BASE64,
    unit=SpanUnit.SECONDS,
    check=_check,
    build=_build,
    open=_open,
)
