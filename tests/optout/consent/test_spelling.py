"""Statements and grants as files hold them: what can't be understood is an error, and never a reservation less."""

from datetime import UTC, datetime

import pytest

from optout.consent import spelling
from optout.consent.grants import Grant
from optout.consent.statements import SourceToken, Statement
from optout.consent.vocabulary import Carrier, EvidenceLevel, Preference, Scope, Use

DAY = datetime(2026, 6, 1, tzinfo=UTC)
LATER = datetime(2026, 7, 1, tzinfo=UTC)
STATEMENT = Statement(
    id="s",
    source="ann",
    carrier=Carrier.CLAIM,
    evidence=EvidenceLevel.ACCOUNT,
    uses={Use.SEARCH: Preference.DISALLOWED},
    valid_from=DAY,
    valid_until=LATER,
    recorded_at=DAY,
    scope=Scope.COLLECTION,
    languages=("fr",),
    tokens=(SourceToken("tdmrep", "1", "tdm-reservation"),),
)
GRANT = Grant("g", "ann", "pia", EvidenceLevel.VERIFIED, frozenset({Use.SEARCH}), DAY, LATER, DAY)


def test_what_is_written_is_read_as_it_was() -> None:
    assert spelling.read(spelling.write(STATEMENT)) == STATEMENT
    assert spelling.read_grant(spelling.write_grant(GRANT)) == GRANT


@pytest.mark.parametrize(
    "wrong",
    [
        {"uses": {"train-ai": "disallowed"}},  # an aggregate: no leaf would ever find it
        {"uses": {"train-everything": "disallowed"}},
        {"uses": {"search": "reserved"}},
        {"uses": ["search"]},
        {"evidence": "certain"},
        {"scope": "planet"},
        {"valid_until": "2026-05-01T00:00:00+00:00"},
        {"valid_from": "2026-06-01T00:00:00"},
        {"withdrawn_at": "2026-06-01T00:00:00"},
    ],
)
def test_a_statement_that_can_not_be_understood_is_an_error(wrong: dict[str, object]) -> None:
    with pytest.raises((ValueError, KeyError, TypeError)):
        spelling.read({**spelling.write(STATEMENT), **wrong})


@pytest.mark.parametrize(
    "wrong",
    [
        {"uses": ["all"]},
        {"uses": ["train-everything"]},
        {"uses": "search"},
        {"works": "all"},
        {"evidence": "certain"},
        {"valid_until": "2026-05-01T00:00:00+00:00"},
        {"valid_until": "2026-07-01T00:00:00"},
    ],
)
def test_a_grant_that_can_not_be_understood_is_an_error(wrong: dict[str, object]) -> None:
    with pytest.raises((ValueError, KeyError, TypeError)):
        spelling.read_grant({**spelling.write_grant(GRANT), **wrong})
