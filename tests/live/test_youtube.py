"""YouTube itself: whether what is tested elsewhere against recorded answers still holds today.

Left out unless MEDIAMANAGER_TEST_LIVE is set (`./run live` does it): it needs the internet, and YouTube may answer an
address no more that asks often. Run it by hand, or once a day by cron; it asks for three videos and one list.
"""

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import pytest_socket

from fingerprinting.extract import extract
from fingerprinting.types import Modality
from workers import youtube, youtube_list, youtube_sound, youtube_trainability
from workers.errors import VideoUnavailableError
from workers.network import Guard
from workers.youtube_list import Page, Source

pytestmark = [
    pytest.mark.live,
    pytest.mark.skipif(not os.environ.get("MEDIAMANAGER_TEST_LIVE"), reason="asks YouTube itself: ./run live"),
]

FIRST = "jNQXAC9IVRw"
"""The first video of all: 19 seconds, with captions that a person wrote."""
NONE = "aaaaaaaaaaa"
"""Of no video ever: the last character of an id holds four bits, and this one more."""
CHANNEL = "https://www.youtube.com/@jawed"
PAUSE_SECONDS = 3.0


@pytest.fixture(autouse=True)
def _beyond_this_machine() -> Iterator[None]:
    """Here sockets lead out, and the next test waits a little."""
    pytest_socket._remove_restrictions()
    yield
    time.sleep(PAUSE_SECONDS)


def test_captions_and_facts_of_a_video(tmp_path: Path) -> None:
    video = youtube.look(FIRST, guard=Guard())

    assert video.trouble is None, video.trouble
    assert (video.channel, video.channel_title) == ("UC4QobU6STFB0P71PMvOGN5A", "jawed")
    assert video.duration_seconds == pytest.approx(19, abs=1)
    assert video.title == "Me at the zoo"
    path = tmp_path / youtube.JSON3_NAME
    path.write_bytes(video.words().data)
    assert b"elephants" in path.read_bytes()
    assert extract(path).modality is Modality.TEXT


def test_sound_and_thumbnail_of_a_video(tmp_path: Path) -> None:
    video = youtube.look(FIRST, guard=Guard(), with_sound=True)
    path, picture = tmp_path / "sound", youtube.thumbnail(FIRST, guard=Guard())

    youtube_sound.download(FIRST, video.sound, path, guard=Guard(), max_bytes=20_000_000)

    found = extract(path)
    assert "chromaprint-2" in {one.algorithm for one in found.fingerprints}
    assert picture is not None
    (tmp_path / "picture").write_bytes(picture)
    assert extract(tmp_path / "picture").modality is Modality.IMAGE


def test_a_video_that_is_none_is_told_as_gone() -> None:
    with pytest.raises(VideoUnavailableError):
        youtube.look(NONE, guard=Guard()).words()


def test_the_videos_of_a_channel() -> None:
    told: list[Source | Page] = []

    youtube_list.read(CHANNEL, None, pages=1, guard=Guard(), each=lambda one: told.append(one) is None)

    sources = [one for one in told if isinstance(one, Source)]
    videos = [video.id for one in told if isinstance(one, Page) for video in one.videos]
    assert [one.channel for one in sources] == ["UC4QobU6STFB0P71PMvOGN5A"]
    assert FIRST in videos


@pytest.mark.skipif(not os.environ.get("MEDIAMANAGER_TEST_YOUTUBE_API_KEY"), reason="needs a key of the Data API")
def test_who_may_train_with_a_video() -> None:
    key = os.environ["MEDIAMANAGER_TEST_YOUTUBE_API_KEY"]

    assert youtube_trainability.ask(FIRST, key=key, guard=Guard())
