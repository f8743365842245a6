"""`mediamanager works`: a creator's works and how they stand."""

from collections.abc import Iterator
from typing import Annotated, TypeAlias
from uuid import UUID

import typer

from mediamanager.cli.connection import JsonOption, KeyOption, RegistryOption, creator, print_json, print_work
from mediamanager.cli.tables import printable
from mediamanager.schemas.works import OverlapList, WorkResponse, WorkVideo
from optout.consent.remarks import clock

WorkArgument: TypeAlias = Annotated[UUID, typer.Argument(help="Id of the work.")]

app = typer.Typer(add_completion=False, no_args_is_help=True, help="Your works, and how they stand.")


@app.command("list")
def list_works(*, registry: RegistryOption, key: KeyOption = None, as_json: JsonOption = False) -> None:
    """List your works, newest first."""
    with creator(registry, key) as there:
        for work in there.works():
            if as_json:
                print_json(**work.model_dump(mode="json"))
            else:
                print_work(work)


@app.command()
def overlaps(
    work: WorkArgument,
    *,
    registry: RegistryOption,
    key: KeyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say what of one work is registered besides, by you or by others, with both places."""
    with creator(registry, key) as there:
        found = there.ask(OverlapList, "GET", f"/v1/works/{work}/overlaps").overlaps
    for one in found:
        if as_json:
            print_json(**one.model_dump(mode="json"))
            continue
        typer.echo(one.sentence)
        for place in one.places:
            typer.echo(f"         {_span(place.here)} here, {_span(place.there)} there")
    if not found and not as_json:
        typer.echo("nothing of it is registered besides")


@app.command()
def show(
    work: WorkArgument,
    *,
    registry: RegistryOption,
    key: KeyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say all that is known of one work: how it stands, what it is, and what YouTube says about a video."""
    with creator(registry, key) as there:
        found = there.work(work)
    if as_json:
        print_json(**found.model_dump(mode="json"))
        return
    print_work(found)
    for name, said in _facts(found):
        typer.echo(f"         {name:<14} {printable(said)}")
    for claim in found.claims:
        typer.echo(f"         claim {claim}")


def _facts(work: WorkResponse) -> Iterator[tuple[str, str]]:
    algorithms = dict.fromkeys(f"{one.algorithm}.v{one.version}" for one in work.fingerprints)
    yield "registered", f"{work.registered_at:%Y-%m-%d %H:%M} UTC"
    if work.media_type is not None:
        yield "kind", work.media_type
    if work.source_url is not None:
        yield "from", work.source_url
    if work.video is not None:
        yield from _video_facts(work.video)
    yield "file kept", "yes" if work.media_kept else "no, only its fingerprints"
    yield "fingerprints", ", ".join(algorithms) or "none yet"


def _video_facts(video: WorkVideo) -> Iterator[tuple[str, str]]:
    if video.sound:
        yield "sound", "asked for"
    if video.channel is not None:
        yield "channel", f"{video.channel_title or ''} {video.channel}".strip()
    if video.duration_seconds is not None:
        yield "length", clock(video.duration_seconds)
    if video.licence is not None:
        yield "licence", video.licence
    if video.trainability is not None:
        said = {"all": "anybody", "none": "nobody"}
        names = ", ".join(said.get(one, one) for one in video.trainability)
        yield "may train", f"{names}, by YouTube's setting"


def _span(span: list[float] | None) -> str:
    return "?" if span is None else "-".join(f"{each:g}" for each in span)


@app.command()
def status(
    work: WorkArgument,
    *,
    registry: RegistryOption,
    key: KeyOption = None,
    wait: Annotated[float, typer.Option(help="Seconds to wait for a work that is pending.")] = 0.0,
    as_json: JsonOption = False,
) -> None:
    """Say how one work stands."""
    with creator(registry, key) as there:
        found = there.wait(work, seconds=wait) if wait else there.work(work)
    if as_json:
        print_json(**found.model_dump(mode="json"))
    else:
        print_work(found)
        for claim in found.claims:
            typer.echo(f"         claim {claim}")
