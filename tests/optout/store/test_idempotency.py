"""Answers are kept for a day, each for one account, key and request, and go with a transaction that fails."""

from dataclasses import replace
from datetime import timedelta

import factories
import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from optout.errors import IdempotencyMismatchError, RequestInFlightError
from optout.store import db, idempotency
from optout.store.idempotency import KEPT, Answer, Slot
from optout.store.models import Account, IdempotencyKey
from optout.store.models.base import utc_now

ANSWER = Answer(201, {"content-type": "application/json", "location": "/v1/works/1"}, b'{"id": 1}')


@pytest.fixture
def slot(account: Account) -> Slot:
    return Slot.of(account.id, route="POST /v1/works", key="once", request_digest=bytes(32))


def test_an_answer_is_found_again_for_the_same_account_route_key_and_request(session: Session, slot: Slot) -> None:
    idempotency.record(session, slot, ANSWER)

    assert idempotency.find(session, slot) == ANSWER
    other = factories.make_account(session)
    for elsewhere in (
        replace(slot, account_id=other.id),
        Slot.of(slot.account_id, route="POST /v1/works/{work_id}/claims", key="once", request_digest=bytes(32)),
        Slot.of(slot.account_id, route="POST /v1/works", key="twice", request_digest=bytes(32)),
    ):
        assert idempotency.find(session, elsewhere) is None


def test_the_same_key_with_another_request_is_refused(session: Session, slot: Slot) -> None:
    idempotency.record(session, slot, ANSWER)

    with pytest.raises(IdempotencyMismatchError, match="new key"):
        idempotency.find(session, replace(slot, request_digest=b"x" * 32))


def test_a_key_is_new_again_after_a_day(session: Session, slot: Slot) -> None:
    now = utc_now()
    idempotency.record(session, slot, ANSWER, now=now)
    other = replace(slot, request_digest=b"x" * 32)

    assert idempotency.find(session, slot, now=now + KEPT - timedelta(seconds=1)) == ANSWER
    assert idempotency.find(session, other, now=now + KEPT) is None
    idempotency.record(session, other, ANSWER, now=now + KEPT)
    assert idempotency.find(session, other, now=now + KEPT) == ANSWER


def test_two_answers_under_one_key_are_impossible(session: Session, slot: Slot) -> None:
    idempotency.record(session, slot, ANSWER)

    with pytest.raises(RequestInFlightError):
        idempotency.record(session, slot, ANSWER)


def test_an_answer_goes_with_the_effect_that_failed(live_sessions: sessionmaker[Session]) -> None:
    with db.transaction(live_sessions) as session:
        account = factories.make_account(session)
    slot = Slot.of(account.id, route="POST /v1/works", key="once", request_digest=bytes(32))

    def fail() -> None:
        with db.transaction(live_sessions) as session:
            idempotency.record(session, slot, ANSWER)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()

    with db.reading(live_sessions) as session:
        assert idempotency.find(session, slot) is None


@pytest.mark.database("sqlite")
def test_holding_a_slot_takes_no_write_lock_on_sqlite(live_sessions: sessionmaker[Session]) -> None:
    with db.transaction(live_sessions) as session:
        account = factories.make_account(session)
    slot = Slot.of(account.id, route="POST /v1/works", key="once", request_digest=bytes(32))

    with db.transaction(live_sessions) as slow:
        assert idempotency.hold(slow, slot) is None
        with db.transaction(live_sessions) as quick:
            idempotency.record(quick, slot, ANSWER)


@pytest.mark.database("postgresql")
def test_a_slot_is_held_by_one_transaction_at_a_time(live_sessions: sessionmaker[Session]) -> None:
    with db.transaction(live_sessions) as session:
        account = factories.make_account(session)
    slot = Slot.of(account.id, route="POST /v1/works", key="once", request_digest=bytes(32))

    with db.transaction(live_sessions) as first:
        assert idempotency.hold(first, slot) is None
        with pytest.raises(RequestInFlightError), db.transaction(live_sessions) as second:
            idempotency.hold(second, slot)
        idempotency.record(first, slot, ANSWER)

    with db.transaction(live_sessions) as third:
        assert idempotency.hold(third, slot) == ANSWER


def test_only_old_answers_are_forgotten(session: Session, slot: Slot) -> None:
    now = utc_now()
    idempotency.record(session, slot, ANSWER, now=now)
    young = replace(slot, key_digest=b"y" * 32)
    idempotency.record(session, young, ANSWER, now=now + timedelta(hours=1))

    idempotency.remove_expired(session, now=now + KEPT)

    assert session.scalars(select(IdempotencyKey.key_digest)).all() == [young.key_digest]
