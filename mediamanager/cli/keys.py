"""`mediamanager keys`: API keys of a registry, made, rotated and revoked in its database."""

import dataclasses
import json
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Final, TypeAlias
from uuid import UUID

import typer
from rich.console import Console
from rich.table import Column, Table
from sqlalchemy.orm import Session

from optout.consent.vocabulary import EvidenceLevel
from optout.errors import InvalidInputError
from optout.registry import accounts, identities
from optout.store import db, encryption, migrate, settings
from optout.store.models.accounts import Account, ApiKey, Role
from optout.store.models.base import utc_now
from optout.store.settings import Settings

ERASED = "(erased)"
_UNITS: Final = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}
_DURATION: Final = re.compile(r"([1-9][0-9]{0,3})([hdw])")

app = typer.Typer(add_completion=False, no_args_is_help=True, help="Create, list, rotate and revoke API keys.")

DataOption: TypeAlias = Annotated[
    Path | None, typer.Option("--data", help="The registry's data folder; else MEDIAMANAGER_DATA_FOLDER.")
]
ExpiresOption: TypeAlias = Annotated[
    str | None,
    typer.Option(metavar="DURATION", help="How long the key is good for, like 12h, 90d or 4w; else for ever."),
]
JsonOption: TypeAlias = Annotated[bool, typer.Option("--json", help="Print a JSON object a line.")]


