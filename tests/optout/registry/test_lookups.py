"""Lookups answer from what is committed, with no rebuild in between."""

import threading
from datetime import UTC, datetime, timedelta

import factories
import pytest
from factories import make_account, make_claim, make_pending_work, make_work, pdq, picture, sha256
from sqlalchemy.orm import Session, sessionmaker

from fingerprinting.errors import InvalidFingerprintError, UnreadableMediaError
from fingerprinting.types import Depth, Fingerprint, Strength
from optout.catalogue.answer import CatalogueView
from optout.catalogue.answers import Answer, Asset
from optout.consent.vocabulary import EvidenceLevel, Preference, Use
from optout.errors import InvalidInputError
from optout.registry import claims, works
from optout.registry.live_index import LiveIndex
from optout.registry.lookups import Lookups, Question
from optout.store import changes, db
from optout.store.models import Account, Claim, Work, WorkFingerprint

ALLOWED = {Use.ALL: Preference.ALLOWED}


@pytest.fixture
def lookups(sessions: sessionmaker[Session]) -> Lookups:
    return Lookups(sessions)


def asset(seed: int) -> Asset:
    """A recompressed copy of `picture(seed)`: other bytes, a PDQ hash a few bits away."""
    return Asset((sha256(f"copy of {seed}".encode()), pdq(seed, flipped_bits=7)))


def ask(lookups: Lookups, session: Session, *assets: Asset, use: Use = Use.TRAIN_GENAI) -> list[Answer]:
    return lookups.answer(session, assets, Question(use, "lab")).answers


def verdicts(lookups: Lookups, session: Session, *assets: Asset, use: Use = Use.TRAIN_GENAI) -> list[Preference]:
    return [answer.verdict for answer in ask(lookups, session, *assets, use=use)]


def test_an_empty_registry_finds_nothing_and_allows_nothing(session: Session, lookups: Lookups) -> None:
    result = lookups.answer(session, [asset(1)], Question(Use.TRAIN_GENAI, None))

    assert [answer.verdict for answer in result.answers] == [Preference.UNKNOWN]
    assert (result.catalogue_version, result.log_size) == (0, 0)


def test_a_copy_of_a_claimed_work_is_disallowed_with_the_work_named(
    session: Session, lookups: Lookups, account: Account
) -> None:
    work = make_work(session, account, seed=1)
    claim = make_claim(session, work)

    (answer,) = ask(lookups, session, asset(1))

    assert answer.verdict is Preference.DISALLOWED
    (match,) = answer.matches
    assert (match.work, match.strength, match.distance) == (str(work.id), Strength.MATCH, 7)
    assert str(claim.id) in str(answer.reasons)


def test_answers_keep_the_order_of_the_assets(session: Session, lookups: Lookups, account: Account) -> None:
    for seed in (1, 3):
        make_claim(session, make_work(session, account, seed=seed))

    found = verdicts(lookups, session, *(asset(seed) for seed in (3, 2, 1, 4)))

    assert found == [Preference.DISALLOWED, Preference.UNKNOWN, Preference.DISALLOWED, Preference.UNKNOWN]


def test_no_personal_detail_leaves_in_an_answer(session: Session, lookups: Lookups) -> None:
    account = make_account(session, name="Ada Lovelace")
    work = works.register_fingerprints(
        session, account_id=account.id, extraction=picture(1), title="My secret garden"
    ).work
    make_claim(session, work)

    told = repr(ask(lookups, session, asset(1)))

    for secret in ("Ada", "garden", str(account.id), account.id.hex, account.pseudonym):
        assert secret not in told


def test_a_claim_counts_for_the_next_lookup_and_a_withdrawal_too(
    session: Session, lookups: Lookups, account: Account
) -> None:
    work = make_work(session, account, seed=1)
    seen = [verdicts(lookups, session, asset(1))]
    claim = make_claim(session, work)
    seen.append(verdicts(lookups, session, asset(1)))
    amended = claims.amend(
        session, claim_id=claim.id, claimant_id=account.id, preferences={Use.ALL: Preference.CONDITIONAL}
    )
    seen.append(verdicts(lookups, session, asset(1)))
    claims.withdraw(session, claim_id=amended.id, claimant_id=account.id)
    seen.append(verdicts(lookups, session, asset(1)))

    assert [one for (one,) in seen] == [
        Preference.UNKNOWN,
        Preference.DISALLOWED,
        Preference.CONDITIONAL,
        Preference.UNKNOWN,
    ]


