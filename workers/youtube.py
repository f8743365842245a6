"""A YouTube link to the captions of its video, through yt-dlp's own YouTube extractor and our guarded client.

One track a video: what a person wrote in the language that is spoken, else YouTube's own recognition of it. Machine
translations are never taken: they share almost nothing with human captions of that language. A video without captions
today may have them tomorrow (or YouTube holds them back), so that is a failure to try again, never "no speech".
"""

import contextlib
import io
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import yt_dlp
from yt_dlp.extractor.youtube import YoutubeIE
from yt_dlp.networking.common import Request, Response
from yt_dlp.networking.exceptions import TransportError
from yt_dlp.utils import ExtractorError, YoutubeDLError

from workers.errors import FetchFailedError, FetchRefusedError, FetchTooLargeError
from workers.fetch import Ask, FetchLimits, fetch
from workers.network import Guard

JSON3_NAME: Final = "captions.json3"

_DOMAINS: Final = ("youtube.com",)
_LIMITS: Final = FetchLimits(max_bytes=24 * 1024 * 1024, max_seconds=60.0)
_VIDEO_ID: Final = re.compile(r"[0-9A-Za-z_-]{11}")

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
    "writesubtitles": True,
    "writeautomaticsub": True,
    "extractor_args": {"youtube": {"player_skip": ["js"], "skip": ["translated_subs", "hls", "dash"]}},
}


@dataclass(frozen=True, slots=True)
class Captions:
    """The captions of one video.

    Attributes:
        video_id: eleven characters.
        title: as YouTube names the video; None if it did not.
        language: of the track, as YouTube writes it (`en`, `pt-BR`).
        automatic: whether YouTube's recognition made it, not a person.
        data: the track in YouTube's json3 form.
    """

    video_id: str
    title: str | None
    language: str
    automatic: bool
    data: bytes


class _Silent:
    """yt-dlp talks through a logger; what matters of it comes back as exceptions."""

    def debug(self, message: str) -> None: ...
    def warning(self, message: str) -> None: ...
    def error(self, message: str) -> None: ...


class GuardedYoutubeDL(yt_dlp.YoutubeDL):  # type: ignore[misc]  # yt-dlp ships no types
    """yt-dlp with one extractor and without a network of its own: every request goes through `fetch`."""

    def __init__(self, guard: Guard) -> None:
        """Load the YouTube extractor only: no generic one, no plug-in, no configuration file."""
        super().__init__({**_OPTIONS, "logger": _Silent()}, auto_init=False)
        self.add_info_extractor(YoutubeIE())
        self._guard = guard

    def urlopen(self, req: Request | str) -> Response:
        """Answer a request of the extractor."""
        request = Request(req) if isinstance(req, str) else req
        body = request.data if request.data is None or isinstance(request.data, bytes) else b"".join(request.data)
        headers = {**self.params["http_headers"], **request.headers}
        cookies = self.cookiejar.get_cookie_header(request.url)
        if cookies:
            headers["Cookie"] = cookies
        into = io.BytesIO()
        try:
            ask = Ask(request.method, headers, body)
            fetched = fetch(request.url, into, guard=self._guard, limits=_LIMITS, ask=ask)
        except (FetchFailedError, FetchRefusedError, FetchTooLargeError) as error:
            raise TransportError(str(error), cause=error) from error
        into.seek(0)
        return Response(into, url=fetched.url, headers={"Content-Type": fetched.media_type or ""}, status=200)


def captions(video_id: str, *, guard: Guard, downloader: yt_dlp.YoutubeDL | None = None) -> Captions:
    """Fetch the captions of a video.

    Args:
        video_id: eleven characters, as `optout.consent.identifiers.youtube_id` finds them in a link.
        guard: where connections may go; it is narrowed to YouTube's own domains.
        downloader: yt-dlp with another `urlopen`, for tests.

    Raises:
        FetchRefusedError: this is no video id.
        FetchFailedError: YouTube did not answer, or gives no captions for now; the message says which.
    """
    if not _VIDEO_ID.fullmatch(video_id):
        raise FetchRefusedError("this is not the id of a YouTube video", field="url")
    ydl = downloader or GuardedYoutubeDL(replace(guard, domains=_DOMAINS))
    with contextlib.closing(ydl):
        try:
            url = f"https://www.youtube.com/watch?v={video_id}"
            info = ydl.extract_info(url, download=False, process=False)
            language, automatic, track_url = _best_track(info)
            data = ydl.urlopen(track_url).read(_LIMITS.max_bytes)
        except (YoutubeDLError, TransportError) as error:
            raise FetchFailedError(f"YouTube did not give the captions of {video_id}: {_reason(error)}") from error
    if not data.strip():
        raise FetchFailedError(f"YouTube gave empty captions for {video_id}; we try again later")
    title = info.get("title")
    return Captions(video_id, title if isinstance(title, str) else None, language, automatic, data)


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
    raise FetchFailedError(f"YouTube gives no captions for {info.get('id')} at the moment; we try again later")


def _json3(tracks: object) -> dict[str, str]:
    """The address of each language's json3 form; live chat is not captions."""
    found: dict[str, str] = {}
    for language, forms in tracks.items() if isinstance(tracks, dict) else ():
        for form in forms:
            if form.get("ext") == "json3" and language != "live_chat":
                found[language] = form["url"]
    return found


def _reason(error: Exception) -> str:
    """A sentence without yt-dlp's advice to its own users."""
    cause = error.exc_info[1] if isinstance(error, yt_dlp.DownloadError) and error.exc_info else error
    if isinstance(cause, ExtractorError):
        return str(cause.cause or cause.orig_msg)
    return str(cause)
