"""`mediamanager matches`: report a wrong match, and settle reports about your works."""

from typing import Annotated, TypeAlias
from uuid import UUID

import typer

from mediamanager.cli.connection import JsonOption, KeyOption, RegistryOption, creator, print_json
from mediamanager.schemas.non_matches import NonMatchList, NonMatchResponse

app = typer.Typer(add_completion=False, no_args_is_help=True, help="Wrong matches: report them, settle them.")

ReportArgument: TypeAlias = Annotated[UUID, typer.Argument(metavar="REPORT", help="Id of the report.")]


@app.command()
def wrong(
    work: Annotated[UUID, typer.Argument(metavar="WORK", help="The work that was named.")],
    asset_key: Annotated[str, typer.Argument(metavar="ASSET_KEY", help="`asset_key` of the line that named it.")],
    *,
    registry: RegistryOption,
    key: KeyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say that an asset does not show a work. It counts once the work's owner agrees."""
    body = {"work": str(work), "asset_key": asset_key}
    with creator(registry, key) as there:
        _print(there.ask(NonMatchResponse, "POST", "/v1/non-matches", body), as_json=as_json)


@app.command("list")
def list_reports(*, registry: RegistryOption, key: KeyOption = None, as_json: JsonOption = False) -> None:
    """List reports about your works, those that wait for you first, and those that you made."""
    with creator(registry, key) as there:
        found = there.ask(NonMatchList, "GET", "/v1/non-matches")
    for one in (*found.about_your_works, *found.reported_by_you):
        _print(one, as_json=as_json)


@app.command()
def agree(
    report: ReportArgument, *, registry: RegistryOption, key: KeyOption = None, as_json: JsonOption = False
) -> None:
    """Agree that a match with your work was wrong: the pair is remembered."""
    _settle(report, registry, key, confirm=True, as_json=as_json)


@app.command()
def refuse(
    report: ReportArgument, *, registry: RegistryOption, key: KeyOption = None, as_json: JsonOption = False
) -> None:
    """Insist that a match with your work is right."""
    _settle(report, registry, key, confirm=False, as_json=as_json)


def _settle(report: UUID, registry: str, key: str | None, *, confirm: bool, as_json: bool) -> None:
    with creator(registry, key) as there:
        found = there.ask(NonMatchResponse, "PATCH", f"/v1/non-matches/{report}", {"confirm": confirm})
    _print(found, as_json=as_json)


def _print(one: NonMatchResponse, *, as_json: bool) -> None:
    if as_json:
        print_json(**one.model_dump(mode="json"))
    else:
        typer.echo(f"{one.state:<10} {one.id}  work {one.work}, asset {one.asset_key[:16]}…")
