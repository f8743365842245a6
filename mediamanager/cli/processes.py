"""`mediamanager migrate`, `worker` and `beat`: the processes of a registry on several machines, beside `serve`."""

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, TypeAlias

import typer

from optout.errors import InvalidInputError
from optout.ledger import keys, publish
from optout.store import db, encryption, migrate, settings
from optout.store.settings import LogFormat, Settings
from optout.store.storage_url import open_storage
from workers import dispatch, logs, ticker
from workers import worker as workers_worker
from workers.resources import Resources, open_resources

DataOption: TypeAlias = Annotated[
    Path | None, typer.Option("--data", help="The registry's data folder; else MEDIAMANAGER_DATA_FOLDER.")
]
LogLevelOption: TypeAlias = Annotated[str, typer.Option(help="debug, info, warning or error.")]
LogFormatOption: TypeAlias = Annotated[
    LogFormat | None, typer.Option(help="How log lines look; else MEDIAMANAGER_LOG_FORMAT.")
]
ReadyOption: TypeAlias = Annotated[
    Path | None, typer.Option(help="Written with the process id when work can begin; removed at the end.")
]


def migrate_registry(*, data: DataOption = None) -> None:
    """Bring database, object store and keys to what this version needs; run it before the processes of a new version.

    A new registry gets its bucket, its keys and an empty, signed log. A log that has begun never gets other keys than
    its own: `keys/` in the data folder has to be the same on every machine, or the keys come from the environment.
    """
    chosen = settings.load(data)
    engine = db.engine(chosen)
    try:
        migrate.upgrade(engine)
        typer.echo("database  up to date")
        typer.echo(f"storage   {_prepare_storage(chosen)}")
        with db.transaction(db.sessions(engine)) as session:
            log_keys = keys.prepare(session, chosen)
            encryption.prepare(session)
        typer.echo(f"keys      of {log_keys.origin}: ready")
        publish.begin(db.sessions(engine), open_storage(chosen), log_keys.log)
        typer.echo("log       begun")
    finally:
        engine.dispose()


def worker(
    *,
    data: DataOption = None,
    threads: Annotated[
        int | None, typer.Option(min=1, max=64, help="Jobs done at once; one a core if left out, two at least.")
    ] = None,
    ready_file: ReadyOption = None,
    log_level: LogLevelOption = "info",
    log_format: LogFormatOption = None,
) -> None:
    """Do jobs: fetch, fingerprint, publish the log. Any number of these may run; SIGTERM stops one in order."""
    chosen = settings.load(data, log_format=log_format)
    level = begin_log(chosen, log_level, process="worker")
    with _ready(ready_file) as say:
        resources = open_prepared(chosen)
        app = dispatch.connect(resources.settings)
        status = workers_worker.run(
            resources,
            app,
            threads=threads or workers_worker.default_threads(),
            log_level=level,
            when_ready=say,
            when_cut_off=lambda: _unsay(ready_file),
        )
    raise typer.Exit(status)


def beat(
    *,
    data: DataOption = None,
    ready_file: ReadyOption = None,
    log_level: LogLevelOption = "info",
    log_format: LogFormatOption = None,
) -> None:
    """Send workers what is due and nobody does, and clean up. One of these is needed; several do no harm."""
    chosen = settings.load(data, log_format=log_format)
    begin_log(chosen, log_level, process="beat")
    ended = threading.Event()

    def end(_number: int, _frame: object) -> None:
        ended.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, end)
    with _ready(ready_file) as say:
        resources = open_prepared(chosen)
        app = dispatch.connect(resources.settings)
        say()
        ticker.run(resources, app, ended)
    resources.engine.dispose()


def begin_log(chosen: Settings, level: str, *, process: str) -> str:
    """Log from now on as the settings say; the level as `logging` names it.

    Raises:
        InvalidInputError: there is no such level.
    """
    name = level.upper()
    if name not in logs.LEVELS:
        raise InvalidInputError("the log level is debug, info, warning or error", field="log-level")
    logs.configure(name, chosen.log_format, process=process)
    return name


def require_prepared(chosen: Settings) -> None:
    """Make sure that `mediamanager migrate` was run for this version, and that this process has the registry's keys.

    Raises:
        ConflictError, InvalidInputError, LogIntegrityError, MasterKeyError, StorageUnavailableError: it was not, or
            it has not; each says what to do.
    """
    engine = db.engine(chosen)
    try:
        migrate.require_current(engine)
        keys.open_keys(chosen)
        with db.transaction(db.sessions(engine)) as session:
            encryption.prepare(session)
    finally:
        engine.dispose()


def open_prepared(chosen: Settings) -> Resources:
    """What a worker opens, on a registry that is prepared.

    Raises:
        ConflictError, InvalidInputError, LogIntegrityError, MasterKeyError, StorageUnavailableError: as
            `require_prepared`.
    """
    require_prepared(chosen)
    return open_resources(chosen)


def _prepare_storage(chosen: Settings) -> str:
    storage = open_storage(chosen)
    if not chosen.storage_url.startswith("s3:"):
        return chosen.storage_url
    from optout.store.s3 import S3Store  # noqa: PLC0415 - boto3 takes a third of a second to import

    made = isinstance(storage, S3Store) and storage.create_bucket()
    return f"{chosen.storage_url} ({'the bucket is new' if made else 'the bucket is there'})"


@contextlib.contextmanager
def _ready(file: Path | None) -> Iterator[Callable[[], None]]:
    """Gives what says that work can begin; unsays it at the end, and at the start what one that was killed left."""
    _unsay(file)

    def say() -> None:
        typer.echo("ready")
        sys.stdout.flush()
        if file is not None:
            file.write_text(f"{os.getpid()}\n", encoding="utf-8")

    try:
        yield say
    finally:
        _unsay(file)


def _unsay(file: Path | None) -> None:
    if file is not None:
        file.unlink(missing_ok=True)
