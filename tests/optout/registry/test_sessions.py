"""Sign-ins on the pages."""

from datetime import timedelta
from uuid import uuid4

import pytest
from factories import make_key
from sqlalchemy import select
from sqlalchemy.orm import Session

from optout.errors import InvalidInputError, NotAuthenticatedError, NotFoundError
from optout.registry import accounts, sessions
from optout.registry.accounts import Principal
from optout.store.models import Account, Role, SignInLink, WebSession
from optout.store.models.base import utc_now


@pytest.fixture
def principal(session: Session, account: Account) -> Principal:
    return accounts.authenticate(session, make_key(session, account, Role.CREATOR)[1])


def test_a_signed_in_browser_is_who_signed_in(session: Session, principal: Principal) -> None:
    token = sessions.open(session, principal)

    assert sessions.authenticate(session, token) == principal
    assert sessions.open(session, principal) != token


def test_the_token_is_not_stored(session: Session, principal: Principal) -> None:
    token = sessions.open(session, principal)

    assert token.encode() not in session.scalars(select(WebSession.digest)).one()


def test_a_closed_session_can_not_be_used_again(session: Session, principal: Principal) -> None:
    token = sessions.open(session, principal)

    sessions.close(session, token)
    sessions.close(session, token)

    with pytest.raises(NotAuthenticatedError):
        sessions.authenticate(session, token)


def test_a_session_ends(session: Session, principal: Principal) -> None:
    token = sessions.open(session, principal, lifetime=timedelta(hours=1))

    with pytest.raises(NotAuthenticatedError):
        sessions.authenticate(session, token, now=utc_now() + timedelta(hours=1))


def test_a_session_ends_with_the_key_that_opened_it(session: Session, principal: Principal) -> None:
    token = sessions.open(session, principal)
    assert principal.key_id is not None

    accounts.revoke_key(session, principal.key_id)

    with pytest.raises(NotAuthenticatedError):
        sessions.authenticate(session, token)


def test_revoking_a_key_ends_its_sessions_for_good_and_no_others(session: Session, principal: Principal) -> None:
    other = sessions.open(session, Principal(principal.account_id, None, principal.roles))
    sessions.open(session, principal)
    assert principal.key_id is not None

    accounts.revoke_key(session, principal.key_id)

    assert session.scalars(select(WebSession.digest)).all() == [sessions.digest(other)]


def test_a_session_ends_when_it_is_not_used(session: Session, principal: Principal) -> None:
    token, now, idle = sessions.open(session, principal), utc_now(), timedelta(hours=2)

    def holds(at: timedelta) -> bool:
        try:
            return sessions.authenticate(session, token, idle=idle, now=now + at) == principal
        except NotAuthenticatedError:
            return False

    before = holds(timedelta(hours=1)), holds(timedelta(hours=3))
    sessions.note_uses(session, [sessions.digest(token)], now=now + timedelta(hours=1))
    session.expire_all()

    assert before == (True, False)
    assert (holds(timedelta(hours=2.5)), holds(timedelta(hours=3.5))) == (True, False)


def test_uses_of_a_session_are_noted_every_few_minutes_and_lengthen_nothing(
    session: Session, principal: Principal
) -> None:
    token, now = sessions.open(session, principal), utc_now()
    opened = session.scalars(select(WebSession)).one()
    first, end = opened.last_used_at, opened.expires_at

    sessions.note_uses(session, [sessions.digest(token)], now=now + sessions.USE_NOTED / 2)
    session.refresh(opened)
    early = opened.last_used_at
    sessions.note_uses(session, [sessions.digest(token)], now=now + sessions.USE_NOTED * 2)
    session.refresh(opened)

    assert (early, opened.last_used_at, opened.expires_at) == (first, now + sessions.USE_NOTED * 2, end)


@pytest.mark.parametrize("token", ["", "x" * 43, "é"])
def test_an_unknown_token_opens_nothing(session: Session, token: str) -> None:
    with pytest.raises(NotAuthenticatedError):
        sessions.authenticate(session, token)
    with pytest.raises(NotAuthenticatedError):
        sessions.use_link(session, token)


def test_a_link_signs_in_once(session: Session, account: Account) -> None:
    token = sessions.create_link(session, account.id, [Role.CREATOR, Role.ADMIN])

    principal = sessions.use_link(session, token)

    assert principal == Principal(account.id, None, frozenset({Role.CREATOR, Role.ADMIN}))
    with pytest.raises(NotAuthenticatedError):
        sessions.use_link(session, token)
    assert sessions.authenticate(session, sessions.open(session, principal)) == principal


def test_a_link_holds_for_a_short_time(session: Session, account: Account) -> None:
    token = sessions.create_link(session, account.id, [Role.CREATOR])

    with pytest.raises(NotAuthenticatedError):
        sessions.use_link(session, token, now=utc_now() + sessions.LINK_LIFETIME)


def test_a_link_needs_a_role_and_an_account(session: Session, account: Account) -> None:
    with pytest.raises(InvalidInputError):
        sessions.create_link(session, account.id, [])
    with pytest.raises(NotFoundError):
        sessions.create_link(session, uuid4(), [Role.CREATOR])


def test_what_no_longer_opens_anything_is_forgotten(session: Session, principal: Principal, account: Account) -> None:
    live = sessions.open(session, principal)
    sessions.open(session, principal, lifetime=timedelta(0))
    sessions.use_link(session, sessions.create_link(session, account.id, [Role.CREATOR]))
    unused = sessions.create_link(session, account.id, [Role.CREATOR])

    sessions.remove_expired(session)

    assert len(session.scalars(select(WebSession)).all()) == 1
    assert len(session.scalars(select(SignInLink)).all()) == 1
    assert sessions.authenticate(session, live) == principal
    assert sessions.use_link(session, unused).account_id == account.id
