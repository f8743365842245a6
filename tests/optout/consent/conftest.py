"""Statements to decide from."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from optout.consent.preferences import expand
from optout.consent.statements import Statement
from optout.consent.vocabulary import Carrier, EvidenceLevel, Preference, Use

MakeStatement = Callable[..., Statement]


@pytest.fixture
def statement() -> MakeStatement:
    def make(
        preferences: dict[Use, Preference],
        *,
        id: str = "claim-1",  # noqa: A002 - the field's own name
        evidence: EvidenceLevel = EvidenceLevel.SELF_DECLARED,
        valid_from: datetime = datetime(2026, 1, 1, tzinfo=UTC),
        valid_until: datetime | None = None,
        recorded_at: datetime = datetime(2026, 1, 1, tzinfo=UTC),
        terms_url: str | None = None,
    ) -> Statement:
        return Statement(
            id=id,
            source=f"source of {id}",
            carrier=Carrier.CLAIM,
            evidence=evidence,
            uses=expand(preferences),
            valid_from=valid_from,
            valid_until=valid_until,
            recorded_at=recorded_at,
            terms_url=terms_url,
        )

    return make
