"""Claims: one live one a work, each change logged in the same transaction."""

import json
import threading
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from factories import NO_TRAINING, make_account, make_claim, make_pending_work, make_work
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, sessionmaker

from optout.consent import policy
from optout.consent.vocabulary import LEAVES, EvidenceLevel, Preference, Use
from optout.errors import ConflictError, InvalidInputError, NotFoundError
from optout.ledger import consentlog
from optout.registry import accounts, claims, fingerprints, statements
from optout.registry.statements import When
from optout.store import changes, db, jobs
from optout.store.models import Account, Change, ChangeKind, Claim, ClaimState, Job, JobKind, LogEntry, Work

ALLOWED = {Use.ALL: Preference.ALLOWED}


def entries(session: Session) -> list[LogEntry]:
    return list(session.scalars(select(LogEntry).order_by(LogEntry.number)))


def body(session: Session, entry: LogEntry) -> dict[str, object]:
    opening = consentlog.opening(session, entry)
    assert opening is not None
    read: dict[str, object] = json.loads(opening.body)
    return read


def test_a_claim_spells_out_every_use_and_is_logged(session: Session, account: Account, work: Work) -> None:
    claim = make_claim(session, work)

    assert claim.state is ClaimState.ACTIVE
    assert set(claim.preferences) == set(LEAVES)
    assert claim.preferences[Use.TRAIN_GENAI] is Preference.DISALLOWED
    assert claim.preferences[Use.SEARCH] is Preference.UNKNOWN
    (entry,) = entries(session)
    assert (entry.id, entry.type, entry.subject) == (claim.entry_id, "claim.filed", claim.log_subject.hex)
    assert body(session, entry) == {
        "claim": str(claim.id),
        "claimant": account.pseudonym,
        "collection": None,
        "contact": None,
        "evidence": "self-declared",
        "fingerprint_digest": fingerprints.digest_of(session, work.id).hex(),
        "languages": [],
        "preferences": {use.value: preference.value for use, preference in claim.preferences.items()},
        "scope": "work",
        "supersedes": None,
        "terms_url": None,
        "valid_from": claim.valid_from.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "valid_until": None,
        "work": str(work.id),
    }


def test_the_public_leaf_names_neither_work_nor_claimant(session: Session, account: Account, claim: Claim) -> None:
    leaf = claims.entry_of(session, claim).leaf.decode()

    for secret in (claim.id, claim.work_id, account.id):
        assert str(secret) not in leaf
        assert secret.hex not in leaf
    assert account.pseudonym not in leaf


def test_a_claim_is_a_change_and_wakes_the_publisher(session: Session, work: Work) -> None:
    before = changes.latest(session)

    make_claim(session, work)

    assert [(one.kind, one.subject) for one in changes.newer_than(session, before)] == [(ChangeKind.CLAIM, work.id)]
    assert [session.get_one(Job, job).kind for job in jobs.due(session)] == [JobKind.PUBLISH_LOG]


def test_a_second_live_claim_is_refused_and_names_the_first(session: Session, claim: Claim, work: Work) -> None:
    with pytest.raises(ConflictError) as caught:
        make_claim(session, work)

    assert caught.value.parameters["claim"] == str(claim.id)
    assert len(entries(session)) == 1


def test_the_database_itself_allows_one_live_claim(session: Session, claim: Claim) -> None:
    copied = {
        column.key: getattr(claim, column.key)
        for column in Claim.__table__.columns
        if column.key not in {"id", "log_subject"}
    }

    with pytest.raises(IntegrityError), session.begin_nested():
        session.add(Claim(**copied))


def test_nobody_claims_on_a_work_of_somebody_else(session: Session, work: Work) -> None:
    stranger = make_account(session)

    with pytest.raises(NotFoundError):
        make_claim(session, work, claimant_id=stranger.id)
    with pytest.raises(NotFoundError):
        claims.file_claim(session, work_id=uuid4(), claimant_id=stranger.id, preferences=NO_TRAINING)


