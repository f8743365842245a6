"""A YouTube link to the captions of its video: yt-dlp in a sandboxed child without a network, and our guarded client.

One track a video: what a person wrote in the language that is spoken, else YouTube's own recognition of it. Machine
translations are never taken: they share almost nothing with human captions of that language. A video without captions
today may have them tomorrow (or YouTube holds them back), so that is a failure to try again, never "no speech".
"""

import base64
import re
import socket
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from pydantic import Base64Bytes, Field

from optout.consent import identifiers
from workers import sandbox, youtube_states
from workers.errors import FetchFailedError, FetchRefusedError
from workers.network import Guard
from workers.youtube_states import Seen
from workers.youtube_talk import Client, Conversation, Line, PageRequest, Said, guarded_client

JSON3_NAME: Final = "captions.json3"

_VIDEO_ID: Final = re.compile(r"[0-9A-Za-z_-]{11}")
# The others are of four to three, with bars above and below.
_PICTURES: Final = ("maxresdefault", "hq720", "mqdefault")
_PICTURE_DOMAINS: Final = ("ytimg.com",)
_PICTURE_SECONDS: Final = 15.0
_ALLOWANCE: Final = sandbox.Allowance(cpu_seconds=60, wall_seconds=90.0)


@dataclass(frozen=True, slots=True)
class Captions:
    """The captions of one video.

    Attributes:
        language: of the track, as YouTube writes it (`en`, `pt-BR`).
        automatic: whether YouTube's recognition made it, not a person.
        data: the track in YouTube's json3 form.
    """

    language: str
    automatic: bool
    data: bytes


@dataclass(frozen=True, slots=True)
class Sound:
    """Where the sound of one video lies, for some hours.

    Attributes:
        url: of one file.
        agent: as who it has to be asked for.
        size_bytes: None if YouTube did not say.
        available_at: in seconds since 1970, before which it is refused; None: at once.
    """

    url: str
    agent: str = ""
    size_bytes: int | None = None
    available_at: float | None = None


@dataclass(frozen=True, slots=True)
class Video:
    """What YouTube says about one video, whether it gives its captions or not. None is what it did not say.

    Attributes:
        id: eleven characters.
        title: as YouTube names the video.
        channel: the id of the channel that it is on (UC and 22 characters).
        channel_title: what that channel is called.
        duration_seconds: how long it is.
        licence: as YouTube words it.
        captions: None where `trouble` says why there are none.
        trouble: a VideoUnavailableError where trying again is no help, a VideoNotYetError where it is (`retry_after`
            says when), a FetchFailedError where YouTube did not answer, or said something unknown.
        sound: if it was asked for.
    """

    id: str
    title: str | None = None
    channel: str | None = None
    channel_title: str | None = None
    duration_seconds: float | None = None
    licence: str | None = None
    captions: Captions | None = None
    trouble: FetchFailedError | None = None
    sound: Sound | None = None

    def words(self) -> Captions:
        """Its captions; what is in the way of them is raised."""
        if self.captions is None:
            raise self.trouble or youtube_states.unknown(self.id, "")
        return self.captions


class _Found(Said):
    language: str
    automatic: bool
    data: Base64Bytes


class _Sound(Said):
    url: str = Field(max_length=8000)
    bytes: int | None = Field(default=None, gt=0)
    at: float | None = Field(default=None, gt=0, lt=1e11)


class _Video(Said):
    """What the child read about the video, whether there are captions or not."""

    channel: str | None = None
    channel_title: str | None = Field(default=None, max_length=300)
    title: str | None = Field(default=None, max_length=300)
    duration: float | None = Field(default=None, gt=0, lt=1e11)
    licence: str | None = Field(default=None, max_length=300)
    status: str | None = Field(default=None, max_length=100)
    reason: str = Field(default="", max_length=2000)
    live: str | None = Field(default=None, max_length=100)
    tracks: int = 0
    published: float | None = Field(default=None, gt=0, lt=1e11)
    begins: float | None = Field(default=None, gt=0, lt=1e11)
    sound: _Sound | None = None
    agent: str = Field(default="", max_length=300, pattern=r"^[ -~]*$")


class _Line(Line):
    captions: _Found | None = None
    video: _Video | None = None

    def is_last(self) -> bool:
        return self.captions is not None or super().is_last()


def look(video_id: str, *, guard: Guard, client: Client | None = None, with_sound: bool = False) -> Video:
    """Ask YouTube about a video, and for its captions.

    Args:
        video_id: eleven characters, as `optout.consent.identifiers.youtube_id` finds them in a link.
        guard: where connections may go; it is narrowed to YouTube's own domains.
        client: another way to YouTube, for tests.
        with_sound: ask where its sound lies, too.

    Raises:
        FetchRefusedError: this is no video id.
        SandboxUnavailableError: yt-dlp could not be started.
    """
    if not _VIDEO_ID.fullmatch(video_id):
        raise FetchRefusedError("This is not the id of a YouTube video. Copy the link from your browser.", field="url")
    talk = Conversation(client or guarded_client(guard), _Line)
    ours, theirs = socket.socketpair()
    with ours:
        task = {"task": "captions", "video_id": video_id, "sound": with_sound}
        last, _status = sandbox.run(task, [theirs.detach()], _ALLOWANCE, lambda until: talk.listen(ours, until))
    said, found = last.video or _Video(), last.captions
    has_captions = found is not None and bool(found.data.strip())
    return Video(
        id=video_id,
        title=said.title,
        channel=said.channel if said.channel and identifiers.YOUTUBE_CHANNEL.fullmatch(said.channel) else None,
        channel_title=said.channel_title,
        duration_seconds=said.duration,
        licence=said.licence,
        captions=Captions(found.language, found.automatic, found.data) if found is not None and has_captions else None,
        sound=_sound(said),
        trouble=None if has_captions else _trouble(video_id, said, talk, last.failed),
    )


def thumbnail(video_id: str, *, guard: Guard, client: Client | None = None) -> bytes | None:
    """Fetch the picture that stands for a video, the largest that has no bars around it; None: there is none now."""
    ask = client or guarded_client(guard, _PICTURE_DOMAINS)
    for name in _PICTURES:
        url = f"https://i.ytimg.com/vi/{video_id}/{name}.jpg"
        reply = ask(PageRequest(method="GET", url=url, headers={}, body=None), time.monotonic() + _PICTURE_SECONDS)
        if "error" not in reply:
            return base64.b64decode(str(reply["body"]))
    return None


def _sound(said: _Video) -> Sound | None:
    found = said.sound
    return None if found is None else Sound(found.url, said.agent, found.bytes, found.at)


def _trouble(video_id: str, said: _Video, talk: Conversation[_Line], failed: str | None) -> FetchFailedError:
    """Why there are no captions."""
    seen = Seen(said.status, said.reason, said.live, said.tracks, said.published, said.begins)
    code = youtube_states.why_none(seen, now=datetime.now(UTC))
    if talk.met_consent_page and code is None:
        code = youtube_states.CONSENT
    if talk.was_told_to_wait:
        code = youtube_states.RATE_LIMITED
    if code is not None:
        return youtube_states.error(code, video_id, begins=said.begins)
    return youtube_states.unknown(video_id, said.reason or failed or "")
