"""What people and their keys are called, and how to reach them: sealed in the database, opened here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from sqlalchemy.orm import Session

from optout.registry.texts import line
from optout.store import encryption
from optout.store.encryption import DataKey, Place, SealedColumn
from optout.store.models.accounts import Account, ApiKey
from optout.store.models.base import Sealed

MAX_NAME: Final = 200


@dataclass(frozen=True, slots=True)
class Identity:
    """Who an account is. All None where it was erased."""

    name: str | None = None
    contact: str | None = None


def seal_line(key: DataKey, column: SealedColumn, row: UUID | str, text: str, *, max_length: int = MAX_NAME) -> Sealed:
    """Check a short text, named as its column, and seal it.

    Raises:
        InvalidInputError: it is empty, or longer than `max_length` characters.
    """
    checked = line(text, field=column.key, max_length=max_length)
    return key.seal(checked.encode(), Place.of(column, row))


def of_accounts(session: Session, accounts: Sequence[Account]) -> Mapping[UUID, Identity]:
    """Who some accounts are, each by its id.

    Raises:
        MasterKeyError, SealedDataError: what is stored can't be opened.
    """
    keys = encryption.for_reading(session, [account.id for account in accounts])
    return {account.id: _identity(keys.get(account.id), account) for account in accounts}


def of_account(session: Session, account: Account) -> Identity:
    """Who one account is; as `of_accounts`."""
    return of_accounts(session, [account])[account.id]


def labels(session: Session, api_keys: Sequence[ApiKey]) -> Mapping[str, str | None]:
    """What some API keys are called, each by its id; None where the account was erased.

    Raises:
        MasterKeyError, SealedDataError: what is stored can't be opened.
    """
    keys = encryption.for_reading(session, [one.account_id for one in api_keys])
    return {one.id: _text(keys.get(one.account_id), ApiKey.label, one.id, one.label) for one in api_keys}


def _identity(key: DataKey | None, account: Account) -> Identity:
    return Identity(
        name=_text(key, Account.name, account.id, account.name),
        contact=_text(key, Account.contact, account.id, account.contact),
    )


def _text(key: DataKey | None, column: SealedColumn, row: UUID | str, sealed: Sealed | None) -> str | None:
    if key is None or sealed is None:
        return None
    return key.unseal(sealed, Place.of(column, row)).decode()
