"""yt-dlp in a child of the sandbox: it has no network, and asks our parent for each page over a socket.

One line of JSON each way at a time. The child asks (`{"ask": {…}}`) until its last word: `{"captions": {…}}` or
`{"failed": reason}`, beside what was read of the `video`. The parent (`workers.youtube_talk`) answers each request with
`{"body": …}` or `{"error": reason}`, to which it may add the `status` that the server answered with.
"""

import base64
import contextlib
import io
import json
import socket
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final, TypeAlias

import yt_dlp
from yt_dlp.extractor.youtube import YoutubeIE as OriginalYoutubeIE
from yt_dlp.networking.common import Request, Response
from yt_dlp.networking.exceptions import HTTPError, TransportError
from yt_dlp.utils import ExtractorError, YoutubeDLError
from yt_dlp.utils.traversal import traverse_obj

from workers.youtube_formats import sound_of

Transport: TypeAlias = Callable[[dict[str, object]], Mapping[str, Any]]
"""From a request (`method`, `url`, `headers`, `body` in base64 or None) to what came of it (`url`, `media_type` and
`body` in base64, or `error`)."""

_MAX_BYTES: Final = 24 * 1024 * 1024
_MAX_REASON: Final = 300
_MAX_STATUS: Final = 100
_MAX_TEXT: Final = 300
_NOT_OVER: Final = frozenset({"is_live", "is_upcoming", "post_live"})
_END_OF_TIME: Final = 1e11

# Nothing is read from or written to the disk, no program is run, no other site is spoken to.
_OPTIONS: Final[Mapping[str, object]] = {
    "quiet": True,
    "no_warnings": True,
    "noprogress": True,
    "noplaylist": True,
    "skip_download": True,
    "cachedir": False,
    "proxy": "",
    "js_runtimes": {},
    "extractor_retries": 1,
    # What can't be watched is told by its status, and captions may be there all the same.
    "ignore_no_formats_error": True,
    "writesubtitles": True,
    "writeautomaticsub": True,
    "extractor_args": {"youtube": {"player_skip": ["js"], "skip": ["translated_subs", "hls", "dash"]}},
}


class NoCaptionsError(Exception):
    """There are no captions to be had now, and why; `video` is what was read all the same."""

    def __init__(self, reason: str, video: Mapping[str, object] = {}) -> None:
        super().__init__(reason)
        self.video = video


class YoutubeIE(OriginalYoutubeIE):  # type: ignore[misc]  # yt-dlp ships no types
    """yt-dlp's extractor, which keeps what YouTube's players said of a video that it can't show.

    Attributes:
        said: the answers of its players to the last video.
    """

    said: tuple[Mapping[str, Any], ...] = ()

    def _extract_player_response(self, *args: Any, **kwargs: Any) -> Any:
        answer = super()._extract_player_response(*args, **kwargs)
        if isinstance(answer, dict):  # kept at once: what it asks after this one may break it
            self.said = (*self.said, answer)
        return answer

    def _extract_player_responses(self, *args: Any, **kwargs: Any) -> Any:
        answers, player_url = super()._extract_player_responses(*args, **kwargs)
        self.said = tuple(one for one in answers if isinstance(one, dict))
        return answers, player_url


class _Silent:
    """yt-dlp talks through a logger; what matters of it comes back as exceptions."""

    def debug(self, message: str) -> None: ...
    def warning(self, message: str) -> None: ...
    def error(self, message: str) -> None: ...


