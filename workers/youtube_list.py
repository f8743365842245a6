"""A channel or playlist of YouTube, page by page: yt-dlp in a sandboxed child without a network, our guarded client."""

import socket
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from pydantic import Field

from optout.registry.listings import Video
from workers import sandbox, youtube_states
from workers.errors import FetchFailedError, VideoUnavailableError
from workers.network import Guard
from workers.youtube_talk import Client, Conversation, Line, Said, guarded_client

_ALLOWANCE: Final = sandbox.Allowance(cpu_seconds=90, wall_seconds=150.0)
_MAX_VIDEOS: Final = 1000
_REQUESTS_BESIDE: Final = 12
"""What it takes to find the list, with attempts that fail."""

GONE: Final = "youtube-list-gone"

_ABSENT: Final = (
    "does not exist", "not exist", "unable to recognize", "no channel has this", "unavailable", "private", "404", "410",
    "terminated", "removed",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Source:
    """Which list it is: the id of its channel, what it is called, how many videos it says it has."""

    channel: str | None
    title: str | None
    expected: int | None


@dataclass(frozen=True, slots=True)
class Page:
    """Some videos, and what YouTube calls the page after them; None: there is none."""

    videos: tuple[Video, ...]
    following: str | None


class _Source(Said):
    channel: str | None = Field(pattern=r"^UC[0-9A-Za-z_-]{22}$")
    title: str | None = Field(max_length=300)
    expected: int | None = Field(ge=0, le=10_000_000)


class _Video(Said):
    id: str = Field(pattern=r"^[0-9A-Za-z_-]{11}$")
    title: str | None = Field(max_length=300)
    channel: str | None = Field(pattern=r"^UC[0-9A-Za-z_-]{22}$")


class _Page(Said):
    videos: list[_Video] = Field(max_length=_MAX_VIDEOS)
    next: str | None = Field(max_length=20_000)


class _Line(Line):
    source: _Source | None = None
    page: _Page | None = None
    ended: bool | None = None

    def is_last(self) -> bool:
        return self.ended is not None or super().is_last()


def read(
    address: str,
    position: str | None,
    *,
    pages: int,
    guard: Guard,
    each: Callable[[Source | Page], bool],
    client: Client | None = None,
) -> None:
    """Read some pages of a list from one on: first the `Source`, then each `Page`, as soon as it is there.

    Args:
        address: as `optout.consent.youtube_links` spells it.
        position: of the first page to read; None for the first of all.
        pages: how many at most.
        guard: where connections may go; it is narrowed to YouTube's own domains.
        each: called in this thread; False: nothing more is wanted.
        client: another way to YouTube, for tests.

    Raises:
        VideoUnavailableError: there is no such list, and trying again is no help.
        VideoNotYetError: YouTube does not answer this registry for now.
        FetchFailedError: it broke off, or YouTube said something unknown. Pages that were told are told.
    """
    talk = Conversation(client or guarded_client(guard), _Line, max_requests=pages + _REQUESTS_BESIDE)
    wanted = True

    def heard(line: _Line) -> None:
        nonlocal wanted
        if line.source is not None:
            source = line.source
            wanted = each(Source(source.channel, source.title, source.expected))
        if line.page is not None and wanted:
            videos = tuple(Video(one.id, one.title, one.channel) for one in line.page.videos)
            wanted = each(Page(videos, line.page.next))
        if not wanted:
            raise _NoMoreError

    ours, theirs = socket.socketpair()
    task = {"task": "list", "address": address, "position": position, "pages": pages}
    with ours:
        try:
            last, _ = sandbox.run(task, [theirs.detach()], _ALLOWANCE, lambda until: talk.listen(ours, until, heard))
        except _NoMoreError:
            return
    if last.failed is not None:
        raise _error(address, last.failed, talk)


class _NoMoreError(Exception):
    """Whoever takes the pages wants no more."""


def _error(address: str, reason: str, talk: Conversation[_Line]) -> FetchFailedError:
    if talk.was_told_to_wait:
        return youtube_states.not_yet(youtube_states.RATE_LIMITED, timedelta(hours=1))
    if talk.met_consent_page:
        return youtube_states.not_yet(youtube_states.CONSENT, timedelta(hours=6))
    if any(word in reason.lower() for word in _ABSENT):
        return VideoUnavailableError(
            f"YouTube shows no list of videos at {address}: it is private, empty or gone. Check the link, make it"
            " public or unlisted, and try again.",
            code=GONE,
        )
    return FetchFailedError(f"YouTube did not give the list {address}: {reason.rstrip('.')}. We try again.")
