"""The words of fingerprinting: modality, fingerprint, match, extraction."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Final, TypeAlias

Span: TypeAlias = tuple[float, ...]
"""Where something lies: `(start, end)` in seconds or characters, or `(left, top, right, bottom)` in pixels."""

EvidenceValue: TypeAlias = str | int | float | bool

NO_EVIDENCE: Mapping[str, EvidenceValue] = MappingProxyType({})


FEATURES_MISSING: Final = "image-features-missing"
"""The note of a picture that got no local features because OpenCV is not installed: parts of it won't be found."""


class Modality(StrEnum):
    """What kind of content an asset is."""

    IMAGE = "image"
    AUDIO = "audio"
    VIDEO = "video"
    TEXT = "text"
    PAGES = "pages"
    """Pictures in an order: a comic, a scanned book."""


class Depth(StrEnum):
    """How much work a search may do to find a copy."""

    FAST = "fast"
    STANDARD = "standard"
    THOROUGH = "thorough"


class SpanUnit(StrEnum):
    """What the numbers of a span count."""

    PIXELS = "pixels"
    SECONDS = "seconds"
    CHARACTERS = "characters"


class Role(StrEnum):
    """Why a file is fingerprinted: to be found later, or to ask which works it shows."""

    WORK = "work"
    QUERY = "query"


class Strength(StrEnum):
    """How sure a match is. `LIKELY` is for a person to look at and never decides a verdict by itself."""

    EXACT = "exact"
    MATCH = "match"
    LIKELY = "likely"


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What one algorithm computed from one asset. Two of the same algorithm and version can be compared.

    Attributes:
        algorithm: the algorithm's name, for instance `pdq-256`, `chromaprint-2`, `sha256`, `key-url`.
        version: the version of our definition of that algorithm; fingerprints of different versions never match.
        value: the bytes that the algorithm's own file defines (a hash; little-endian codes; shingle records).
        quality: 0 (says nothing about the content) to 100.
        span: the part of the asset that it was computed from, in the asset's unit; None is the whole.
        unit: what the numbers in spans of matches by this fingerprint count; None where the algorithm can't tell.
    """

    algorithm: str
    version: int
    value: bytes
    quality: float = 100.0
    span: Span | None = None
    unit: SpanUnit | None = None


@dataclass(frozen=True, slots=True)
class Passage:
    """A passage of an asset's text that runs along one of a work's. Places are numbers of kept tokens.

    Attributes:
        query: first token of the asset's and one past the last.
        work: the same in the work's text.
        blocks: where the evidence lies: the first token of each block of the asset's that holds a shingle for the first
            time, ascending.
        matched_query: tokens of the asset inside a shared shingle.
        matched_work: distinct shingles of the work inside it.
        query_share: which part of the asset `matched_query` is, 0 to 1.
        work_share: which part of the work's shingles `matched_work` is, 0 to 1.
        query_span: when captions show it; None for any other text.
        work_span: the same of the work.
        is_thin: whether so little of it is shared that it is only worth a look, however long it is.
    """

    query: tuple[int, int]
    work: tuple[int, int]
    blocks: tuple[int, ...]
    matched_query: int
    matched_work: int
    query_share: float = 0.0
    work_share: float = 0.0
    query_span: Span | None = None
    work_span: Span | None = None
    is_thin: bool = False

    @property
    def shown(self) -> Span | None:
        """When it is shown: in the work if that has times, else in the asset; None where neither has."""
        return self.query_span if self.work_span is None else self.work_span


@dataclass(frozen=True, slots=True)
class FoundText:
    """Everything of one work's text that was found in an asset.

    Attributes:
        passages: one or more, by their place in the asset.
        needed: blocks with evidence that make a match.
    """

    passages: tuple[Passage, ...]
    needed: int


@dataclass(frozen=True, slots=True)
class Match:
    """One work found for one asset by one algorithm, rows as given to the index.

    Attributes:
        asset: the row of the asset in the query batch.
        work: the row of the work in the index.
        distance: bits between the fingerprints (0 is equal), where the algorithm measures a distance.
        score: evidence for an aligned match (more is surer), where the algorithm measures a score.
        threshold: the limit that decided `strength`, in the unit of distance or score.
        query_span: where the match lies in the asset; None where the algorithm can't tell.
        work_span: where it lies in the work.
        evidence: further facts for a person to look at (offset, overlap, bit error ...).
        text: of texts, all that was found of the work in the asset; the facts above are of the best passage.
    """

    asset: int
    work: int
    algorithm: str
    version: int
    strength: Strength
    distance: int | None = None
    score: float | None = None
    threshold: float | None = None
    query_span: Span | None = None
    work_span: Span | None = None
    evidence: Mapping[str, EvidenceValue] = field(default_factory=lambda: NO_EVIDENCE)
    text: FoundText | None = None


@dataclass(frozen=True, slots=True)
class Extraction:
    """All that was computed from one file.

    Attributes:
        modality: what the file is, by its content.
        media_type: for instance `image/png`.
        fingerprints: of every algorithm for that modality, `sha256` of the file's bytes first.
        identifiable: False where only exact bytes can identify it (a blank picture, silence, ten words of text).
        notes: stable codes that say why something is missing, for instance `image-flat`, `audio-too-short`.
        beside: what else of the same work was looked at, besides this file: the sound of a video whose captions it is.
    """

    modality: Modality
    media_type: str
    fingerprints: tuple[Fingerprint, ...]
    identifiable: bool = True
    notes: tuple[str, ...] = ()
    beside: frozenset[Modality] = frozenset()


@dataclass(frozen=True, slots=True)
class Prints:
    """What one modality's fingerprinter found in a file; `Extraction` adds what the file is and its SHA-256."""

    fingerprints: tuple[Fingerprint, ...]
    identifiable: bool = True
    notes: tuple[str, ...] = ()