def test_a_claim_of_somebody_else_can_not_be_seen_or_touched(session: Session, claim: Claim) -> None:
    stranger = make_account(session).id

    with pytest.raises(NotFoundError):
        claims.get(session, claim_id=claim.id, account_id=stranger)
    with pytest.raises(NotFoundError):
        claims.amend(session, claim_id=claim.id, claimant_id=stranger, preferences=ALLOWED)
    with pytest.raises(NotFoundError):
        claims.withdraw(session, claim_id=claim.id, claimant_id=stranger)
    assert claim.state is ClaimState.ACTIVE


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"preferences": {}}, "preferences"),
        ({"preferences": {Use.ALL: Preference.UNKNOWN}}, "preferences"),
        ({"valid_from": datetime(2026, 1, 1)}, "valid_from"),  # noqa: DTZ001 - that is the point
        ({"valid_until": datetime(2020, 1, 1, tzinfo=UTC)}, "valid_until"),
        (
            {"valid_from": datetime(2999, 1, 1, tzinfo=UTC), "valid_until": datetime(2998, 1, 1, tzinfo=UTC)},
            "valid_until",
        ),
        ({"terms_url": "javascript:alert(1)"}, "terms_url"),
        ({"terms_url": "https://"}, "terms_url"),
        ({"terms_url": "https://[x"}, "terms_url"),
        ({"terms_url": "https://a\n.org/"}, "terms_url"),
        ({"terms_url": "https://a.org/" + "x" * 2048}, "terms_url"),
        ({"terms_url": "https://bank.example@a.org/"}, "terms_url"),
        ({"contact": "https://name:word@a.org/"}, "contact"),
        ({"contact": "ada\u202egro.elpmaxe@a.org"}, "contact"),
    ],
)
def test_a_claim_that_says_nothing_usable_leaves_nothing(
    session: Session, work: Work, changed: dict[str, object], field: str
) -> None:
    wanted = {"preferences": NO_TRAINING, **changed}

    with pytest.raises(InvalidInputError) as caught:
        claims.file_claim(
            session,
            work_id=work.id,
            claimant_id=work.account_id,
            **wanted,  # type: ignore[arg-type]  # each case sets one of them
        )

    assert caught.value.parameters["field"] == field
    assert entries(session) == []
    assert session.scalars(select(Claim)).all() == []


def test_an_amendment_replaces_the_claim_in_one_step(session: Session, claim: Claim) -> None:
    amended = claims.amend(session, claim_id=claim.id, claimant_id=claim.claimant_id, preferences=ALLOWED)

    assert (claim.state, claim.superseded_by, claim.settled_entry_id) == (
        ClaimState.SUPERSEDED,
        amended.id,
        amended.entry_id,
    )
    assert (amended.state, amended.supersedes, amended.log_subject) == (ClaimState.ACTIVE, claim.id, claim.log_subject)
    assert [entry.type for entry in entries(session)] == ["claim.filed", "claim.amended"]
    assert body(session, entries(session)[1])["supersedes"] == str(claim.id)
    assert [one.id for one in claims.for_work(session, claim.work_id)] == [amended.id, claim.id]


def test_an_amendment_leaves_no_moment_without_a_preference(session: Session, claim: Claim) -> None:
    amended = claims.amend(session, claim_id=claim.id, claimant_id=claim.claimant_id, preferences=ALLOWED)
    before = amended.valid_from - timedelta(microseconds=1)

    assert claim.settled_at == amended.valid_from
    for at, speaking in ((before, claim), (amended.valid_from, amended)):
        said = statements.about(session, [claim.work_id], When(at)).statements[str(claim.work_id)]
        assert [one.id for one in said] == [str(speaking.id)]
        # As a lookup sees it whose moment was taken just before the amendment committed.
        (late,) = statements.about(session, [claim.work_id], When(at, is_now=True)).statements[str(claim.work_id)]
        assert late.id == str(amended.id)
        assert late.valid_from <= at

    with pytest.raises(InvalidInputError) as caught:
        claims.amend(
            session,
            claim_id=amended.id,
            claimant_id=claim.claimant_id,
            preferences=NO_TRAINING,
            valid_from=datetime.now(UTC) + timedelta(hours=1),
        )

    assert caught.value.parameters["field"] == "valid_from"
    assert amended.state is ClaimState.ACTIVE


def test_an_amendment_of_a_replaced_claim_names_the_one_in_force(session: Session, claim: Claim) -> None:
    amended = claims.amend(session, claim_id=claim.id, claimant_id=claim.claimant_id, preferences=ALLOWED)

    for settle in (
        lambda: claims.amend(session, claim_id=claim.id, claimant_id=claim.claimant_id, preferences=NO_TRAINING),
        lambda: claims.withdraw(session, claim_id=claim.id, claimant_id=claim.claimant_id),
    ):
        with pytest.raises(ConflictError) as caught:
            settle()
        assert caught.value.parameters["claim"] == str(amended.id)


def test_a_withdrawal_ends_the_claim_and_is_logged_once(session: Session, claim: Claim) -> None:
    filed = claims.entry_of(session, claim)

    claims.withdraw(session, claim_id=claim.id, claimant_id=claim.claimant_id)
    again = claims.withdraw(session, claim_id=claim.id, claimant_id=claim.claimant_id)

    assert again.state is ClaimState.WITHDRAWN
    assert again.settled_at is not None
    assert [entry.type for entry in entries(session)] == ["claim.filed", "claim.withdrawn"]
    assert claims.entry_of(session, claim).id == claim.settled_entry_id != filed.id


def test_a_withdrawn_claim_is_not_amended_but_a_new_one_may_be_filed(
    session: Session, claim: Claim, work: Work
) -> None:
    claims.withdraw(session, claim_id=claim.id, claimant_id=claim.claimant_id)

    with pytest.raises(ConflictError, match="file a new one"):
        claims.amend(session, claim_id=claim.id, claimant_id=claim.claimant_id, preferences=ALLOWED)

    assert make_claim(session, work).log_subject != claim.log_subject


