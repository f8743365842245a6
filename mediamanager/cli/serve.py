"""`mediamanager serve`: the registry in one command, with its worker as a child and everything in one folder."""

import contextlib
import fcntl
import json
import os
import signal
import socket
import sys
import threading
import webbrowser
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Final
from uuid import UUID

import typer
import uvicorn

from mediamanager import http_server, warming
from mediamanager.app import create_app
from mediamanager.cli.processes import begin_log, require_prepared
from mediamanager.doctor.findings import LOCK_FILE
from mediamanager.supervisor import Supervisor
from optout.errors import ConflictError, NotFoundError
from optout.ledger import keys, publish
from optout.registry import accounts, sessions
from optout.store import db, encryption, migrate, settings
from optout.store.models.accounts import Role
from optout.store.settings import LogFormat, Settings
from optout.store.storage_url import open_storage
from workers.app import is_embedded

_EVERYWHERE: Final = ("0.0.0.0", "::", "")
_OPERATOR_FILE: Final = "operator.json"


def serve(
    *,
    data: Annotated[
        Path | None, typer.Option("--data", help="Folder for everything: database, media, log, keys.")
    ] = None,
    host: Annotated[str, typer.Option(help="Address to listen on; 0.0.0.0 is every network.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 picks a free one and prints it.")] = 8000,
    open_browser: Annotated[bool, typer.Option("--open-browser", help="Open the sign-in link in a browser.")] = False,
    ready_file: Annotated[
        Path | None,
        typer.Option(help="Written when requests are answered: a JSON object with url, port, pid, sign_in."),
    ] = None,
    log_level: Annotated[str, typer.Option(help="debug, info, warning or error.")] = "warning",
    log_format: Annotated[
        LogFormat | None, typer.Option(help="How log lines look; else MEDIAMANAGER_LOG_FORMAT.")
    ] = None,
    worker: Annotated[
        bool, typer.Option("--worker/--no-worker", help="Whether to run a worker as a child (embedded broker only).")
    ] = True,
) -> None:
    """Run the registry; everything it keeps lies in one folder, and nothing else needs to be installed or running.

    With another broker (`MEDIAMANAGER_BROKER_URL`) this is the API alone, any number of processes: see `mediamanager
    migrate`, `mediamanager worker` and `mediamanager beat`.
    """
    level = begin_log(settings.load(data, log_format=log_format), log_level, process="api")
    with contextlib.ExitStack() as stack:
        # From here on a signal ends the block in order; uvicorn puts its own handlers over these and back again.
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, _stop)
        listener = stack.enter_context(_listening(host, port))
        actual_port = listener.getsockname()[1]
        chosen = _settings(data, host, actual_port, log_format)
        if is_embedded(chosen):
            if worker:
                stack.enter_context(_alone(chosen))
            link = _prepare(chosen)
        else:
            link = None
            require_prepared(chosen)
        if is_embedded(chosen) and worker:
            supervisor = Supervisor(chosen, log_level=level)
            supervisor.start()
            stack.callback(supervisor.stop)
        stack.enter_context(warming.beside())
        announce = _Announcement(chosen, actual_port, link, ready_file, open_browser=open_browser)
        _run(chosen, listener, level, announce)


def _stop(number: int, _frame: object) -> None:
    raise SystemExit(0 if number == signal.SIGTERM else 130)


