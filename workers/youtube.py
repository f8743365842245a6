"""A YouTube link to the captions of its video: yt-dlp in a sandboxed child without a network, and our guarded client.

One track a video: what a person wrote in the language that is spoken, else YouTube's own recognition of it. Machine
translations are never taken: they share almost nothing with human captions of that language. A video without captions
today may have them tomorrow (or YouTube holds them back), so that is a failure to try again, never "no speech".
"""

import base64
import io
import json
import re
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final, Literal, TypeAlias

from pydantic import Base64Bytes, BaseModel, ConfigDict, Field

from optout.consent import identifiers
from workers import sandbox
from workers.errors import FetchFailedError, FetchRefusedError, FetchTooLargeError
from workers.fetch import Ask, FetchLimits, fetch
from workers.network import Guard
from workers.nursery import is_readable

_REMEDY: Final = "Register a file of the captions instead (.vtt, .srt)."

JSON3_NAME: Final = "captions.json3"

_DOMAINS: Final = ("youtube.com",)
_VIDEO_ID: Final = re.compile(r"[0-9A-Za-z_-]{11}")
_ALLOWANCE: Final = sandbox.Allowance(cpu_seconds=60, wall_seconds=90.0)
_MAX_REQUESTS: Final = 24
_MAX_BYTES: Final = 24 * 1024 * 1024
_MAX_HEARD_BYTES: Final = 48 * 1024 * 1024
"""Of everything that the child says: its requests, and captions of the largest size in base64."""
_STEP: Final = 256 * 1024

# The client says these itself; a child that was taken over must not.
_OWN_HEADERS: Final = frozenset({"host", "connection", "content-length", "transfer-encoding", "accept-encoding"})


@dataclass(frozen=True, slots=True)
class Captions:
    """The captions of one video.

    Attributes:
        video_id: eleven characters.
        channel: the id of the channel that it is on (UC and 22 characters); None if YouTube did not say.
        title: as YouTube names the video; None if it did not.
        language: of the track, as YouTube writes it (`en`, `pt-BR`).
        automatic: whether YouTube's recognition made it, not a person.
        data: the track in YouTube's json3 form.
    """

    video_id: str
    channel: str | None
    title: str | None
    language: str
    automatic: bool
    data: bytes


class _Said(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class PageRequest(_Said):
    """What the child wants of the web."""

    method: Literal["GET", "POST"]
    url: str = Field(max_length=8000)
    headers: dict[str, str] = Field(max_length=64)
    body: Base64Bytes | None


class _Found(_Said):
    title: str | None
    language: str
    automatic: bool
    data: Base64Bytes


class _Line(_Said):
    ask: PageRequest | None = None
    captions: _Found | None = None
    failed: str | None = None
    channel: str | None = None


Client: TypeAlias = Callable[[PageRequest, float], dict[str, object]]
"""From a request and a deadline to `url`, `media_type` and `body` in base64, or to `error`."""


def captions(video_id: str, *, guard: Guard, client: Client | None = None) -> Captions:
    """Fetch the captions of a video.

    Args:
        video_id: eleven characters, as `optout.consent.identifiers.youtube_id` finds them in a link.
        guard: where connections may go; it is narrowed to YouTube's own domains.
        client: another way to YouTube, for tests.

    Raises:
        FetchRefusedError: this is no video id.
        FetchFailedError: YouTube did not answer, or gives no captions for now; the message says which. The parameter
            `channel` names the channel if it was read all the same.
        SandboxUnavailableError: yt-dlp could not be started.
    """
    if not _VIDEO_ID.fullmatch(video_id):
        raise FetchRefusedError("This is not the id of a YouTube video. Copy the link from your browser.", field="url")
    talk = _Conversation(client or guarded_client(guard))
    ours, theirs = socket.socketpair()
    with ours:
        task = {"task": "captions", "video_id": video_id}
        last, _status = sandbox.run(task, [theirs.detach()], _ALLOWANCE, lambda until: talk.listen(ours, until))
    channel = last.channel if last.channel and identifiers.YOUTUBE_CHANNEL.fullmatch(last.channel) else None
    known = {} if channel is None else {"channel": channel}
    found = last.captions
    if found is None:
        reason = (last.failed or "it gave no reason").rstrip(".")
        raise FetchFailedError(f"YouTube did not give the captions of {video_id}: {reason}. {_REMEDY}", **known)
    if not found.data.strip():
        raise FetchFailedError(f"YouTube gave empty captions for {video_id}. {_REMEDY}", **known)
    return Captions(video_id, channel, found.title, found.language, found.automatic, found.data)


def guarded_client(guard: Guard) -> Client:
    """The way to YouTube, and to nothing else."""
    narrow = replace(guard, domains=_DOMAINS)

    def client(request: PageRequest, deadline: float) -> dict[str, object]:
        headers = {name: value for name, value in request.headers.items() if name.lower() not in _OWN_HEADERS}
        limits = FetchLimits(max_bytes=_MAX_BYTES, max_seconds=max(0.0, deadline - time.monotonic()))
        into = io.BytesIO()
        try:
            ask = Ask(request.method, headers, request.body)
            fetched = fetch(request.url, into, guard=narrow, limits=limits, ask=ask)
        except (FetchFailedError, FetchRefusedError, FetchTooLargeError) as error:
            return {"error": str(error)}
        body = base64.b64encode(into.getvalue()).decode("ascii")
        return {"url": fetched.url, "media_type": fetched.media_type, "body": body}

    return client


class _Conversation:
    """What is said with one child, from its first request to its last word."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._requests = 0
        self._heard = bytearray()
        self._heard_bytes = 0

    def listen(self, child: socket.socket, deadline: float) -> _Line:
        """Serve the child's requests until its last word: `captions`, or why there are none (`failed`)."""
        while True:
            text = self._line(child, deadline)
            if text is None:
                return _Line(failed="reading its answer took too long or broke off")
            try:
                line = _Line.model_validate_json(text)
            except ValueError:
                return _Line(failed="its answer could not be read")
            if line.captions is not None or line.failed is not None:
                return line
            self._requests += 1
            if line.ask is None or self._requests > _MAX_REQUESTS:
                return _Line(failed="it takes too many requests")
            reply = json.dumps(self._client(line.ask, deadline)).encode() + b"\n"
            child.settimeout(max(0.1, deadline - time.monotonic()))
            try:
                child.sendall(reply)
            except OSError:
                return _Line(failed="reading its answer broke off")

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
