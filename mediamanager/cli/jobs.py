"""`mediamanager jobs`: what workers have to do, what failed and why, and trying it again."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Annotated, TypeAlias
from uuid import UUID

import typer
from rich.markup import escape
from rich.table import Column, Table
from sqlalchemy.orm import Session

from mediamanager.cli.tables import printable, wide_console
from optout.errors import InvalidInputError
from optout.registry import abandoned
from optout.store import db, job_lists, jobs, migrate, settings
from optout.store.models.base import utc_now
from optout.store.models.jobs import Job, JobKind, JobState
from optout.store.settings import Settings
from workers import dispatch

app = typer.Typer(add_completion=False, no_args_is_help=True, help="List what workers do and what failed; try again.")

DataOption: TypeAlias = Annotated[
    Path | None, typer.Option("--data", help="The registry's data folder; else MEDIAMANAGER_DATA_FOLDER.")
]
JsonOption: TypeAlias = Annotated[bool, typer.Option("--json", help="Print a JSON object a line.")]


@app.command("list")
def list_jobs(
    *,
    state: Annotated[JobState | None, typer.Option(help="Only jobs that stand so.")] = None,
    kind: Annotated[JobKind | None, typer.Option(help="Only jobs of this kind.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many at most.")] = 50,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """List jobs, newest first, with their ages, their attempts, and why the last one failed."""
    with _registry(data) as (_settings, session):
        page = job_lists.page(session, limit=limit, state=state, kind=kind)
    if as_json:
        for job in page.jobs:
            typer.echo(json.dumps(_facts(job)))
        return
    if not page.jobs:
        typer.echo("No such jobs." if state or kind else "No jobs yet.")
        return
    wide_console().print(_table(page.jobs))
    if page.total > len(page.jobs):
        typer.echo(f"{len(page.jobs)} of {page.total}; --limit shows more.")


@app.command()
def show(
    *,
    job: Annotated[UUID, typer.Argument(help="Id of the job, as `jobs list` shows it.")],
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show everything about one job."""
    with _registry(data) as (_settings, session):
        facts = _facts(job_lists.get(session, job))
    if as_json:
        typer.echo(json.dumps(facts))
        return
    for name, value in facts.items():
        typer.echo(f"{name:<13}{'-' if value is None else printable(str(value))}")


@app.command()
def replay(
    *,
    job: Annotated[list[UUID] | None, typer.Argument(help="Ids of parked jobs.")] = None,
    state: Annotated[JobState | None, typer.Option(help="`parked`: all of them, instead of ids.")] = None,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Give parked jobs all their attempts back; the first begins at once. Mend the reason first."""
    if (state is None) == (not job) or state not in {None, JobState.PARKED}:
        raise InvalidInputError("name the jobs to replay, or say --state parked for all of them", field="job")
    with _registry(data) as (chosen, session):
        ids = list(job) if job else [one.id for one in jobs.parked(session)]
        replayed = [abandoned.replay(session, one) for one in ids]
        dispatch.connect(chosen)
        db.after_commit(session, lambda: dispatch.nudge(ids))
    if as_json:
        for one in replayed:
            typer.echo(json.dumps(_facts(one)))
        return
    typer.echo(f"tried again: {len(replayed)}" if replayed else "No job is parked.")


@contextmanager
def _registry(data: Path | None) -> Iterator[tuple[Settings, Session]]:
    """A transaction in the registry's database, which is made if it is not there yet."""
    chosen = settings.load(data)
    engine = db.engine(chosen)
    try:
        migrate.upgrade(engine)
        with db.transaction(db.sessions(engine)) as session:
            yield chosen, session
    finally:
        engine.dispose()


def _facts(job: Job) -> dict[str, object]:
    return {
        "job": str(job.id),
        "kind": job.kind,
        "subject": job.subject or None,
        "state": job.state,
        "attempts": job.attempts,
        "error_code": job.error_code,
        "error": job.error_sentence,
        "request_id": job.request_id,
        "created_at": job.created_at.isoformat(),
        "due_at": job.due_at.isoformat(),
        "lease_until": _iso(job.lease_until),
        "finished_at": _iso(job.finished_at),
    }


def _table(shown: Sequence[Job]) -> Table:
    # Ids are there to be copied: they are never cut, however narrow the terminal is.
    table = Table(
        Column("job", no_wrap=True), "kind", "state", "age", "attempts", "reason", box=None, padding=(0, 2, 0, 0)
    )
    for job in shown:
        reason = f"{job.error_code}: {job.error_sentence}" if job.error_code else ""
        table.add_row(str(job.id), job.kind, job.state, _age(job), str(job.attempts), escape(printable(reason)))
    return table


def _age(job: Job) -> str:
    seconds = int((utc_now() - job.created_at).total_seconds())
    for unit, length in (("d", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= length:
            return f"{seconds // length} {unit}"
    return f"{max(0, seconds)} s"


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()
