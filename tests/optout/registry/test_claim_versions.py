"""Of very many versions those are read that may speak, and no others: by index, and with the same answer."""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from random import Random
from uuid import UUID, uuid4

import pytest
from factories import NO_TRAINING, make_claim
from sqlalchemy import CompoundSelect, Select, insert, select, text
from sqlalchemy.orm import Session

from optout.consent import policy
from optout.consent.preferences import expand
from optout.consent.vocabulary import EvidenceLevel, Preference, Scope, Use
from optout.registry import claim_versions, claims, statements
from optout.registry.statements import When
from optout.store.models import Account, Claim, ClaimState, Work

_SAID = (Preference.ALLOWED, Preference.CONDITIONAL, Preference.DISALLOWED)
_EPOCH = datetime(2026, 1, 1, tzinfo=UTC)


def moment(hour: float) -> datetime:
    return _EPOCH + timedelta(hours=hour)


def history(random: Random, like: Claim, count: int) -> Iterator[Mapping[str, object]]:
    """Versions about one work, one after the other: amended, backdated, to begin later, withdrawn, filed anew."""
    filed, series, is_first = 0.0, uuid4(), True
    for number in range(count):
        lasts = number == count - 1 and random.random() < 0.5
        withdrawn = not lasts and (number == count - 1 or random.random() < 0.3)
        settled = filed + random.choice((0.1, 1, 2))
        start = random.choice((filed, filed, filed - random.randint(1, 9), filed + random.randint(1, 9) * is_first))
        yield {
            "id": uuid4(),
            "scope": Scope.WORK,
            "work_id": like.work_id,
            "claimant_id": like.claimant_id,
            "preferences": expand({Use.ALL: random.choice(_SAID)}),
            "evidence": EvidenceLevel.VERIFIED,
            "valid_from": moment(start),
            "valid_until": None if random.random() < 0.7 else moment(max(start, filed) + random.randint(1, 8)),
            "languages": [],
            "filed_at": moment(filed),
            "log_subject": series,
            "entry_id": like.entry_id,
            "state": ClaimState.ACTIVE if lasts else ClaimState.WITHDRAWN if withdrawn else ClaimState.SUPERSEDED,
            "settled_at": None if lasts else moment(settled),
        }
        filed, is_first = settled + withdrawn * random.choice((0.1, 3)), withdrawn
        series = uuid4() if withdrawn else series


@pytest.mark.parametrize("seed", range(12))
def test_what_is_left_out_would_not_have_changed_any_answer(session: Session, claim: Claim, seed: int) -> None:
    random = Random(seed)
    claims.withdraw(session, claim_id=claim.id, claimant_id=claim.claimant_id)
    session.delete(claim)
    session.flush()
    session.execute(insert(Claim), list(history(random, claim, 14)))
    every = [statements.of_claim(one, "ann", None) for one in session.scalars(select(Claim))]

    for _ in range(60):
        at, known = moment(random.uniform(-6, 26)), random.choice((None, moment(random.uniform(-2, 24))))
        read = statements.about(session, [claim.work_id], When(at, known)).statements[str(claim.work_id)]

        expected = policy.decide(every, Use.SEARCH, None, at, known_at=known)
        found = policy.decide(read, Use.SEARCH, None, at, known_at=known)
        assert (found.verdict, found.deciding) == (expected.verdict, expected.deciding), (at, known)


@pytest.mark.parametrize("known", [None, moment(1_500.5)])
def test_a_work_with_most_of_all_versions_is_read_by_index(
    session: Session, work: Work, known: datetime | None
) -> None:
    """Also by a database that expects to find very many."""
    claim = make_claim(session, work)
    session.execute(insert(Claim), [_superseded(claim, number) for number in range(3_000)])
    session.execute(text("ANALYZE claims"))
    mid, works = moment(1_500.5), [work.id]
    now = select(Claim.id).where(claim_versions.now_in_force(Scope.WORK, works))
    then = claim_versions.candidates(Scope.WORK, works, mid, known)

    for query, expected in ((now, 1), (then, 2)):
        assert len(session.scalars(query).all()) == expected
        plan = _plan(session, query)
        assert not re.search("(Seq Scan on|SCAN) claims", plan), plan


def test_what_is_filed_anew_is_recorded_after_what_was_settled_though_the_clock_was_set_back(
    session: Session, account: Account, claim: Claim, monkeypatch: pytest.MonkeyPatch
) -> None:
    withdrawn = claims.withdraw(session, claim_id=claim.id, claimant_id=account.id)
    back = datetime.now(UTC) - timedelta(hours=1)
    monkeypatch.setattr(claims, "utc_now", lambda: back)

    anew = claims.file_claim(session, work_id=claim.work_id, claimant_id=account.id, preferences=NO_TRAINING)

    assert withdrawn.settled_at is not None
    assert withdrawn.settled_at < anew.filed_at < withdrawn.settled_at + timedelta(seconds=1)
    assert anew.valid_from == back


def _superseded(like: Claim, number: int) -> Mapping[str, object]:
    return {
        "id": uuid4(),
        "scope": Scope.WORK,
        "work_id": like.work_id,
        "claimant_id": like.claimant_id,
        "preferences": like.preferences,
        "evidence": like.evidence,
        "valid_from": moment(number),
        "languages": [],
        "filed_at": moment(number),
        "log_subject": like.log_subject,
        "entry_id": like.entry_id,
        "state": ClaimState.SUPERSEDED,
        "settled_at": moment(number + 1),
    }


def _plan(session: Session, query: Select[UUID] | CompoundSelect[UUID | None]) -> str:
    dialect = session.get_bind().dialect
    explain = "EXPLAIN QUERY PLAN" if dialect.name == "sqlite" else "EXPLAIN"
    compiled = query.compile(dialect=dialect, compile_kwargs={"literal_binds": True})
    return "\n".join(str(row[-1]) for row in session.execute(text(f"{explain} {compiled}".replace(":", r"\:"))))
