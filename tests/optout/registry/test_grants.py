"""Grants: given by verified rightsholders to verified pipelines, and to nobody else's use."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from factories import NO_TRAINING, make_account, make_claim, make_key, make_work, pdq, sha256
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from optout.catalogue.answers import Asset
from optout.consent.vocabulary import EvidenceLevel, Preference, Use
from optout.errors import ConflictError, InvalidInputError, NotFoundError
from optout.registry import collections, grants
from optout.registry.lookups import Lookups, Question
from optout.store.models import Account, LogEntry, Role
from optout.store.models.collections import CollectionKind

CLAIMED = {Use.ALL: Preference.DISALLOWED}


@pytest.fixture
def lookups(sessions: sessionmaker[Session]) -> Lookups:
    return Lookups(sessions)


@pytest.fixture
def ann(session: Session) -> Account:
    return make_account(session, name="Ann", evidence=EvidenceLevel.VERIFIED)


@pytest.fixture
def pia(session: Session) -> Account:
    account = make_account(session, name="Pia", evidence=EvidenceLevel.VERIFIED)
    make_key(session, account, Role.PIPELINE)
    return account


def asset(seed: int) -> Asset:
    return Asset((sha256(f"copy of {seed}".encode()), pdq(seed, flipped_bits=7)))


def verdicts(
    lookups: Lookups, session: Session, seeds: Sequence[int], requester: str | None, at: datetime | None = None
) -> list[Preference]:
    assets = [asset(seed) for seed in seeds]
    question = Question(Use.TRAIN_GENAI, requester, at=at)
    return [answer.verdict for answer in lookups.answer(session, assets, question).answers]


def test_only_the_grantees_verdict_changes_in_the_same_batch(
    session: Session, lookups: Lookups, ann: Account, pia: Account
) -> None:
    mine, other = make_work(session, ann, seed=1), make_work(session, make_account(session), seed=2)
    make_claim(session, mine, preferences=CLAIMED)
    make_claim(session, other, preferences=CLAIMED)
    grant = grants.give(session, grantor_id=ann.id, grantee=pia.pseudonym, uses=[Use.TRAIN_AI])

    assert verdicts(lookups, session, [1, 2, 3], pia.pseudonym) == ["allowed", "disallowed", "unknown"]
    assert verdicts(lookups, session, [1, 2, 3], "somebody") == ["disallowed", "disallowed", "unknown"]
    assert verdicts(lookups, session, [1], None) == ["disallowed"]
    before = datetime.now(UTC)
    grants.revoke(session, grant_id=grant.id, grantor_id=ann.id)
    grants.revoke(session, grant_id=grant.id, grantor_id=ann.id)
    assert verdicts(lookups, session, [1], pia.pseudonym) == ["disallowed"]
    assert verdicts(lookups, session, [1], pia.pseudonym, before) == ["allowed"]
    of_grant = select(LogEntry.type).where(LogEntry.subject == grant.log_subject.hex).order_by(LogEntry.number)
    types = list(session.scalars(of_grant))
    assert types == ["grant.issued", "grant.revoked"]


def test_a_grant_is_for_the_works_or_the_collection_that_it_names(
    session: Session, lookups: Lookups, ann: Account, pia: Account
) -> None:
    first, second = make_work(session, ann, seed=1), make_work(session, ann, seed=2)
    make_claim(session, first, preferences=CLAIMED)
    make_claim(session, second, preferences=CLAIMED)
    album = collections.create(session, account_id=ann.id, kind=CollectionKind.ALBUM, name="Blue")
    grants.give(session, grantor_id=ann.id, grantee=pia.pseudonym, uses=[Use.ALL], works=[first.id])
    grants.give(session, grantor_id=ann.id, grantee=pia.pseudonym, uses=[Use.ALL], collection_id=album.id)

    assert verdicts(lookups, session, [1, 2], pia.pseudonym) == ["allowed", "disallowed"]
    collections.add_works(session, collection_id=album.id, account_id=ann.id, work_ids=[second.id])
    assert verdicts(lookups, session, [1, 2], pia.pseudonym) == ["allowed", "allowed"]


def test_a_grant_does_not_reach_a_copy_that_somebody_else_registered(
    session: Session, lookups: Lookups, ann: Account, pia: Account
) -> None:
    make_work(session, ann, seed=1)
    theirs = make_work(session, make_account(session), seed=1)
    make_claim(session, theirs, preferences=NO_TRAINING)
    grants.give(session, grantor_id=ann.id, grantee=pia.pseudonym, uses=[Use.ALL])

    assert verdicts(lookups, session, [1], pia.pseudonym) == ["disallowed"]


def test_unknown_unverified_and_keyless_receivers_are_one_answer(session: Session, ann: Account) -> None:
    unverified = make_account(session)
    make_key(session, unverified, Role.PIPELINE)
    creator = make_account(session, evidence=EvidenceLevel.VERIFIED)
    make_key(session, creator, Role.CREATOR)

    for grantee in ("0" * 32, "", unverified.pseudonym, creator.pseudonym, str(creator.id)):
        with pytest.raises(InvalidInputError, match="no verified pipeline account") as caught:
            grants.give(session, grantor_id=ann.id, grantee=grantee, uses=[Use.ALL])
        assert caught.value.parameters == {"field": "grantee"}


def test_what_a_grant_can_not_be_is_refused(session: Session, ann: Account, pia: Account) -> None:
    theirs = make_work(session, make_account(session))
    album = collections.create(session, account_id=ann.id, kind=CollectionKind.ALBUM, name="Blue")
    mine = make_work(session, ann)
    past = datetime.now(UTC) - timedelta(days=1)
    base = {"grantor_id": ann.id, "grantee": pia.pseudonym, "uses": [Use.ALL]}

    for more, error in (
        ({"uses": []}, InvalidInputError),
        ({"works": []}, InvalidInputError),  # none is not all
        ({"works": [theirs.id]}, NotFoundError),
        ({"collection_id": theirs.id}, NotFoundError),
        ({"works": [mine.id], "collection_id": album.id}, InvalidInputError),
        ({"valid_until": past}, InvalidInputError),
        ({"valid_from": datetime(2026, 1, 1)}, InvalidInputError),  # noqa: DTZ001 - the point of the test
    ):
        with pytest.raises(error):
            grants.give(session, **{**base, **more})  # type: ignore[arg-type] # wrong on purpose


def test_who_is_not_verified_can_not_permit(session: Session, account: Account, pia: Account) -> None:
    with pytest.raises(ConflictError, match="verified"):
        grants.give(session, grantor_id=account.id, grantee=pia.pseudonym, uses=[Use.ALL])


def test_nobody_revokes_somebody_elses(session: Session, ann: Account, pia: Account) -> None:
    grant = grants.give(session, grantor_id=ann.id, grantee=pia.pseudonym, uses=[Use.ALL])

    with pytest.raises(NotFoundError):
        grants.revoke(session, grant_id=grant.id, grantor_id=pia.id)


def test_a_grant_on_a_collection_is_resolved_to_the_works_that_are_asked_about(
    session: Session, ann: Account, pia: Account
) -> None:
    works = [make_work(session, ann) for _ in range(3)]
    album = collections.create(session, account_id=ann.id, kind=CollectionKind.ALBUM, name="Blue")
    collections.add_works(session, collection_id=album.id, account_id=ann.id, work_ids=[work.id for work in works[:2]])
    grants.give(session, grantor_id=ann.id, grantee=pia.pseudonym, uses=[Use.ALL], collection_id=album.id)

    (all_of_it,) = grants.received(session, pia.pseudonym)
    (some,) = grants.received(session, pia.pseudonym, works=[works[0].id, works[2].id])
    (none,) = grants.received(session, pia.pseudonym, works=[])

    assert all_of_it.works == frozenset({str(work.id) for work in works[:2]})
    assert some.works == frozenset({str(works[0].id)})
    assert none.works == frozenset()


def test_one_account_gets_so_many_grants_of_another_and_no_more(
    session: Session, ann: Account, pia: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(grants, "MAX_GRANTS", 2)
    first, _second = (
        grants.give(session, grantor_id=ann.id, grantee=pia.pseudonym, uses=[Use.SEARCH]) for _ in range(2)
    )

    with pytest.raises(InvalidInputError, match="revoke") as refused:
        grants.give(session, grantor_id=ann.id, grantee=pia.pseudonym, uses=[Use.ALL])
    assert refused.value.parameters == {"field": "grantee", "limit": 2}
    grants.revoke(session, grant_id=first.id, grantor_id=ann.id)
    assert grants.give(session, grantor_id=ann.id, grantee=pia.pseudonym, uses=[Use.ALL]).revoked_at is None


def test_a_grant_counts_from_its_commit_until_its_revocation_whatever_the_clock_of_the_host_says_that_wrote_it(
    session: Session, lookups: Lookups, ann: Account, pia: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The host that is asked is behind the one that permits and revokes."""
    make_claim(session, make_work(session, ann, seed=1), preferences=CLAIMED)
    monkeypatch.setattr(grants, "utc_now", lambda: datetime.now(UTC) + timedelta(minutes=5))

    grant = grants.give(session, grantor_id=ann.id, grantee=pia.pseudonym, uses=[Use.TRAIN_AI])
    assert verdicts(lookups, session, [1], pia.pseudonym) == ["allowed"]
    grants.revoke(session, grant_id=grant.id, grantor_id=ann.id)
    assert verdicts(lookups, session, [1], pia.pseudonym) == ["disallowed"]
