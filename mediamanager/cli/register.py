"""`mediamanager register`: works into a registry by file, address or fingerprint, and what may be done with them."""

import time
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Final

import typer

from fingerprinting.types import Role
from mediamanager.cli import asking, videos
from mediamanager.cli.connection import (
    JsonOption,
    KeyOption,
    PreferOption,
    RegistryOption,
    creator,
    print_json,
    print_work,
)
from mediamanager.cli.listings import print_listing
from mediamanager.cli.tables import printable
from mediamanager.client.creator import Creator, is_put_off
from mediamanager.client.errors import KeyRefusedError, RegistryRefusedError
from mediamanager.client.pool import Extracted, ExtractionPool
from mediamanager.client.queries import Query, walk
from mediamanager.schemas.claims import ClaimResponse
from mediamanager.schemas.listings import ListingResponse
from mediamanager.schemas.works import WorkResponse, WorkState
from optout.consent import explain, youtube_links
from optout.consent.preferences import parse_all
from optout.consent.vocabulary import Preference, Use
from optout.errors import InvalidInputError

_EXIT_FAILED: Final = 2
_WAIT_SECONDS: Final = 300.0
_OF_BYTES: Final = "sha256"


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What came of one path."""

    path: str
    work: WorkResponse | None = None
    claim: ClaimResponse | None = None
    listing: ListingResponse | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class _Wishes:
    """What was asked for on the command line."""

    preferences: Mapping[Use, Preference]
    title: str | None
    keep_media: bool
    sound: bool


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
    sound: Annotated[
        bool,
        typer.Option(
            "--sound", help="Of links to YouTube, have the sound read, too; of links to other pages, the video on them."
        ),
    ] = False,
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Wait until each work is read.")] = True,
    as_json: JsonOption = False,
) -> None:
    """Register works and say what may be done with them: `--prefer train-ai=disallowed`.

    Without `--prefer` nothing is said about these works alone: what you say about their collections and about all your
    works counts, if anything. Registering the same again gives the same work; a preference stated again replaces the
    one before. Exit status 2: something could not be registered or read.
    """
    wishes = _Wishes(parse_all(prefer or []), title, keep_media, sound)
    found = walk(paths)
    asking.say(found.notes)
    if not found.queries:
        raise InvalidInputError("there is nothing to register: name files, folders that hold some, or web addresses")
    if title is not None and len(found.queries) != 1:
        raise InvalidInputError("--title names one work; there are several", field="title")
    if sound and (local or all(query.file is not None or query.error is not None for query in found.queries)):
        why = "can't be used with --local" if local else "is about links, and there is none"
        raise InvalidInputError(f"--sound {why}", field="sound")
    with creator(registry, key) as there:
        outcomes = _locally(there, found.queries, wishes) if local else _remotely(there, found.queries, wishes)
        teller = _Teller(there, wait=wait, as_json=as_json)
        try:
            with asking.progress_over(outcomes, len(found.queries), "registering", streaming=True) as passing:
                for outcome in passing:
                    teller.take(outcome)
            teller.wait()
        finally:
            teller.tell_the_rest()
    if teller.failed:
        raise typer.Exit(_EXIT_FAILED)


class _Teller:
    """Prints what became of each, in order. A work that takes long to read holds up no registration after it.

    Attributes:
        failed: something could not be registered or read.
    """

    def __init__(self, there: Creator, *, wait: bool, as_json: bool) -> None:
        self.failed = False
        self._there = there
        self._wait = wait
        self._as_json = as_json
        self._waiting: deque[_Outcome] = deque()

    def take(self, outcome: _Outcome) -> None:
        """Take the next; print those that are settled and have nothing unsettled before them."""
        self._waiting.append(outcome)
        while self._waiting and not self._is_pending(seconds=0.0):
            self._tell()

    def wait(self) -> None:
        """Wait for the others, for all of them together as long as one may take."""
        until = time.monotonic() + _WAIT_SECONDS
        while self._waiting:
            self._is_pending(seconds=max(0.0, until - time.monotonic()))
            self._tell()

    def tell_the_rest(self) -> None:
        """Print what was taken, as it stands: it is registered, whatever ended the run."""
        while self._waiting:
            self._tell()

    def _is_pending(self, *, seconds: float) -> bool:
        outcome = self._waiting[0]
        if not self._wait or outcome.work is None or outcome.work.state is not WorkState.PENDING:
            return False
        work = self._there.wait(outcome.work.id, seconds=seconds)
        self._waiting[0] = replace(outcome, work=work)
        return work.state is WorkState.PENDING and not is_put_off(work, seconds=_WAIT_SECONDS)

    def _tell(self) -> None:
        outcome = self._waiting.popleft()
        unread = outcome.work is not None and outcome.work.state is WorkState.FAILED
        self.failed = self.failed or unread or outcome.error is not None
        _print(outcome, as_json=self._as_json)


def _remotely(there: Creator, queries: list[Query], wishes: _Wishes) -> Iterator[_Outcome]:
    for query in queries:
        if query.error is not None:
            yield _Outcome(query.path, error=query.error)
            continue
        try:
            if _is_list(query):
                yield _Outcome(query.path, listing=_listed(there, query.path, wishes))
                continue
            if query.file is None:
                more = {"keep_media": wishes.keep_media, "sound": wishes.sound}
                work = there.register_url(query.path, title=wishes.title, **more)
            else:
                title = wishes.title or query.file.name
                work = there.register_file(query.file, title=title, keep_media=wishes.keep_media)
            yield _claimed(there, query.path, work, wishes)
        except KeyRefusedError:
            raise  # nor would the next one be taken
        except (RegistryRefusedError, InvalidInputError, OSError) as error:
            # This one is refused; the others may be fine. A registry that is away ends the run instead.
            yield _Outcome(query.path, error=str(error))


def _is_list(query: Query) -> bool:
    return query.file is None and query.error is None and youtube_links.source_of(query.path) is not None


def _listed(there: Creator, url: str, wishes: _Wishes) -> ListingResponse:
    """A channel or playlist: what is said counts for all its videos."""
    body = {"url": url, "preferences": dict(wishes.preferences), "sound": wishes.sound}
    return there.ask(ListingResponse, "POST", "/v1/listings", body)


def _locally(there: Creator, queries: list[Query], wishes: _Wishes) -> Iterator[_Outcome]:
    with videos.brought(queries) as brought, ExtractionPool(role=Role.WORK) as pool:
        for extracted in pool.run(_only_files(brought)):
            yield _sent(there, extracted, wishes)


def _only_files(queries: Iterable[Query]) -> Iterator[Query]:
    for query in queries:
        if query.file is None and query.error is None:
            what = "the videos of a list" if _is_list(query) else "what lies at an address"
            yield Query(query.path, error=f"{what} can't be fingerprinted here: download the file, or leave --local")
        else:
            yield query


def _sent(there: Creator, extracted: Extracted, wishes: _Wishes) -> _Outcome:
    path, extraction = extracted.query.path, extracted.extraction
    if extraction is None:
        return _Outcome(path, error=extracted.error or "this file could not be read")
    title = wishes.title
    if extracted.query.fingerprints:  # of a video: it is known by its address, and not by the bytes of its captions
        known = (one for one in extraction.fingerprints if one.algorithm != _OF_BYTES)
        extraction = replace(extraction, fingerprints=(*extracted.query.fingerprints, *known))
    else:
        title = title or Path(path).name
    try:
        work = there.register_fingerprints(extraction, title=title)
        return _claimed(there, path, work, wishes)
    except KeyRefusedError:
        raise  # nor would the next one be taken
    except RegistryRefusedError as error:
        return _Outcome(path, error=str(error))


def _claimed(there: Creator, path: str, work: WorkResponse, wishes: _Wishes) -> _Outcome:
    """State the preference at once: it counts from now on, for exact copies even before the work is read."""
    try:
        claim = there.prefer(work, wishes.preferences) if wishes.preferences else None
    except KeyRefusedError:
        raise  # as above
    except RegistryRefusedError as error:
        return _Outcome(path, work, error=f"it is registered, but no preference is stated: {error}")
    return _Outcome(path, work, claim)


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
            listing=None if outcome.listing is None else outcome.listing.id,
            error=outcome.error or (work.failure.sentence if work is not None and work.failure else None),
        )
        return
    typer.echo(printable(outcome.path))
    if outcome.listing is not None:
        print_listing(outcome.listing)
        typer.echo(f"         its videos are being registered: mediamanager listings status {outcome.listing.id}")
        return
    if work is None:
        typer.echo(f"  not registered: {outcome.error}")
        return
    print_work(work)
    if work.state is WorkState.PENDING and work.delay is None:
        typer.echo(f"         still being read: mediamanager works status {work.id} --wait 60")
    if outcome.error is not None:
        typer.echo(f"         {outcome.error}")
    if claim is None and outcome.error is None and not work.claims:
        typer.echo(
            "         no claim on it alone: what you say about its collections and all your works counts, if any"
        )
    if claim is not None:
        typer.echo(f"         claim {claim.id}: {explain.choice(claim.preferences)}")
        typer.echo(f"         receipt: mediamanager claims receipt {claim.id}")