def test_a_work_that_nobody_claimed_is_shown_and_is_unknown(session: Session, lookups: Lookups, work: Work) -> None:
    (answer,) = ask(lookups, session, Asset((factories.pdq(1),)))
    assert answer.matches == ()
    make_work(session, make_account(session), seed=1)

    (answer,) = ask(lookups, session, Asset((factories.pdq(1),)))

    assert answer.verdict is Preference.UNKNOWN
    assert [match.verdict for match in answer.matches] == [Preference.UNKNOWN]
    assert answer.reasons != ()


def test_two_accounts_with_the_same_bytes_both_count(session: Session, lookups: Lookups) -> None:
    mine, theirs = make_account(session), make_account(session)
    make_claim(session, make_work(session, mine, seed=1), preferences=ALLOWED)
    make_claim(session, make_work(session, theirs, seed=1))

    (answer,) = ask(lookups, session, asset(1))

    assert len(answer.matches) == 2
    assert answer.verdict is Preference.DISALLOWED


def test_an_allowed_of_anybody_is_no_consent_and_of_a_verified_claimant_it_is(
    session: Session, lookups: Lookups
) -> None:
    anybody = make_account(session)
    verified = make_account(session, evidence=EvidenceLevel.VERIFIED)
    make_claim(session, make_work(session, anybody, seed=1), preferences=ALLOWED)
    make_claim(session, make_work(session, verified, seed=2), preferences=ALLOWED)

    assert verdicts(lookups, session, asset(1), asset(2)) == [Preference.UNKNOWN, Preference.ALLOWED]


def test_a_claim_counts_in_its_time_only(session: Session, lookups: Lookups, account: Account) -> None:
    now = datetime.now(UTC)
    work = make_work(session, account, seed=1)
    claims.file_claim(
        session,
        work_id=work.id,
        claimant_id=account.id,
        preferences=factories.NO_TRAINING,
        valid_until=now + timedelta(days=1),
    )

    def at(moment: datetime) -> Preference:
        result = lookups.answer(session, [asset(1)], Question(Use.TRAIN_GENAI, None, at=moment))
        return result.answers[0].verdict

    assert at(now + timedelta(hours=1)) is Preference.DISALLOWED
    assert at(now + timedelta(days=2)) is Preference.UNKNOWN


def test_evidence_below_what_is_asked_for_does_not_count(session: Session, lookups: Lookups, account: Account) -> None:
    make_claim(session, make_work(session, account, seed=1))

    result = lookups.answer(session, [asset(1)], Question(Use.TRAIN_GENAI, None, min_evidence=EvidenceLevel.VERIFIED))

    assert result.answers[0].verdict is Preference.UNKNOWN


def test_a_claim_on_a_work_that_is_still_read_or_unreadable_counts_for_exact_copies(
    session: Session, lookups: Lookups, account: Account
) -> None:
    work = make_pending_work(session, account, data=b"exactly this")
    make_claim(session, work)
    exact = Asset((sha256(b"exactly this"),))
    pending = verdicts(lookups, session, exact)

    works.record_failure(session, work.id, UnreadableMediaError("damaged"))

    assert pending == verdicts(lookups, session, exact) == [Preference.DISALLOWED]


def test_a_work_that_becomes_ready_is_found_once(session: Session, lookups: Lookups, account: Account) -> None:
    work = make_pending_work(session, account, data=b"exactly this")
    make_claim(session, work)
    exact = Asset((sha256(b"exactly this"), pdq(1)))
    ask(lookups, session, exact)

    works.record_fingerprints(session, work.id, picture(1, data=b"exactly this"))

    (answer,) = ask(
        lookups,
        session,
        exact,
    )
    assert [match.strength for match in answer.matches] == [Strength.EXACT]
    assert lookups.view(session).size == 1
    assert verdicts(lookups, session, asset(1)) == [Preference.DISALLOWED]


def test_the_version_is_that_of_the_last_change(session: Session, lookups: Lookups, claim: Claim) -> None:
    result = lookups.answer(session, [asset(1)], Question(Use.TRAIN_GENAI, None))

    assert result.catalogue_version == changes.latest(session) == 2


