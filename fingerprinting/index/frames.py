"""`video-dct-256` in the index: frames that look alike propose a work, their agreement along a time line decides."""

import hashlib
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from fingerprinting import thresholds
from fingerprinting.image import dct
from fingerprinting.index import folder as folders
from fingerprinting.index import frame_forms, frame_judge, hamming
from fingerprinting.index.algorithm import AlgorithmSpec, Encoding, Entry, SearchContext
from fingerprinting.index.frame_judge import Judged, Track
from fingerprinting.index.hamming import HammingIndex
from fingerprinting.types import Depth, Fingerprint, Match, Modality, Span, SpanUnit, Strength
from fingerprinting.video import frame_bytes
from fingerprinting.video.frame_bytes import VIEW

_KIND: Final = "frames"
_LAYOUT: Final = 2
_SHAPES: Final = {"works": ("<i8", 1), "firsts": ("<i8", 1), "ends": ("<u4", 1), "views": ("|u1", 2)}
# So many tracks are looked at that one frame, not very near, proposes. Those that more proposes are all looked at, so
# that no flood of films hides another's.
_FEW: Final = 24
_SEVERAL: Final = 2
_IMAGE: Final = "dct-256"


@dataclass(frozen=True, slots=True)
class _Tracks:
    """T moving pictures with V views in all.

    Attributes:
        works: int64, shape (T,).
        firsts: int64, shape (T + 1,): where the views of each begin.
        ends: uint32, shape (T,): where each ends, in milliseconds.
        views: `VIEW` as bytes, shape (V, 298).
    """

    works: NDArray[np.int64]
    firsts: NDArray[np.int64]
    ends: NDArray[np.uint32]
    views: NDArray[np.uint8]

    def track(self, row: int) -> Track:
        """Give the views of one."""
        first, last = self.firsts[row : row + 2].tolist()
        return Track(np.ascontiguousarray(self.views[first:last]).view(VIEW).ravel())

    def rows_of(self, views: NDArray[np.int64]) -> NDArray[np.int64]:
        """Say which track each of some views is of."""
        rows: NDArray[np.int64] = np.searchsorted(self.firsts, views, side="right") - 1
        return rows


