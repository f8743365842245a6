"""Captions of YouTube videos, through yt-dlp's real YouTube extractor; only what the network would answer is ours."""

import base64
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import synthetic_media
from decoder_stand_ins import command, pool_of
from fake_youtube import CHANNEL, COMMONS, HEARD_EN, VIDEO, Recorded, beside, of, written
from local_servers import answer, serving
from yt_dlp.networking.common import Request
from yt_dlp.networking.exceptions import TransportError

from fingerprinting.text import shingle_bytes
from workers import sandbox
from workers.errors import FetchFailedError, FetchRefusedError
from workers.network import Guard
from workers.youtube import look
from workers.youtube_child import NoCaptionsError, RemoteYoutubeDL, find
from workers.youtube_talk import PageRequest, guarded_client

pytestmark = pytest.mark.heavy

NOWHERE = Guard(resolve=lambda host, port: [])


def test_captions_come_out_of_the_sandbox() -> None:
    youtube = of(HEARD_EN, written("de"), written("en-GB"))

    video = look(VIDEO, guard=NOWHERE, client=youtube.client)
    words = video.words()

    assert (video.id, video.title, words.language, words.automatic) == (VIDEO, "A talk", "en-GB", False)
    assert video.channel == CHANNEL
    assert "lang=en-GB" in youtube.asked[-1]
    assert json.loads(words.data) == {"events": [{"segs": []}]}


def test_captions_written_in_the_spoken_language_are_preferred() -> None:
    found, video = find(VIDEO, youtube := of(HEARD_EN, written("de"), written("en-GB")))

    assert (video["title"], found["language"], found["automatic"]) == ("A talk", "en-GB", False)
    assert "lang=en-GB" in youtube.asked[-1]


def test_recognised_speech_is_taken_before_another_language_that_somebody_wrote() -> None:
    found, _ = find(VIDEO, youtube := of(HEARD_EN, written("de")))

    assert (found["language"], found["automatic"]) == ("en", True)
    assert "kind=asr" in youtube.asked[-1]


def test_a_machine_translation_is_never_taken() -> None:
    youtube = of(HEARD_EN, written("de"))
    find(VIDEO, youtube)

    assert not [url for url in youtube.asked if "tlang=" in url]


def test_what_somebody_wrote_is_taken_where_nothing_was_recognised() -> None:
    assert find(VIDEO, of(written("de")))[0]["language"] == "de"


def test_no_captions_is_a_failure_to_try_again_and_not_silence() -> None:
    video = look(VIDEO, guard=NOWHERE, client=of().client)

    with pytest.raises(FetchFailedError, match="no captions yet"):
        video.words()
    assert video.channel == CHANNEL


def test_a_channel_that_is_none_is_not_taken() -> None:
    assert look(VIDEO, guard=NOWHERE, client=of(channel="@somebody").client).channel is None


def test_what_youtube_says_of_a_video_is_read() -> None:
    youtube = of(HEARD_EN, author="Ada talks")
    youtube.answers = {**youtube.answers, "/youtubei/v1/next": beside(channel="Ada  \n talks", licence=COMMONS)}
    video = look(VIDEO, guard=NOWHERE, client=youtube.client)
    plain = look(VIDEO, guard=NOWHERE, client=of(HEARD_EN, author="Ada talks", lengthSeconds="x" * 500).client)

    assert (video.channel_title, video.duration_seconds, video.licence) == ("Ada  \n talks", 60.0, COMMONS)
    assert (plain.channel_title, plain.duration_seconds, plain.licence) == ("Ada talks", None, None)


def test_a_private_video_is_told_as_youtube_tells_it() -> None:
    with pytest.raises(NoCaptionsError) as caught:
        find(VIDEO, of(status="LOGIN_REQUIRED"))

    assert (caught.value.video["status"], caught.value.video["reason"]) == ("LOGIN_REQUIRED", "This video is private")


def test_broken_answers_are_failures_and_not_crashes() -> None:
    answers: list[dict[str, Any]] = [{"/youtubei/v1/player": []}, {"/youtubei/v1/player": {"captions": 7}}, {}]
    for broken in answers:
        with pytest.raises(NoCaptionsError):
            find(VIDEO, Recorded(broken))


@pytest.mark.parametrize("video_id", ["", "short", f"{VIDEO}x", "../../etc/p", "--exec=touch"])
def test_what_is_no_video_id_is_refused_before_anything_is_asked(video_id: str) -> None:
    youtube = of(HEARD_EN)
    with pytest.raises(FetchRefusedError):
        look(video_id, guard=NOWHERE, client=youtube.client)

    assert youtube.asked == []


def test_a_name_server_that_points_youtube_inside_is_refused() -> None:
    asked: list[str] = []

    def resolve(host: str, port: int) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"]

    with pytest.raises(FetchFailedError, match="not on the public internet"):
        look(VIDEO, guard=Guard(resolve=resolve)).words()

    assert set(asked) == {"www.youtube.com"}


