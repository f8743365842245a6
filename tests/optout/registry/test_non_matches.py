"""Wrong matches: remembered for the pair once the work's owner agrees, and told, never passed over in silence."""

import pytest
from factories import make_account, make_claim, make_pending_work, make_work, pdq, sha256
from sqlalchemy.orm import Session, sessionmaker

from optout.catalogue.answers import Answer, Asset
from optout.consent.reasons import Code
from optout.consent.vocabulary import Preference, Use
from optout.errors import InvalidInputError, NotFoundError
from optout.registry import non_matches
from optout.registry.lookups import Lookups, Question
from optout.store.models import Account, NonMatchState, Work


@pytest.fixture
def lookups(sessions: sessionmaker[Session]) -> Lookups:
    return Lookups(sessions)


@pytest.fixture
def claimed(session: Session, account: Account) -> Work:
    work = make_work(session, account, seed=1)
    make_claim(session, work)
    return work


ALIKE = Asset((sha256(b"alike"), pdq(1, flipped_bits=7)))
ANOTHER = Asset((sha256(b"another"), pdq(1, flipped_bits=9)))


def ask(lookups: Lookups, session: Session, *assets: Asset) -> list[Answer]:
    return lookups.answer(session, assets, Question(Use.TRAIN_GENAI, "lab")).answers


def test_a_pipelines_report_waits_for_the_owner(session: Session, lookups: Lookups, claimed: Work) -> None:
    reporter = make_account(session)
    found = non_matches.report(session, work_id=claimed.id, asset_key=ALIKE.key, reporter_id=reporter.id)

    assert found.state is NonMatchState.REPORTED
    assert ask(lookups, session, ALIKE)[0].verdict is Preference.DISALLOWED
    non_matches.settle(session, non_match_id=found.id, owner_id=claimed.account_id, confirm=True)
    alike, another = ask(lookups, session, ALIKE, ANOTHER)
    assert (alike.verdict, alike.matches) == (Preference.UNKNOWN, ())
    assert Code.MATCH_REJECTED in {reason.code for reason in alike.reasons}
    assert another.verdict is Preference.DISALLOWED
    non_matches.settle(session, non_match_id=found.id, owner_id=claimed.account_id, confirm=False)
    assert ask(lookups, session, ALIKE)[0].verdict is Preference.DISALLOWED


def test_the_owners_word_counts_at_once(session: Session, lookups: Lookups, claimed: Work) -> None:
    non_matches.report(session, work_id=claimed.id, asset_key=ALIKE.key, reporter_id=claimed.account_id)

    assert ask(lookups, session, ALIKE)[0].verdict is Preference.UNKNOWN


def test_an_exact_copy_is_never_a_wrong_match(session: Session, lookups: Lookups, account: Account) -> None:
    work = make_pending_work(session, account, data=b"the very bytes")
    make_claim(session, work)
    exact = Asset((sha256(b"the very bytes"),))
    non_matches.report(session, work_id=work.id, asset_key=exact.key, reporter_id=account.id)

    assert ask(lookups, session, exact)[0].verdict is Preference.DISALLOWED


def test_the_same_report_twice_is_one(session: Session, claimed: Work) -> None:
    reporter = make_account(session)
    first = non_matches.report(session, work_id=claimed.id, asset_key=ALIKE.key, reporter_id=reporter.id)
    again = non_matches.report(session, work_id=claimed.id, asset_key=ALIKE.key, reporter_id=reporter.id)

    assert again.id == first.id
    assert [one.id for one in non_matches.reported_by(session, account_id=reporter.id)] == [first.id]
    assert [one.id for one in non_matches.about_works_of(session, account_id=claimed.account_id)] == [first.id]


def test_nobody_settles_what_is_about_somebody_elses_work(session: Session, claimed: Work) -> None:
    reporter = make_account(session)
    found = non_matches.report(session, work_id=claimed.id, asset_key=ALIKE.key, reporter_id=reporter.id)

    with pytest.raises(NotFoundError):
        non_matches.settle(session, non_match_id=found.id, owner_id=reporter.id, confirm=True)
    with pytest.raises(InvalidInputError):
        non_matches.report(session, work_id=claimed.id, asset_key=b"short", reporter_id=reporter.id)
