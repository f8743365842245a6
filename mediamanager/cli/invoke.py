"""Run one command, and turn every way in which it can fail into one line on stderr and an exit status."""

import os
import re
import sys
from collections.abc import Callable
from typing import Final

import typer

from fingerprinting.errors import FingerprintingError
from mediamanager.client.errors import ClientError
from optout.errors import InvalidInputError, OptoutError

EXIT_ERROR = 2
EXIT_USAGE = 64
EXIT_BUG = 70
EXIT_INTERRUPTED = 130

_PYDANTIC: Final = (
    (re.compile(r"\b(?:Value error|Assertion failed), "), ""),
    (re.compile(r"Input should be a valid UUID, .*"), "this is not an id, like 123e4567-e89b-12d3-a456-426614174000"),
    (re.compile(r"Input should be a valid integer, .*"), "this has to be a whole number"),
    (re.compile(r"Input should be a valid number, .*"), "this has to be a number"),
    (re.compile(r"Input should be "), "this has to be "),
)


def invoke(target: typer.Typer | Callable[..., object], program: str, words: list[str]) -> int:
    """Run a command with its words, as `program` in its help, and return its exit status."""
    app = target if isinstance(target, typer.Typer) else as_app(target)
    try:
        status = int(app(args=words, prog_name=program, standalone_mode=False) or 0)
        if status == EXIT_INTERRUPTED:  # Typer takes the KeyboardInterrupt and says nothing
            complain("interrupted")
    except (KeyboardInterrupt, BrokenPipeError):
        raise
    except Exception as error:  # broad: whoever types a command gets one line, and never a traceback
        status = status_of(error)
        if status == EXIT_BUG and os.environ.get("MEDIAMANAGER_DEBUG"):
            raise
        complain(_line(error, program))
    return status


def as_app(function: Callable[..., object]) -> typer.Typer:
    """Wrap one function as a command line of its own, without the completion options that only clutter its help."""
    app = typer.Typer(add_completion=False, rich_markup_mode="markdown", pretty_exceptions_enable=False)
    app.command()(function)
    return app


def status_of(error: Exception) -> int:
    """64 for wrong usage, 2 for anything that could not be done, 70 for a bug of ours."""
    if isinstance(error, InvalidInputError) or (isinstance(error, typer.TyperException) and error.exit_code != 1):
        return EXIT_USAGE
    if isinstance(error, (typer.TyperException, typer.Abort, OptoutError, FingerprintingError, ClientError, OSError)):
        return EXIT_ERROR
    return EXIT_BUG


def complain(message: str) -> None:
    """Print one line on stderr, whatever the message holds."""
    sys.stderr.write(f"error: {' '.join(message.split())}\n")


def _in_plain_words(message: str) -> str:
    """What Typer hands through from pydantic, without what only programmers can make something of."""
    for pattern, words in _PYDANTIC:
        message = pattern.sub(words, message)
    return message


def _line(error: Exception, program: str) -> str:
    match error:
        case typer.TyperException():
            message = error.format_message().strip()
            if not message or message.startswith("Usage:"):  # a group without a command carries its whole help page
                message = "Missing command"
            # Of a group, the command that was meant: its help is the one that says more.
            context = getattr(error, "ctx", None)
            asked = program if context is None else context.command_path
            return f"{_in_plain_words(message).rstrip('.')} (see `{asked} --help`)"
        case typer.Abort():
            return "stopped: nothing was confirmed"
        case OSError() if error.filename:
            return f"{error.filename}: {error.strerror}"
        case OptoutError() | FingerprintingError() | ClientError() | OSError():
            return str(error)
    return f"a bug of ours: {type(error).__name__}: {error} (MEDIAMANAGER_DEBUG=1 shows where)"