def test_requests_leave_through_the_guarded_client_and_to_youtube_only() -> None:
    with serving({"/player": answer(b'{"a": 1}', content_type="application/json")}) as server:
        client = guarded_client(Guard(allowed=frozenset({server.pair}), resolve=lambda host, port: ["127.0.0.1"]))
        headers = {"X-Probe": "1", "host": "inside.test", "Content-Length": "9", "Transfer-Encoding": "chunked"}
        url = f"http://www.youtube.com:{server.port}/player"
        request = PageRequest(method="POST", url=url, headers=headers, body=base64.b64encode(b"{}"))
        reply = client(request, time.monotonic() + 5)
        elsewhere = client(request.model_copy(update={"url": server.url("/player")}), time.monotonic() + 5)

    assert base64.b64decode(str(reply["body"])) == b'{"a": 1}'
    assert "does not belong to" in str(elsewhere["error"])
    assert len(server.requests) == 1
    head = server.requests[0]
    assert head.startswith(b"POST /player")
    assert b"X-Probe: 1" in head
    assert f"host: www.youtube.com:{server.port}".encode() in head.lower()
    assert b"content-length: 2" in head.lower()
    assert b"inside.test" not in head
    assert b"chunked" not in head


def test_a_request_that_youtube_does_not_answer_is_told_to_the_extractor() -> None:
    with RemoteYoutubeDL(lambda request: {"error": "it rains"}) as ydl, pytest.raises(TransportError, match="it rains"):
        ydl.urlopen(Request("https://www.youtube.com/"))


def test_captions_of_twelve_hours_are_brought_and_read(tmp_path: Path) -> None:
    """As of a broadcast: each word with its time, 150 a minute."""
    words = synthetic_media.prose(12, 3000).split()
    events = []
    for at in range(0, 12 * 3600, 4):
        said = [words[(at * 7 + n * n) % len(words)] for n in range(10)]
        segments = [{"utf8": f" {word}", "tOffsetMs": n * 400, "acAsrConf": 0} for n, word in enumerate(said)]
        events.append({"tStartMs": at * 1000, "dDurationMs": 6000, "wWinId": 1, "segs": segments})
        events.append({"tStartMs": at * 1000 + 3990, "aAppend": 1, "segs": [{"utf8": "\n"}]})
    youtube = of(HEARD_EN)
    youtube.captions = json.dumps({"wireMagic": "pb3", "events": events}).encode()

    data = look(VIDEO, guard=NOWHERE, client=youtube.client).words().data
    path = tmp_path / "captions.json3"
    path.write_bytes(data)
    found = sandbox.extract(path)

    assert len(data) == len(youtube.captions) > 5_000_000
    assert found.identifiable
    [shingles] = [one for one in found.fingerprints if one.algorithm == "shingle-3"]
    read = shingle_bytes.unpack(shingles.value)
    assert read.track.seconds(np.array([read.tokens]))[0] == pytest.approx(12 * 3600, abs=10)


def test_only_the_youtube_extractor_is_loaded() -> None:
    with RemoteYoutubeDL(of()) as ydl:
        assert list(ydl._ies) == ["Youtube"]


@pytest.mark.parametrize(
    ("act", "reason"),
    [
        ("say('not json\\n')", "could not be read"),
        ("say(json.dumps({'captions': {'title': 1}}) + '\\n')", "could not be read"),
        ("say(json.dumps({'ask': {'method': 'DELETE', 'url': 'x', 'headers': {}, 'body': None}}) + '\\n')", "be read"),
        ("say('{}\\n')", "too many requests"),
        ("os.abort()", "broke off"),
        ("while True: say('x' * 60_000)", "broke off"),
        ("time.sleep(60)", "too long"),
    ],
)
def test_a_child_that_was_taken_over_gets_and_gives_nothing(
    monkeypatch: pytest.MonkeyPatch, act: str, reason: str
) -> None:
    monkeypatch.setattr("workers.youtube._ALLOWANCE", sandbox.Allowance(wall_seconds=2.0))
    monkeypatch.setattr("workers.youtube_talk._MAX_HEARD_BYTES", 1_000_000)
    with pool_of(*command(act)) as pool:
        monkeypatch.setattr(sandbox, "_pool", pool)
        with pytest.raises(FetchFailedError, match=reason):
            look(VIDEO, guard=NOWHERE).words()


def test_a_child_may_ask_for_few_pages_only(monkeypatch: pytest.MonkeyPatch) -> None:
    act = """
    for _ in range(100):
        say(json.dumps({"ask": {"method": "GET", "url": "https://169.254.169.254/", "headers": {}, "body": None}}))
        say("\\n")
        os.read(descriptors[0], 10_000)
    """
    asked: list[str] = []

    def client(request: PageRequest, deadline: float) -> dict[str, object]:
        asked.append(request.url)
        return guarded_client(NOWHERE)(request, deadline)

    with pool_of(*command(act)) as pool:
        monkeypatch.setattr(sandbox, "_pool", pool)
        with pytest.raises(FetchFailedError, match="too many requests"):
            look(VIDEO, guard=NOWHERE, client=client).words()

    assert 0 < len(asked) < 50
