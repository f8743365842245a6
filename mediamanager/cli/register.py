"""`mediamanager register`: works into a registry by file, address or fingerprint, and what may be done with them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final

import typer

from fingerprinting.types import Role
from mediamanager.cli.connection import (
    JsonOption,
    KeyOption,
    PreferOption,
    RegistryOption,
    creator,
    preferences_of,
    print_json,
    print_work,
)
from mediamanager.client.creator import Creator
from mediamanager.client.errors import RegistryRefusedError
from mediamanager.client.pool import Extracted, ExtractionPool
from mediamanager.client.queries import Query, walk
from mediamanager.schemas.claims import ClaimResponse
from mediamanager.schemas.works import WorkResponse, WorkState
from optout.consent.vocabulary import Preference, Use
from optout.errors import InvalidInputError

_EXIT_FAILED: Final = 2
_WAIT_SECONDS: Final = 300.0


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What came of one path."""

    path: str
    work: WorkResponse | None = None
    claim: ClaimResponse | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class _Wishes:
    """What was asked for on the command line."""

    preferences: Mapping[Use, Preference]
    title: str | None
    keep_media: bool
    wait: bool


def register(
    paths: Annotated[list[str], typer.Argument(metavar="PATH-OR-URL…", help="Files, folders, web addresses.")],
    *,
    registry: RegistryOption,
    key: KeyOption = None,
    prefer: PreferOption = None,
    local: Annotated[bool, typer.Option("--local", help="Fingerprint here: the media stays on this machine.")] = False,
    title: Annotated[str | None, typer.Option(help="What the work is called; for a single one.")] = None,
    keep_media: Annotated[
        bool, typer.Option("--keep-media", help="Let the registry keep the media; it removes it otherwise.")
    ] = False,
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Wait until each work is read.")] = True,
    as_json: JsonOption = False,
) -> None:
    """Register works and say what may be done with them: `--prefer train-ai=disallowed`.

    Registering the same again gives the same work; a preference stated again replaces the one before. Exit status 2:
    something could not be registered or read.
    """
    wishes = _Wishes(preferences_of(prefer or []), title, keep_media, wait)
    queries = walk(paths).queries
    if title is not None and len(queries) != 1:
        raise InvalidInputError("--title names one work; there are several", field="title")
    failed = False
    with creator(registry, key) as there:
        outcomes = _locally(there, queries, wishes) if local else _remotely(there, queries, wishes)
        for outcome in outcomes:
            finished = _waited(there, outcome, wishes)
            failed = failed or finished.work is None or finished.work.state is WorkState.FAILED
            _print(finished, as_json=as_json)
    if failed:
        raise typer.Exit(_EXIT_FAILED)


def _remotely(there: Creator, queries: list[Query], wishes: _Wishes) -> Iterator[_Outcome]:
    for query in queries:
        if query.error is not None:
            yield _Outcome(query.path, error=query.error)
            continue
        try:
            if query.file is None:
                work = there.register_url(query.path, title=wishes.title, keep_media=wishes.keep_media)
            else:
                work = there.register_file(query.file, title=wishes.title, keep_media=wishes.keep_media)
            yield _claimed(there, query.path, work, wishes)
        except (RegistryRefusedError, OSError) as error:
            # This one is refused; the others may be fine. A registry that is away ends the run instead.
            yield _Outcome(query.path, error=str(error))


def _locally(there: Creator, queries: list[Query], wishes: _Wishes) -> Iterator[_Outcome]:
    with ExtractionPool(role=Role.WORK) as pool:
        for extracted in pool.run(_only_files(queries)):
            yield _sent(there, extracted, wishes)


def _only_files(queries: list[Query]) -> Iterator[Query]:
    for query in queries:
        if query.file is None and query.error is None:
            yield Query(query.path, error="an address can't be fingerprinted here: download the file, or leave --local")
        else:
            yield query


def _sent(there: Creator, extracted: Extracted, wishes: _Wishes) -> _Outcome:
    path = extracted.query.path
    if extracted.extraction is None:
        return _Outcome(path, error=extracted.error or "this file could not be read")
    try:
        work = there.register_fingerprints(extracted.extraction, title=wishes.title or Path(path).name)
        return _claimed(there, path, work, wishes)
    except RegistryRefusedError as error:
        return _Outcome(path, error=str(error))


def _claimed(there: Creator, path: str, work: WorkResponse, wishes: _Wishes) -> _Outcome:
    """State the preference at once: it counts from now on, for exact copies even before the work is read."""
    claim = there.prefer(work, wishes.preferences) if wishes.preferences else None
    return _Outcome(path, work, claim)


def _waited(there: Creator, outcome: _Outcome, wishes: _Wishes) -> _Outcome:
    if outcome.work is None or not wishes.wait or outcome.work.state is not WorkState.PENDING:
        return outcome
    work = there.wait(outcome.work.id, seconds=_WAIT_SECONDS)
    return _Outcome(outcome.path, work, outcome.claim)


def _print(outcome: _Outcome, *, as_json: bool) -> None:
    work, claim = outcome.work, outcome.claim
    if as_json:
        print_json(
            path=outcome.path,
            work=None if work is None else work.id,
            state=None if work is None else work.state,
            claim=None if claim is None else claim.id,
            preferences=None if claim is None else claim.preferences,
            promise=None if claim is None else claim.promise,
            receipt=None if claim is None else claim.receipt_url,
            error=outcome.error or (work.failure.sentence if work is not None and work.failure else None),
        )
        return
    typer.echo(outcome.path)
    if work is None:
        typer.echo(f"  not registered: {outcome.error}")
        return
    print_work(work)
    if claim is not None:
        said = ", ".join(f"{use}={word}" for use, word in claim.preferences.items() if word is not Preference.UNKNOWN)
        typer.echo(f"         claim {claim.id}  {said}")
        typer.echo(f"         receipt: mediamanager claims receipt {claim.id}")
