"""Wrong matches: remembered for the pair once the work's owner agrees, and told, never passed over in silence."""

from datetime import UTC, datetime, timedelta

import pytest
from factories import make_account, make_claim, make_pending_work, make_work, pdq, sha256
from sqlalchemy import func, select
from sqlalchemy.orm import Session, sessionmaker

from optout.catalogue.answers import Answer, Asset
from optout.consent.reasons import Code
from optout.consent.vocabulary import Preference, Use
from optout.errors import InvalidInputError, NotFoundError
from optout.registry import non_matches
from optout.registry.lookups import Lookups, Question
from optout.store.models import Account, NonMatchPeriod, NonMatchState, Work


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


def ask(lookups: Lookups, session: Session, *assets: Asset, known_at: datetime | None = None) -> list[Answer]:
    return lookups.answer(session, assets, Question(Use.TRAIN_GENAI, "lab", known_at=known_at)).answers


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


def test_a_list_of_reports_ends_and_those_that_wait_come_first(session: Session, claimed: Work) -> None:
    reporter, owner = make_account(session), claimed.account_id
    made = [
        non_matches.report(session, work_id=claimed.id, asset_key=bytes([n]) * 32, reporter_id=reporter.id)
        for n in range(4)
    ]
    non_matches.settle(session, non_match_id=made[3].id, owner_id=owner, confirm=False)

    assert list(non_matches.about_works_of(session, account_id=owner)) == [made[2], made[1], made[0], made[3]]
    assert list(non_matches.about_works_of(session, account_id=owner, limit=2)) == [made[2], made[1]]
    assert list(non_matches.reported_by(session, account_id=reporter.id, limit=1)) == [made[3]]


def test_nobody_settles_what_is_about_somebody_elses_work(session: Session, claimed: Work) -> None:
    reporter = make_account(session)
    found = non_matches.report(session, work_id=claimed.id, asset_key=ALIKE.key, reporter_id=reporter.id)

    with pytest.raises(NotFoundError):
        non_matches.settle(session, non_match_id=found.id, owner_id=reporter.id, confirm=True)
    with pytest.raises(InvalidInputError):
        non_matches.report(session, work_id=claimed.id, asset_key=b"short", reporter_id=reporter.id)


@pytest.mark.parametrize("by_owner", [False, True])
def test_each_moment_is_answered_by_what_was_confirmed_then(
    session: Session, lookups: Lookups, claimed: Work, *, by_owner: bool
) -> None:
    def now() -> datetime:
        return datetime.now(UTC)

    reporter = claimed.account_id if by_owner else make_account(session).id
    moments = [now()]
    found = non_matches.report(session, work_id=claimed.id, asset_key=ALIKE.key, reporter_id=reporter)
    moments.append(now())
    for confirm in (True, False, True, True, False, False):
        non_matches.settle(session, non_match_id=found.id, owner_id=claimed.account_id, confirm=confirm)
        moments.append(now())

    seen = [ask(lookups, session, ALIKE, known_at=known)[0].verdict for known in moments]

    wrong, right = Preference.UNKNOWN, Preference.DISALLOWED
    assert seen == [right, wrong if by_owner else right, wrong, right, wrong, wrong, right, right]
    assert ask(lookups, session, ALIKE)[0].verdict is right


def test_a_word_taken_back_while_the_clock_was_set_back_leaves_no_period_that_ends_before_it_begins(
    session: Session, lookups: Lookups, claimed: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = non_matches.report(session, work_id=claimed.id, asset_key=ALIKE.key, reporter_id=claimed.account_id)
    monkeypatch.setattr(non_matches, "utc_now", lambda: datetime.now(UTC) - timedelta(hours=1))

    non_matches.settle(session, non_match_id=found.id, owner_id=claimed.account_id, confirm=False)

    assert ask(lookups, session, ALIKE, known_at=datetime.now(UTC))[0].verdict is Preference.DISALLOWED
    assert session.scalar(select(func.count()).where(NonMatchPeriod.ended_at == NonMatchPeriod.confirmed_at)) == 1


def test_reports_about_other_assets_are_not_read(session: Session, claimed: Work) -> None:
    for one in (ALIKE, ANOTHER):
        non_matches.report(session, work_id=claimed.id, asset_key=one.key, reporter_id=claimed.account_id)
    pairs = {(str(claimed.id), ALIKE.key), (str(claimed.id), b"\0" * 32)}

    assert non_matches.confirmed(session, pairs) == {(str(claimed.id), ALIKE.key)}
    assert non_matches.confirmed(session, pairs, known_at=datetime.now(UTC)) == {(str(claimed.id), ALIKE.key)}
    assert non_matches.confirmed(session, set()) == frozenset()
