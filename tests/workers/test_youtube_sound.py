"""The sound of a video: which of its files is chosen, and how that comes here from a server that gives parts."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from fake_youtube import HEARD_EN, VIDEO, of, sound_format
from local_servers import LocalServer, answer, serving

from workers import youtube_sound
from workers.errors import FetchFailedError, FetchTooLargeError, VideoNotYetError
from workers.network import Guard
from workers.youtube import Sound, look
from workers.youtube_formats import sound_of

DATA = bytes(range(256)) * 10
PLACE = "https://rr1.googlevideo.com/videoplayback"


def in_parts(request: bytes) -> bytes:
    """What Google's servers answer: the part that was asked for."""
    asked = re.search(rb"range: bytes=(\d+)-(\d+)", request, re.IGNORECASE)
    if asked is None:
        return answer(DATA)
    first, last = int(asked[1]), int(asked[2])
    part = f"bytes {first}-{last}/{len(DATA)}"
    return answer(DATA[first : last + 1], status=206, content_range=part)


@contextmanager
def google(say: Callable[[bytes], bytes]) -> Iterator[tuple[LocalServer, Guard, str]]:
    routes: dict[str, Any] = {}
    with serving(routes) as server:
        routes["/videoplayback"] = lambda speaker: speaker.sendall(say(server.requests[-1]))
        guard = Guard(allowed=frozenset({server.pair}), resolve=lambda host, port: ["127.0.0.1"])
        yield server, guard, f"http://rr1.googlevideo.com:{server.port}/videoplayback"


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(youtube_sound, "_PART_BYTES", 1000)


def download(say: Callable[[bytes], bytes], path: Path, *, size_bytes: int | None = len(DATA), most: int = 9999) -> int:
    """Download what a server says; how many requests that took."""
    with google(say) as (server, guard, url):
        sound = Sound(url, "A player", size_bytes)
        youtube_sound.download(VIDEO, sound, path, guard=guard, max_bytes=most)
        assert all(b"User-Agent: A player" in request for request in server.requests)
        return len(server.requests)


def test_sound_comes_in_parts(tmp_path: Path) -> None:
    assert download(in_parts, tmp_path / "sound") == 3
    assert (tmp_path / "sound").read_bytes() == DATA


@pytest.mark.parametrize("size_bytes", [len(DATA), None])
def test_a_server_that_gives_all_at_once_is_fine(tmp_path: Path, size_bytes: int | None) -> None:
    assert download(lambda request: answer(DATA), tmp_path / "sound", size_bytes=size_bytes) == 1
    assert (tmp_path / "sound").read_bytes() == DATA


@pytest.mark.parametrize(
    ("response", "code"),
    [
        (answer(b"", status=403), "youtube-sound-withheld"),
        (answer(b"", status=404), "youtube-sound-withheld"),
        (answer(b"", status=429), "youtube-rate-limited"),
        (answer(b"", status=302, location="https://evil.example/x"), "youtube-sound-withheld"),
    ],
)
def test_sound_that_is_refused_is_asked_for_again_later(tmp_path: Path, response: bytes, code: str) -> None:
    with pytest.raises(VideoNotYetError) as caught:
        download(lambda request: response, tmp_path / "sound")

    assert caught.value.code == code


@pytest.mark.parametrize(
    "response",
    [
        answer(b"", status=503),
        answer(DATA[:99]),
        answer(b""),
        answer(DATA[:1000], status=206, content_range="bytes 7-1006/2560"),
        answer(DATA[:1000], status=206),
    ],
    ids=["busy", "cut", "nothing", "another part", "no part"],
)
def test_sound_that_breaks_off_is_no_sound(tmp_path: Path, response: bytes) -> None:
    with pytest.raises(FetchFailedError) as caught:
        download(lambda request: response, tmp_path / "sound")

    assert caught.value.code == "fetch-failed"


@pytest.mark.parametrize("size_bytes", [len(DATA), None])
def test_sound_that_is_too_large_is_refused(tmp_path: Path, size_bytes: int | None) -> None:
    with pytest.raises(FetchTooLargeError):
        download(in_parts, tmp_path / "sound", size_bytes=size_bytes, most=2000)


def test_nothing_but_google_is_asked(tmp_path: Path) -> None:
    with google(in_parts) as (server, guard, url):
        elsewhere = Sound(url.replace("rr1.googlevideo.com", "inside.test"))
        with pytest.raises(VideoNotYetError):
            youtube_sound.download(VIDEO, elsewhere, tmp_path / "sound", guard=guard, max_bytes=9999)

        assert server.requests == []


def test_a_video_whose_sound_is_nowhere_says_so(tmp_path: Path) -> None:
    with pytest.raises(VideoNotYetError) as caught:
        youtube_sound.download(VIDEO, None, tmp_path / "sound", guard=Guard(), max_bytes=9999)

    assert caught.value.code == "youtube-sound-withheld"


@pytest.mark.heavy
def test_the_original_language_is_taken_in_as_few_bits_as_are_enough() -> None:
    formats = [
        sound_format(f"{PLACE}?dub", 1, kbit=60, language="de dubbed-auto", itag=140),
        sound_format(f"{PLACE}?large", 2, kbit=130, language="en original", itag=141),
        sound_format(f"{PLACE}?poor", 3, kbit=30, language="en original", itag=139),
        sound_format(f"{PLACE}?small", 4, kbit=60, language="en original", itag=249),
        sound_format(f"{PLACE}?squeezed", 5, kbit=50, language="en original", itag=250, isDrc=True),
        sound_format(f"{PLACE}?locked", 6, kbit=60, language="en original", itag=251, drmFamilies=["WIDEVINE"]),
    ]
    guard = Guard(resolve=lambda host, port: [])

    video = look(VIDEO, guard=guard, client=of(HEARD_EN, formats=formats).client, with_sound=True)
    unasked = look(VIDEO, guard=guard, client=of(HEARD_EN, formats=formats).client)
    live = of(HEARD_EN, formats=formats, isLive=True, isLiveContent=True)

    assert video.sound is not None
    assert (video.sound.url, video.sound.size_bytes) == (f"{PLACE}?small", 4)
    assert video.sound.agent.startswith("Mozilla/5.0")
    assert unasked.sound is None
    assert look(VIDEO, guard=guard, client=live.client, with_sound=True).sound is None


@pytest.mark.parametrize(
    "formats",
    [
        None,
        "formats",
        [None, 7],
        [{"acodec": "opus"}],
        [{"url": 7, "acodec": "opus"}],
        [{"url": "x", "acodec": "none"}],
        [{"url": "x", "acodec": "opus", "protocol": "m3u8"}],
    ],
)
def test_formats_without_sound_are_none(formats: object) -> None:
    assert sound_of(formats) is None


def test_sound_beside_a_picture_is_taken_where_there_is_none_alone() -> None:
    both = {"url": "both", "acodec": "mp4a", "vcodec": "avc1", "tbr": 500, "preference": None}
    alone = {"url": "alone", "acodec": "mp4a", "vcodec": "none", "tbr": None, "available_at": 12, "filesize": "no"}

    assert sound_of([both]) == {"url": "both", "bytes": None, "at": None}
    assert sound_of([both, alone]) == {"url": "alone", "bytes": None, "at": 12.0}
