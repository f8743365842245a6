"""The `mediamanager` command: a table of commands, each imported only when it runs."""

import atexit
import difflib
import gc
import importlib
import importlib.metadata
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

PROGRAM = "mediamanager"

EXIT_ERROR = 2
EXIT_USAGE = 64
EXIT_INTERRUPTED = 130

_OURS = {"fingerprinting", "optout", "workers", "mediamanager"}


@dataclass(frozen=True, slots=True)
class Command:
    """Where a command lives.

    Attributes:
        target: `module:attribute`; the attribute is a `typer.Typer`, or a function that becomes a command of its own.
        summary: one line for `mediamanager --help`, so that help imports no command.
        extra: the extra of the package that it needs, named when something is not installed.
    """

    target: str
    summary: str
    extra: str | None = None


# In the order of the help page. A new command adds its line here and nothing else.
COMMANDS: dict[str, Command] = {
    "serve": Command("mediamanager.cli.serve:serve", "Run the registry; embedded by default.", "server"),
    "migrate": Command(
        "mediamanager.cli.processes:migrate_registry", "Bring database, storage and keys up to date.", "server"
    ),
    "worker": Command("mediamanager.cli.processes:worker", "Do a registry's jobs, on any machine.", "server"),
    "beat": Command("mediamanager.cli.processes:beat", "Send what is due to the workers, every few seconds.", "server"),
    "register": Command("mediamanager.cli.register:register", "Register works, and say what may be done with them."),
    "works": Command("mediamanager.cli.works:app", "List your works, and how they stand."),
    "claims": Command("mediamanager.cli.claims:app", "File, show, amend or withdraw a claim; what applied when."),
    "collections": Command("mediamanager.cli.collections:app", "Channels, domains and albums that share a claim."),
    "listings": Command("mediamanager.cli.listings:app", "Channels and playlists, and how far they are read."),
    "grants": Command("mediamanager.cli.grants:app", "Permit one pipeline what others are refused; fetch yours."),
    "matches": Command("mediamanager.cli.matches:app", "Report a wrong match; settle reports about your works."),
    "keys": Command("mediamanager.cli.keys:app", "Create, list and revoke API keys.", "server"),
    "reindex": Command("mediamanager.cli.reindex:reindex", "Fingerprint works by newer algorithms.", "server"),
    "encryption": Command(
        "mediamanager.cli.encryption:app", "Check and replace the keys that seal personal data.", "server"
    ),
    "jobs": Command("mediamanager.cli.jobs:app", "List what workers do and what failed; try it again.", "server"),
    "doctor": Command(
        "mediamanager.cli.doctor:doctor", "Say what is wrong with a registry, and how to mend it.", "server"
    ),
    "fingerprint": Command("mediamanager.cli.fingerprint:fingerprint", "Fingerprint files here, and print the result."),
    "check": Command("mediamanager.cli.check:check", "Ask whether files may be used: a line per file."),
    "filter": Command(
        "mediamanager.cli.filter:filter_input", "Keep what may be used; set the rest aside with reasons."
    ),
    "catalogue": Command("mediamanager.cli.catalogue:app", "Build, inspect and verify a catalogue, with no server."),
    "warmup": Command("mediamanager.cli.warmup:warmup", "Compile in advance what large catalogues are searched with."),
    "audit": Command("mediamanager.cli.audit:app", "Verify the public log and receipts, offline."),
}


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit with its status; an error is one line on stderr, never a traceback."""
    # The interpreter's last collections would look at each object of every library: seconds, in which nothing is freed
    # that the end of the process doesn't free.
    atexit.register(gc.freeze)
    try:
        status = _run(list(sys.argv[1:] if arguments is None else arguments))
        sys.stdout.flush()
    except KeyboardInterrupt:
        _complain("interrupted")
        status = EXIT_INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has seen enough (`… | head`); closing stdout at exit must not complain a second time.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = EXIT_ERROR
    sys.exit(status)


def version() -> str:
    """Return the installed version, or say that this is a source tree that was never installed."""
    try:
        return importlib.metadata.version(PROGRAM)
    except importlib.metadata.PackageNotFoundError:
        return "uninstalled"


def _run(words: list[str]) -> int:
    if not words or words[0] in {"--help", "-h", "help"}:
        sys.stdout.write(_help())
        return 0 if words else EXIT_USAGE
    if words[0] in {"--version", "-V", "version"}:
        sys.stdout.write(f"{PROGRAM} {version()}\n")
        return 0
    command = COMMANDS.get(words[0])
    if command is None:
        return _unknown(words[0])
    from mediamanager.cli.invoke import invoke  # noqa: PLC0415 - Typer is loaded only where a command runs

    # Before NumPy is loaded: our matrices are small, and each thread of its library would only hold memory.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    try:
        target = _loaded(command)
    except ModuleNotFoundError as error:
        return _not_installed(words[0], command, error)
    return invoke(target, f"{PROGRAM} {words[0]}", words[1:])


def _loaded(command: Command) -> Any:
    """Import a command. What that loads stays until the end of the process: the collector leaves it alone."""
    module, attribute = command.target.split(":")
    is_new = module not in sys.modules
    if is_new:
        gc.disable()  # it would look through all of it several times, a tenth of the start
    try:
        return getattr(importlib.import_module(module), attribute)
    finally:
        if is_new:
            gc.freeze()
            gc.enable()


def _unknown(word: str) -> int:
    near = difflib.get_close_matches(word, COMMANDS, n=1)
    _complain(f"there is no command `{word}`: " + (f"did you mean `{near[0]}`?" if near else f"see `{PROGRAM} --help`"))
    return EXIT_USAGE


def _not_installed(name: str, command: Command, error: ModuleNotFoundError) -> int:
    if error.name is None or error.name.split(".")[0] in _OURS:
        _complain(f"`{name}` is not part of this installation ({error.name} is missing)")
    else:
        # Not by name: it is on no package index yet, and whoever puts something of that name there could be anybody.
        wanted = f".[{command.extra}]" if command.extra else "."
        _complain(
            f"`{name}` needs {error.name}, which is not installed: pip install '{wanted}' in a clone of {PROGRAM}"
        )
    return EXIT_ERROR


def _complain(message: str) -> None:
    sys.stderr.write(f"error: {message}\n")


def _help() -> str:
    width = max(map(len, COMMANDS))
    commands = [f"  {name:<{width}}  {command.summary}" for name, command in COMMANDS.items()]
    return "\n".join(
        [
            f"Usage: {PROGRAM} COMMAND [ARGS]...",
            "",
            "Creators say whether their work may train AI; pipelines ask, and obey.",
            "",
            "Commands:",
            *commands,
            "",
            f"`{PROGRAM} COMMAND --help` explains one command; `{PROGRAM} --version` prints the version.",
            "",
        ]
    )
