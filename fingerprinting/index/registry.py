"""The algorithms that can be searched, and how their fingerprints are checked and written in JSON."""

import base64
import binascii
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType

from fingerprinting.errors import InvalidFingerprintError
from fingerprinting.index import (
    bandenergy,
    chromaprint,
    dct,
    exact,
    features,
    frame_features,
    frames,
    landmark,
    pages,
    pdq,
    phash,
    shingle,
)
from fingerprinting.index.algorithm import AlgorithmSpec, Encoding, spec_id
from fingerprinting.types import Fingerprint

# A new algorithm, or a new version of one, is its own file, its thresholds, and one line here. An old version stays as
# long as works are known by it only (`mediamanager reindex` lists them): until then both are computed and searched.
_SPECS = (
    exact.SHA256,
    exact.PIXELS_SHA256,
    exact.KEY_URL,
    exact.KEY_YOUTUBE,
    pdq.SPEC,
    phash.SPEC,
    dct.SPEC,
    features.SPEC,
    chromaprint.SPEC,
    landmark.SPEC,
    bandenergy.SPEC,
    shingle.SPEC,
    frames.SPEC,
    frame_features.SPEC,
    *pages.SPECS,
)


def by_id(specs: Iterable[AlgorithmSpec]) -> Mapping[str, AlgorithmSpec]:
    """Every version of every algorithm, by `AlgorithmSpec.id`."""
    return MappingProxyType({spec.id: spec for spec in specs})


def newest(specs: Iterable[AlgorithmSpec]) -> Mapping[str, AlgorithmSpec]:
    """The newest version of every algorithm, by name."""
    return MappingProxyType({spec.name: spec for spec in sorted(specs, key=lambda spec: spec.version)})


VERSIONS: Mapping[str, AlgorithmSpec] = by_id(_SPECS)
"""Everything that can be compared: several versions of an algorithm stand side by side."""

ALGORITHMS: Mapping[str, AlgorithmSpec] = newest(_SPECS)
"""What works should be known by today: the newest version of each algorithm."""

_PICTURE_SPAN = 4
_TIME_SPAN = 2


def validate(fingerprint: Fingerprint) -> None:
    """Check that a fingerprint is of a known algorithm and version, and that its value is well-formed.

    Raises:
        InvalidFingerprintError: naming the algorithm and what is wrong.
    """
    spec = _spec(fingerprint.algorithm, fingerprint.version)
    problem = spec.check(fingerprint)
    if problem is None and not 0 <= fingerprint.quality <= 100:  # noqa: PLR2004 - the range that Fingerprint defines
        problem = "the quality must lie between 0 and 100"
    if problem is None and fingerprint.span is not None and len(fingerprint.span) not in (_TIME_SPAN, _PICTURE_SPAN):
        problem = "a span is two numbers (start, end) or four (left, top, right, bottom)"
    if problem is not None:
        raise _invalid(spec.name, problem)


def is_known(fingerprint: Fingerprint) -> bool:
    """Whether a fingerprint is of an algorithm and version that can be compared here."""
    return spec_id(fingerprint.algorithm, fingerprint.version) in VERSIONS


def encode(fingerprint: Fingerprint) -> str:
    """Write a fingerprint's value as text, the inverse of `decode`.

    Raises:
        InvalidFingerprintError: the fingerprint is not valid.
    """
    validate(fingerprint)
    if _spec(fingerprint.algorithm, fingerprint.version).encoding is Encoding.HEX:
        return fingerprint.value.hex()
    return base64.b64encode(fingerprint.value).decode("ascii")


def decode(
    algorithm: str,
    version: int,
    text: str,
    quality: float = 100.0,
    span: Sequence[float] | None = None,
) -> Fingerprint:
    """Read a fingerprint from JSON, the inverse of `encode`.

    Raises:
        InvalidFingerprintError: unknown algorithm or version, text that is not hex or base64 as the algorithm asks,
            or a value of the wrong length.
    """
    spec = _spec(algorithm, version)
    fingerprint = Fingerprint(
        algorithm=algorithm,
        version=version,
        value=_bytes(spec, text),
        quality=quality,
        span=None if span is None else tuple(span),
        unit=spec.unit,
    )
    validate(fingerprint)
    return fingerprint


def _bytes(spec: AlgorithmSpec, text: str) -> bytes:
    try:
        if spec.encoding is Encoding.HEX:
            # bytes.fromhex skips white space, which would let one value have many spellings.
            return binascii.unhexlify(text)
        return base64.b64decode(text, validate=True)
    except ValueError as error:
        raise _invalid(spec.name, f"the value is not {spec.encoding}") from error


def _spec(algorithm: str, version: int) -> AlgorithmSpec:
    spec = VERSIONS.get(spec_id(algorithm, version))
    if spec is not None:
        return spec
    if algorithm not in ALGORITHMS:
        known = ", ".join(sorted(ALGORITHMS))
        raise InvalidFingerprintError(
            f"unknown algorithm {algorithm!r}: use one of {known}", field="algorithm", algorithm=algorithm
        )
    raise InvalidFingerprintError(
        f"unknown version {version} of {algorithm}: compute version {ALGORITHMS[algorithm].version}",
        field="version",
        algorithm=algorithm,
        version=version,
    )


def _invalid(algorithm: str, problem: str) -> InvalidFingerprintError:
    return InvalidFingerprintError(
        f"invalid {algorithm} fingerprint: {problem}", field="value", algorithm=algorithm, problem=problem
    )
