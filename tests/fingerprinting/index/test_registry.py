"""Fingerprints on the wire: what is well-formed comes back as it was, anything else is refused by name."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from well_formed import VALUES

from fingerprinting.errors import InvalidFingerprintError
from fingerprinting.index import registry
from fingerprinting.types import Fingerprint

TEXT = VALUES["shingle-3"]
VERSION = {name: spec.version for name, spec in registry.ALGORITHMS.items()}


def test_every_algorithm_is_covered_here() -> None:
    assert set(VALUES) == set(registry.ALGORITHMS)


@pytest.mark.parametrize("algorithm", VALUES)
def test_decode_is_the_inverse_of_encode(algorithm: str) -> None:
    span = (0.0, 1.0, 2.0, 3.0) if algorithm in {"pdq-256", "phash-64", "dct-256"} else None
    unit = registry.ALGORITHMS[algorithm].unit
    fingerprint = Fingerprint(algorithm, VERSION[algorithm], VALUES[algorithm], 77.5, span, unit)

    text = registry.encode(fingerprint)

    assert registry.decode(algorithm, VERSION[algorithm], text, 77.5, list(span) if span else None) == fingerprint


@pytest.mark.parametrize(
    ("algorithm", "value"),
    [(name, VALUES[name][:-1]) for name in VALUES]
    + [("pdq-256", bytes(33)), ("phash-64", bytes(32)), ("chromaprint-2", b""), ("shingle-3", b"")]
    + [("shingle-3", TEXT + b"\0"), ("shingle-3", TEXT[:17] + b"\x07" + TEXT[18:])],
)
def test_a_value_of_the_wrong_length_or_order_is_refused_by_name(algorithm: str, value: bytes) -> None:
    with pytest.raises(InvalidFingerprintError, match=algorithm) as caught:
        registry.validate(Fingerprint(algorithm, VERSION[algorithm], value))

    assert caught.value.parameters["field"] == "value"


@pytest.mark.parametrize(("algorithm", "version", "field"), [("md5", 1, "algorithm"), ("sha256", 2, "version")])
def test_an_unknown_algorithm_or_version_is_refused(algorithm: str, version: int, field: str) -> None:
    with pytest.raises(InvalidFingerprintError, match="unknown") as caught:
        registry.decode(algorithm, version, "00" * 32)

    assert caught.value.parameters["field"] == field


@pytest.mark.parametrize(
    ("algorithm", "text"),
    [
        ("sha256", "zz" * 32),
        ("sha256", "00 " * 32),
        ("sha256", "é" * 64),
        ("chromaprint-2", "AAAA\nAAAA"),
        ("chromaprint-2", "AAAA!AAA"),
        ("chromaprint-2", "AAA"),
    ],
)
def test_text_that_is_not_hex_or_base64_is_refused(algorithm: str, text: str) -> None:
    with pytest.raises(InvalidFingerprintError, match=r"is not (hex|base64)"):
        registry.decode(algorithm, 1, text)


@pytest.mark.parametrize(
    ("quality", "span"), [(-1.0, None), (101.0, None), (float("nan"), None), (50.0, [1.0]), (50.0, [0.0, 1.0])]
)
def test_a_quality_out_of_range_or_a_malformed_span_is_refused(quality: float, span: list[float] | None) -> None:
    with pytest.raises(InvalidFingerprintError):
        registry.decode("pdq-256", 1, "00" * 32, quality, span)


@given(st.binary(max_size=80), st.sampled_from(sorted(VALUES)))
def test_whatever_the_bytes_they_are_valid_or_refused_and_nothing_else(value: bytes, algorithm: str) -> None:
    fingerprint = Fingerprint(algorithm, 1, value)
    try:
        registry.validate(fingerprint)
    except InvalidFingerprintError:
        return
    assert registry.decode(algorithm, 1, registry.encode(fingerprint)).value == value