@contextlib.contextmanager
def _listening(host: str, port: int) -> Iterator[socket.socket]:
    """A socket on the address; taken first, so that a port in use is found before anything is written."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host, port), family=family, backlog=2048)
    except OSError as error:
        raise ConflictError(f"can't listen on {host}:{port}: {error.strerror}; choose another --port") from error
    with listener:
        yield listener


def _settings(data: Path | None, host: str, port: int, log_format: LogFormat | None = None) -> Settings:
    """What the environment says, with the data folder, the address and the log of this call."""
    found = settings.load(data, log_format=log_format)
    # The worker has another working folder.
    folder = found.data_folder.absolute()
    address = None
    if "public_url" not in found.model_fields_set:
        name = "127.0.0.1" if host in _EVERYWHERE else host
        address = f"http://[{name}]:{port}" if ":" in name else f"http://{name}:{port}"
    return settings.load(folder, log_format=log_format, public_url=address)


@contextlib.contextmanager
def _alone(chosen: Settings) -> Iterator[None]:
    """Hold the folder's lock: two registries on one folder would take one another's jobs for lost.

    The file tells `mediamanager doctor` where this registry answers.

    Raises:
        ConflictError: another process serves this folder.
    """
    data_folder = chosen.data_folder
    data_folder.mkdir(parents=True, exist_ok=True)
    with (data_folder / LOCK_FILE).open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise ConflictError(f"another registry already serves {data_folder}; stop it first") from error
        lock.truncate(0)
        lock.write(f"{chosen.public_url}\n")
        lock.flush()
        yield


def _prepare(chosen: Settings) -> str:
    """Bring schema and keys up to date, and begin the log; a one-time sign-in link for the operator."""
    engine = db.engine(chosen)
    try:
        migrate.upgrade(engine)
        with db.transaction(db.sessions(engine)) as session:
            log_keys = keys.prepare(session, chosen)
            encryption.prepare(session)
            note = chosen.data_folder / _OPERATOR_FILE
            try:
                account = accounts.get_account(session, UUID(json.loads(note.read_text(encoding="utf-8"))["account"]))
            except (FileNotFoundError, NotFoundError, ValueError, KeyError):  # the first start, or a damaged note
                account = accounts.create_account(session, name=chosen.operator_name)
                _write(note, {"account": str(account.id)})
            token = sessions.create_link(session, account.id, list(Role))
        publish.begin(db.sessions(engine), open_storage(chosen), log_keys.log)
    finally:
        engine.dispose()
    return f"{chosen.public_url}/sign-in/link/{token}"


def _write(path: Path, fields: dict[str, object]) -> None:
    """Write a JSON object, whole or not at all."""
    aside = path.with_name(f".{path.name}.part")
    aside.write_text(json.dumps(fields), encoding="utf-8")
    aside.replace(path)


class _Announcement:
    """What is said once requests are answered."""

    def __init__(
        self, chosen: Settings, port: int, link: str | None, ready_file: Path | None, *, open_browser: bool
    ) -> None:
        self._settings = chosen
        self._port = port
        self._link = link
        self._ready_file = ready_file
        self._open_browser = open_browser

    def make(self) -> None:
        """Print it, write the ready file, open the browser."""
        url, folder = self._settings.public_url, self._settings.data_folder.absolute()
        typer.echo(f"Media Manager is running at {url}")
        if self._link is not None:
            typer.echo(f"  data     {folder}")
            typer.echo(f"  sign in  {self._link}")
            typer.echo(
                f"           (once, within {self._settings.sign_in_link_minutes:g} minutes; a restart makes a new one)"
            )
            typer.echo(f"  keys     mediamanager keys create --data {folder} --role creator --name NAME")
            typer.echo("  stop     Ctrl-C")
        sys.stdout.flush()
        if self._ready_file is not None:
            ready = {"url": url, "port": self._port, "pid": os.getpid(), "data": str(folder), "sign_in": self._link}
            _write(self._ready_file, ready)
        if self._open_browser:
            # A browser that takes its time must not hold up the server.
            threading.Thread(target=webbrowser.open, args=(self._link or url,), daemon=True).start()


class _Server(uvicorn.Server):
    """uvicorn, with a word once it answers."""

    def __init__(self, config: uvicorn.Config, announcement: _Announcement) -> None:
        super().__init__(config)
        self._announcement = announcement

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then announce."""
        await super().startup(sockets)
        if self.started and not self.should_exit:
            self._announcement.make()


def _run(chosen: Settings, listener: socket.socket, level: str, announcement: _Announcement) -> None:
    config = http_server.config(create_app(chosen), chosen, log_level=level)
    server = _Server(config, announcement)
    server.run(sockets=[listener])
    if not server.started:
        raise ConflictError("the registry did not start; the lines above say why")
