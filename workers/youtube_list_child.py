"""yt-dlp's reader of channels and playlists in a child of the sandbox, page by page, from any page on.

The child says which list it is (`{"source": {…}}`), then each page (`{"page": {"videos": […], "next": …}}`), at last
`{"ended": true}` or `{"failed": reason}`. All uploads of a channel are one playlist of its own, whatever tab they are
on, so that there is one list with one place in it.
"""

import contextlib
import json
import re
import socket
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from yt_dlp.extractor.youtube import YoutubeTabIE
from yt_dlp.networking.common import Request, Response
from yt_dlp.networking.exceptions import TransportError
from yt_dlp.utils import YoutubeDLError

from workers.youtube_child import RemoteYoutubeDL, Transport, YoutubeIE, reason_of, short, text_of, transport_over

_MAX_REASON: Final = 300
_MAX_REDIRECTS: Final = 2
_CHANNEL: Final = re.compile(r"UC[0-9A-Za-z_-]{22}")
_VIDEO: Final = re.compile(r"[0-9A-Za-z_-]{11}")

Say = Callable[[Mapping[str, object]], None]


class _EnoughError(Exception):
    """As many pages were read as were asked for."""


class _Pages(RemoteYoutubeDL):
    """yt-dlp, which says each page before it asks for the next one, and can begin with any.

    A later page is asked for by a token that the page before it holds. To go on from a page, the first such request
    gets the token of that page instead; what the first page held is known already.
    """

    def __init__(self, transport: Transport, position: str | None, most: int, say: Say) -> None:
        super().__init__(
            transport, YoutubeTabIE(), YoutubeIE(), noplaylist=False, compat_opts={"no-youtube-unavailable-videos"}
        )
        self.videos: list[dict[str, object]] = []
        self._position = position
        self._left = most
        self._say = say

    def urlopen(self, req: Request | str) -> Response:
        """As the base class, with the eyes on requests for further pages."""
        body = _continuing(req)
        if body is not None and isinstance(req, Request):
            if self._position is not None:
                body["continuation"], self._position = self._position, None
                self.videos.clear()
                req.data = json.dumps(body).encode()
            else:
                self.end_page(str(body["continuation"]))
        return super().urlopen(req)

    def end_page(self, following: str | None) -> None:
        """Say what is on the page that was read; `_EnoughError` after the last one that was asked for."""
        self._say({"page": {"videos": self.videos[:], "next": following}})
        self.videos.clear()
        self._left -= 1
        if self._left <= 0 and following is not None:
            raise _EnoughError


def serve(request: Mapping[str, Any], parent: socket.socket) -> None:
    """Read up to `pages` pages of the list at `address` from `position` on, and tell the parent each of them."""
    with parent, parent.makefile("rwb") as line:

        def say(what: Mapping[str, object]) -> None:
            line.write(json.dumps(what).encode() + b"\n")
            line.flush()

        position = request["position"]
        pages = int(request["pages"])
        say(read(str(request["address"]), position, pages, transport_over(line), say))


def read(address: str, position: str | None, pages: int, transport: Transport, say: Say) -> dict[str, object]:
    """Say which list it is and its pages; the last word."""
    with contextlib.closing(_Pages(transport, position, pages, say)) as ydl:
        try:
            for video in _videos(ydl, address, say):
                ydl.videos.append(video)
            ydl.end_page(None)
        except _EnoughError:
            return {"ended": False}
        except (YoutubeDLError, TransportError) as error:
            return {"failed": reason_of(error)[:_MAX_REASON]}
        # Broad on purpose: on answers that YouTube never gave before its reader raises anything.
        except (AttributeError, LookupError, TypeError, ValueError):
            return {"failed": "its answer could not be read"}
    return {"ended": True}


def _videos(ydl: _Pages, address: str, say: Say) -> Iterator[dict[str, object]]:
    source: dict[str, object] = {"channel": None, "title": None, "expected": None}
    if "/playlist?" not in address:
        channel = _CHANNEL.search(address)
        found = {"channel_id": channel[0]} if channel else _opened(ydl, f"{address}/about")
        source["channel"] = found.get("channel_id")
        source["title"] = short(found.get("channel") or found.get("title"))
        if not isinstance(source["channel"], str) or not _CHANNEL.fullmatch(source["channel"]):
            raise ValueError("no channel has this address")
        address = f"https://www.youtube.com/playlist?list=UU{source['channel'][2:]}"
    listed = _opened(ydl, address)
    if source["channel"] is None:
        source["channel"], source["title"] = text_of(listed.get("channel_id")), short(listed.get("title"))
    source["title"] = source["title"] or short(listed.get("channel"))
    count = listed.get("playlist_count")
    source["expected"] = count if isinstance(count, int) else None
    say({"source": source})
    for entry in listed.get("entries") or ():
        if isinstance(entry, dict) and _VIDEO.fullmatch(str(entry.get("id"))):
            channel_id = text_of(entry.get("channel_id"))
            yield {
                "id": entry["id"],
                "title": short(entry.get("title")),
                "channel": channel_id if channel_id and _CHANNEL.fullmatch(channel_id) else None,
            }


def _opened(ydl: _Pages, address: str) -> Mapping[str, Any]:
    for _ in range(_MAX_REDIRECTS + 1):
        found: Mapping[str, Any] = ydl.extract_info(address, download=False, process=False, ie_key="YoutubeTab")
        if found.get("_type") not in {"url", "url_transparent"}:
            return found
        address = str(found["url"])
    raise ValueError("it leads from one place to another")


def _continuing(req: Request | str) -> dict[str, Any] | None:
    """The body of a request for a further page; None for any other request."""
    if isinstance(req, str) or "/youtubei/v1/browse" not in req.url or not isinstance(req.data, bytes):
        return None
    body = json.loads(req.data)
    return body if isinstance(body, dict) and isinstance(body.get("continuation"), str) else None
