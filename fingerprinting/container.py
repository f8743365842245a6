"""What tracks a container of sound and pictures holds, read from its header alone."""

from dataclasses import dataclass
from pathlib import Path

import av

from fingerprinting.audio.containers import open_container
from fingerprinting.media import Limits


@dataclass(frozen=True, slots=True)
class Tracks:
    """Which kinds of tracks there are. The cover picture of a song is not counted as a video."""

    has_sound: bool
    has_video: bool


def tracks(path: Path, limits: Limits) -> Tracks:
    """Open a container and list its tracks.

    Raises:
        UnreadableMediaError: the container is damaged or incomplete.
        UnsupportedMediaError: the container is of a kind that we do not open.
    """
    with open_container(path, limits) as container:
        moving = [stream for stream in container.streams.video if not _is_cover(stream)]
        return Tracks(has_sound=bool(container.streams.audio), has_video=bool(moving))


def _is_cover(stream: av.VideoStream) -> bool:
    return bool(stream.disposition & av.stream.Disposition.attached_pic)