def test_a_malformed_question_is_an_error_and_not_an_empty_answer(session: Session, lookups: Lookups) -> None:
    with pytest.raises(InvalidFingerprintError):
        ask(lookups, session, Asset((Fingerprint("pdq-256", 1, b"short"),)))
    with pytest.raises(InvalidInputError):
        ask(lookups, session, Asset(()))


def test_the_live_view_is_a_catalogue_view(session: Session, lookups: Lookups) -> None:
    view: CatalogueView = lookups.view(session)

    assert view.size == 0
    assert view.search([asset(1)], Depth.STANDARD) == []


def test_fingerprints_of_a_retired_version_are_left_out_and_stop_nothing(
    session: Session, lookups: Lookups, account: Account
) -> None:
    make_claim(session, make_work(session, account, seed=1))
    old = make_work(session, account, seed=2)
    session.add(
        WorkFingerprint(work_id=old.id, position=9, algorithm="pdq-256", version=0, value=b"old", quality=100.0)
    )
    session.flush()

    assert verdicts(lookups, session, asset(1)) == [Preference.DISALLOWED]


def test_many_works_that_come_one_by_one_stay_in_few_segments(
    session: Session, sessions: sessionmaker[Session], account: Account
) -> None:
    index = LiveIndex(sessions)
    for seed in range(40):
        make_work(session, account, seed=seed)
        found = index.refresh(session)

    assert found.size == 40
    assert len(found.segments) <= 8
    for seed in range(40):
        assert len(list(found.search([[pdq(seed)]], Depth.STANDARD))) == 1


def test_folding_changes_no_answer(session: Session, sessions: sessionmaker[Session], account: Account) -> None:
    index = LiveIndex(sessions)
    for seed in range(5):
        make_work(session, account, seed=seed)
        index.refresh(session)
    before = {
        work for work, _match in index.refresh(session).search([[pdq(seed)] for seed in range(5)], Depth.STANDARD)
    }

    index.fold()

    folded = index.refresh(session)
    assert len(folded.segments) == 1
    assert {work for work, _match in folded.search([[pdq(seed)] for seed in range(5)], Depth.STANDARD)} == before


def test_works_that_came_later_are_folded_in_the_background(live_sessions: sessionmaker[Session]) -> None:
    lookups = Lookups(live_sessions, seal_works=3)
    with db.transaction(live_sessions) as session:
        account = make_account(session)
    with db.reading(live_sessions) as session:
        lookups.warm(session)
    for seed in range(8):
        with db.transaction(live_sessions) as session:
            make_claim(session, make_work(session, account, seed=seed))
        with db.reading(live_sessions) as session:
            assert verdicts(lookups, session, asset(seed)) == [Preference.DISALLOWED]
    for thread in threading.enumerate():
        if thread.name == "fold-index":
            thread.join()

    with db.reading(live_sessions) as session:
        assert verdicts(lookups, session, *map(asset, range(8))) == [Preference.DISALLOWED] * 8
        assert lookups.view(session).size == 8


def test_lookups_from_many_threads_while_claims_are_filed_miss_none(live_sessions: sessionmaker[Session]) -> None:
    lookups = Lookups(live_sessions, seal_works=5)
    with db.transaction(live_sessions) as session:
        account = make_account(session)
    committed: list[int] = []
    wrong: list[object] = []
    stop = threading.Event()

    def look_up() -> None:
        while not stop.is_set():
            seeds = list(committed)
            with db.reading(live_sessions) as session:
                found = verdicts(lookups, session, *map(asset, seeds)) if seeds else []
            wrong.extend(seed for seed, one in zip(seeds, found, strict=True) if one is not Preference.DISALLOWED)

    threads = [threading.Thread(target=look_up) for _ in range(3)]
    for thread in threads:
        thread.start()
    for seed in range(10):
        with db.transaction(live_sessions) as session:
            make_claim(session, make_work(session, account, seed=seed))
        committed.append(seed)
    stop.set()
    for thread in threads:
        thread.join()

    assert wrong == []
    with db.reading(live_sessions) as session:
        assert verdicts(lookups, session, *map(asset, range(10))) == [Preference.DISALLOWED] * 10
