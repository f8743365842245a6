"""`mediamanager claims`: file a claim, look at it, amend it, withdraw it, keep its receipt; what applied when."""

from pathlib import Path
from typing import Annotated, Final, TypeAlias
from urllib.parse import urlencode
from uuid import UUID

import typer

from mediamanager.cli.asking import AtOption, KnownAtOption, MinEvidenceOption, UseOption
from mediamanager.cli.connection import (
    JsonOption,
    KeyOption,
    PreferOption,
    RegistryOption,
    creator,
    print_claim,
    print_json,
)
from mediamanager.cli.terms import ContactOption, FromOption, LanguageOption, TermsUrlOption, UntilOption, terms
from mediamanager.client.questions import moment
from mediamanager.schemas.claims import ClaimList, ClaimResponse
from mediamanager.schemas.consent import ConsentAnswer
from optout.consent.preferences import parse_all
from optout.consent.vocabulary import EvidenceLevel, Preference, Use
from optout.errors import InvalidInputError

app = typer.Typer(
    add_completion=False, no_args_is_help=True, help="File and look at claims, amend, withdraw, keep the proof."
)

ClaimArgument: TypeAlias = Annotated[UUID, typer.Argument(metavar="CLAIM", help="Id of the claim.")]

_RECEIPT_SECONDS: Final = 60.0


@app.command()
def show(claim: ClaimArgument, *, registry: RegistryOption, key: KeyOption = None, as_json: JsonOption = False) -> None:
    """Say how a claim stands."""
    with creator(registry, key) as there:
        _print(there.claim(claim), as_json=as_json)


@app.command()
def file(
    *,
    registry: RegistryOption,
    prefer: PreferOption = None,
    work: Annotated[UUID | None, typer.Option(help="About one work.")] = None,
    collection: Annotated[UUID | None, typer.Option(help="About all works of a collection, later ones too.")] = None,
    all_works: Annotated[bool, typer.Option("--all-works", help="About all your works, later ones too.")] = False,
    valid_from: FromOption = None,
    valid_until: UntilOption = None,
    terms_url: TermsUrlOption = None,
    contact: ContactOption = None,
    language: LanguageOption = None,
    key: KeyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say what may be done with a work, a collection, or all your works. Of these the narrower goes before."""
    if [work is not None, collection is not None, all_works].count(True) != 1:
        raise InvalidInputError("say what it is about: one of --work, --collection, --all-works", field="work")
    where = f"works/{work}" if work else f"collections/{collection}" if collection else "account"
    body = {
        "preferences": _preferences(prefer),
        **terms(valid_from, valid_until, terms_url, contact, language),
    }
    with creator(registry, key) as there:
        _print(there.ask(ClaimResponse, "POST", f"/v1/{where}/claims", body), as_json=as_json)


@app.command()
def amend(
    claim: ClaimArgument,
    *,
    registry: RegistryOption,
    prefer: PreferOption = None,
    valid_from: FromOption = None,
    valid_until: UntilOption = None,
    terms_url: TermsUrlOption = None,
    contact: ContactOption = None,
    language: LanguageOption = None,
    key: KeyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Replace a claim by what you say now, all of it, in one step."""
    further = terms(valid_from, valid_until, terms_url, contact, language)
    with creator(registry, key) as there:
        _print(there.amend(claim, _preferences(prefer), further), as_json=as_json)


@app.command()
def history(
    work: Annotated[UUID, typer.Argument(metavar="WORK", help="Id of the work.")],
    *,
    registry: RegistryOption,
    key: KeyOption = None,
    as_json: JsonOption = False,
) -> None:
    """List all that you ever said about a work, newest first."""
    with creator(registry, key) as there:
        for claim in there.ask(ClaimList, "GET", f"/v1/works/{work}/claims").claims:
            _print(claim, as_json=as_json)


@app.command()
def applied(
    work: Annotated[UUID, typer.Argument(metavar="WORK", help="Id of the work.")],
    *,
    registry: RegistryOption,
    use: UseOption = Use.TRAIN_GENAI,
    at: AtOption = None,
    known_at: KnownAtOption = None,
    min_evidence: MinEvidenceOption = EvidenceLevel.SELF_DECLARED,
    key: KeyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say what applied to a work at a moment, as it was known at another, and why."""
    moments = {"at": moment(at, "at"), "known_at": moment(known_at, "known_at")}
    query = {"use": use.value, "min_evidence": min_evidence.value}
    query |= {name: value.isoformat() for name, value in moments.items() if value is not None}
    with creator(registry, key) as there:
        found = there.ask(ConsentAnswer, "GET", f"/v1/works/{work}/verdict?{urlencode(query)}")
    if as_json:
        print_json(**found.model_dump(mode="json"))
        return
    typer.echo(found.verdict)
    for reason in found.reasons:
        typer.echo(f"  {reason.sentence}")


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


def _preferences(prefer: list[str] | None) -> dict[Use, Preference]:
    preferences = parse_all(prefer or [])
    if not preferences:
        raise InvalidInputError(
            "say what should be preferred from now on: --prefer train-ai=disallowed", field="prefer"
        )
    return preferences


def _print(claim: ClaimResponse, *, as_json: bool) -> None:
    if as_json:
        print_json(**claim.model_dump(mode="json"))
    else:
        print_claim(claim)
