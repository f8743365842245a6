"""Captions of YouTube videos, through yt-dlp's real YouTube extractor; only what the network would answer is ours."""

import io
import json
from collections.abc import Mapping
from typing import Any

import pytest
from local_servers import answer, serving
from yt_dlp.networking.common import Request, Response
from yt_dlp.networking.exceptions import TransportError

from workers.errors import FetchFailedError, FetchRefusedError
from workers.network import Guard
from workers.youtube import GuardedYoutubeDL, captions

VIDEO = "dQw4w9WgXcQ"
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


def player(*tracks: dict[str, Any], status: str = "OK") -> dict[str, Any]:
    """What YouTube's player API answers, in as far as captions need it."""
    if status != "OK":
        return {"playabilityStatus": {"status": status, "reason": "This video is private"}}
    return {
        "playabilityStatus": {"status": status},
        "videoDetails": {"videoId": VIDEO, "title": "A talk", "lengthSeconds": "60", "channelId": "UC" + "x" * 22},
        "streamingData": {"formats": [{"itag": 18, "url": "https://rr1.googlevideo.com/videoplayback?x=1"}]},
        "captions": {
            "playerCaptionsTracklistRenderer": {
                "captionTracks": list(tracks),
                "translationLanguages": [{"languageCode": "fr", "languageName": {"simpleText": "French"}}],
            }
        },
    }


class Recorded(GuardedYoutubeDL):
    """yt-dlp as we run it, answered from a dictionary."""

    def __init__(self, answers: Mapping[str, Any]) -> None:
        super().__init__(Guard(resolve=lambda host, port: []))
        self.answers = answers
        self.asked: list[str] = []

    def urlopen(self, req: Request | str) -> Response:
        url = req if isinstance(req, str) else req.url
        self.asked.append(url)
        body = next((body for part, body in self.answers.items() if part in url), {})
        return Response(io.BytesIO(json.dumps(body).encode()), url=url, headers={"Content-Type": "application/json"})


def of(*tracks: dict[str, Any], **more: Any) -> Recorded:
    return Recorded({"/youtubei/v1/player": player(*tracks, **more), "/api/timedtext": {"events": [{"segs": []}]}})


def test_captions_written_in_the_spoken_language_are_preferred() -> None:
    found = captions(VIDEO, guard=Guard(), downloader=(ydl := of(HEARD_EN, written("de"), written("en-GB"))))

    assert (found.video_id, found.title, found.language, found.automatic) == (VIDEO, "A talk", "en-GB", False)
    assert "lang=en-GB" in ydl.asked[-1]
    assert json.loads(found.data) == {"events": [{"segs": []}]}


def test_recognised_speech_is_taken_before_another_language_that_somebody_wrote() -> None:
    found = captions(VIDEO, guard=Guard(), downloader=(ydl := of(HEARD_EN, written("de"))))

    assert (found.language, found.automatic) == ("en", True)
    assert "kind=asr" in ydl.asked[-1]


def test_a_machine_translation_is_never_taken() -> None:
    ydl = of(HEARD_EN, written("de"))
    captions(VIDEO, guard=Guard(), downloader=ydl)

    assert not [url for url in ydl.asked if "tlang=" in url]


def test_what_somebody_wrote_is_taken_where_nothing_was_recognised() -> None:
    assert captions(VIDEO, guard=Guard(), downloader=of(written("de"))).language == "de"


def test_no_captions_is_a_failure_to_try_again_and_not_silence() -> None:
    with pytest.raises(FetchFailedError, match="no captions"):
        captions(VIDEO, guard=Guard(), downloader=of())


def test_a_private_video_is_told_as_youtube_tells_it() -> None:
    with pytest.raises(FetchFailedError, match="private") as caught:
        captions(VIDEO, guard=Guard(), downloader=of(HEARD_EN, status="LOGIN_REQUIRED"))

    assert "yt-dlp" not in str(caught.value)


def test_broken_answers_are_failures_and_not_crashes() -> None:
    for broken in ({"/youtubei/v1/player": []}, {"/youtubei/v1/player": {"captions": 7}}, {}):
        with pytest.raises(FetchFailedError):
            captions(VIDEO, guard=Guard(), downloader=Recorded(broken))


@pytest.mark.parametrize("video_id", ["", "short", f"{VIDEO}x", "../../etc/p", "--exec=touch"])
def test_what_is_no_video_id_is_refused_before_anything_is_asked(video_id: str) -> None:
    with pytest.raises(FetchRefusedError):
        captions(video_id, guard=Guard(), downloader=of(HEARD_EN))


def test_a_name_server_that_points_youtube_inside_is_refused() -> None:
    asked: list[str] = []

    def resolve(host: str, port: int) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"]

    with pytest.raises(FetchFailedError, match="not on the public internet"):
        captions(VIDEO, guard=Guard(resolve=resolve))

    assert set(asked) == {"www.youtube.com"}


def test_requests_leave_through_the_guarded_client_and_to_youtube_only() -> None:
    with serving({"/player": answer(b'{"a": 1}', content_type="application/json")}) as server:
        with GuardedYoutubeDL(Guard(allowed=frozenset({server.pair}))) as ydl:
            response = ydl.urlopen(Request(server.url("/player"), data=b"{}", headers={"X-Probe": "1"}))
            assert json.loads(response.read()) == {"a": 1}
        with (
            GuardedYoutubeDL(Guard(allowed=frozenset({server.pair}), domains=("youtube.com",))) as ydl,
            pytest.raises(TransportError, match="does not belong to"),
        ):
            ydl.urlopen(server.url("/player"))

    assert len(server.requests) == 1
    assert server.requests[0].startswith(b"POST /player")
    assert b"X-Probe: 1" in server.requests[0]


def test_only_the_youtube_extractor_is_loaded() -> None:
    with GuardedYoutubeDL(Guard()) as ydl:
        assert list(ydl._ies) == ["Youtube"]
