"""Request bodies for tests of the HTTP API."""

import io
from typing import Any

import factories
from PIL import Image

from fingerprinting.index import registry
from fingerprinting.types import Extraction, Fingerprint

NO_TRAINING: dict[str, Any] = {"preferences": {"train-ai": "disallowed"}}


def wire(fingerprint: Fingerprint) -> dict[str, Any]:
    return {
        "algorithm": fingerprint.algorithm,
        "version": fingerprint.version,
        "value": registry.encode(fingerprint),
        "quality": fingerprint.quality,
    }


def by_fingerprints(seed: int = 1, *, title: str | None = None) -> dict[str, Any]:
    """The registration of `factories.picture(seed)`."""
    made: Extraction = factories.picture(seed)
    return {
        "fingerprints": [wire(one) for one in made.fingerprints],
        "modality": made.modality,
        "media_type": made.media_type,
        "title": title,
    }


def asset(seed: int = 1, *, flipped_bits: int = 0) -> dict[str, Any]:
    """A copy of `factories.picture(seed)` with other bytes, whose PDQ hash is so many bits away."""
    return {"fingerprints": [wire(factories.pdq(seed, flipped_bits=flipped_bits))]}


def png(colour: int = 7) -> bytes:
    """The bytes of a small picture."""
    stream = io.BytesIO()
    Image.linear_gradient("L").rotate(colour).save(stream, "PNG")
    return stream.getvalue()
