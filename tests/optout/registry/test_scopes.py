"""Claims on all works, on collections and on single works, and what follows for works that come later."""

from datetime import UTC, datetime, timedelta, timezone
from uuid import uuid4

import pytest
from factories import NO_TRAINING, make_account, make_claim, make_work
from sqlalchemy import select
from sqlalchemy.orm import Session

from optout.consent import policy
from optout.consent.vocabulary import EvidenceLevel, Preference, Scope, Use
from optout.errors import ConflictError, InvalidInputError, NotFoundError
from optout.registry import accounts, claims, collection_members, collections, statements, works
from optout.registry.statements import When
from optout.store.models import Account, LogEntry, Work
from optout.store.models.collections import CollectionKind

ALL_WELCOME = {Use.ALL: Preference.ALLOWED}


def verdict(session: Session, work: Work, at: datetime | None = None, known_at: datetime | None = None) -> Preference:
    when = When(at or datetime.now(UTC), known_at, is_now=at is None)
    said = statements.about(session, [work.id], when).statements[str(work.id)]
    return policy.decide(said, Use.TRAIN_GENAI, None, when.at, known_at=known_at).verdict


def logged(session: Session) -> list[str]:
    return list(session.scalars(select(LogEntry.type).order_by(LogEntry.number)))


def test_an_account_default_covers_works_that_come_later_and_a_work_of_its_own_wins(session: Session) -> None:
    account = make_account(session, evidence=EvidenceLevel.VERIFIED)
    default = claims.file_claim(session, claimant_id=account.id, preferences=NO_TRAINING)
    later = make_work(session, account)
    elsewhere = make_work(session, make_account(session))

    assert default.scope is Scope.ACCOUNT
    assert verdict(session, later) is Preference.DISALLOWED
    assert verdict(session, elsewhere) is Preference.UNKNOWN
    make_claim(session, later, preferences=ALL_WELCOME)
    assert verdict(session, later) is Preference.ALLOWED


def test_an_account_has_one_live_default(session: Session, account: Account) -> None:
    first = claims.file_claim(session, claimant_id=account.id, preferences=NO_TRAINING)

    with pytest.raises(ConflictError) as caught:
        claims.file_claim(session, claimant_id=account.id, preferences=ALL_WELCOME)
    assert caught.value.parameters["claim"] == str(first.id)
    amended = claims.amend(session, claim_id=first.id, claimant_id=account.id, preferences=ALL_WELCOME)
    assert (amended.scope, amended.work_id, amended.supersedes) == (Scope.ACCOUNT, None, first.id)


def test_a_domain_covers_what_is_registered_from_it_before_and_after(session: Session, account: Account) -> None:
    def registered(url: str) -> Work:
        return works.register_url(session, account_id=account.id, url=url).work

    before, elsewhere = registered("https://img.example.org/a.png"), registered("https://example.com/a.png")
    domain = collections.create(session, account_id=account.id, kind=CollectionKind.DOMAIN, name="EXAMPLE.org.")
    claims.file_claim(session, claimant_id=account.id, collection_id=domain.id, preferences=NO_TRAINING)
    after, sounds_alike = registered("https://example.org/b.png"), registered("https://notexample.org/b.png")

    assert domain.name == "example.org"
    assert set(collection_members.members(session, domain.id)) == {before.id, after.id}
    assert verdict(session, before) is verdict(session, after) is Preference.DISALLOWED
    assert verdict(session, elsewhere) is verdict(session, sounds_alike) is Preference.UNKNOWN
    assert "collection.created" in logged(session)
    assert "collection.changed" in logged(session)


def test_an_album_covers_what_is_in_it_and_remembers_when(session: Session, account: Account) -> None:
    inside, outside = make_work(session, account), make_work(session, account)
    album = collections.create(session, account_id=account.id, kind=CollectionKind.ALBUM, name=" Blue ")
    claims.file_claim(session, claimant_id=account.id, collection_id=album.id, preferences=NO_TRAINING)
    before = datetime.now(UTC)
    collections.add_works(session, collection_id=album.id, account_id=account.id, work_ids=[inside.id, inside.id])

    assert verdict(session, inside) is Preference.DISALLOWED
    assert verdict(session, outside) is Preference.UNKNOWN
    assert verdict(session, inside, before, before) is Preference.UNKNOWN
    assert verdict(session, inside, before) is Preference.DISALLOWED
    collections.remove_work(session, collection_id=album.id, account_id=account.id, work_id=inside.id)
    assert verdict(session, inside) is Preference.UNKNOWN
    assert verdict(session, inside, before) is Preference.DISALLOWED


