"""Two accounts, one content, two opinions: both count, and both claims say that they are contested."""

from datetime import timedelta

import pytest
from factories import NO_TRAINING, make_account, make_claim, make_pending_work
from sqlalchemy import select
from sqlalchemy.orm import Session

from optout.consent.vocabulary import Preference, Use
from optout.registry import claims, collections, disputes
from optout.store.models import Account, Claim, ClaimState, Collection, LogEntry, Work
from optout.store.models.base import utc_now
from optout.store.models.collections import CollectionKind

WELCOME = {Use.ALL: Preference.ALLOWED}
A_MINUTE = timedelta(minutes=1)


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


def shown(session: Session, *of: Claim) -> list[ClaimState]:
    """How claims stand for whoever looks at them now."""
    found = disputes.states(session, of)
    return [found[one.id] for one in of]


def album_of(session: Session, work: Work) -> Collection:
    made = collections.create(session, account_id=work.account_id, kind=CollectionKind.ALBUM, name="Blue")
    return collections.add_works(session, collection_id=made.id, account_id=work.account_id, work_ids=[work.id])


@pytest.fixture
def same(session: Session, account: Account) -> tuple[Work, Work]:
    """One content, registered by two accounts."""
    first = make_pending_work(session, account, data=b"the same")
    return first, make_pending_work(session, make_account(session), data=b"the same")


def test_claims_on_all_works_differ_with_one_on_a_work(session: Session, same: tuple[Work, Work]) -> None:
    mine, theirs = same
    default = claims.file_claim(session, claimant_id=mine.account_id, preferences=NO_TRAINING)
    assert shown(session, default) == ["active"]
    other = make_claim(session, theirs, preferences=WELCOME)

    assert shown(session, default, other) == ["contested", "contested"]
    # What is said about the work alone is the word of its claimant: the default is not heard about it.
    narrower = make_claim(session, mine, preferences=WELCOME)
    assert shown(session, default, other, narrower) == ["active", "active", "active"]
    withdrawn = claims.withdraw(session, claim_id=narrower.id, claimant_id=mine.account_id)
    assert shown(session, default, other, withdrawn) == ["contested", "contested", "withdrawn"]


def test_claims_on_collections_differ_while_the_work_is_in_both(session: Session, same: tuple[Work, Work]) -> None:
    mine, theirs = same
    ours, yours = album_of(session, mine), album_of(session, theirs)
    first = claims.file_claim(session, collection_id=ours.id, claimant_id=mine.account_id, preferences=NO_TRAINING)
    second = claims.file_claim(session, collection_id=yours.id, claimant_id=theirs.account_id, preferences=WELCOME)

    assert shown(session, first, second) == ["contested", "contested"]
    assert shown(session, second) == ["contested"]
    collections.remove_work(session, collection_id=yours.id, account_id=theirs.account_id, work_id=theirs.id)
    assert shown(session, first, second) == ["active", "active"]


def test_a_claim_that_holds_no_longer_or_not_yet_contests_nothing(
    session: Session, same: tuple[Work, Work], monkeypatch: pytest.MonkeyPatch
) -> None:
    mine, theirs = same
    now = utc_now()
    first = make_claim(session, mine)
    ending = claims.file_claim(
        session, work_id=theirs.id, claimant_id=theirs.account_id, preferences=WELCOME, valid_until=now + A_MINUTE
    )
    to_come = claims.file_claim(
        session, claimant_id=theirs.account_id, preferences=WELCOME, valid_from=now + 3 * A_MINUTE
    )

    assert shown(session, first, ending, to_come) == ["contested", "contested", "active"]
    monkeypatch.setattr(disputes, "utc_now", lambda: now + 2 * A_MINUTE)
    assert shown(session, first, ending, to_come) == ["active", "active", "active"]
    monkeypatch.setattr(disputes, "utc_now", lambda: now + 4 * A_MINUTE)
    assert shown(session, first, ending, to_come) == ["contested", "active", "contested"]


def test_other_content_and_ones_own_words_contest_nothing(session: Session, same: tuple[Work, Work]) -> None:
    mine, theirs = same
    default = claims.file_claim(session, claimant_id=mine.account_id, preferences=NO_TRAINING)
    on_album = claims.file_claim(
        session,
        collection_id=album_of(session, mine).id,
        claimant_id=mine.account_id,
        preferences={Use.SEARCH: Preference.ALLOWED},
    )
    elsewhere = make_claim(session, make_pending_work(session, make_account(session)), preferences=WELCOME)
    alike = make_claim(session, theirs, preferences=NO_TRAINING)

    assert shown(session, default, on_album, elsewhere, alike) == ["active"] * 4


def test_of_many_shared_works_the_last_one_is_found(
    session: Session, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(disputes, "_CONTENTS_AT_ONCE", 2)
    other = make_account(session)
    default = claims.file_claim(session, claimant_id=account.id, preferences=NO_TRAINING)
    agreeing = claims.file_claim(session, claimant_id=other.id, preferences=NO_TRAINING)
    theirs = []
    for number in range(5):
        make_pending_work(session, account, data=b"%d" % number)
        theirs.append(make_pending_work(session, other, data=b"%d" % number))
    assert shown(session, default, agreeing) == ["active", "active"]

    for one in theirs:
        differing = make_claim(session, one, preferences=WELCOME)
        assert shown(session, default, agreeing, differing) == ["contested", "active", "contested"]
        claims.withdraw(session, claim_id=differing.id, claimant_id=other.id)