@app.command()
def create(
    *,
    role: Annotated[list[Role], typer.Option(help="What the key is for; may be repeated.")],
    name: Annotated[str, typer.Option(help="Who the key is for.")],
    data: DataOption = None,
    account: Annotated[UUID | None, typer.Option(help="Add the key to this account instead of a new one.")] = None,
    evidence: Annotated[
        EvidenceLevel | None, typer.Option(help="How well the account's right to speak is shown, as you checked it.")
    ] = None,
    expires_in: ExpiresOption = None,
    contact: Annotated[str | None, typer.Option(help="E-mail address at which the account is reached.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Create an account with a key, and print the secret: it can't be shown again."""
    expires_at = _end(expires_in)
    with _unit_of_work(data) as (session, chosen):
        owner = accounts.get_account(session, account) if account else accounts.create_account(session, name=name)
        if contact is not None:
            accounts.set_contact(session, account=owner, contact=contact)
        if evidence is not None:
            accounts.set_evidence(session, account_id=owner.id, evidence=evidence)
        key, secret = accounts.create_key(
            session,
            account_id=owner.id,
            roles=role,
            label=name,
            expires_at=expires_at,
            environment=chosen.environment,
        )
        facts = _facts(session, [(key, owner)])[0]
    # Only now, after the commit, is the key good.
    _print_made(facts, secret, as_json=as_json)


@app.command("list")
def list_keys(*, data: DataOption = None, as_json: JsonOption = False) -> None:
    """List keys with their accounts, oldest first. Secrets are not stored, and not shown."""
    with _unit_of_work(data) as (session, _):
        found = _facts(session, accounts.list_keys(session))
    if as_json:
        for one in found:
            typer.echo(json.dumps(dataclasses.asdict(one)))
        return
    # Ids are there to be copied: they are never cut, however narrow the terminal is.
    table = Table(
        Column("key", no_wrap=True), "for", "roles", "state", "last used", "evidence", box=None, padding=(0, 2, 0, 0)
    )
    for one in found:
        state = one.state if one.replaced_by is None else f"{one.state}, replaced by {one.replaced_by}"
        used = "never" if one.last_used_at is None else one.last_used_at[: len("2026-01-31T12")].replace("T", " ") + "h"
        table.add_row(one.key, one.label or ERASED, ", ".join(one.roles), state, used, one.evidence)
    Console().print(table)


@app.command()
def rotate(
    *,
    key: Annotated[str, typer.Argument(help="Id of the key, as `keys list` shows it.")],
    overlap: Annotated[
        str, typer.Option(metavar="DURATION", help="How long the old key goes on beside the new one, like 12h or 7d.")
    ] = "7d",
    expires_in: ExpiresOption = None,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Put a new key in the place of one, and print its secret. Both are good for the overlap, then only the new one.

    The new key has the account, the roles and the label of the old one, and lasts as long unless told otherwise.
    """
    both, expires_at = _duration(overlap, "overlap"), _end(expires_in)
    with _unit_of_work(data) as (session, chosen):
        old, new, secret = accounts.rotate_key(
            session, key, overlap=both, expires_at=expires_at, environment=chosen.environment
        )
        facts = _facts(session, [(new, accounts.get_account(session, new.account_id))])[0]
    _print_made(facts, secret, as_json=as_json)
    typer.echo(f"The old key {old.id} ends at {old.expires_at:%Y-%m-%d %H:%M} UTC, and its sign-ins with it.", err=True)


@app.command()
def revoke(
    *,
    key: Annotated[str, typer.Argument(help="Id of the key, as `keys list` shows it.")],
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """End a key and the sign-ins made with it, at once."""
    with _unit_of_work(data) as (session, _):
        revoked = accounts.revoke_key(session, key)
        owner = accounts.get_account(session, revoked.account_id)
        facts = _facts(session, [(revoked, owner)])[0]
    typer.echo(json.dumps(dataclasses.asdict(facts)) if as_json else f"key {revoked.id} is revoked")


@contextmanager
def _unit_of_work(data: Path | None) -> Iterator[tuple[Session, Settings]]:
    """A transaction in the registry's database, which is made if it is not there yet."""
    chosen = settings.load(data)
    engine = db.engine(chosen)
    try:
        migrate.upgrade(engine)
        with db.transaction(db.sessions(engine)) as session:
            encryption.prepare(session)
            yield session, chosen
    finally:
        engine.dispose()


@dataclass(frozen=True, slots=True)
class _Facts:
    """A key with its account, as a line of `--json`. Label, name and contact are null where the account was erased."""

    key: str
    label: str | None
    roles: list[str]
    state: str
    account: str
    name: str | None
    contact: str | None
    evidence: str
    created_at: str
    expires_at: str | None
    revoked_at: str | None
    replaced_by: str | None
    last_used_at: str | None


def _facts(session: Session, found: Sequence[tuple[ApiKey, Account]]) -> list[_Facts]:
    labels = identities.labels(session, [key for key, _ in found])
    who = identities.of_accounts(session, [owner for _, owner in found])
    return [
        _Facts(
            key=key.id,
            label=labels[key.id],
            roles=sorted(key.roles),
            state=_state(key),
            account=str(owner.id),
            name=who[owner.id].name,
            contact=who[owner.id].contact,
            evidence=owner.evidence,
            created_at=key.created_at.isoformat(),
            expires_at=_iso(key.expires_at),
            revoked_at=_iso(key.revoked_at),
            replaced_by=key.replaced_by,
            last_used_at=_iso(key.last_used_at),
        )
        for key, owner in found
    ]


def _print_made(facts: _Facts, secret: str, *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps({**dataclasses.asdict(facts), "secret": secret}))
        return
    typer.echo(f"account  {facts.account} ({facts.evidence})")
    typer.echo(f"key      {facts.key} ({', '.join(facts.roles)})")
    typer.echo(f"secret   {secret}")
    typer.echo("Keep the secret now: only its hash is stored.", err=True)


def _end(expires_in: str | None) -> datetime | None:
    return None if expires_in is None else utc_now() + _duration(expires_in, "expires-in")


def _duration(text: str, field: str) -> timedelta:
    parts = _DURATION.fullmatch(text.strip())
    if parts is None:
        raise InvalidInputError(
            f"--{field} is a number and h, d or w for hours, days or weeks: 12h, 90d, 4w", field=field
        )
    return int(parts[1]) * _UNITS[parts[2]]


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()


def _state(key: ApiKey) -> str:
    if key.revoked_at is not None:
        return "revoked"
    return "live" if accounts.is_live(key, utc_now()) else "expired"
