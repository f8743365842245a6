"""What the creator's commands have in common: where the registry is, whose key, and how a line is printed."""

import json
import sys
from typing import Annotated, TypeAlias

import typer

from mediamanager.cli.tables import printable
from mediamanager.client.creator import Creator
from mediamanager.schemas.claims import ClaimResponse
from mediamanager.schemas.works import WorkResponse
from optout.consent import explain
from optout.consent.vocabulary import Scope

RegistryOption: TypeAlias = Annotated[
    str, typer.Option("--registry", envvar="MEDIAMANAGER_URL", help="Address of the registry.")
]
KeyOption: TypeAlias = Annotated[
    str | None, typer.Option("--key", envvar="MEDIAMANAGER_KEY", help="Your API key.", show_envvar=True)
]
JsonOption: TypeAlias = Annotated[bool, typer.Option("--json", help="Print a JSON object a line.")]
PreferOption: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--prefer",
        metavar="USE=PREFERENCE",
        help="For instance train-ai=disallowed; may be repeated. Or one of no-ai, search-only, ask-first, all-welcome.",
    ),
]


def creator(registry: str, key: str | None) -> Creator:
    """The registry that a command speaks to."""
    return Creator(registry, key=key)


def print_json(**fields: object) -> None:
    """One JSON object on a line of its own."""
    sys.stdout.write(json.dumps(fields, default=str) + "\n")
    sys.stdout.flush()


def print_work(work: WorkResponse) -> None:
    """A work, for people."""
    name = printable(work.title or work.source_url or work.media_type or "")
    typer.echo(f"{work.state:<8} work {work.id}  {name}".rstrip())
    if work.failure is not None:
        typer.echo(f"         {work.failure.sentence}")
    if work.identifiable is False:
        typer.echo("         only exact copies of it can be recognised")
    for remark in work.remarks:
        typer.echo(f"         {printable(remark.sentence)}")
    if work.delay is not None:
        typer.echo(f"         {work.delay.sentence}")
        at = work.delay.next_attempt_at
        typer.echo(
            "         it is being tried again" if at is None else f"         trying again at {at:%Y-%m-%d %H:%M:%S} UTC"
        )


def print_claim(claim: ClaimResponse) -> None:
    """A claim, for people."""
    about = f"work {claim.work_id}" if claim.work_id else f"collection {claim.collection_id}"
    typer.echo(f"{claim.state:<10} claim {claim.id} on {about if claim.scope != Scope.ACCOUNT else 'all your works'}")
    typer.echo(f"           {explain.choice(claim.preferences)}")
    if claim.ends_soon and claim.valid_until is not None:
        typer.echo(f"           ends on {claim.valid_until:%Y-%m-%d %H:%M %Z}: amend it if it should go on")
    if claim.has_ended and claim.valid_until is not None:
        typer.echo(f"           ended on {claim.valid_until:%Y-%m-%d %H:%M %Z}, counts no longer: amend it to go on")
    for use, preference in claim.preferences.items():
        typer.echo(f"           {use:<12} {preference}")
    where = "in the log" if claim.log.published else "promised; in the log within a minute"
    typer.echo(f"           {where}: entry {claim.log.entry_id}")
