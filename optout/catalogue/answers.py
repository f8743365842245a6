"""What goes into a lookup and what comes out of it: asset, work match, reason, answer."""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import overload

from fingerprinting.types import NO_EVIDENCE, EvidenceValue, Fingerprint, Modality, Span, Strength
from optout.consent.reasons import Reason
from optout.consent.vocabulary import Preference, Use

__all__ = ["Answer", "Asset", "Reason", "Reasons", "WorkMatch"]


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


class Reasons(Sequence[Reason]):
    """Steps that are put together when somebody first reads them: of most answers nobody does."""

    __slots__ = ("_made", "_make")

    def __init__(self, make: Callable[[], Iterable[Reason]]) -> None:
        self._make = make
        self._made: tuple[Reason, ...] | None = None

    @property
    def _all(self) -> tuple[Reason, ...]:
        if self._made is None:
            self._made = tuple(self._make())
        return self._made

    @overload
    def __getitem__(self, index: int) -> Reason: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Reason, ...]: ...
    def __getitem__(self, index: int | slice) -> Reason | tuple[Reason, ...]:
        return self._all[index]

    def __len__(self) -> int:
        return len(self._all)

    def __eq__(self, other: object) -> bool:
        return self._all == (other._all if isinstance(other, Reasons) else other)

    def __hash__(self) -> int:
        return hash(self._all)

    def __repr__(self) -> str:
        return repr(self._all)


@dataclass(frozen=True, slots=True)
class Answer:
    """The verdict for one asset and one use.

    Attributes:
        matches: best first; a cap may shorten this list, never what was decided from.
        reasons: the deciding steps first; put together when they are first read.
        identifiable: as of the asset: False says that a copy of it could not have been recognised.
        asset_key: of the asset: by it, a wrong match is reported.
        said: where several catalogues were asked, the verdict of each, by its name.
    """

    verdict: Preference
    use: Use
    matches: tuple[WorkMatch, ...]
    reasons: Sequence[Reason]
    identifiable: bool
    asset_key: bytes = b""
    said: Mapping[str, Preference] = field(default_factory=dict)