def test_album_default_and_work_stand_in_this_order(session: Session) -> None:
    account = make_account(session, evidence=EvidenceLevel.VERIFIED)
    work = make_work(session, account)
    claims.file_claim(session, claimant_id=account.id, preferences={Use.ALL: Preference.DISALLOWED})
    album = collections.create(session, account_id=account.id, kind=CollectionKind.ALBUM, name="Blue")
    collections.add_works(session, collection_id=album.id, account_id=account.id, work_ids=[work.id])
    conditional = {Use.TRAIN_AI: Preference.CONDITIONAL}
    claims.file_claim(session, claimant_id=account.id, collection_id=album.id, preferences=conditional)

    assert verdict(session, work) is Preference.CONDITIONAL


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        (CollectionKind.ALBUM, " "),
        (CollectionKind.ALBUM, "x" * 301),
        (CollectionKind.DOMAIN, "localhost"),
        (CollectionKind.DOMAIN, "https://example.org/"),
        (CollectionKind.CHANNEL, "@somebody"),
    ],
)
def test_a_collection_without_a_usable_name_is_refused(
    session: Session, account: Account, kind: CollectionKind, name: str
) -> None:
    with pytest.raises(InvalidInputError) as caught:
        collections.create(session, account_id=account.id, kind=kind, name=name)
    assert caught.value.parameters["field"] == "name"


def test_the_same_collection_twice_names_the_first(session: Session, account: Account) -> None:
    first = collections.create(session, account_id=account.id, kind=CollectionKind.DOMAIN, name="example.org")

    with pytest.raises(ConflictError) as caught:
        collections.create(session, account_id=account.id, kind=CollectionKind.DOMAIN, name="example.org")
    assert caught.value.parameters["collection"] == str(first.id)


def test_what_is_somebody_elses_can_not_be_collected_or_claimed(session: Session, account: Account) -> None:
    other = make_account(session)
    album = collections.create(session, account_id=other.id, kind=CollectionKind.ALBUM, name="Blue")
    mine = collections.create(session, account_id=account.id, kind=CollectionKind.ALBUM, name="Red")
    theirs = make_work(session, other)

    for attempt in (
        lambda: collections.get(session, collection_id=album.id, account_id=account.id),
        lambda: claims.file_claim(session, claimant_id=account.id, collection_id=album.id, preferences=NO_TRAINING),
        lambda: claims.file_claim(session, claimant_id=account.id, collection_id=uuid4(), preferences=NO_TRAINING),
        lambda: collections.add_works(session, collection_id=mine.id, account_id=account.id, work_ids=[theirs.id]),
    ):
        with pytest.raises(NotFoundError):
            attempt()


def test_ask_me_names_terms_contact_and_languages(session: Session, account: Account) -> None:
    work = make_work(session, account)
    claim = claims.file_claim(
        session,
        work_id=work.id,
        claimant_id=account.id,
        preferences={Use.TRAIN_AI: Preference.CONDITIONAL},
        terms_url="https://ann.example/terms",
        contact=" licences@ann.example ",
        languages=["fr", "en", "fr"],
    )

    (said,) = statements.about(session, [work.id], When(datetime.now(UTC), is_now=True)).statements[str(work.id)]

    assert claim.contact is not None
    assert b"ann.example" not in claim.contact
    assert (said.contact, said.languages, said.terms_url) == (
        "licences@ann.example",
        ("fr", "en"),
        "https://ann.example/terms",
    )


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"contact": "call me"}, "contact"),
        ({"contact": "https://"}, "contact"),
        ({"languages": ["english please"]}, "languages"),
        ({"languages": ["en"] * 11}, "languages"),
        ({"valid_until": datetime(2026, 1, 1)}, "valid_until"),  # noqa: DTZ001 - the point of the test
    ],
)
def test_terms_that_can_not_be_used_are_refused(
    session: Session, account: Account, wrong: dict[str, object], field: str
) -> None:
    with pytest.raises(InvalidInputError) as caught:
        claims.file_claim(session, claimant_id=account.id, preferences=NO_TRAINING, **wrong)  # type: ignore[arg-type] # wrong on purpose
    assert caught.value.parameters["field"] == field


