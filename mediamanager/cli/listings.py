"""`mediamanager listings`: channels and playlists whose videos are registered, and how far that has come."""

import time
from typing import Annotated, Final
from uuid import UUID

import typer

from mediamanager.cli.connection import JsonOption, KeyOption, RegistryOption, creator, print_json
from mediamanager.cli.tables import printable
from mediamanager.schemas.listings import ListingList, ListingResponse, ListingState

app = typer.Typer(add_completion=False, no_args_is_help=True, help="Channels and playlists, and how far they are read.")

_POLL_SECONDS: Final = 1.0


@app.command("list")
def list_listings(*, registry: RegistryOption, key: KeyOption = None, as_json: JsonOption = False) -> None:
    """List your channels and playlists, oldest first."""
    with creator(registry, key) as there:
        for one in there.ask(ListingList, "GET", "/v1/listings").listings:
            print_listing(one, as_json=as_json)


@app.command()
def status(
    listing: Annotated[UUID, typer.Argument(help="Id of the channel or playlist.")],
    *,
    registry: RegistryOption,
    key: KeyOption = None,
    wait: Annotated[float, typer.Option(help="Seconds to wait until all of it is listed.")] = 0.0,
    as_json: JsonOption = False,
) -> None:
    """Say how far one of them has come."""
    until = time.monotonic() + wait
    with creator(registry, key) as there:
        found = there.ask(ListingResponse, "GET", f"/v1/listings/{listing}")
        while found.state is ListingState.READING and time.monotonic() < until:
            time.sleep(_POLL_SECONDS)
            found = there.ask(ListingResponse, "GET", f"/v1/listings/{listing}")
    print_listing(found, as_json=as_json)


@app.command()
def stop(
    listing: Annotated[UUID, typer.Argument(help="Id of the channel or playlist.")],
    *,
    registry: RegistryOption,
    key: KeyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Read nothing more of it, now or later. Works that came of it stay."""
    _change(registry, key, listing, stopped=True, as_json=as_json)


@app.command()
def resume(
    listing: Annotated[UUID, typer.Argument(help="Id of the channel or playlist.")],
    *,
    registry: RegistryOption,
    key: KeyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Go on where it was stopped or failed, and look for new videos from now on."""
    _change(registry, key, listing, stopped=False, as_json=as_json)


def print_listing(one: ListingResponse, *, as_json: bool = False) -> None:
    """A channel or playlist, for people or for programs."""
    if as_json:
        print_json(**one.model_dump(mode="json"))
        return
    typer.echo(f"{one.state:<8} listing {one.id}  {printable(one.title or one.url)}")
    of = "" if one.expected is None else f" of {one.expected:,}"
    typer.echo(f"         {one.seen:,}{of} videos listed, {one.registered:,} works, {one.pending:,} still to be read")
    for told in (one.failure, one.delay):
        if told is not None:
            typer.echo(f"         {told.sentence}")
    if one.sound:
        typer.echo("         their sound is read, too")
    if one.cut is not None:
        typer.echo(f"         {one.cut}")
    if one.next_at is not None:
        typer.echo(f"         looked through for new videos at {one.next_at:%Y-%m-%d %H:%M} UTC")


def _change(registry: str, key: str | None, listing: UUID, *, stopped: bool, as_json: bool) -> None:
    with creator(registry, key) as there:
        changed = there.ask(ListingResponse, "PATCH", f"/v1/listings/{listing}", {"stopped": stopped})
    print_listing(changed, as_json=as_json)
