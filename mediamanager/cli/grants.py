"""`mediamanager grants`: permit one pipeline account what others are refused; fetch what was permitted to you."""

from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer

from mediamanager.cli.connection import JsonOption, KeyOption, RegistryOption, creator, print_json
from mediamanager.cli.terms import FromOption, UntilOption, terms
from mediamanager.schemas.grants import GrantList, GrantResponse, ReceivedGrants
from optout.consent.vocabulary import Use

app = typer.Typer(add_completion=False, no_args_is_help=True, help="Permissions for single pipeline accounts.")


@app.command()
def give(
    grantee: Annotated[str, typer.Argument(metavar="ACCOUNT", help="Id of a verified pipeline account.")],
    *,
    registry: RegistryOption,
    use: Annotated[list[Use], typer.Option(help="What is permitted. May be repeated.")],
    work: Annotated[list[UUID] | None, typer.Option(help="For this work. May be repeated.")] = None,
    collection: Annotated[UUID | None, typer.Option(help="For all works of a collection.")] = None,
    valid_from: FromOption = None,
    valid_until: UntilOption = None,
    key: KeyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Permit uses of works, of a collection, or with neither of all your works, to one account."""
    body = {
        "grantee": grantee,
        "uses": use,
        **({"works": [str(one) for one in work]} if work else {}),
        "collection_id": None if collection is None else str(collection),
        **terms(valid_from, valid_until),
    }
    with creator(registry, key) as there:
        _print(there.ask(GrantResponse, "POST", "/v1/grants", body), as_json=as_json)


@app.command("list")
def list_grants(*, registry: RegistryOption, key: KeyOption = None, as_json: JsonOption = False) -> None:
    """List the grants that you gave, newest first."""
    with creator(registry, key) as there:
        for one in there.ask(GrantList, "GET", "/v1/grants").grants:
            _print(one, as_json=as_json)


@app.command()
def revoke(
    grant: Annotated[UUID, typer.Argument(metavar="GRANT", help="Id of the grant.")],
    *,
    registry: RegistryOption,
    key: KeyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Take a grant back. What was answered before stays answered."""
    with creator(registry, key) as there:
        _print(there.ask(GrantResponse, "DELETE", f"/v1/grants/{grant}"), as_json=as_json)


@app.command()
def pull(
    *,
    registry: RegistryOption,
    key: KeyOption = None,
    output: Annotated[Path, typer.Option("--output", "-o", metavar="FILE", help="Where your grants go.")],
) -> None:
    """Fetch what was permitted to you, signed, for `check` and `filter` with a catalogue; and your account's id."""
    with creator(registry, key) as there:
        received = there.ask(ReceivedGrants, "GET", "/v1/grants/received")
    output.write_text(received.note, encoding="utf-8")
    print_json(account=received.account, grants=received.count, file=str(output))


def _print(one: GrantResponse, *, as_json: bool) -> None:
    if as_json:
        print_json(**one.model_dump(mode="json"))
        return
    state = "revoked" if one.revoked_at else "given"
    until = f" until {one.valid_until:%Y-%m-%d}" if one.valid_until else ""
    about = {"account": "all your works", "collection": f"collection {one.collection_id}"}
    what = about.get(one.scope, ", ".join(map(str, one.works)))
    typer.echo(f"{state:<8} {one.id}  to {one.grantee}: {', '.join(one.uses)} of {what}{until}")
