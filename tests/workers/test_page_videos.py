"""Videos on pages that are not YouTube's, through yt-dlp's real reader in its sandbox and servers on this machine."""

import io
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import av
import numpy as np
import pytest
import synthetic_sound
from local_servers import LocalServer, answer, serving

from fingerprinting.extract import extract
from fingerprinting.types import Modality
from workers import page_videos
from workers.errors import FetchRefusedError, FetchTooLargeError
from workers.network import Guard

pytestmark = pytest.mark.heavy

HLS, DASH = "application/vnd.apple.mpegurl", "application/dash+xml"
CAPTIONS = b"WEBVTT\n\n00:01.000 --> 00:02.000\nA quick brown fox\n"
SECONDS = 8


def film(container_format: str, **options: str) -> bytes:
    written = io.BytesIO()
    with av.open(written, "w", format=container_format, options=options) as container:
        picture = container.add_stream("mpeg4", rate=2, width=64, height=48)
        sound = container.add_stream("aac", rate=44_100, layout="mono")
        for number in range(2 * SECONDS):
            shown = np.random.default_rng(number // 4).integers(0, 256, (48, 64, 3), dtype=np.uint8)
            container.mux(picture.encode(av.VideoFrame.from_ndarray(shown, "rgb24")))
        samples = synthetic_sound.melody(SECONDS, rate_hz=44_100)
        frame = av.AudioFrame.from_ndarray(samples.reshape(1, -1), "s16", "mono")
        frame.sample_rate = 44_100
        container.mux(sound.encode(frame))
        for stream in (picture, sound):
            container.mux(stream.encode())
    return written.getvalue()


@contextmanager
def site(routes: Mapping[str, tuple[bytes, str]]) -> Iterator[tuple[LocalServer, Guard]]:
    with serving({path: answer(body, content_type=kind) for path, (body, kind) in routes.items()}) as server:
        yield server, Guard(allowed=frozenset({server.pair}))


def read(url: str, guard: Guard, path: Path, max_bytes: int = 10**8) -> page_videos.OnPage:
    found = page_videos.look(url, guard=guard)
    page_videos.download(found, path, guard=guard, max_bytes=max_bytes)
    return found


def test_a_page_with_a_video_gives_its_file_and_its_captions(tmp_path: Path) -> None:
    page = b"""<!doctype html><title>Fox</title><video><source src="fox.mp4" type="video/mp4">
        <track kind="captions" srclang="en" src="fox.vtt"></video>"""
    data = film("mp4")
    routes = {"/watch": (page, "text/html"), "/fox.mp4": (data, "video/mp4"), "/fox.vtt": (CAPTIONS, "text/vtt")}
    with site(routes) as (server, guard):
        found = read(server.url("/watch"), guard, tmp_path / "film")

    assert (tmp_path / "film").read_bytes() == data
    assert found.captions is not None
    assert "A quick brown fox" in found.captions


def hls(server: str = "", *, ended: bool = True, key: str = "") -> dict[str, tuple[bytes, str]]:
    data = film("mpegts")
    cut = len(data) // 188 // 2 * 188
    master = (
        '#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=100000,RESOLUTION=64x48,CODECS="mp4v.20.9,mp4a.40.2"\nlow/list.m3u8\n'
    )
    listed = f"#EXTM3U\n#EXT-X-TARGETDURATION:5\n{key}#EXTINF:4,\n{server}a.ts\n#EXTINF:4,\n{server}b.ts\n"
    return {
        "/film.m3u8": (master.encode(), HLS),
        "/low/list.m3u8": (f"{listed}{'#EXT-X-ENDLIST' if ended else ''}\n".encode(), HLS),
        "/low/a.ts": (data[:cut], "video/mp2t"),
        "/low/b.ts": (data[cut:], "video/mp2t"),
    }


def test_the_pieces_of_hls_make_one_film(tmp_path: Path) -> None:
    with site(hls()) as (server, guard):
        read(server.url("/film.m3u8"), guard, tmp_path / "film")

    found = extract(tmp_path / "film")
    assert (found.modality, found.identifiable) == (Modality.VIDEO, True)
    assert {"chromaprint-2", "video-dct-256"} <= {one.algorithm for one in found.fingerprints}


def test_the_pieces_of_dash_make_one_film(tmp_path: Path) -> None:
    data = film("mp4", movflags="frag_keyframe+empty_moov+default_base_moof")
    first = data.index(b"moof") - 4
    mpd = f"""<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static"
        mediaPresentationDuration="PT{SECONDS}S"><Period duration="PT{SECONDS}S"><AdaptationSet mimeType="video/mp4">
        <Representation id="low"
        bandwidth="100000" width="64" height="48" codecs="mp4v.20.9,mp4a.40.2"><SegmentList duration="{SECONDS}">
        <Initialization sourceURL="init.mp4"/><SegmentURL media="rest.m4s"/></SegmentList></Representation>
        </AdaptationSet></Period></MPD>""".encode()  # fmt: skip
    routes = {
        "/film.mpd": (mpd, DASH),
        "/init.mp4": (data[:first], "video/mp4"),
        "/rest.m4s": (data[first:], "video/mp4"),
    }
    with site(routes) as (server, guard):
        read(server.url("/film.mpd"), guard, tmp_path / "film")

    assert (tmp_path / "film").read_bytes() == data


@pytest.mark.parametrize(
    ("routes", "said"),
    [
        ({"/film.m3u8": (b"<!doctype html><p>No film here.", "text/html")}, "No video or sound"),
        (hls(ended=False), "still going on"),
        (hls(key='#EXT-X-KEY:METHOD=AES-128,URI="key"\n'), "encrypted"),
        ({}, "404"),
    ],
)
def test_what_can_not_be_read_is_refused_with_the_reason(routes: Mapping[str, tuple[bytes, str]], said: str) -> None:
    with site(routes) as (server, guard), pytest.raises(FetchRefusedError, match=said):
        page_videos.look(server.url("/film.m3u8"), guard=guard)


@pytest.mark.parametrize("lead", ["page", "list", "piece"])
def test_nothing_on_a_page_leads_to_a_private_address(tmp_path: Path, lead: str) -> None:
    secret = {"/film.mp4": (film("mp4"), "video/mp4"), "/list.m3u8": (b"#EXTM3U\n#EXT-X-ENDLIST", HLS)}
    with site(secret) as (inside, _):
        private = f"http://127.0.0.1:{inside.port}"
        routes = {
            "page": {"/film.m3u8": (f'<!doctype html><video src="{private}/film.mp4">'.encode(), "text/html")},
            "list": {
                "/film.m3u8": (f"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\n{private}/list.m3u8\n".encode(), HLS),
            },
            "piece": hls(f"{private}/"),
        }
        with site(routes[lead]) as (server, guard), pytest.raises(FetchRefusedError, match=r"port|public|No video"):
            read(server.url("/film.m3u8"), guard, tmp_path / "film")

        assert inside.requests == []


def test_all_pieces_together_are_no_larger_than_is_allowed(tmp_path: Path) -> None:
    routes = hls()
    with site(routes) as (server, guard), pytest.raises(FetchTooLargeError):
        read(server.url("/film.m3u8"), guard, tmp_path / "film", len(routes["/low/a.ts"][0]) + 100)
