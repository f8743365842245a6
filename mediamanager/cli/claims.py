"""`mediamanager claims`: look at a claim, amend it, withdraw it, keep its receipt."""

from pathlib import Path
from typing import Annotated, Final, TypeAlias
from uuid import UUID

import typer

from mediamanager.cli.connection import (
    JsonOption,
    KeyOption,
    PreferOption,
    RegistryOption,
    creator,
    print_claim,
    print_json,
)
from mediamanager.schemas.claims import ClaimResponse
from optout.consent.preferences import parse_all
from optout.errors import InvalidInputError

app = typer.Typer(add_completion=False, no_args_is_help=True, help="Look at claims, amend, withdraw, keep the proof.")

ClaimArgument: TypeAlias = Annotated[UUID, typer.Argument(metavar="CLAIM", help="Id of the claim.")]

_RECEIPT_SECONDS: Final = 60.0


@app.command()
def show(claim: ClaimArgument, *, registry: RegistryOption, key: KeyOption = None, as_json: JsonOption = False) -> None:
    """Say how a claim stands."""
    with creator(registry, key) as there:
        _print(there.claim(claim), as_json=as_json)


@app.command()
def amend(
    claim: ClaimArgument,
    *,
    registry: RegistryOption,
    prefer: PreferOption = None,
    key: KeyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Replace a claim by what you say now, all of it, in one step."""
    preferences = parse_all(prefer or [])
    if not preferences:
        raise InvalidInputError(
            "say what should be preferred from now on: --prefer train-ai=disallowed", field="prefer"
        )
    with creator(registry, key) as there:
        _print(there.amend(claim, preferences), as_json=as_json)


@app.command()
def withdraw(
    claim: ClaimArgument, *, registry: RegistryOption, key: KeyOption = None, as_json: JsonOption = False
) -> None:
    """Take a claim back. It stays in the log, with the entry that says that it was withdrawn."""
    with creator(registry, key) as there:
        _print(there.withdraw(claim), as_json=as_json)


@app.command()
def receipt(
    claim: ClaimArgument,
    *,
    registry: RegistryOption,
    key: KeyOption = None,
    output: Annotated[Path | None, typer.Option(help="File to write; standard output if left out.")] = None,
) -> None:
    """Fetch the proof that a claim is in the log, to keep: `mediamanager audit receipt FILE` verifies it anywhere."""
    with creator(registry, key) as there:
        text = there.receipt(claim, seconds=_RECEIPT_SECONDS).model_dump_json(indent=2)
    if output is None:
        typer.echo(text)
    else:
        output.write_text(text + "\n", encoding="utf-8")
        typer.echo(f"receipt written to {output}", err=True)


def _print(claim: ClaimResponse, *, as_json: bool) -> None:
    if as_json:
        print_json(**claim.model_dump(mode="json"))
    else:
        print_claim(claim)
