"""Appending: an entry stands or falls with its transaction, follows the one before, and can be promised at once."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, sessionmaker

from optout.errors import ConflictError, InvalidInputError, InvalidProofError
from optout.ledger import consentlog, publish
from optout.proof import entries, merkle, promises
from optout.proof.entries import EntryType
from optout.proof.notes import Signer
from optout.store.models.log import LogEntry

NOW = datetime(2026, 11, 21, 10, 0, 0, 123_456, tzinfo=UTC)
PROMISER = Signer("registry.example/log1/promise", bytes([3]) * 32)


def append(
    session: Session, subject: UUID | None = None, recorded_at: datetime = NOW, **body: entries.Json
) -> LogEntry:
    return consentlog.append(
        session,
        type=EntryType.CLAIM_FILED,
        subject=subject or uuid4(),
        body=body or {"work": "w-1"},
        recorded_at=recorded_at,
    )


def test_an_entry_is_what_its_leaf_says_and_opens_with_its_body(session: Session) -> None:
    subject = uuid4()

    row = append(session, subject, work="a work", claimant="a claimant")

    entry = entries.parse(row.leaf)
    assert (entry.id, entry.subject, entry.type) == (row.id, subject.hex, "claim.filed")
    assert entry.recorded_at == row.recorded_at == NOW.replace(microsecond=123_000)
    assert row.leaf_hash == merkle.leaf_hash(row.leaf)
    assert row.body is not None
    assert row.salt is not None
    entries.open_commitment(entry, row.salt, row.body)


def test_nothing_of_the_body_is_in_the_leaf(session: Session) -> None:
    row = append(session, work="secret-work-id", claimant="secret-person")

    assert b"secret" not in row.leaf


def test_entries_with_the_same_body_do_not_look_the_same(session: Session) -> None:
    one, other = append(session), append(session)

    assert entries.parse(one.leaf).commitment != entries.parse(other.leaf).commitment


def test_an_entry_follows_the_newest_about_its_subject(session: Session) -> None:
    subject = uuid4()
    first = append(session, subject)
    append(session)
    second = append(session, subject)

    assert entries.parse(first.leaf).previous is None
    assert entries.parse(second.leaf).previous == first.leaf_hash
    assert consentlog.latest(session, subject) is second


def test_a_clock_that_was_set_back_does_not_reorder_a_history(session: Session) -> None:
    subject = uuid4()
    first = append(session, subject)
    second = append(session, subject, NOW - timedelta(hours=1))

    assert second.recorded_at == first.recorded_at


def test_a_clock_that_was_set_back_does_not_go_behind_the_log(session: Session) -> None:
    first = append(session)
    publish.sequence(session)
    second = append(session, recorded_at=NOW - timedelta(hours=1))

    assert second.recorded_at == first.recorded_at


def test_a_rolled_back_entry_was_never_there(sessions: sessionmaker[Session]) -> None:
    with sessions() as session:
        append(session)
        session.rollback()

    with sessions() as session:
        assert session.scalars(select(LogEntry)).all() == []


@pytest.fixture
def colliding(session: Session, monkeypatch: pytest.MonkeyPatch) -> Iterator[UUID]:
    """A subject whose newest entry another transaction is about to follow, unseen by this one."""
    subject = uuid4()
    first = append(session, subject)
    append(session, subject)
    monkeypatch.setattr(consentlog, "latest", lambda *_: first)
    return subject


def test_two_transactions_can_not_follow_the_same_entry(session: Session, colliding: UUID) -> None:
    with pytest.raises(ConflictError, match="try again"):
        append(session, colliding)


def test_two_transactions_can_not_both_begin_a_history(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    subject = uuid4()
    append(session, subject)
    monkeypatch.setattr(consentlog, "latest", lambda *_: None)

    with pytest.raises(ConflictError, match="try again"):
        append(session, subject)


def test_a_body_that_can_not_be_spelled_is_refused_and_nothing_is_written(session: Session) -> None:
    with pytest.raises(InvalidProofError):
        append(session, score=1.5)
    with pytest.raises(InvalidInputError, match="at most"):
        append(session, text="x" * consentlog.MAX_BODY_BYTES)

    assert session.scalars(select(LogEntry)).all() == []


def test_salt_and_body_are_erased_together_or_not_at_all(session: Session) -> None:
    row = append(session)
    row.salt = None

    with pytest.raises(IntegrityError, match="erased_together"):
        session.flush()


def test_a_promise_names_the_leaf_and_sixty_seconds_and_can_be_made_again(session: Session) -> None:
    row = append(session)

    note = consentlog.promise(row, PROMISER)

    promise = promises.open_promise(note, [PROMISER.verifier])
    assert (promise.log, promise.leaf_hash) == ("registry.example/log1", row.leaf_hash)
    assert promise.deadline == row.recorded_at + timedelta(seconds=60)
    assert consentlog.promise(row, PROMISER) == note


def test_a_position_is_open_until_the_entry_is_sequenced(session: Session) -> None:
    row = append(session)

    before = consentlog.position(session, row)
    publish.sequence(session)
    session.refresh(row)
    after = consentlog.position(session, row)

    assert (before.index, before.published) == (None, False)
    assert (after.index, after.published) == (0, False)
    assert (after.entry_id, after.leaf_hash) == (row.id, row.leaf_hash.hex())
