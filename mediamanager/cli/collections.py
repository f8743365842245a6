"""`mediamanager collections`: channels, domains and albums that share a claim."""

from typing import Annotated, TypeAlias
from uuid import UUID

import typer

from mediamanager.cli.connection import JsonOption, KeyOption, RegistryOption, creator, print_json
from mediamanager.cli.tables import printable
from mediamanager.schemas.collections import CollectionKind, CollectionList, CollectionResponse

app = typer.Typer(add_completion=False, no_args_is_help=True, help="Channels, domains and albums that share a claim.")

CollectionArgument: TypeAlias = Annotated[UUID, typer.Argument(metavar="COLLECTION", help="Id of the collection.")]
WorksArgument: TypeAlias = Annotated[list[UUID], typer.Argument(metavar="WORKS...", help="Ids of works of yours.")]


@app.command()
def create(
    kind: Annotated[CollectionKind, typer.Argument(help="What holds it together.")],
    name: Annotated[str, typer.Argument(help="A title, a domain, or a YouTube channel's id.")],
    *,
    registry: RegistryOption,
    key: KeyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Begin a collection. Your works of a domain or channel are in it at once, and later ones as they come."""
    with creator(registry, key) as there:
        body = {"kind": kind, "name": name}
        _print(there.ask(CollectionResponse, "POST", "/v1/collections", body), as_json=as_json)


@app.command("list")
def list_collections(*, registry: RegistryOption, key: KeyOption = None, as_json: JsonOption = False) -> None:
    """List your collections, oldest first."""
    with creator(registry, key) as there:
        for one in there.ask(CollectionList, "GET", "/v1/collections").collections:
            _print(one, as_json=as_json)


@app.command()
def add(
    collection: CollectionArgument,
    works: WorksArgument,
    *,
    registry: RegistryOption,
    key: KeyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Put works into a collection."""
    with creator(registry, key) as there:
        body = {"works": [str(work) for work in works]}
        _print(there.ask(CollectionResponse, "POST", f"/v1/collections/{collection}/works", body), as_json=as_json)


@app.command()
def remove(
    collection: CollectionArgument,
    works: WorksArgument,
    *,
    registry: RegistryOption,
    key: KeyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Take works out of a collection: its claim covers them no longer."""
    with creator(registry, key) as there:
        for work in works:
            path = f"/v1/collections/{collection}/works/{work}"
            _print(there.ask(CollectionResponse, "DELETE", path), as_json=as_json)


def _print(one: CollectionResponse, *, as_json: bool) -> None:
    if as_json:
        print_json(**one.model_dump(mode="json"))
    else:
        claim = f"claim {one.claim}" if one.claim else "no claim"
        typer.echo(f"{one.kind:<8} {one.id}  {printable(one.name)}  {len(one.works)} works, {claim}")