class FrameSearcher:
    """Works' moving pictures, searchable by their frames; still pictures ask it, too."""

    def __init__(self, tracks: _Tracks, index: HammingIndex) -> None:
        self._tracks = tracks
        self._index = index

    @property
    def count(self) -> int:
        """How many moving pictures it holds."""
        return len(self._tracks.works)

    def search(self, queries: Sequence[Entry], context: SearchContext) -> list[Match]:
        """Find the works whose moving pictures assets show, in whole or in part, or a still of which they are."""
        best: dict[tuple[int, int], Match] = {}
        stills: defaultdict[int, list[Fingerprint]] = defaultdict(list)
        for asset, fingerprint in queries:
            if fingerprint.algorithm == _IMAGE:
                stills[asset].append(fingerprint)
                continue
            for match in self._moving(asset, fingerprint, context):
                _keep(best, match)
                context.require_room(len(best))
        for asset, fingerprints in stills.items():
            for match in self._still(asset, fingerprints, context):
                _keep(best, match)
                context.require_room(len(best))
        kept = best.values()
        return [match for match in kept if context.depth is not Depth.FAST or match.strength is Strength.MATCH]

    def tracks_of(self, work: int) -> list[NDArray[np.void]]:
        """Give the views of each moving picture of a work."""
        return [self._tracks.track(row).views for row in np.flatnonzero(self._tracks.works == work).tolist()]

    def entries(self) -> Iterator[Entry]:
        """Give back what it was built from."""
        for row, work in enumerate(self._tracks.works.tolist()):
            value = frame_bytes.write(int(self._tracks.ends[row]), self._tracks.track(row).views)
            yield work, Fingerprint(SPEC.name, SPEC.version, value, unit=SPEC.unit)

    def save(self, folder: Path) -> None:
        """Write it into a new folder."""
        arrays: dict[str, folders.Array] = {name: getattr(self._tracks, name) for name in _Tracks.__slots__}
        with folders.new_folder(folder) as scratch:
            self._index.save(scratch / "hashes")
            folders.write(scratch, _KIND, arrays, {"layout": _LAYOUT}, {"hashes": scratch / "hashes"})

    def twins(self, work: int, span: Span) -> dict[int, Span]:
        """Find the works that show the same pictures as a stretch of a work does, and when.

        Who registers what others registered, too, is found wherever one of them is, however many there are.

        Args:
            work: the row of it.
            span: from when until when, in its seconds.
        """
        found: dict[int, Span] = {}
        for views in self.tracks_of(work):
            shown = views[(views["until"] >= span[0] * 1000) & (views["since"] <= span[1] * 1000)]
            if not len(shown):
                continue
            near = self._index.search(np.ascontiguousarray(shown["hash"]), thresholds.VIDEO_TWIN_BITS)
            rows = self._tracks.rows_of(near.row)
            for row in np.unique(rows).tolist():
                at = rows == row
                other = int(self._tracks.works[row])
                if other != work and len(np.unique(near.query[at])) * 2 >= len(shown):
                    there = np.ascontiguousarray(self._tracks.views[near.row[at]]).view(VIEW).ravel()
                    found[other] = float(there["since"].min()) / 1000, float(there["until"].max()) / 1000
        return found

    def _moving(self, asset: int, fingerprint: Fingerprint, context: SearchContext) -> Iterator[Match]:
        read = frame_bytes.read(fingerprint.value)
        forms = frame_forms.THOROUGH if context.depth is Depth.THOROUGH else frame_forms.USUAL
        hashes = frame_forms.turned(read.views["hash"], forms)
        judged: dict[tuple[bytes, int], Judged | None] = {}
        for row, nth in self._proposed(hashes):
            track = self._tracks.track(row)
            # Who registers one file a hundred times makes nobody judge it a hundred times.
            key = hashlib.sha256(track.views.tobytes()).digest(), nth
            if key not in judged:
                judged[key] = frame_judge.judge(read, hashes[nth], forms[nth], track, context.registry_size)
            found = judged[key]
            if found is not None:
                yield _match(asset, int(self._tracks.works[row]), found, forms[nth])

    def _proposed(self, hashes: NDArray[np.uint8]) -> list[tuple[int, int]]:
        """Choose the tracks to look at: those with frames near to several of the asset's, all of them, and a few more.

        Args:
            hashes: in some forms, shape (forms, N, 32).

        Returns:
            Each with the number of the form, the nearest first.
        """
        votes: defaultdict[tuple[int, int], float] = defaultdict(float)
        voters: defaultdict[tuple[int, int], int] = defaultdict(int)
        for nth in range(len(hashes)):
            for near in self._index.blocks(np.ascontiguousarray(hashes[nth]), thresholds.VIDEO_NEAR_BITS):
                rows = self._tracks.rows_of(near.row)
                gained = (thresholds.VIDEO_NEAR_BITS + 1 - near.distance).astype(np.float64)
                # Each frame of the asset votes once for a track.
                order = np.lexsort((-gained, rows, near.query))
                first = np.ones(len(order), np.bool_)
                first[1:] = (np.diff(near.query[order]) != 0) | (np.diff(rows[order]) != 0)
                for row, gain in zip(rows[order][first].tolist(), gained[order][first].tolist(), strict=True):
                    votes[row, nth] += gain
                    voters[row, nth] += 1
        ranked = sorted(votes, key=lambda key: -votes[key])
        sure = thresholds.VIDEO_NEAR_BITS + 1 - thresholds.VIDEO_STILL_BITS
        return ranked[:_FEW] + [key for key in ranked[_FEW:] if voters[key] >= _SEVERAL or votes[key] >= sure]

    def _still(self, asset: int, fingerprints: Sequence[Fingerprint], context: SearchContext) -> Iterator[Match]:
        sure, worth_a_look = thresholds.dct_bits(context.registry_size)
        for one in fingerprints:
            hashes = np.frombuffer(one.value, np.uint8, offset=dct.THUMBNAIL_BYTES).reshape(-1, dct.HASH_BYTES)
            grey = np.frombuffer(one.value, np.uint8, dct.THUMBNAIL_BYTES).reshape(dct.THUMBNAIL, dct.THUMBNAIL)
            near = self._index.search(hashes, sure if context.depth is Depth.FAST else worth_a_look)
            rows = self._tracks.rows_of(near.row)
            for row in np.unique(rows).tolist():
                at = np.flatnonzero(rows == row)
                nearest = at[near.distance[at].argmin()]
                track = self._tracks.track(row)
                view = int(near.row[nearest] - self._tracks.firsts[row])
                form, distance = int(near.query[nearest]), int(near.distance[nearest])
                agreement = frame_judge.correlation(dct.thumbnail_as(grey, form).ravel(), track.greys([view])[0])
                is_sure = distance <= sure and agreement >= thresholds.DCT_MIN_CORRELATION
                yield Match(
                    asset=asset,
                    work=int(self._tracks.works[row]),
                    algorithm=SPEC.name,
                    version=SPEC.version,
                    strength=Strength.MATCH if is_sure else Strength.LIKELY,
                    distance=distance,
                    threshold=float(sure if is_sure else max(sure, distance)),
                    query_span=one.span,
                    work_span=track.span_around(view, near.row[at] - self._tracks.firsts[row]),
                    evidence={
                        "correlation": round(agreement, 3),
                        "mirrored": frame_forms.is_mirrored(form % len(dct.FORMS)),
                        "negative": form >= len(dct.FORMS),
                    },
                )


