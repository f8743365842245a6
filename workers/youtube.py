"""A YouTube link to the captions of its video: yt-dlp in a sandboxed child without a network, and our guarded client.

One track a video: what a person wrote in the language that is spoken, else YouTube's own recognition of it. Machine
translations are never taken: they share almost nothing with human captions of that language. A video without captions
today may have them tomorrow (or YouTube holds them back), so that is a failure to try again, never "no speech".
"""

import re
import socket
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from pydantic import Base64Bytes, Field

from optout.consent import identifiers
from workers import sandbox, youtube_states
from workers.errors import FetchRefusedError
from workers.network import Guard
from workers.youtube_states import Seen
from workers.youtube_talk import Client, Conversation, Line, Said, guarded_client

JSON3_NAME: Final = "captions.json3"

_VIDEO_ID: Final = re.compile(r"[0-9A-Za-z_-]{11}")
_ALLOWANCE: Final = sandbox.Allowance(cpu_seconds=60, wall_seconds=90.0)


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


class _Found(Said):
    language: str
    automatic: bool
    data: Base64Bytes


class _Video(Said):
    """What the child read about the video, whether there are captions or not."""

    channel: str | None = None
    title: str | None = None
    status: str | None = Field(default=None, max_length=100)
    reason: str = Field(default="", max_length=2000)
    live: str | None = Field(default=None, max_length=100)
    tracks: int = 0
    published: float | None = Field(default=None, gt=0, lt=1e11)
    begins: float | None = Field(default=None, gt=0, lt=1e11)


class _Line(Line):
    captions: _Found | None = None
    video: _Video | None = None

    def is_last(self) -> bool:
        return self.captions is not None or super().is_last()


def captions(video_id: str, *, guard: Guard, client: Client | None = None) -> Captions:
    """Fetch the captions of a video.

    Args:
        video_id: eleven characters, as `optout.consent.identifiers.youtube_id` finds them in a link.
        guard: where connections may go; it is narrowed to YouTube's own domains.
        client: another way to YouTube, for tests.

    Raises:
        FetchRefusedError: this is no video id.
        VideoUnavailableError: it can't be read, and trying again is no help; `code` says why.
        VideoNotYetError: there are no captions now; `code` says why, `retry_after` when to come back.
        FetchFailedError: YouTube did not answer, or said something unknown. The parameter `channel` of these three
            names the channel if it was read all the same.
        SandboxUnavailableError: yt-dlp could not be started.
    """
    if not _VIDEO_ID.fullmatch(video_id):
        raise FetchRefusedError("This is not the id of a YouTube video. Copy the link from your browser.", field="url")
    talk = Conversation(client or guarded_client(guard), _Line)
    ours, theirs = socket.socketpair()
    with ours:
        task = {"task": "captions", "video_id": video_id}
        last, _status = sandbox.run(task, [theirs.detach()], _ALLOWANCE, lambda until: talk.listen(ours, until))
    video = last.video or _Video()
    channel = video.channel if video.channel and identifiers.YOUTUBE_CHANNEL.fullmatch(video.channel) else None
    known = {} if channel is None else {"channel": channel}
    found = last.captions
    if found is not None and found.data.strip():
        return Captions(video_id, channel, video.title, found.language, found.automatic, found.data)
    seen = Seen(video.status, video.reason, video.live, video.tracks, video.published, video.begins)
    code = youtube_states.why_none(seen, now=datetime.now(UTC))
    if talk.met_consent_page and code is None:
        code = youtube_states.CONSENT
    if talk.was_told_to_wait:
        code = youtube_states.RATE_LIMITED
    if code is not None:
        raise youtube_states.error(code, video_id, begins=video.begins, **known)
    raise youtube_states.unknown(video_id, video.reason or last.failed or "", **known)
