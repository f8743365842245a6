"""How a process of the registry logs: a line a record, for people or as JSON, with the request that it belongs to.

Records name things by their ids in `extra=`. Should a secret find its way into a message or a traceback all the same,
it is struck out here, at the last door.
"""

import json
import logging
import re
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final, TextIO

from optout.store import tracing
from optout.store.settings import LogFormat

LEVELS: Final = ("DEBUG", "INFO", "WARNING", "ERROR")

# API keys, one-time links, and the user:password of a URL.
_SECRETS: Final = (
    (re.compile(r"\bcrk_[a-z]+_[0-9A-Za-z_]+"), "crk_***"),
    (re.compile(r"(/sign-in/link/)[^\s/?#\"']+"), r"\1***"),
    (re.compile(r"(\b[a-z][a-z0-9+.-]*://)[^\s/@\"']+@"), r"\1***@"),
)
# Libraries that print addresses, headers, SQL or bodies at these levels; what they may say begins at WARNING.
TALKATIVE: Final = ("httpcore2", "httpx2", "sqlalchemy", "botocore", "boto3", "s3transfer", "urllib3", "yt_dlp")

_STANDARD: Final = frozenset(vars(logging.LogRecord("", 0, "", 0, "", (), None))) | {
    "message",
    "asctime",
    "taskName",
    "color_message",  # uvicorn says the same again for terminals
}


def configure(level: str, log_format: LogFormat, *, process: str, stream: TextIO | None = None) -> None:
    """Send every record of this process to `stream` (standard error) from now on.

    Args:
        level: one of LEVELS.
        log_format: a line for people, or a JSON object a line.
        process: what the process is: api, worker.
        stream: where to, if not to standard error.
    """
    handler = logging.StreamHandler(stream or sys.stderr)
    formatter = JsonLines(process) if log_format is LogFormat.JSON else HumanLines(process)
    handler.setFormatter(formatter)
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for name in TALKATIVE:
        logging.getLogger(name).setLevel(max(logging.WARNING, logging.getLogger().level))


def without_secrets(text: str) -> str:
    """The text with everything struck out that looks like a secret of ours."""
    for pattern, instead in _SECRETS:
        text = pattern.sub(instead, text)
    return text


class JsonLines(logging.Formatter):
    """A JSON object a record: time, level, process, logger, message, request_id, what `extra` held, and the error."""

    def __init__(self, process: str) -> None:
        super().__init__()
        self._process = process

    def format(self, record: logging.LogRecord) -> str:
        """Write one record."""
        fields: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "process": self._process,
            "logger": record.name,
            "message": without_secrets(record.getMessage()),
            **_context(record),
        }
        if record.exc_info:
            fields["error"] = without_secrets(self.formatException(record.exc_info))
        return json.dumps(fields, ensure_ascii=False)


class HumanLines(logging.Formatter):
    """A line that a person reads, with the same facts behind its sentence."""

    def __init__(self, process: str) -> None:
        super().__init__(f"%(asctime)s %(levelname)s {process} %(name)s: %(message)s")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's name for it
        """Write the line; a traceback follows below it."""
        facts = "".join(f" {name}={value}" for name, value in _context(record).items())
        # What a record says may hold line ends; a record never looks like two.
        return (super().formatMessage(record) + facts).replace("\r", "\\r").replace("\n", "\\n")

    def format(self, record: logging.LogRecord) -> str:
        """Write one record."""
        return without_secrets(super().format(record))


def _context(record: logging.LogRecord) -> Mapping[str, object]:
    extra = {name: _plain(value) for name, value in vars(record).items() if name not in _STANDARD and name[0] != "_"}
    request_id = tracing.current()
    return {"request_id": request_id, **extra} if request_id is not None else extra


def _plain(value: object) -> object:
    if value is None or isinstance(value, bool | int | float):
        return value
    return without_secrets(str(value))