class RemoteYoutubeDL(yt_dlp.YoutubeDL):  # type: ignore[misc]  # yt-dlp ships no types
    """yt-dlp with few extractors and without a network of its own: every request goes through `transport`."""

    def __init__(self, transport: Transport, *extractors: object, **options: object) -> None:
        """Load these extractors only, of YouTube's videos by default: no generic one, no plug-in, no configuration."""
        super().__init__({**_OPTIONS, "logger": _Silent(), **options}, auto_init=False)
        for extractor in extractors or (YoutubeIE(),):
            self.add_info_extractor(extractor)
        self._transport = transport

    def urlopen(self, req: Request | str) -> Response:
        """Answer a request of the extractor."""
        request = Request(req) if isinstance(req, str) else req
        body = request.data if request.data is None or isinstance(request.data, bytes) else b"".join(request.data)
        headers = {**self.params["http_headers"], **request.headers}
        cookies = self.cookiejar.get_cookie_header(request.url)
        if cookies:
            headers["Cookie"] = cookies
        reply = self._transport(
            {
                "method": request.method,
                "url": request.url,
                "headers": headers,
                "body": None if body is None else base64.b64encode(body).decode("ascii"),
            }
        )
        if isinstance(reply.get("status"), int):
            refusal = Response(io.BytesIO(), url=request.url, headers={}, status=reply["status"])
            raise HTTPError(refusal)
        if "error" in reply:
            raise TransportError(str(reply["error"]))
        content = io.BytesIO(base64.b64decode(reply["body"]))
        return Response(content, url=reply["url"], headers={"Content-Type": reply["media_type"] or ""}, status=200)


def serve(request: Mapping[str, Any], parent: socket.socket) -> None:
    """Find the captions of a video, asking the parent for every page, and tell it what was found."""
    with parent, parent.makefile("rwb") as line:
        try:
            video_id, with_sound = str(request["video_id"]), bool(request["sound"])
            captions, video = find(video_id, transport_over(line), with_sound=with_sound)
            last: dict[str, object] = {"captions": captions, "video": video}
        except NoCaptionsError as error:
            last = {"failed": str(error)[:_MAX_REASON], "video": dict(error.video)}
        line.write(json.dumps(last).encode() + b"\n")


def transport_over(line: io.BufferedRWPair) -> Transport:
    """The way to the web: each request to our parent, and back what it answers."""

    def transport(request: dict[str, object]) -> Mapping[str, Any]:
        line.write(json.dumps({"ask": request}).encode() + b"\n")
        line.flush()
        reply: Mapping[str, Any] = json.loads(line.readline())
        return reply

    return transport


def find(
    video_id: str, transport: Transport, *, with_sound: bool = False
) -> tuple[dict[str, object], dict[str, object]]:
    """Find the captions of a video: `language`, `automatic`, and `data` (json3 in base64); and what is known of it.

    With its sound also where that is (`sound`): it is too large to be brought here.

    Raises:
        NoCaptionsError: YouTube did not answer, answers something else, or gives no captions for now.
    """
    video: dict[str, object] = {}
    player = YoutubeIE()
    with contextlib.closing(RemoteYoutubeDL(transport, player)) as ydl:
        try:
            url = f"https://www.youtube.com/watch?v={video_id}"
            info = ydl.extract_info(url, download=False, process=False)
            video = _known(info, player.said)
            if with_sound and info.get("live_status") not in _NOT_OVER:
                video["sound"] = sound_of(info.get("formats"))
                video["agent"] = str(ydl.params["http_headers"].get("User-Agent", ""))[:_MAX_TEXT]
            language, automatic, track_url = _best_track(info)
            data = ydl.urlopen(track_url).read(_MAX_BYTES)
            _check(data)
        except (YoutubeDLError, TransportError) as error:
            raise NoCaptionsError(reason_of(error), video or _standing(player.said)) from error
        # Broad on purpose: on answers that YouTube never gave before its reader raises anything.
        except (AttributeError, LookupError, TypeError, ValueError) as error:
            raise NoCaptionsError("its answer could not be read", video or _standing(player.said)) from error
        except NoCaptionsError as error:
            raise NoCaptionsError(str(error), video) from error
    captions = {"language": language, "automatic": automatic, "data": base64.b64encode(data).decode("ascii")}
    return captions, video


def _check(data: bytes) -> None:
    """Take a page that is no track, or half of one, for what it is: another attempt gets the track."""
    try:
        json.loads(data)
    except (ValueError, RecursionError) as error:
        raise NoCaptionsError("its captions broke off") from error


