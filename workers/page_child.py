"""yt-dlp's reader of any page in a child of the sandbox: where the video or sound on it lies, piece by piece.

One line of JSON each way at a time, as in `workers.youtube_child`. The last word is `{"media": {…}}` or
`{"failed": reason}`. Nothing is fetched here but through our parent, who also fetches the pieces.
"""

import contextlib
import json
import re
import socket
from collections.abc import Iterator, Mapping
from typing import Any, Final, TypeAlias
from urllib.parse import urljoin

from yt_dlp.extractor.generic import GenericIE
from yt_dlp.extractor.genericembeds import HTML5MediaEmbedIE
from yt_dlp.networking.exceptions import TransportError
from yt_dlp.utils import YoutubeDLError, determine_ext

from workers.youtube_child import RemoteYoutubeDL, Transport, reason_of, short, transport_over

Piece: TypeAlias = tuple[str, int | None, int | None]
"""An address, and the first byte and the last one of what is wanted of it, if that is not all."""

MOST_PIECES: Final = 6000
_MOST_CAPTION_PIECES: Final = 200
_MAX_BYTES: Final = 8 * 1024 * 1024
_MAX_REASON: Final = 300
_MAX_HOPS: Final = 3
_LEAST_HEIGHT: Final = 240
_ATTRIBUTE: Final = re.compile(r'([A-Z0-9-]+)=("[^"]*"|[^,]*)')
_VTT_HEAD: Final = re.compile(r"\A\ufeff?WEBVTT[^\n]*\n(?:[^\n]+\n)*")


class NoMediaError(Exception):
    """There is no video or sound that can be read, and why."""


def serve(request: Mapping[str, Any], parent: socket.socket) -> None:
    """Find the video or sound on a page, asking the parent for every file, and tell it what was found."""
    with parent, parent.makefile("rwb") as line:
        try:
            last: dict[str, object] = {"media": find(str(request["url"]), transport_over(line))}
        except NoMediaError as error:
            last = {"failed": str(error)[:_MAX_REASON]}
        line.write(json.dumps(last).encode() + b"\n")


def find(url: str, transport: Transport) -> dict[str, object]:
    """Find the video or sound on a page, or in a list of HLS or DASH: `title`, `pieces`, `captions` (VTT or None).

    Raises:
        NoMediaError: there is none, it is still going on, or it is encrypted.
    """
    with contextlib.closing(RemoteYoutubeDL(transport, HTML5MediaEmbedIE(), GenericIE())) as ydl:
        try:
            info = _opened(ydl, url)
            chosen = _chosen(info.get("formats") or [])
            pieces = list(_pieces(ydl, chosen))
            return {"title": short(info.get("title")), "pieces": pieces, "captions": _captions(ydl, info)}
        except (YoutubeDLError, TransportError) as error:
            raise NoMediaError(reason_of(error)) from error
        # Broad on purpose: on pages that its authors never saw a reader raises anything.
        except (AttributeError, LookupError, TypeError, ValueError) as error:
            raise NoMediaError("what lies there could not be read") from error


def _opened(ydl: RemoteYoutubeDL, url: str) -> Mapping[str, Any]:
    for _ in range(_MAX_HOPS):
        info: Mapping[str, Any] = ydl.extract_info(url, download=False, process=False, ie_key="Generic")
        if info.get("_type") == "playlist":
            info = next(iter(info.get("entries") or []), {})
        if info.get("_type") not in {"url", "url_transparent"}:
            return info
        url = str(info["url"])
    raise NoMediaError("it leads from one place to another")


def _chosen(formats: list[Mapping[str, Any]]) -> Mapping[str, Any]:
    """The smallest picture that has sound with it and enough to see; else the sound; else the picture."""
    found = [one for one in formats if isinstance(one.get("url") or one.get("fragment_base_url"), str)]
    if not found:
        raise NoMediaError("there is no video or sound on it")
    if all(one.get("has_drm") for one in found):
        raise NoMediaError("it is encrypted")

    def order(one: Mapping[str, Any]) -> tuple[bool, bool, bool, float]:
        height = float(one.get("height") or _LEAST_HEIGHT)
        silent, blind = one.get("acodec") == "none", one.get("vcodec") == "none"
        return silent, blind, height < _LEAST_HEIGHT, height

    return min((one for one in found if not one.get("has_drm")), key=order)


def _pieces(ydl: RemoteYoutubeDL, chosen: Mapping[str, Any]) -> Iterator[Piece]:
    fragments = chosen.get("fragments")
    if fragments:
        if len(fragments) > MOST_PIECES:
            raise NoMediaError(f"it consists of more than {MOST_PIECES:,} pieces")
        for each in fragments:
            yield each.get("url") or urljoin(chosen["fragment_base_url"], each["path"]), None, None
    elif str(chosen.get("protocol", "")).startswith("m3u8"):
        yield from _of_hls(ydl, chosen["url"])
    else:
        yield chosen["url"], None, None


def _of_hls(ydl: RemoteYoutubeDL, url: str) -> Iterator[Piece]:
    """The pieces of a media playlist. Source: RFC 8216, 4.3."""
    response = ydl.urlopen(url)
    text = response.read(_MAX_BYTES).decode("utf-8", "replace")
    if "#EXT-X-ENDLIST" not in text:
        raise NoMediaError("it is still going on")
    if text.count("#EXTINF") > MOST_PIECES:
        raise NoMediaError(f"it consists of more than {MOST_PIECES:,} pieces")
    part: str | None = None
    end = 0
    for line in map(str.strip, text.splitlines()):
        tag, _, value = line.partition(":")
        said = {name: each.strip('"') for name, each in _ATTRIBUTE.findall(value)}
        if tag == "#EXT-X-KEY" and said.get("METHOD", "NONE") != "NONE":
            raise NoMediaError("it is encrypted")
        if tag == "#EXT-X-MAP":
            yield _part(urljoin(response.url, said["URI"]), said.get("BYTERANGE"), 0)
        elif tag == "#EXT-X-BYTERANGE":
            part = value
        elif line and not line.startswith("#"):
            piece = _part(urljoin(response.url, line), part, end)
            end, part = (piece[2] or -1) + 1, None
            yield piece


def _part(url: str, said: str | None, after: int) -> Piece:
    if said is None:
        return url, None, None
    length, _, start = said.partition("@")
    first = int(start) if start else after
    return url, first, first + int(length) - 1


def _captions(ydl: RemoteYoutubeDL, info: Mapping[str, Any]) -> str | None:
    """The first track of captions, as one file of VTT; None where there is none that can be had."""
    for track in (one for some in (info.get("subtitles") or {}).values() for one in some):
        if (track.get("ext") or determine_ext(track.get("url"))) != "vtt":
            continue
        try:
            pieces = list(_pieces(ydl, track))
            if len(pieces) <= _MOST_CAPTION_PIECES:
                texts = [ydl.urlopen(url).read(_MAX_BYTES).decode("utf-8", "replace") for url, _, _ in pieces]
                cues = "\n\n".join(_VTT_HEAD.sub("", text.replace("\r\n", "\n")) for text in texts)
                return f"WEBVTT\n\n{cues}"
        except (YoutubeDLError, TransportError, NoMediaError, LookupError, ValueError):
            continue  # the video counts without them
    return None
