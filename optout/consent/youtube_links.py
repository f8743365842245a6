"""Links to channels and playlists of YouTube, in the one spelling that each is known by."""

import re
from dataclasses import dataclass
from typing import Final, Literal
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from optout.consent import identifiers
from optout.errors import InvalidInputError

_HOST: Final = re.compile(r"(?:(?:www|m|music)\.)?youtube\.com")
_BARE: Final = re.compile(r"(?:(?:www|m|music)\.)?youtube\.com/|@[\w.-]{3,30}$", re.IGNORECASE)
_HANDLE: Final = re.compile(r"@[\w.·-]{1,60}")
_NAME: Final = re.compile(r"[\w.·-]{1,100}")
_PLAYLIST: Final = re.compile(r"(?:PL|FL|OLAK5uy_|UU|EC)[0-9A-Za-z_-]{10,80}")
_UPLOADS: Final = re.compile(r"UU[0-9A-Za-z_-]{22}")
# First steps of paths of YouTube that are no channels: `youtube.com/name` is the oldest way to call one.
_TAKEN: Final = re.compile(
    r"about|account|ads|attribution_link|browse|c|channel|clip|creators|embed|e|feeds?|gaming|hashtag|howyoutubeworks|jobs|kids|live|movies"
    r"|music|new|oembed|playlists?|post|premium|results|shorts|signin|t|trends|user|tv|upload|v|watch|watch_popup|yt"
)


@dataclass(frozen=True, slots=True)
class Source:
    """A channel or playlist.

    Attributes:
        kind: which of the two.
        address: the same for all spellings of it that can be told without asking YouTube.
        channel: its id (UC and 22 characters); None where only YouTube knows it.
    """

    kind: Literal["channel", "playlist"]
    address: str
    channel: str | None = None


def source_of(link: str) -> Source | None:
    """The channel or playlist that a link leads to; None where it leads to one video, or to something else.

    Raises:
        InvalidInputError: to a list that is nobody's work: a mix, likes, videos to watch later.
    """
    text = link.strip()
    if identifiers.youtube_id(text) is not None:
        return None
    if identifiers.YOUTUBE_CHANNEL.fullmatch(text):
        return _channel(text)
    if "://" not in text and _BARE.match(text):
        text = f"https://www.youtube.com/{text}" if text.startswith("@") else f"https://{text}"
    try:
        parts = urlsplit(text)
    except ValueError:
        return None
    if parts.scheme not in {"http", "https"} or not _HOST.fullmatch((parts.hostname or "").rstrip(".")):
        return None
    steps = [unquote(step) for step in parts.path.split("/") if step]
    if steps and steps[0] in {"playlist", "watch", "embed"}:
        return _playlist(parts)
    return _of_path(steps)


def _of_path(steps: list[str]) -> Source | None:
    if not steps:
        return None
    if steps[0] in {"channel", "browse"} and len(steps) > 1 and identifiers.YOUTUBE_CHANNEL.fullmatch(steps[1]):
        return _channel(steps[1])
    if _HANDLE.fullmatch(steps[0]):
        return Source("channel", f"https://www.youtube.com/{steps[0].lower()}")
    if steps[0] in {"c", "user"} and len(steps) > 1 and _NAME.fullmatch(steps[1]):
        return Source("channel", f"https://www.youtube.com/{steps[0]}/{steps[1].lower()}")
    if not _TAKEN.fullmatch(steps[0].lower()) and _NAME.fullmatch(steps[0]):
        return Source("channel", f"https://www.youtube.com/{steps[0].lower()}")
    return None


def _playlist(parts: SplitResult) -> Source | None:
    named = parse_qs(parts.query).get("list", [""])[0]
    if not named:
        return None
    if _UPLOADS.fullmatch(named):
        return _channel(f"UC{named[2:]}")
    if not _PLAYLIST.fullmatch(named):
        raise InvalidInputError(
            "this list is not one that somebody made: a mix, likes, videos to watch later. Give the link of a playlist"
            " (its id begins with PL) or of a channel",
            field="url",
        )
    return Source("playlist", f"https://www.youtube.com/playlist?list={named}")


def _channel(channel: str) -> Source:
    return Source("channel", f"https://www.youtube.com/channel/{channel}", channel)
