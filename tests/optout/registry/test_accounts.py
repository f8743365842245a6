"""Accounts and API keys."""

from datetime import timedelta
from uuid import uuid4

import pytest
from factories import make_account, make_key
from sqlalchemy.orm import Session

from optout.consent.vocabulary import EvidenceLevel
from optout.errors import InvalidInputError, NotAuthenticatedError, NotFoundError, NotPermittedError
from optout.registry import accounts
from optout.store.models import Account, Role
from optout.store.models.base import utc_now


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
    key, _secret = make_key(session, account)
    body = f"crk_live_{key.id}_{'0' * 64}"

    with pytest.raises(NotAuthenticatedError, match="unknown"):
        accounts.authenticate(session, f"{body}_{accounts._checksum(body)}")


def test_a_revoked_key_ends_at_once(session: Session, account: Account) -> None:
    key, secret = make_key(session, account)

    revoked_at = accounts.revoke_key(session, key.id).revoked_at

    with pytest.raises(NotAuthenticatedError):
        accounts.authenticate(session, secret)
    assert accounts.revoke_key(session, key.id).revoked_at == revoked_at


def test_a_key_holds_until_it_expires(session: Session, account: Account) -> None:
    end = utc_now() + timedelta(days=1)
    _key, secret = accounts.create_key(
        session, account_id=account.id, roles=[Role.CREATOR], label="short", expires_at=end
    )

    assert accounts.authenticate(session, secret, now=end - timedelta(seconds=1)).account_id == account.id
    with pytest.raises(NotAuthenticatedError):
        accounts.authenticate(session, secret, now=end)


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
