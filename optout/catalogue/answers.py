"""What goes into a lookup and what comes out of it: asset, work match, reason, answer."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

from fingerprinting.types import NO_EVIDENCE, EvidenceValue, Fingerprint, Modality, Span, Strength
from optout.consent.reasons import Reason
from optout.consent.vocabulary import Preference, Use

__all__ = ["Answer", "Asset", "Reason", "WorkMatch"]


@dataclass(frozen=True, slots=True)
class Asset:
    """A file or stream as a pipeline meets it: its fingerprints, exact keys included.

    Attributes:
        fingerprints: at least one; `sha256` and `key-…` fingerprints are the exact keys.
        identifiable: False where only exact bytes or keys can identify it (blank picture, silence, ten words).
        location: the canonical address that it was got from, if it is known.
    """

    fingerprints: tuple[Fingerprint, ...]
    identifiable: bool = True
    location: str | None = None

    @property
    def key(self) -> bytes:
        """Name it in 32 bytes: the SHA-256 of its file, or one over all that is known of it.

        The latter covers, for each fingerprint in sorted order: algorithm, `/`, version, a zero byte, the value's
        length as 8 bytes big-endian, the value.
        """
        for one in self.fingerprints:
            if one.algorithm == "sha256":
                return one.value
        parts = sorted(
            f"{one.algorithm}/{one.version}".encode() + b"\0" + len(one.value).to_bytes(8, "big") + one.value
            for one in self.fingerprints
        )
        return hashlib.sha256(b"".join(parts)).digest()


@dataclass(frozen=True, slots=True)
class WorkMatch:
    """A registered work found in an asset, with the evidence and what its statements say about the use asked for."""

    work: str
    strength: Strength
    modality: Modality | None
    algorithm: str
    version: int
    distance: int | None
    score: float | None
    threshold: float | None
    query_span: Span | None
    work_span: Span | None
    verdict: Preference
    evidence: Mapping[str, EvidenceValue] = field(default_factory=lambda: NO_EVIDENCE)


@dataclass(frozen=True, slots=True)
class Answer:
    """The verdict for one asset and one use.

    Attributes:
        matches: best first; a cap may shorten this list, never what was decided from.
        reasons: the deciding steps first.
        identifiable: as of the asset: False says that a copy of it could not have been recognised.
        asset_key: of the asset: by it, a wrong match is reported.
    """

    verdict: Preference
    use: Use
    matches: tuple[WorkMatch, ...]
    reasons: tuple[Reason, ...]
    identifiable: bool
    asset_key: bytes = b""
