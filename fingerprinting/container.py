"""What tracks a container of sound and pictures holds, read from its header alone."""

from dataclasses import dataclass
from pathlib import Path

import av

from fingerprinting.errors import UnreadableMediaError


@dataclass(frozen=True, slots=True)
class Tracks:
    """Which kinds of tracks there are. The cover picture of a song is not counted as a video."""

    has_sound: bool
    has_video: bool


def tracks(path: Path) -> Tracks:
    """Open a container and list its tracks.

    Raises:
        UnreadableMediaError: the container is damaged, incomplete, or of a kind that FFmpeg does not know.
    """
    try:
        with av.open(str(path), mode="r", metadata_errors="replace") as container:
            moving = [stream for stream in container.streams.video if not _is_cover(stream)]
            return Tracks(has_sound=bool(container.streams.audio), has_video=bool(moving))
    # PyAV raises FFmpegError and its subclasses; ValueError and OSError where a demuxer gives up earlier.
    except (av.FFmpegError, ValueError, OSError) as error:
        raise UnreadableMediaError(
            "This recording is damaged or incomplete and cannot be opened. Export it again, or use another copy."
        ) from error


def _is_cover(stream: av.VideoStream) -> bool:
    return bool(stream.disposition & av.stream.Disposition.attached_pic)