def test_a_claim_carries_the_evidence_of_its_time(session: Session, account: Account, claim: Claim) -> None:
    accounts.set_evidence(session, account_id=account.id, evidence=EvidenceLevel.VERIFIED)

    amended = claims.amend(session, claim_id=claim.id, claimant_id=account.id, preferences=ALLOWED)

    assert (claim.evidence, amended.evidence) == (EvidenceLevel.SELF_DECLARED, EvidenceLevel.VERIFIED)


def test_a_claim_on_a_work_that_is_still_read_commits_to_no_digest_yet(session: Session, account: Account) -> None:
    claim = make_claim(session, make_pending_work(session, account))

    assert body(session, claims.entry_of(session, claim))["fingerprint_digest"] is None


def test_a_transaction_that_fails_leaves_neither_claim_nor_entry_nor_job(sessions: sessionmaker[Session]) -> None:
    with db.transaction(sessions) as session:
        work = make_work(session, make_account(session))

    def fails() -> None:
        with db.transaction(sessions) as session:
            make_claim(session, work)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fails()

    with db.reading(sessions) as session:
        for table in (Claim, LogEntry, Job):
            assert session.scalars(select(table)).all() == []
        assert [one.kind for one in session.scalars(select(Change))] == [ChangeKind.WORK]


def test_of_many_who_settle_a_claim_at_once_one_does_it(live_sessions: sessionmaker[Session]) -> None:
    with db.transaction(live_sessions) as session:
        claim = make_claim(session, make_work(session, make_account(session)))
    outcomes: list[str] = []

    def amend() -> None:
        try:
            with db.transaction(live_sessions) as session:
                claims.amend(session, claim_id=claim.id, claimant_id=claim.claimant_id, preferences=ALLOWED)
            outcomes.append("amended")
        except ConflictError:
            outcomes.append("refused")

    threads = [threading.Thread(target=amend) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(outcomes) == ["amended"] + ["refused"] * 5
    with db.reading(live_sessions) as session:
        live = [one for one in claims.for_work(session, claim.work_id) if one.state is ClaimState.ACTIVE]
        assert len(live) == 1


def test_claims_of_several_works_are_listed_together(session: Session, account: Account) -> None:
    filed = [make_claim(session, make_work(session, account)) for _ in range(3)]
    wanted: list[UUID] = [claim.work_id for claim in filed[:2]]

    assert {claim.id for claim in claims.live_for_works(session, wanted)} == {claim.id for claim in filed[:2]}
    amended = claims.amend(session, claim_id=filed[0].id, claimant_id=account.id, preferences=ALLOWED)
    assert {claim.id for claim in claims.live_for_works(session, wanted)} == {amended.id, filed[1].id}


def test_a_list_of_what_was_said_ends_however_often_it_was_amended(session: Session, claim: Claim) -> None:
    newest = [claim]
    for _ in range(3):
        newest.insert(
            0, claims.amend(session, claim_id=newest[0].id, claimant_id=claim.claimant_id, preferences=ALLOWED)
        )

    assert claims.for_work(session, claim.work_id) == newest
    assert claims.for_work(session, claim.work_id, limit=2) == newest[:2]


def test_saying_again_what_has_ended_or_is_to_come_makes_it_hold(session: Session, account: Account) -> None:
    ended, to_come = make_work(session, account), make_work(session, account)
    now = datetime.now(UTC)
    past = make_claim(session, ended)
    past.valid_from, past.valid_until = now - timedelta(days=3), now - timedelta(days=2)
    make_claim(session, to_come).valid_from = now + timedelta(days=3)
    session.flush()

    assert claims.has_ended(past)
    assert not claims.ends_soon(past)
    for work in (ended, to_come):
        said = claims.say(session, work_id=work.id, claimant_id=account.id, preferences=NO_TRAINING)
        assert said.supersedes is not None
        assert said.valid_from <= datetime.now(UTC)
        assert said.valid_until is None
        again = claims.say(session, work_id=work.id, claimant_id=account.id, preferences=NO_TRAINING)
        assert again is said


def test_the_last_word_counts_though_the_clock_was_set_back(
    session: Session, work: Work, claim: Claim, monkeypatch: pytest.MonkeyPatch
) -> None:
    earlier = claim.filed_at - timedelta(hours=1)
    monkeypatch.setattr(claims, "utc_now", lambda: earlier)

    def verdict(when: When) -> Preference:
        said = statements.about(session, [work.id], when).statements[str(work.id)]
        return policy.decide(said, Use.TRAIN_GENAI, None, when.at, known_at=when.known_at).verdict

    amended = claims.amend(
        session, claim_id=claim.id, claimant_id=claim.claimant_id, preferences={Use.ALL: Preference.CONDITIONAL}
    )
    later = amended.filed_at + timedelta(days=1)
    assert amended.filed_at > claim.filed_at
    assert verdict(When(earlier, is_now=True)) is Preference.CONDITIONAL
    for when in (When(earlier), When(later), When(later, later), When(earlier, later)):
        assert verdict(when) is Preference.CONDITIONAL
    claims.withdraw(session, claim_id=amended.id, claimant_id=claim.claimant_id)
    assert verdict(When(later)) is Preference.UNKNOWN
    assert verdict(When(amended.filed_at)) is Preference.UNKNOWN
