"""`mediamanager encryption`: the keys under which a registry seals what identifies people."""

import dataclasses
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, TypeAlias
from uuid import UUID

import typer
from sqlalchemy.orm import Session, sessionmaker

from optout.registry import accounts
from optout.store import db, encryption, migrate, rotation, settings

app = typer.Typer(
    add_completion=False, no_args_is_help=True, help="Check and replace the keys that seal personal data."
)

DataOption: TypeAlias = Annotated[
    Path | None, typer.Option("--data", help="The registry's data folder; else MEDIAMANAGER_DATA_FOLDER.")
]
JsonOption: TypeAlias = Annotated[bool, typer.Option("--json", help="Print a JSON object.")]


@app.command()
def status(*, data: DataOption = None, as_json: JsonOption = False) -> None:
    """Check that the master key is at hand, and say how the keys stand. Exit 2: something is wrong."""
    with _registry(data) as sessions, db.transaction(sessions) as session:
        found = rotation.standing(session)
    if as_json:
        typer.echo(json.dumps(dataclasses.asdict(found)))
    else:
        typer.echo(f"master key   {found.master_key_id}, from {found.source}")
        typer.echo(f"subjects     {found.subjects} keys, {found.foreign} of them under another master key")
        if found.left_over:
            typer.echo(
                f"left over    {found.left_over} more in the source: see `mediamanager encryption rotate-master`"
            )
    if found.foreign:
        raise typer.Exit(2)


@app.command("rotate-master")
def rotate_master(*, data: DataOption = None, as_json: JsonOption = False) -> None:
    """Wrap every subject's key by a new master key, in one transaction; the registry may go on running.

    The file in the data folder gets its new key by itself. Any other source has to hold the new key, on a line before
    the old one, already; remove the old one afterwards. Older backups need the old key: keep it as long as them.
    """
    with _registry(data) as sessions:
        done = rotation.rotate_master(sessions)
    if as_json:
        typer.echo(json.dumps(dataclasses.asdict(done)))
        return
    typer.echo(f"{done.rewrapped} keys are wrapped by {done.new} now; {done.old} is not needed any more")


@app.command("rotate-account")
def rotate_account(
    *,
    account: Annotated[UUID, typer.Argument(help="Id of the account, as `keys list --json` shows it.")],
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Give an account a new key, and seal all that is theirs anew, in one transaction."""
    with _registry(data) as sessions, db.transaction(sessions) as session:
        owner = accounts.get_account(session, account)
        count = rotation.rotate_subject(session, owner.id)
    if as_json:
        typer.echo(json.dumps({"account": str(account), "resealed": count}))
        return
    typer.echo(f"{count} values of account {account} are sealed under a new key now")


@contextmanager
def _registry(data: Path | None) -> Iterator[sessionmaker[Session]]:
    """The registry's database, with its master key checked.

    Raises:
        MasterKeyError: it is missing, or another one than the database needs.
    """
    engine = db.engine(settings.load(data))
    try:
        migrate.upgrade(engine)
        sessions = db.sessions(engine)
        with db.transaction(sessions) as session:
            encryption.prepare(session)
        yield sessions
    finally:
        engine.dispose()
