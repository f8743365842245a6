"""Accounts and API keys."""

from datetime import timedelta
from uuid import uuid4

import pytest
from factories import make_account, make_key
from sqlalchemy.orm import Session

from optout.consent.vocabulary import EvidenceLevel
from optout.errors import ConflictError, InvalidInputError, NotAuthenticatedError, NotFoundError, NotPermittedError
from optout.registry import accounts, identities, key_format
from optout.store.models import Account, Role
from optout.store.models.base import utc_now
from optout.store.settings import Environment


def test_a_key_tells_account_and_roles(session: Session, account: Account) -> None:
    key, secret = make_key(session, account, Role.CREATOR, Role.AUDITOR)

    principal = accounts.authenticate(session, secret)

    assert principal.account_id == account.id
    assert principal.key_id == key.id
    assert principal.roles == {Role.CREATOR, Role.AUDITOR}


def test_the_secret_is_not_stored(session: Session, account: Account) -> None:
    key, secret = make_key(session, account)

    random_part = secret.split("_")[3]
    stored = " ".join(str(getattr(key, column.key)) for column in key.__table__.columns)
    assert random_part not in stored
    assert bytes.fromhex(random_part) not in key.digest


def test_every_key_is_of_the_form_that_scanners_know(session: Session, account: Account) -> None:
    _key, secret = make_key(session, account)

    assert secret.startswith("crk_live_")
    assert len(secret) == len("crk_live_") + 16 + 1 + 64 + 1 + 8


def test_a_key_of_another_environment_is_told_so(session: Session, account: Account) -> None:
    _key, secret = accounts.create_key(
        session, account_id=account.id, roles=[Role.CREATOR], label="x", environment=Environment.TEST
    )

    with pytest.raises(NotAuthenticatedError, match="for test registries, and this one is live") as caught:
        accounts.authenticate(session, secret)
    assert secret.startswith("crk_test_")
    assert caught.value.parameters["reason"] == "environment"
    assert accounts.authenticate(session, secret, environment=Environment.TEST).account_id == account.id


def test_a_key_of_another_registry_is_told_so(session: Session) -> None:
    elsewhere = key_format.make(Environment.LIVE)

    with pytest.raises(NotAuthenticatedError, match="not known to this registry") as caught:
        accounts.authenticate(session, elsewhere.text)
    assert caught.value.parameters["reason"] == "unknown"
    assert elsewhere.text not in repr(elsewhere)


@pytest.mark.parametrize("wrong", ["", "crk_live_", "Bearer x", "crk_live_" + "é" * 90, "\ud800"])
def test_what_is_no_key_is_refused(session: Session, wrong: str) -> None:
    with pytest.raises(NotAuthenticatedError):
        accounts.authenticate(session, wrong)


def test_a_mistyped_key_is_told_from_an_unknown_one_without_asking_the_database(
    session: Session, account: Account
) -> None:
    _key, secret = make_key(session, account)
    mistyped = secret[:30] + ("0" if secret[30] != "0" else "1") + secret[31:]

    with pytest.raises(NotAuthenticatedError, match="complete"):
        accounts.authenticate(session, mistyped)


def test_a_well_formed_key_with_another_secret_is_refused(session: Session, account: Account) -> None:
    """Also where the key has expired or was revoked: who does not have all of it learns nothing about it."""
    key, _secret = make_key(session, account)
    body = f"crk_live_{key.id}_{'0' * 64}"
    refusals = []
    for end in (None, utc_now()):
        key.expires_at = key.revoked_at = end
        with pytest.raises(NotAuthenticatedError) as caught:
            accounts.authenticate(session, f"{body}_{key_format.checksum(body)}")
        refusals.append((str(caught.value), dict(caught.value.parameters)))
    with pytest.raises(NotAuthenticatedError) as absent:
        accounts.authenticate(session, key_format.make(Environment.LIVE).text)

    assert refusals == [(str(absent.value), dict(absent.value.parameters))] * 2


def test_a_revoked_key_ends_at_once(session: Session, account: Account) -> None:
    key, secret = make_key(session, account)

    revoked_at = accounts.revoke_key(session, key.id).revoked_at

    with pytest.raises(NotAuthenticatedError, match="was revoked on"):
        accounts.authenticate(session, secret)
    assert accounts.revoke_key(session, key.id).revoked_at == revoked_at


def test_a_key_holds_until_it_expires(session: Session, account: Account) -> None:
    end = utc_now() + timedelta(days=1)
    _key, secret = accounts.create_key(
        session, account_id=account.id, roles=[Role.CREATOR], label="short", expires_at=end
    )

    assert accounts.authenticate(session, secret, now=end - timedelta(seconds=1)).account_id == account.id
    with pytest.raises(NotAuthenticatedError, match="expired on") as caught:
        accounts.authenticate(session, secret, now=end)
    assert caught.value.parameters["reason"] == "expired"


