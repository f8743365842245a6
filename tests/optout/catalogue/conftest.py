"""Works, statements and fingerprints that need no media."""

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from fingerprinting.types import Fingerprint
from optout.catalogue.works import CatalogueWork
from optout.consent.preferences import expand
from optout.consent.statements import Statement
from optout.consent.vocabulary import Carrier, EvidenceLevel, Preference, Use

MOMENT = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def now() -> datetime:
    return datetime(2026, 6, 1, 12, tzinfo=UTC)


@pytest.fixture
def make_statement() -> Callable[..., Statement]:
    def make(
        preferences: dict[Use, Preference],
        *,
        id: str = "claim-1",  # noqa: A002 - the field's own name
        source: str = "someone",
        evidence: EvidenceLevel = EvidenceLevel.VERIFIED,
        valid_until: datetime | None = None,
        terms_url: str | None = None,
    ) -> Statement:
        return Statement(
            id=id,
            source=source,
            carrier=Carrier.CLAIM,
            evidence=evidence,
            uses=expand(preferences),
            valid_from=MOMENT,
            valid_until=valid_until,
            recorded_at=MOMENT,
            terms_url=terms_url,
        )

    return make


@pytest.fixture
def sha256() -> Callable[[str], Fingerprint]:
    return lambda name: Fingerprint("sha256", 1, hashlib.sha256(name.encode()).digest())


@pytest.fixture
def pdq() -> Callable[..., Fingerprint]:
    def make(name: str, *, flip: int = 0) -> Fingerprint:
        """A picture hash that only `name` decides, with its first `flip` bits turned over."""
        value = int.from_bytes(hashlib.sha256(name.encode()).digest(), "big")
        value ^= ((1 << flip) - 1) << (256 - flip)
        return Fingerprint("pdq-256", 1, value.to_bytes(32, "big"))

    return make


@pytest.fixture
def make_work(
    make_statement: Callable[..., Statement],
    sha256: Callable[[str], Fingerprint],
    pdq: Callable[..., Fingerprint],
) -> Callable[..., CatalogueWork]:
    def make(name: str, preference: Preference = Preference.DISALLOWED) -> CatalogueWork:
        said = (make_statement({Use.ALL: preference}, id=f"claim of {name}"),)
        return CatalogueWork(name, (sha256(name), pdq(name)), said, owner=f"owner of {name}", title=name.title())

    return make
