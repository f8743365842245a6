"""Fingerprints that say nothing: what would fit a multitude identifies no work, and is kept out, with the reason."""

import hashlib
from typing import Final

import numpy as np

from fingerprinting import thresholds
from fingerprinting.errors import InvalidFingerprintError
from fingerprinting.image import dct as dct_bytes
from fingerprinting.image import page_bytes
from fingerprinting.index import chromaprint, dct, exact, pages, pdq, phash, shingle
from fingerprinting.index.algorithm import spec_id
from fingerprinting.text import shingle_bytes
from fingerprinting.types import Fingerprint

_EMPTY: Final = hashlib.sha256(b"").digest()


def refuse_blank(fingerprint: Fingerprint) -> None:
    """Refuse a well-formed fingerprint that identifies nothing. What is made here never is one, but others send theirs.

    Raises:
        InvalidFingerprintError: saying why, and what to register instead.
    """
    reason = blank_because(fingerprint)
    if reason is not None:
        raise InvalidFingerprintError(
            f"this {fingerprint.algorithm} fingerprint identifies nothing: {reason}. Leave it out; by the SHA-256 of a"
            " file its exact copies are found",
            field="value",
            algorithm=fingerprint.algorithm,
            problem=reason,
        )


def blank_because(fingerprint: Fingerprint) -> str | None:
    """Say why a well-formed fingerprint would fit a multitude; None if it is telling."""
    if fingerprint.algorithm == pages.HASHES.name:
        views = page_bytes.read(fingerprint.value, dct.SPEC.name)
        return next((why for view in views if (why := _of_one(view.print)) is not None), None)
    return _of_one(fingerprint)


def _of_one(fingerprint: Fingerprint) -> str | None:
    match spec_id(fingerprint.algorithm, fingerprint.version):
        case pdq.SPEC.id | phash.SPEC.id:
            return _hash(fingerprint.value, fingerprint.quality)
        case dct.SPEC.id:
            first = fingerprint.value[dct_bytes.THUMBNAIL_BYTES :][: dct_bytes.HASH_BYTES]
            return _hash(first, fingerprint.quality)
        case chromaprint.SPEC.id:
            return _sound(np.frombuffer(fingerprint.value, dtype="<u4"))
        case shingle.SPEC.id:
            return _text(shingle_bytes.read(fingerprint.value).hashes)
        case exact.SHA256.id:
            return "it is that of an empty file" if fingerprint.value == _EMPTY else None
        case _:
            return None


def _hash(value: bytes, quality: float) -> str | None:
    if value in (bytes(len(value)), b"\xff" * len(value)):
        return "all bits of it are equal, as of a blank picture"
    if quality < thresholds.PDQ_BLANK_QUALITY:
        return f"a quality below {thresholds.PDQ_BLANK_QUALITY} is that of a blank picture"
    return None


def _sound(codes: np.ndarray[tuple[int], np.dtype[np.uint32]]) -> str | None:
    if len(codes) < thresholds.CHROMAPRINT_LIKELY_CODES:
        return "it is of less than 5 seconds"
    audible = codes[codes != thresholds.CHROMAPRINT_SILENCE]
    if not len(audible):
        return "it is of silence"
    if len(np.unique(audible)) < thresholds.CHROMAPRINT_MIN_DISTINCT:
        return "it is of one steady sound"
    return None


def _text(shingles: np.ndarray[tuple[int], np.dtype[np.uint32]]) -> str | None:
    fewest = thresholds.SHINGLE_BASE_EVIDENCE - thresholds.SHINGLE_LIKELY_STEP
    return "it is of too few different phrases" if len(np.unique(shingles)) < fewest else None