def _known(info: Mapping[str, Any], said: Sequence[Mapping[str, Any]]) -> dict[str, object]:
    """What is known of a video, whatever becomes of its captions."""
    published = info.get("timestamp") or _day(info.get("upload_date"))
    return {
        **_standing(said),
        "channel": text_of(info.get("channel_id")),
        "channel_title": short(info.get("channel") or traverse_obj(said, (..., "videoDetails", "author", {str}, any))),
        "title": short(info.get("title")),
        "duration": _number(info.get("duration")),
        "licence": short(info.get("license")),
        "live": text_of(info.get("live_status")),
        "published": _number(published),
        "begins": _number(info.get("release_timestamp")),
    }


def _standing(said: Sequence[Mapping[str, Any]]) -> dict[str, object]:
    """What YouTube's players said of a video: that they play it, if one does, or else why not."""
    statuses = [one["playabilityStatus"] for one in said if isinstance(one.get("playabilityStatus"), dict)]
    plays = next((one for one in statuses if one.get("status") == "OK"), None)
    chosen = plays or (statuses[0] if statuses else {})
    screen = chosen.get("errorScreen")
    reasons = [
        chosen.get("reason"),
        traverse_obj(screen, ("playerErrorMessageRenderer", "reason", "simpleText")),
        traverse_obj(screen, ("playerErrorMessageRenderer", "subreason", ("simpleText", ("runs", ..., "text")), any)),
        traverse_obj(screen, ("playerInterstitialRenderer", "content", "interstitialViewModel", "title", "content")),
    ]
    tracks = traverse_obj(said, (..., "captions", "playerCaptionsTracklistRenderer", "captionTracks", {list}, any))
    return {
        "status": (text_of(chosen.get("status")) or "")[:_MAX_STATUS] or None,
        "reason": ". ".join(dict.fromkeys(one for one in reasons if isinstance(one, str)))[:_MAX_REASON],
        "tracks": len(tracks or []),
    }


def _day(date: object) -> float | None:
    """The beginning of a day that is written as YYYYMMDD, in seconds since 1970."""
    if not isinstance(date, str):
        return None
    return datetime.strptime(date, "%Y%m%d").replace(tzinfo=UTC).timestamp()


def _number(said: object) -> float | None:
    """A time after 1970 or a length, in seconds, or None."""
    known = isinstance(said, int | float) and not isinstance(said, bool) and 0 < said < _END_OF_TIME
    return float(said) if known and isinstance(said, int | float) else None


def _best_track(info: Mapping[str, Any]) -> tuple[str, bool, str]:
    """Language, whether automatic, and address of the track to take."""
    written = _json3(info.get("subtitles"))
    heard = {language: url for language, url in _json3(info.get("automatic_captions")).items() if "&tlang=" not in url}
    # YouTube marks the language that it heard with "-orig"; that is the language of the video.
    spoken = next((language.removesuffix("-orig") for language in heard if language.endswith("-orig")), None)
    spoken = spoken or info.get("language")
    for language in written:
        if spoken is not None and language.partition("-")[0] == str(spoken).partition("-")[0]:
            return language, False, written[language]
    for language, url in heard.items():
        return language.removesuffix("-orig"), True, url
    for language, url in written.items():
        return language, False, url
    raise NoCaptionsError("it has no captions at the moment")


def text_of(said: object) -> str | None:
    """A text; None for anything else."""
    return said if isinstance(said, str) else None


def short(said: object) -> str | None:
    """A text, of which too much is cut off; None for anything else."""
    text = text_of(said)
    return None if text is None else text[:_MAX_TEXT]


def _json3(tracks: object) -> dict[str, str]:
    """The address of each language's json3 form; live chat is not captions."""
    found: dict[str, str] = {}
    for language, forms in tracks.items() if isinstance(tracks, dict) else ():
        for form in forms:
            if form.get("ext") == "json3" and language != "live_chat":
                found[language] = form["url"]
    return found


def reason_of(error: Exception) -> str:
    """A sentence without yt-dlp's advice to its own users."""
    cause = error.exc_info[1] if isinstance(error, yt_dlp.DownloadError) and error.exc_info else error
    if isinstance(cause, ExtractorError):
        return str(cause.cause or cause.orig_msg)
    return str(cause)
