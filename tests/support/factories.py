"""Rows for tests, made by the same functions that the surfaces call."""

import hashlib
import secrets
from collections.abc import Mapping
from uuid import UUID

from sqlalchemy.orm import Session

from fingerprinting.types import Extraction, Fingerprint, Modality
from optout.consent.vocabulary import EvidenceLevel, Preference, Use
from optout.registry import accounts, claims, works
from optout.store.models import Account, ApiKey, Claim, Role, Work

NO_TRAINING: Mapping[Use, Preference] = {Use.TRAIN_AI: Preference.DISALLOWED}


def sha256(data: bytes) -> Fingerprint:
    return Fingerprint("sha256", 1, hashlib.sha256(data).digest())


def pdq(seed: int, *, flipped_bits: int = 0) -> Fingerprint:
    """A PDQ hash that is far from that of any other seed, with some of its bits flipped."""
    value = bytearray(hashlib.sha256(f"pdq {seed}".encode()).digest())
    for bit in range(flipped_bits):
        value[bit // 8] ^= 1 << (bit % 8)
    return Fingerprint("pdq-256", 1, bytes(value))


def picture(seed: int, *, data: bytes | None = None) -> Extraction:
    """What a picture's fingerprinting gives."""
    of_bytes = sha256(data if data is not None else f"picture {seed}".encode())
    return Extraction(Modality.IMAGE, "image/png", (of_bytes, pdq(seed)))


def make_account(
    session: Session, *, name: str = "Ada", evidence: EvidenceLevel = EvidenceLevel.SELF_DECLARED
) -> Account:
    return accounts.create_account(session, name=name, evidence=evidence)


def make_key(session: Session, account: Account, *roles: Role) -> tuple[ApiKey, str]:
    return accounts.create_key(session, account_id=account.id, roles=roles or (Role.CREATOR,), label="test")


def make_pending_work(session: Session, account: Account, *, data: bytes | None = None) -> Work:
    content = secrets.token_bytes(8) if data is None else data
    digest = hashlib.sha256(content).digest()
    return works.register_upload(
        session, account_id=account.id, sha256=digest, size_bytes=len(content), name="a.png"
    ).work


def make_work(session: Session, account: Account, *, seed: int | None = None) -> Work:
    """A work that is ready, with the fingerprints of `picture(seed)`."""
    extraction = picture(secrets.randbits(62) if seed is None else seed)
    return works.register_fingerprints(session, account_id=account.id, extraction=extraction).work


def make_claim(
    session: Session,
    work: Work,
    *,
    preferences: Mapping[Use, Preference] = NO_TRAINING,
    claimant_id: UUID | None = None,
) -> Claim:
    return claims.file_claim(
        session, work_id=work.id, claimant_id=claimant_id or work.account_id, preferences=preferences
    )
