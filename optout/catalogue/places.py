"""Where asset and work agree, read out of a match, for whoever shows it to a person."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from fingerprinting.index.algorithm import spec_id
from fingerprinting.index.registry import VERSIONS
from fingerprinting.types import EvidenceValue, Match, Modality, Span, SpanUnit
from optout.catalogue.answers import WorkMatch

_NUMBER: Final = r"(\d+(?:\.\d+)?)"
_PAIR: Final = re.compile(rf"{_NUMBER}-{_NUMBER} in {_NUMBER}-{_NUMBER}")
_SIGNED: Final = re.compile(r"-?\d{1,9}(?:\.\d{1,9})?(?:e-?\d{1,2})?")
_SIZE: Final = re.compile(r"([1-9]\d{0,5})x([1-9]\d{0,5})")


@dataclass(frozen=True, slots=True)
class Place:
    """One part of the asset, and the part of the work that it shows. None where the algorithm can't tell."""

    asset: Span | None
    work: Span | None


@dataclass(frozen=True, slots=True)
class Places:
    """Everything that a match says about where it lies.

    Attributes:
        unit: what the spans count; None: nothing is known of where.
        places: in the order of the asset; empty where nothing is known.
        asset_seconds: how long the asset is, of sound.
        work_seconds: how long the work is, of sound.
        asset_size: width and height of the asset in pixels, of pictures, where they are known.
        work_size: of the work.
        transform: how the work lies in the asset: a, b, c, d, e, f of the map from pixels of the one to pixels of the
            other, as SVG writes it; None where that is not known.
        corners: x and y of the four corners of the work in the asset, where it is seen at a slant: then the map is that
            of its middle alone.
    """

    unit: SpanUnit | None
    places: tuple[Place, ...] = ()
    asset_seconds: float | None = None
    work_seconds: float | None = None
    asset_size: tuple[int, int] | None = None
    work_size: tuple[int, int] | None = None
    transform: tuple[float, ...] | None = None
    corners: tuple[float, ...] | None = None


def places(match: WorkMatch | Match, unit: SpanUnit | None = None) -> Places:
    """Read where a match lies.

    Args:
        match: of any algorithm.
        unit: what the spans count, where it was told beside the file (characters of a text).
    """
    spec = VERSIONS.get(spec_id(match.algorithm, match.version))
    if unit is None and spec is not None:
        # Of texts an index can tell only when captions show them; characters are counted beside the file.
        unit = SpanUnit.SECONDS if spec.modality is Modality.TEXT else spec.unit
    said = match.evidence
    found = _several(said.get("spans"))
    if not found and (match.query_span is not None or match.work_span is not None):
        found = (Place(match.query_span, match.work_span),)
    return Places(
        unit if found else None,
        found,
        _seconds(said, "asset_seconds"),
        _seconds(said, "work_seconds"),
        _size(said.get("asset_size")),
        _size(said.get("work_size")),
        _numbers(said.get("transform"), 6),
        _numbers(said.get("corners"), 8),
    )


def _several(written: EvidenceValue | None) -> tuple[Place, ...]:
    """Read what a recording that is heard several times says: `1.0-9.5 in 31.0-39.5; 20.0-24.0 in 2.0-6.0`."""
    if not isinstance(written, str):
        return ()
    read = (_PAIR.fullmatch(each.strip()) for each in written.split(";"))
    return tuple(
        Place((float(one[1]), float(one[2])), (float(one[3]), float(one[4]))) for one in read if one is not None
    )


def _seconds(said: Mapping[str, EvidenceValue], name: str) -> float | None:
    value = said.get(name)
    return float(value) if isinstance(value, int | float) and value > 0 else None


def _size(written: EvidenceValue | None) -> tuple[int, int] | None:
    found = _SIZE.fullmatch(written) if isinstance(written, str) else None
    return None if found is None else (int(found[1]), int(found[2]))


def _numbers(written: EvidenceValue | None, count: int) -> tuple[float, ...] | None:
    read = written.split(" ") if isinstance(written, str) else []
    return tuple(map(float, read)) if len(read) == count and all(map(_SIGNED.fullmatch, read)) else None
