"""`mediamanager keys`: API keys of a registry on this machine, made and revoked in its database."""

import dataclasses
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, TypeAlias
from uuid import UUID

import typer
from rich.console import Console
from rich.table import Column, Table
from sqlalchemy.orm import Session

from optout.consent.vocabulary import EvidenceLevel
from optout.registry import accounts, identities
from optout.store import db, encryption, migrate
from optout.store.models.accounts import Account, ApiKey, Role
from optout.store.models.base import utc_now
from optout.store.settings import Settings

ERASED = "(erased)"

app = typer.Typer(add_completion=False, no_args_is_help=True, help="Create, list and revoke API keys.")

DataOption: TypeAlias = Annotated[
    Path | None, typer.Option("--data", help="The registry's data folder; else MEDIAMANAGER_DATA_FOLDER.")
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
    days: Annotated[int | None, typer.Option(min=1, help="Days until the key expires; never, if left out.")] = None,
    contact: Annotated[str | None, typer.Option(help="E-mail address at which the account is reached.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Create an account with a key, and print the secret: it can't be shown again."""
    with _unit_of_work(data) as session:
        owner = accounts.get_account(session, account) if account else accounts.create_account(session, name=name)
        if contact is not None:
            accounts.set_contact(session, account=owner, contact=contact)
        if evidence is not None:
            accounts.set_evidence(session, account_id=owner.id, evidence=evidence)
        expires_at = None if days is None else utc_now() + timedelta(days=days)
        key, secret = accounts.create_key(session, account_id=owner.id, roles=role, label=name, expires_at=expires_at)
        facts = _facts(session, [(key, owner)])[0]
    # Only now, after the commit, is the key good.
    if as_json:
        typer.echo(json.dumps({**dataclasses.asdict(facts), "secret": secret}))
        return
    typer.echo(f"account  {owner.id} ({owner.evidence})")
    typer.echo(f"key      {key.id} ({', '.join(sorted(key.roles))})")
    typer.echo(f"secret   {secret}")
    typer.echo("Keep the secret now: only its hash is stored.", err=True)


@app.command("list")
def list_keys(*, data: DataOption = None, as_json: JsonOption = False) -> None:
    """List keys with their accounts, oldest first. Secrets are not stored, and not shown."""
    with _unit_of_work(data) as session:
        found = _facts(session, accounts.list_keys(session))
    if as_json:
        for one in found:
            typer.echo(json.dumps(dataclasses.asdict(one)))
        return
    # Ids are there to be copied: they are never cut, however narrow the terminal is.
    table = Table(Column("key", no_wrap=True), "for", "roles", "state", "evidence", box=None, padding=(0, 2, 0, 0))
    for one in found:
        table.add_row(one.key, one.label or ERASED, ", ".join(one.roles), one.state, one.evidence)
    Console().print(table)


@app.command()
def revoke(
    *,
    key: Annotated[str, typer.Argument(help="Id of the key, as `keys list` shows it.")],
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """End a key and the sign-ins made with it, at once."""
    with _unit_of_work(data) as session:
        revoked = accounts.revoke_key(session, key)
        owner = accounts.get_account(session, revoked.account_id)
        facts = _facts(session, [(revoked, owner)])[0]
    typer.echo(json.dumps(dataclasses.asdict(facts)) if as_json else f"key {revoked.id} is revoked")


@contextmanager
def _unit_of_work(data: Path | None) -> Iterator[Session]:
    """A transaction in the registry's database, which is made if it is not there yet."""
    settings = Settings() if data is None else Settings(data_folder=data)
    engine = db.engine(settings)
    try:
        migrate.upgrade(engine)
        with db.transaction(db.sessions(engine)) as session:
            encryption.prepare(session)
            yield session
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
        )
        for key, owner in found
    ]


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()


def _state(key: ApiKey) -> str:
    if key.revoked_at is not None:
        return "revoked"
    return "live" if accounts.is_live(key, utc_now()) else "expired"
