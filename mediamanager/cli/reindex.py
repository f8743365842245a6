"""`mediamanager reindex`: works that newer algorithms do not know yet are fingerprinted anew; the rest is listed."""

import json
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Final
from uuid import UUID

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Column, Table
from sqlalchemy import func, select
from sqlalchemy.orm import Session, sessionmaker

from mediamanager.cli.keys import ERASED
from mediamanager.cli.tables import printable, wide_console
from optout.registry import identities, refingerprinting
from optout.registry.identities import Identity
from optout.registry.refingerprinting import Stale, Way
from optout.store import db, encryption, migrate, settings
from optout.store.models.accounts import Account
from optout.store.models.base import utc_now
from optout.store.models.jobs import Job, JobKind, JobState
from optout.store.models.works import Work, WorkState

_POLL_SECONDS: Final = 1.0
_NOW: Final = (Way.MEDIA, Way.ADDRESS)
_SHOWN_WORKS: Final = 3


@dataclass(slots=True)
class _Found:
    """What a look through all works found."""

    ways: Counter[Way] = field(default_factory=Counter)
    missing: set[str] = field(default_factory=set)
    ask: dict[UUID, list[Stale]] = field(default_factory=dict)


def reindex(
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be done.")] = False,
    wait: Annotated[bool, typer.Option("--wait", help="Wait until workers are through with it.")] = False,
    per_minute: Annotated[
        int, typer.Option(min=1, help="Works begun in a minute, so that those who register meanwhile do not wait.")
    ] = 600,
    data: Annotated[
        Path | None, typer.Option("--data", help="The registry's data folder; else MEDIAMANAGER_DATA_FOLDER.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON object a line: the owners to ask.")] = False,
) -> None:
    """Give works the fingerprints of algorithms that are newer than they are, and list the owners to ask for the rest.

    Works whose media is kept, or that were registered by address, are computed anew by workers. The others only their
    owners can bring again: they are listed, each with the works. Call it again at any time: what is done or under way
    is left alone.
    """
    with _registry(data) as sessions:
        found = _look(sessions, begin=not dry_run, per_minute=per_minute)
        if wait and not dry_run:
            _wait(sessions)
            after = _look(sessions, begin=False, per_minute=per_minute)
            found.ask = after.ask
        with db.reading(sessions) as session:
            owners = _owners(session, found.ask)
    Console(stderr=True).print(_summary(found, dry_run=dry_run), highlight=False, markup=False, soft_wrap=True)
    if as_json:
        for owner in owners:
            typer.echo(json.dumps(_facts(owner)))
    elif owners:
        wide_console().print(_table(owners))


@dataclass(frozen=True, slots=True)
class _Owner:
    """Somebody to ask, and for which works."""

    account: UUID
    identity: Identity
    works: Sequence[Stale]


def _look(sessions: sessionmaker[Session], *, begin: bool, per_minute: int) -> _Found:
    """Go through all ready works page by page, each page with its jobs in one transaction."""
    found, begun, start = _Found(), 0, utc_now()
    after: UUID | None = None
    with _progress() as progress:
        with db.reading(sessions) as session:
            total = session.scalar(select(func.count(Work.id)).where(Work.state == WorkState.READY)) or 0
        bar = progress.add_task("works looked at", total=total)
        while True:
            with (db.transaction if begin else db.reading)(sessions) as session:
                page = refingerprinting.find(session, after=after)
                for one in page.stale:
                    if begin and one.way in _NOW:
                        due_at = start + timedelta(minutes=begun / per_minute)
                        refingerprinting.begin(session, [one], due_at=due_at)
                        begun += 1
            _count(found, page.stale)
            progress.advance(bar, page.seen)
            after = page.next_after
            if after is None:
                return found


def _count(found: _Found, stale: Iterable[Stale]) -> None:
    for one in stale:
        found.ways[one.way] += 1
        found.missing.update(one.missing)
        if one.way is Way.OWNER:
            found.ask.setdefault(one.account, []).append(one)


def _wait(sessions: sessionmaker[Session]) -> None:
    """Until no job of ours waits or runs any more; Ctrl-C stops the waiting, not the jobs."""
    under_way = select(func.count(Job.id)).where(
        Job.kind == JobKind.REFINGERPRINT_WORK, Job.state.in_((JobState.WAITING, JobState.RUNNING))
    )
    total = 0
    bar: TaskID | None = None
    with _progress() as progress:
        while True:
            with db.reading(sessions) as session:
                left = session.scalar(under_way) or 0
            total = max(total, left)
            if bar is None:
                bar = progress.add_task("works fingerprinted", total=total)
            progress.update(bar, total=total, completed=total - left)
            if left == 0:
                return
            time.sleep(_POLL_SECONDS)


def _owners(session: Session, ask: Mapping[UUID, Sequence[Stale]]) -> list[_Owner]:
    """Those with the most works first."""
    ids = sorted(ask, key=lambda account: (-len(ask[account]), account))
    owners: list[_Owner] = []
    for start in range(0, len(ids), refingerprinting.PAGE):
        some = ids[start : start + refingerprinting.PAGE]
        accounts = session.scalars(select(Account).where(Account.id.in_(some))).all()
        who = identities.of_accounts(session, accounts)
        owners += [_Owner(account, who[account], ask[account]) for account in some]
    return owners


def _facts(owner: _Owner) -> dict[str, object]:
    return {
        "account": str(owner.account),
        "name": owner.identity.name,
        "contact": owner.identity.contact,
        "works": [
            {"work": str(one.work), "title": one.title, "missing": list(one.missing), "reason": one.reason}
            for one in owner.works
        ],
    }


def _summary(found: _Found, *, dry_run: bool) -> str:
    total = found.ways.total()
    if total == 0:
        return "Every work is known by the algorithms of today."
    verb = "would be" if dry_run else "are"
    parts = [
        f"{found.ways[Way.MEDIA]} {verb} computed anew from media that is kept",
        f"{found.ways[Way.ADDRESS]} {verb} fetched again",
        f"{found.ways[Way.UNDER_WAY]} were under way",
        f"{found.ways[Way.OWNER]} need their owners",
    ]
    return f"{total} works lack {', '.join(sorted(found.missing))}: {'; '.join(parts)}."


def _table(owners: Sequence[_Owner]) -> Table:
    # Ids are there to be copied: they are never cut, however narrow the terminal is.
    table = Table(
        Column("account", no_wrap=True), "name", "contact", "works", "for instance", box=None, padding=(0, 2, 0, 0)
    )
    for owner in owners:
        some = ", ".join(one.title or str(one.work) for one in owner.works[:_SHOWN_WORKS])
        shown = [owner.identity.name or ERASED, owner.identity.contact or "-", str(len(owner.works)), some]
        table.add_row(str(owner.account), *(escape(printable(cell)) for cell in shown))
    return table


def _progress() -> Progress:
    """A bar for whoever watches a terminal; nothing in a log."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        transient=True,
        disable=not sys.stderr.isatty(),
    )


@contextmanager
def _registry(data: Path | None) -> Iterator[sessionmaker[Session]]:
    engine = db.engine(settings.load(data))
    try:
        migrate.upgrade(engine)
        sessions = db.sessions(engine)
        with db.transaction(sessions) as session:
            encryption.prepare(session)
        yield sessions
    finally:
        engine.dispose()