def _match(asset: int, work: int, judged: Judged, form: int) -> Match:
    evidence = {**judged.evidence, "mirrored": frame_forms.is_mirrored(form)}
    if frame_forms.turns(form):
        evidence["turned_degrees"] = frame_forms.turns(form)
    return Match(
        asset=asset,
        work=work,
        algorithm=SPEC.name,
        version=SPEC.version,
        strength=judged.strength,
        distance=judged.distance,
        threshold=float(thresholds.VIDEO_MATCH_BITS),
        query_span=judged.query_span,
        work_span=judged.work_span,
        evidence=evidence,
    )


def _keep(best: dict[tuple[int, int], Match], match: Match) -> None:
    known = best.get((match.asset, match.work))
    if known is None or _order(match) < _order(known):
        best[match.asset, match.work] = match


def _order(match: Match) -> tuple[bool, bool, float]:
    """Order the surest first; then those that know when; then the nearest and longest."""
    span = match.query_span
    seconds = span[1] - span[0] if span is not None and len(span) == 2 else None  # noqa: PLR2004
    return match.strength is not Strength.MATCH, seconds is None, (match.distance or 0) - min(seconds or 0.0, 60.0)


def _check(fingerprint: Fingerprint) -> str | None:
    return frame_bytes.check(fingerprint.value)


def _build(entries: Sequence[Entry]) -> FrameSearcher:
    read = [frame_bytes.read(fingerprint.value) for _, fingerprint in entries]
    views = np.concatenate([each.views for each in read] or [np.empty(0, VIEW)])
    tracks = _Tracks(
        works=np.array([work for work, _ in entries], np.int64),
        firsts=np.cumsum([0, *(len(each.views) for each in read)]).astype(np.int64),
        ends=np.array([each.end for each in read], np.uint32),
        views=views.view(np.uint8).reshape(-1, VIEW.itemsize),
    )
    return FrameSearcher(tracks, hamming.build(np.ascontiguousarray(views["hash"])))


def _open(folder: Path, verify: bool) -> FrameSearcher:  # noqa: FBT001 - the shape that AlgorithmSpec asks for
    contents = folders.read(folder, _KIND, verify=verify)
    folders.require_layout(folder, contents, _LAYOUT)
    folders.require(folder, contents, _SHAPES)
    if contents.children != ("hashes",):
        raise folders.corrupt(folder, "the hashes are missing")
    index = hamming.open(folder / "hashes", verify=verify)
    tracks = _Tracks(**{name: contents.arrays[name] for name in _Tracks.__slots__})
    firsts, count = tracks.firsts, len(tracks.works)
    fits = (
        len(firsts) == count + 1
        and tracks.ends.shape == (count,)
        and tracks.views.shape == (len(index), VIEW.itemsize)
        and index.width == dct.HASH_BYTES
        and int(firsts[0]) == 0
        and int(firsts[-1]) == len(index)
        and bool((np.diff(firsts) > 0).all())
    )
    if not fits:
        raise folders.corrupt(folder, "its arrays do not belong together")
    return FrameSearcher(tracks, index)


SPEC = AlgorithmSpec(
    name=frame_bytes.ALGORITHM,
    version=frame_bytes.VERSION,
    modality=Modality.VIDEO,
    encoding=Encoding.BASE64,
    unit=SpanUnit.SECONDS,
    check=_check,
    build=_build,
    open=_open,
)