def test_what_applied_then_is_answered_as_it_was_known_then(session: Session) -> None:
    account = make_account(session, evidence=EvidenceLevel.VERIFIED)
    work = make_work(session, account)
    start = datetime.now(UTC) - timedelta(days=30)
    first = claims.file_claim(
        session, work_id=work.id, claimant_id=account.id, preferences=ALL_WELCOME, valid_from=start
    )
    known = datetime.now(UTC)
    middle = start + timedelta(days=10)
    second = claims.amend(
        session, claim_id=first.id, claimant_id=account.id, preferences=NO_TRAINING, valid_from=middle
    )

    assert verdict(session, work) is Preference.DISALLOWED
    assert verdict(session, work, middle + timedelta(days=1)) is Preference.DISALLOWED
    assert verdict(session, work, middle - timedelta(days=1)) is Preference.ALLOWED
    assert verdict(session, work, middle + timedelta(days=1), known) is Preference.ALLOWED
    assert verdict(session, work, known, start) is Preference.UNKNOWN
    claims.withdraw(session, claim_id=second.id, claimant_id=account.id)
    assert verdict(session, work) is Preference.UNKNOWN
    assert verdict(session, work, middle + timedelta(days=1)) is Preference.DISALLOWED


def test_a_claim_that_was_amended_very_often_costs_as_one(session: Session, account: Account) -> None:
    work = make_work(session, account)
    claim = make_claim(session, work)
    began = datetime.now(UTC)
    for number in range(30):
        said = NO_TRAINING if number % 2 else {Use.TRAIN_AI: Preference.CONDITIONAL}
        claim = claims.amend(session, claim_id=claim.id, claimant_id=account.id, preferences=said)

    for when in (When(datetime.now(UTC), is_now=True), When(began), When(datetime.now(UTC), began)):
        assert len(statements.about(session, [work.id], when).statements[str(work.id)]) == 1


def test_a_claim_counts_from_its_commit_whatever_the_clock_of_the_host_says_that_wrote_it(
    session: Session, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The host that is asked is behind the one that files, amends and withdraws."""
    accounts.set_evidence(session, account_id=account.id, evidence=EvidenceLevel.VERIFIED)
    work, later = make_work(session, account), make_work(session, account)
    ahead = timedelta(minutes=5)
    for module in (claims, collections, collection_members):
        monkeypatch.setattr(module, "utc_now", lambda: datetime.now(UTC) + ahead)

    claim = make_claim(session, work, preferences=ALL_WELCOME)
    assert verdict(session, work) is Preference.ALLOWED
    claim = claims.amend(session, claim_id=claim.id, claimant_id=account.id, preferences=NO_TRAINING)
    assert verdict(session, work) is Preference.DISALLOWED
    claims.withdraw(session, claim_id=claim.id, claimant_id=account.id)
    assert verdict(session, work) is Preference.UNKNOWN
    album = collections.create(session, account_id=account.id, kind=CollectionKind.ALBUM, name="Blue")
    claims.file_claim(session, claimant_id=account.id, collection_id=album.id, preferences=NO_TRAINING)
    collections.add_works(session, collection_id=album.id, account_id=account.id, work_ids=[work.id])
    assert verdict(session, work) is Preference.DISALLOWED
    collections.remove_work(session, collection_id=album.id, account_id=account.id, work_id=work.id)
    assert verdict(session, work) is Preference.UNKNOWN
    soon = datetime.now(UTC) + ahead + timedelta(seconds=1)
    claims.file_claim(session, work_id=later.id, claimant_id=account.id, preferences=NO_TRAINING, valid_from=soon)
    assert verdict(session, later) is Preference.UNKNOWN  # who names a start has it


def test_a_work_in_very_many_collections_is_under_all_of_their_claims(
    session: Session, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(statements, "_BATCH", 2)
    work = make_work(session, account)
    for number in range(5):
        album = collections.create(session, account_id=account.id, kind=CollectionKind.ALBUM, name=f"{number}")
        collections.add_works(session, collection_id=album.id, account_id=account.id, work_ids=[work.id])
        claims.file_claim(session, claimant_id=account.id, collection_id=album.id, preferences=NO_TRAINING)

    said = statements.about(session, [work.id], When(datetime.now(UTC), is_now=True)).statements[str(work.id)]

    assert len({one.subject for one in said}) == 5


@pytest.mark.parametrize("name", ["at", "known_at"])
def test_a_moment_without_zone_or_beyond_the_calendar_is_refused_before_the_database_is_asked(name: str) -> None:
    naive = datetime(2026, 1, 1)  # noqa: DTZ001 - the point of the test
    beyond = datetime.max.replace(tzinfo=timezone(timedelta(hours=-5)))

    for wrong in (naive, beyond):
        with pytest.raises(InvalidInputError) as caught:
            When(wrong) if name == "at" else When(datetime.now(UTC), wrong)
        assert caught.value.parameters["field"] == name
