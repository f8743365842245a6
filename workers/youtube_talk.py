"""What is said with yt-dlp in its child: its requests, served by our guarded client, until its last word."""

import base64
import io
import json
import re
import socket
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Final, Generic, Literal, TypeAlias, TypeVar
from urllib.parse import urlsplit

from pydantic import Base64Bytes, BaseModel, ConfigDict, Field

from workers.errors import FetchFailedError, FetchRefusedError, FetchTooLargeError
from workers.fetch import Ask, FetchLimits, fetch
from workers.network import Guard
from workers.nursery import is_readable

_DOMAINS: Final = ("youtube.com",)
_MAX_REQUESTS: Final = 24
_MAX_BYTES: Final = 24 * 1024 * 1024
_MAX_HEARD_BYTES: Final = 48 * 1024 * 1024
"""Of everything that the child says: its requests, and captions of the largest size in base64."""
_STEP: Final = 256 * 1024
_TOO_MANY_REQUESTS: Final = 429
_CONSENT_HOST: Final = re.compile(r"consent\.(?:youtube|google)\.[a-z.]+")

# The client says these itself; a child that was taken over must not.
_OWN_HEADERS: Final = frozenset({"host", "connection", "content-length", "transfer-encoding", "accept-encoding"})


class Said(BaseModel):
    """What a child says is checked to the letter: hostile bytes may have taken it over."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class PageRequest(Said):
    """What the child wants of the web."""

    method: Literal["GET", "POST"]
    url: str = Field(max_length=8000)
    headers: dict[str, str] = Field(max_length=64)
    body: Base64Bytes | None


class Line(Said):
    """A line of the child: a request, or more in classes of this one. `failed` is always its last word."""

    ask: PageRequest | None = None
    failed: str | None = None

    def is_last(self) -> bool:
        """Whether nothing follows."""
        return self.failed is not None


Client: TypeAlias = Callable[[PageRequest, float], dict[str, object]]
"""From a request and a deadline to `url`, `media_type` and `body` in base64, or to `error` and perhaps `status`."""

Spoken = TypeVar("Spoken", bound=Line)


def guarded_client(guard: Guard, domains: tuple[str, ...] = _DOMAINS) -> Client:
    """The way to YouTube, or to these domains of it, and to nothing else."""
    narrow = replace(guard, domains=domains)

    def client(request: PageRequest, deadline: float) -> dict[str, object]:
        headers = {name: value for name, value in request.headers.items() if name.lower() not in _OWN_HEADERS}
        limits = FetchLimits(max_bytes=_MAX_BYTES, max_seconds=max(0.0, deadline - time.monotonic()))
        into = io.BytesIO()
        try:
            ask = Ask(request.method, headers, request.body)
            fetched = fetch(request.url, into, guard=narrow, limits=limits, ask=ask)
        except (FetchFailedError, FetchRefusedError, FetchTooLargeError) as error:
            known = {name: error.parameters[name] for name in ("status", "host") if name in error.parameters}
            return {"error": str(error), **known}
        body = base64.b64encode(into.getvalue()).decode("ascii")
        return {"url": fetched.url, "media_type": fetched.media_type, "body": body}

    return client


class Conversation(Generic[Spoken]):
    """What is said with one child, from its first request to its last word.

    Attributes:
        was_told_to_wait: YouTube answered that too much is asked of it (429).
        met_consent_page: YouTube wanted a person to agree to cookies instead of answering.
    """

    def __init__(self, client: Client, kind: type[Spoken], *, max_requests: int = _MAX_REQUESTS) -> None:
        """Serve at most `max_requests` requests by `client`; lines are of one kind."""
        self.was_told_to_wait = False
        self.met_consent_page = False
        self._client = client
        self._kind = kind
        self._max_requests = max_requests
        self._requests = 0
        self._heard = bytearray()
        self._heard_bytes = 0

    def listen(self, child: socket.socket, deadline: float, each: Callable[[Spoken], None] | None = None) -> Spoken:
        """Serve the child's requests until its last word, which may be why there is nothing (`failed`).

        Args:
            child: the socket to it.
            deadline: of `time.monotonic()`.
            each: takes lines that are neither a request nor the last word. Without it there are none.
        """
        while True:
            text = self._line(child, deadline)
            if text is None:
                return self._kind(failed="reading its answer took too long or broke off")
            try:
                line = self._kind.model_validate_json(text)
            except ValueError:
                return self._kind(failed="its answer could not be read")
            if line.is_last():
                return line
            if line.ask is None and each is not None:
                each(line)
                continue
            self._requests += 1
            if line.ask is None or self._requests > self._max_requests:
                return self._kind(failed="it takes too many requests")
            reply = self._client(line.ask, deadline)
            self._look_at(reply)
            child.settimeout(max(0.1, deadline - time.monotonic()))
            try:
                child.sendall(json.dumps(reply).encode() + b"\n")
            except OSError:
                return self._kind(failed="reading its answer broke off")

    def _look_at(self, reply: dict[str, object]) -> None:
        self.was_told_to_wait |= reply.get("status") == _TOO_MANY_REQUESTS
        host = reply.get("host") or urlsplit(str(reply.get("url", ""))).hostname or ""
        self.met_consent_page |= bool(_CONSENT_HOST.fullmatch(str(host)))

    def _line(self, child: socket.socket, deadline: float) -> bytes | None:
        """The next line; None if the child ended, says too much, or is too slow."""
        while (end := self._heard.find(b"\n")) < 0:
            if self._heard_bytes > _MAX_HEARD_BYTES or not is_readable(child, deadline):
                return None
            try:
                piece = child.recv(_STEP)
            except OSError:
                return None
            if not piece:
                return None
            self._heard += piece
            self._heard_bytes += len(piece)
        line = bytes(self._heard[:end])
        del self._heard[: end + 1]
        return line
