"""Two accounts, one content, two opinions: both count, and both claims say that they are contested."""

from factories import NO_TRAINING, make_account, make_claim, make_pending_work
from sqlalchemy import select
from sqlalchemy.orm import Session

from optout.consent.vocabulary import Preference, Use
from optout.registry import claims
from optout.store.models import Account, Claim, ClaimState, LogEntry

WELCOME = {Use.ALL: Preference.ALLOWED}


def states(session: Session, *of: Claim) -> list[ClaimState]:
    return [session.get_one(Claim, one.id, populate_existing=True).state for one in of]


def logged(session: Session, claim: Claim) -> list[str]:
    query = select(LogEntry.type).where(LogEntry.subject == claim.log_subject.hex).order_by(LogEntry.number)
    return list(session.scalars(query))


def claim_of(session: Session, account: Account, preferences: dict[Use, Preference]) -> Claim:
    return make_claim(session, make_pending_work(session, account, data=b"the same"), preferences=preferences)


def test_claims_that_differ_are_contested_until_they_do_not(session: Session, account: Account) -> None:
    other = make_account(session)
    first = claim_of(session, account, dict(NO_TRAINING))
    second = claim_of(session, other, WELCOME)

    assert states(session, first, second) == ["contested", "contested"]
    agreeing = claims.amend(session, claim_id=second.id, claimant_id=other.id, preferences=NO_TRAINING)
    assert states(session, first, agreeing) == ["active", "active"]
    assert logged(session, first) == ["claim.filed", "claim.contested", "claim.resolved"]
    again = claims.amend(session, claim_id=agreeing.id, claimant_id=other.id, preferences=WELCOME)
    assert states(session, first, again) == ["contested", "contested"]
    claims.withdraw(session, claim_id=again.id, claimant_id=other.id)
    assert states(session, first) == ["active"]


def test_claims_about_other_uses_or_other_content_contest_nothing(session: Session, account: Account) -> None:
    other = make_account(session)
    first = claim_of(session, account, dict(NO_TRAINING))
    silent = claim_of(session, other, {Use.SEARCH: Preference.ALLOWED})
    elsewhere = make_claim(session, make_pending_work(session, make_account(session)), preferences=WELCOME)

    assert states(session, first, silent, elsewhere) == ["active", "active", "active"]


def test_a_contested_claim_can_be_amended_and_withdrawn(session: Session, account: Account) -> None:
    first = claim_of(session, account, dict(NO_TRAINING))
    claim_of(session, make_account(session), WELCOME)

    amended = claims.amend(session, claim_id=first.id, claimant_id=account.id, preferences=NO_TRAINING)
    assert states(session, amended) == ["contested"]
    assert claims.withdraw(session, claim_id=amended.id, claimant_id=account.id).state is ClaimState.WITHDRAWN


def test_of_three_only_those_who_speak_of_a_disputed_use_are_contested(session: Session, account: Account) -> None:
    first = claim_of(session, account, dict(NO_TRAINING))
    alike = claim_of(session, make_account(session), dict(NO_TRAINING))
    about_search = claim_of(session, make_account(session), {Use.SEARCH: Preference.ALLOWED})
    assert states(session, first, alike, about_search) == ["active"] * 3

    other = claim_of(session, make_account(session), {Use.TRAIN_GENAI: Preference.CONDITIONAL})

    assert states(session, first, alike, about_search, other) == ["contested", "contested", "active", "contested"]
