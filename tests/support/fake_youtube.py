"""YouTube as far as captions need it: a dictionary of answers, which the real extractor asks."""

import base64
import json
from collections.abc import Mapping, Sequence
from typing import Any

from workers.youtube_talk import PageRequest

VIDEO = "dQw4w9WgXcQ"
CHANNEL = "UC" + "x" * 22
COMMONS = "Creative Commons Attribution license (reuse allowed)"
TIMEDTEXT = f"https://www.youtube.com/api/timedtext?v={VIDEO}"
HEARD_EN = {
    "baseUrl": f"{TIMEDTEXT}&kind=asr&lang=en", "vssId": "a.en", "languageCode": "en", "kind": "asr",
    "isTranslatable": True, "name": {"simpleText": "English (auto-generated)"},
}  # fmt: skip


def written(language: str) -> dict[str, Any]:
    return {
        "baseUrl": f"{TIMEDTEXT}&lang={language}", "vssId": f".{language}", "languageCode": language,
        "isTranslatable": True, "name": {"simpleText": language},
    }  # fmt: skip


def player(
    *tracks: dict[str, Any],
    status: str = "OK",
    reason: str = "This video is private",
    channel: str = CHANNEL,
    published: str | None = None,
    formats: Sequence[dict[str, Any]] = (),
    **details: Any,
) -> dict[str, Any]:
    """What YouTube's player API answers, in as far as captions need it."""
    if status != "OK":
        known = {"videoDetails": {"videoId": VIDEO, **details}} if details else {}
        return {"playabilityStatus": {"status": status, "reason": reason}, **known}
    return {
        "playabilityStatus": {"status": status},
        "videoDetails": {
            "videoId": VIDEO, "title": "A talk", "lengthSeconds": "60", "channelId": channel, **details,
        },
        "microformat": {"playerMicroformatRenderer": {} if published is None else {"uploadDate": published}},
        "streamingData": {
            "formats": [{"itag": 18, "url": "https://rr1.googlevideo.com/videoplayback?x=1"}],
            "adaptiveFormats": list(formats),
        },
        "captions": {
            "playerCaptionsTracklistRenderer": {
                "captionTracks": list(tracks),
                "translationLanguages": [{"languageCode": "fr", "languageName": {"simpleText": "French"}}],
            }
        },
    }  # fmt: skip


def sound_format(url: str, size_bytes: int, *, kbit: int = 130, language: str = "", **more: Any) -> dict[str, Any]:
    """A file of sound alone; `language` as its players name it: `en original`, `de dubbed-auto`."""
    code = language.partition(" ")[0]
    track = {"audioTrack": {"displayName": language, "id": f"{code}.4", "audioIsDefault": False}} if language else {}
    return {
        "itag": 140, "url": url, "mimeType": 'audio/mp4; codecs="mp4a.40.2"', "bitrate": kbit * 1000,
        "contentLength": str(size_bytes), "audioQuality": "AUDIO_QUALITY_MEDIUM", "approxDurationMs": "60000", **track,
        **more,
    }  # fmt: skip


def beside(*, channel: str, licence: str) -> dict[str, Any]:
    """What stands beside a video on its page: its channel's name, and its licence."""
    row = {"title": {"simpleText": "License"}, "contents": [{"simpleText": licence}]}
    rows = {"metadataRowContainerRenderer": {"rows": [{"metadataRowRenderer": row}]}}
    owner = {"videoOwnerRenderer": {"title": {"runs": [{"text": channel}]}}}
    second = {"videoSecondaryInfoRenderer": {"owner": owner, "metadataRowContainer": rows}}
    return {"contents": {"twoColumnWatchNextResults": {"results": {"results": {"contents": [second]}}}}}


class Recorded:
    """YouTube as a dictionary: what a request is answered, by a part of its address.

    Attributes:
        asked: the addresses of all requests.
        thumbnail: the bytes of the video's picture; None: it has none.
        captions: the bytes of every track, if not as `answers` says.
    """

    def __init__(self, answers: Mapping[str, Any]) -> None:
        self.answers = answers
        self.asked: list[str] = []
        self.thumbnail: bytes | None = None
        self.captions: bytes | None = None

    def __call__(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        url = request["url"]
        self.asked.append(url)
        body: Any = next((body for part, body in self.answers.items() if part in url), {})
        data = b"" if body is None else json.dumps(body).encode()
        data = self.captions if self.captions is not None and "/api/timedtext" in url else data
        content = base64.b64encode(data).decode()
        return {"url": url, "media_type": "application/json", "body": content}

    def client(self, request: PageRequest, deadline: float) -> dict[str, object]:
        if "ytimg.com" not in request.url:
            return dict(self({"url": request.url}))
        self.asked.append(request.url)
        if self.thumbnail is None or "maxres" in request.url:
            return {"error": "The server answered with status 404.", "status": 404}
        return {"url": request.url, "media_type": "image/jpeg", "body": base64.b64encode(self.thumbnail).decode()}


def of(*tracks: dict[str, Any], lines: Sequence[str] = (), **more: Any) -> Recorded:
    """YouTube with one video, whose tracks all say these lines."""
    events = [{"tStartMs": n * 1000, "segs": [{"utf8": line}]} for n, line in enumerate(lines)] or [{"segs": []}]
    return Recorded({"/youtubei/v1/player": player(*tracks, **more), "/api/timedtext": {"events": events}})