def test_after_a_rotation_two_keys_are_live_for_a_while(session: Session, account: Account) -> None:
    key, secret = make_key(session, account, Role.CREATOR, Role.PIPELINE)
    now = utc_now()

    old, new, fresh = accounts.rotate_key(session, key.id, overlap=timedelta(hours=1), now=now)

    at_first = [accounts.authenticate(session, one, now=now) for one in (secret, fresh)]
    assert [one.roles for one in at_first] == [{Role.CREATOR, Role.PIPELINE}] * 2
    assert {one.account_id for one in at_first} == {account.id}
    assert identities.labels(session, [new])[new.id] == "test"
    assert (old.id, new.expires_at) == (key.id, None)
    later = now + timedelta(hours=1)
    with pytest.raises(NotAuthenticatedError, match=f"expired .* use key {new.id}"):
        accounts.authenticate(session, secret, now=later)
    assert accounts.authenticate(session, fresh, now=later).key_id == new.id


def test_a_rotation_never_lengthens_a_key_and_the_new_one_lasts_as_long(session: Session, account: Account) -> None:
    end = utc_now() + timedelta(days=1)
    key, _secret = accounts.create_key(
        session, account_id=account.id, roles=[Role.CREATOR], label="short", expires_at=end
    )

    old, new, _fresh = accounts.rotate_key(session, key.id, overlap=timedelta(days=9))

    assert old.expires_at == end
    assert new.expires_at is not None
    assert timedelta(hours=23) < new.expires_at - new.created_at <= timedelta(days=1)


def test_a_key_is_rotated_once_and_only_while_it_opens_something(session: Session, account: Account) -> None:
    rotated, revoked = make_key(session, account)[0], make_key(session, account)[0]
    new = accounts.rotate_key(session, rotated.id, overlap=timedelta(hours=1))[1]
    accounts.revoke_key(session, revoked.id)

    with pytest.raises(ConflictError, match=f"rotate {new.id}"):
        accounts.rotate_key(session, rotated.id, overlap=timedelta(hours=1))
    with pytest.raises(ConflictError, match="create a new one"):
        accounts.rotate_key(session, revoked.id, overlap=timedelta(hours=1))
    with pytest.raises(NotFoundError):
        accounts.rotate_key(session, "0" * 16, overlap=timedelta(hours=1))


def test_uses_are_noted_once_an_hour(session: Session, account: Account) -> None:
    key, other = make_key(session, account)[0], make_key(session, account)[0]
    now = utc_now()

    for minutes in (0, 59):
        accounts.note_uses(session, [key.id], now=now + timedelta(minutes=minutes))
    session.refresh(key)
    first = key.last_used_at
    accounts.note_uses(session, [key.id], now=now + timedelta(minutes=60))
    session.refresh(key)

    assert (first, key.last_used_at, other.last_used_at) == (now, now + timedelta(minutes=60), None)


def test_a_key_needs_a_role_and_a_label_and_an_account(session: Session, account: Account) -> None:
    with pytest.raises(InvalidInputError, match="creator"):
        accounts.create_key(session, account_id=account.id, roles=[], label="x")
    with pytest.raises(InvalidInputError):
        accounts.create_key(session, account_id=account.id, roles=[Role.CREATOR], label="  ")
    with pytest.raises(NotFoundError):
        accounts.create_key(session, account_id=uuid4(), roles=[Role.CREATOR], label="x")
    with pytest.raises(NotFoundError):
        accounts.revoke_key(session, "0" * 16)


@pytest.mark.parametrize("name", ["", "  ", "x" * 201, "a\0b"])
def test_a_name_that_can_not_be_kept_is_refused(session: Session, name: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        make_account(session, name=name)

    assert caught.value.parameters["field"] == "name"


def test_a_principal_passes_with_one_of_the_roles_only(session: Session, account: Account) -> None:
    principal = accounts.authenticate(session, make_key(session, account, Role.CREATOR)[1])

    principal.require(Role.CREATOR, Role.ADMIN)
    with pytest.raises(NotPermittedError, match="admin or pipeline"):
        principal.require(Role.PIPELINE, Role.ADMIN)


def test_evidence_is_raised_by_hand_and_pseudonyms_differ(session: Session, account: Account) -> None:
    other = make_account(session)

    accounts.set_evidence(session, account_id=other.id, evidence=EvidenceLevel.VERIFIED)

    assert accounts.get_account(session, other.id).evidence is EvidenceLevel.VERIFIED
    assert account.evidence is EvidenceLevel.SELF_DECLARED
    assert len({account.pseudonym, other.pseudonym, account.id.hex, other.id.hex}) == 4


def test_keys_are_listed_with_their_accounts(session: Session, account: Account) -> None:
    mine, _secret = make_key(session, account)
    other = make_account(session, name="Bob")
    make_key(session, other)

    assert accounts.list_keys(session, account_id=account.id) == [(mine, account)]
    assert len(accounts.list_keys(session)) == 2
