"""Where an asset shows a part of a work's picture, or the work in a part of its own, what moves there is compared.

Local features say where the one picture lies in the other; the greys of `video-dct-256` say what moves in what both
show. Together they tell a crop of a recording from another recording of the same place.
"""

import dataclasses
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from fingerprinting import thresholds
from fingerprinting.image import dct
from fingerprinting.index import frame_features, frame_motion, frames
from fingerprinting.index.algorithm import Entry
from fingerprinting.index.frame_motion import Agreement, Film
from fingerprinting.index.frames import FrameSearcher
from fingerprinting.index.timeline import Line
from fingerprinting.types import Match, Strength
from fingerprinting.video import frame_bytes

_POINTS: Final = 3
_FEWEST_CELLS: Final = 24
_MOST_TURN: Final = 12

Floats = NDArray[np.float32]
Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class _Shown:
    """What both pictures show, in shares of their width and height; whether the asset is a mirror image."""

    in_asset: Box
    in_work: Box
    mirrored: bool


def decided(found: Sequence[Match], works: FrameSearcher, grouped: Mapping[str, list[Entry]]) -> list[Match]:
    """Judge matches by features of frames again, by what moves in what both pictures show.

    Args:
        found: matches of any algorithm.
        works: the hashes and greys of the frames of works.
        grouped: the fingerprints of assets, by `AlgorithmSpec.id`.
    """
    if not any(match.algorithm == frame_features.SPEC.name for match in found):
        return list(found)
    films: defaultdict[int, list[NDArray[np.void]]] = defaultdict(list)
    for asset, one in grouped.get(frames.SPEC.id, ()):
        if one.algorithm == frame_bytes.ALGORITHM:
            films[asset].append(frame_bytes.read(one.value).views)
    judged = [
        _again(match, np.concatenate(films[match.asset]), works)
        if match.algorithm == frame_features.SPEC.name and match.asset in films
        else match
        for match in found
    ]
    twins = _twins(judged, works)
    return [match for match in judged if _key(match) not in twins] + list(twins.values())


def _key(match: Match) -> tuple[int, int, str]:
    return match.asset, match.work, match.algorithm


def _twins(found: Sequence[Match], works: FrameSearcher) -> dict[tuple[int, int, str], Match]:
    """Give the works that show the same pictures as one whose features were found.

    Features are looked for among the nearest few, so that a flood of like films could hide one of them.
    """
    added: dict[tuple[int, int, str], Match] = {}
    sure = [
        match for match in found if match.algorithm == frame_features.SPEC.name and match.strength is Strength.MATCH
    ]
    known = {_key(match) for match in sure}
    for match in sure:
        span = match.work_span
        if span is None or len(span) != 2:  # noqa: PLR2004 - start and end
            continue
        for work, there in works.twins(match.work, (span[0], span[1])).items():
            twin = dataclasses.replace(match, work=work, work_span=there)
            if _key(twin) not in known:
                added.setdefault(_key(twin), twin)
    return added


def _again(match: Match, asset: NDArray[np.void], works: FrameSearcher) -> Match:
    shown = _shown(match)
    span = match.query_span
    if shown is None or span is None or len(span) != 2:  # noqa: PLR2004 - start and end
        return match
    line = Line(float(match.evidence.get("speed", 1)), float(match.evidence.get("offset_seconds", 0)))
    mine, its = _sampler(shown.in_asset, shown), _sampler(shown.in_work, shown)
    if mine.shape[1] < _FEWEST_CELLS:
        return match
    best: Agreement | None = None
    for track in works.tracks_of(match.work):
        moves = frame_motion.agreement(
            _film(asset, mine, mirrored=shown.mirrored), _film(track, its), line, (span[0], span[1])
        )
        if moves is not None and (best is None or moves.here > best.here):
            best = moves
    return match if best is None else _judged(match, best)


def _judged(match: Match, moves: Agreement) -> Match:
    evidence = {**match.evidence, "motion": round(moves.here, 2), "motion_elsewhere": round(moves.elsewhere, 2)}
    if moves.is_sure:
        line = moves.line
        evidence |= {"offset_seconds": round(line.offset, 2), "speed": round(line.speed, 3)}
        there = tuple(round(max(0.0, line.speed * each + line.offset), 2) for each in match.query_span or ())
        return dataclasses.replace(match, strength=Strength.MATCH, work_span=there, evidence=evidence)
    is_other = moves.here < thresholds.VIDEO_MOTION_LEAST and match.strength is Strength.MATCH
    strength = Strength.LIKELY if is_other else match.strength
    return dataclasses.replace(match, strength=strength, evidence=evidence)


def _shown(match: Match) -> _Shown | None:
    """Read from the evidence where the pictures lie in each other; None where one is turned."""
    evidence = match.evidence
    if abs(float(evidence.get("turned_degrees", 0))) > _MOST_TURN or evidence.get("negative"):
        return None
    boxes = [str(evidence.get(name, "")).split(", ") for name in ("box", "part")]
    sizes = [str(evidence.get(name, "")).split("x") for name in ("asset_size", "work_size")]
    if any(len(box) != 4 for box in boxes) or any(len(size) != 2 for size in sizes):  # noqa: PLR2004
        return None
    shares = []
    for box, (width, height) in zip(boxes, sizes, strict=True):
        left, top, right, bottom = map(float, box)
        if right <= left or bottom <= top:
            return None
        shares.append((left / int(width), top / int(height), right / int(width), bottom / int(height)))
    mirrored = bool(evidence.get("mirrored"))
    if mirrored:
        left, top, right, bottom = shares[0]
        shares[0] = (1 - right, top, 1 - left, bottom)
    return _Shown(shares[0], shares[1], mirrored)


def _sampler(box: Box, shown: _Shown) -> Floats:
    """Give what makes, of a grey picture of 16 by 16, the cells of a box of it: shape (256, cells).

    There are as many cells as the picture with fewer of them has there.
    """
    side = dct.THUMBNAIL
    across, down = (
        max(1, round(side * min(each[at + 2] - each[at] for each in (shown.in_asset, shown.in_work)))) for at in (0, 1)
    )
    columns = _weights(box[0] * side, box[2] * side, across)
    rows = _weights(box[1] * side, box[3] * side, down)
    cells: Floats = np.einsum("rc,xy->rxcy", rows, columns).reshape(side * side, down * across)
    return cells


def _weights(low: float, high: float, cells: int) -> Floats:
    """Give how much each of 16 samples counts for each of some cells between two places, shape (16, cells)."""
    side = dct.THUMBNAIL
    places = low + (np.arange(cells * _POINTS) + 0.5) / (cells * _POINTS) * (high - low) - 0.5
    places = places.clip(0, side - 1)
    first = np.minimum(places.astype(np.int64), side - 2)
    share = (places - first).astype(np.float32)
    weights = np.zeros((side, cells), np.float32)
    cell = np.arange(len(places)) // _POINTS
    np.add.at(weights, (first, cell), (1 - share) / _POINTS)
    np.add.at(weights, (first + 1, cell), share / _POINTS)
    return weights


def _film(views: NDArray[np.void], sampler: Floats, *, mirrored: bool = False) -> Film:
    whole = views[views["kind"] == frame_bytes.WHOLE]
    greys = whole["grey"].astype(np.float32)
    if mirrored:
        greys = greys.reshape(-1, dct.THUMBNAIL, dct.THUMBNAIL)[:, :, ::-1].reshape(len(whole), -1)
    return Film(whole["since"] / 1000.0, whole["until"] / 1000.0, greys @ sampler)
