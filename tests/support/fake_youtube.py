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
        "streamingData": {"formats": [{"itag": 18, "url": "https://rr1.googlevideo.com/videoplayback?x=1"}]},
        "captions": {
            "playerCaptionsTracklistRenderer": {
                "captionTracks": list(tracks),
                "translationLanguages": [{"languageCode": "fr", "languageName": {"simpleText": "French"}}],
            }
        },
    }  # fmt: skip


def beside(*, channel: str, licence: str) -> dict[str, Any]:
    """What stands beside a video on its page: its channel's name, and its licence."""
    row = {"title": {"simpleText": "License"}, "contents": [{"simpleText": licence}]}
    rows = {"metadataRowContainerRenderer": {"rows": [{"metadataRowRenderer": row}]}}
    owner = {"videoOwnerRenderer": {"title": {"runs": [{"text": channel}]}}}
    second = {"videoSecondaryInfoRenderer": {"owner": owner, "metadataRowContainer": rows}}
    return {"contents": {"twoColumnWatchNextResults": {"results": {"results": {"contents": [second]}}}}}


class Recorded:
    """YouTube as a dictionary: what a request is answered, by a part of its address."""

    def __init__(self, answers: Mapping[str, Any]) -> None:
        self.answers = answers
        self.asked: list[str] = []

    def __call__(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        url = request["url"]
        self.asked.append(url)
        body: Any = next((body for part, body in self.answers.items() if part in url), {})
        content = base64.b64encode(b"" if body is None else json.dumps(body).encode()).decode()
        return {"url": url, "media_type": "application/json", "body": content}

    def client(self, request: PageRequest, deadline: float) -> dict[str, object]:
        return dict(self({"url": request.url}))


def of(*tracks: dict[str, Any], lines: Sequence[str] = (), **more: Any) -> Recorded:
    """YouTube with one video, whose tracks all say these lines."""
    events = [{"tStartMs": n * 1000, "segs": [{"utf8": line}]} for n, line in enumerate(lines)] or [{"segs": []}]
    return Recorded({"/youtubei/v1/player": player(*tracks, **more), "/api/timedtext": {"events": events}})
