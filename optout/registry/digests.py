"""One number for a work's fingerprints, so that a claimant can check that what the log commits to is their work.

Layout, version `crk1`. Each fingerprint gives SHA-256 over `crk1-fingerprint`, a zero byte, the algorithm's name in
ASCII, a zero byte, its version in decimal, a zero byte, its value. The digest is SHA-256 over `crk1-fingerprints`, a
zero byte, and those hashes sorted, each once. Quality and span are facts about a fingerprint, not part of it.
"""

import hashlib
from collections.abc import Iterable

from fingerprinting.types import Fingerprint


def fingerprint_digest(fingerprints: Iterable[Fingerprint]) -> bytes:
    """32 bytes that depend on the set of fingerprints, not on their order or number of mentions."""
    hashes = sorted({_one(fingerprint) for fingerprint in fingerprints})
    return hashlib.sha256(b"crk1-fingerprints\0" + b"".join(hashes)).digest()


def _one(fingerprint: Fingerprint) -> bytes:
    head = f"crk1-fingerprint\0{fingerprint.algorithm}\0{fingerprint.version}\0"
    return hashlib.sha256(head.encode("ascii") + fingerprint.value).digest()
