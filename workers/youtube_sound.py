"""The sound of a video from Google's servers to a file, in parts, as they give it: whole files are given at a crawl."""

import time
from dataclasses import replace
from pathlib import Path
from typing import Final

from workers import youtube_states
from workers.errors import FetchFailedError, FetchRefusedError, FetchTooLargeError
from workers.fetch import Ask, FetchLimits, fetch
from workers.network import Guard
from workers.youtube import Sound

_DOMAINS: Final = ("googlevideo.com",)
_PART_BYTES: Final = 10 * 1024 * 1024
_MAX_SECONDS: Final = 900.0
_LONGEST_WAIT_SECONDS: Final = 30.0
_TOO_MANY_REQUESTS: Final = 429


def download(video_id: str, sound: Sound | None, path: Path, *, guard: Guard, max_bytes: int) -> None:
    """Fetch a video's sound.

    Args:
        video_id: what it is of, for errors.
        sound: where it lies; None: YouTube named no place.
        path: what it is written to.
        guard: where connections may go; it is narrowed to Google's servers of videos.
        max_bytes: how large it may be.

    Raises:
        FetchTooLargeError: larger than `max_bytes`.
        VideoNotYetError: it is not given now.
        FetchFailedError: it broke off.
    """
    if sound is None:
        raise youtube_states.error(youtube_states.SOUND_WITHHELD, video_id)
    if sound.available_at is not None:  # YouTube refuses what is fetched before its advertisement could be over
        time.sleep(min(max(0.0, sound.available_at - time.time()), _LONGEST_WAIT_SECONDS))
    deadline = time.monotonic() + _MAX_SECONDS
    try:
        _fetch_parts(sound, path, replace(guard, domains=_DOMAINS), max_bytes, deadline)
    except (FetchFailedError, FetchRefusedError) as error:
        if error.parameters.get("status") == _TOO_MANY_REQUESTS:
            raise youtube_states.error(youtube_states.RATE_LIMITED, video_id) from error
        if isinstance(error, FetchRefusedError):  # 403 and 404: of an address that is good for some hours only
            raise youtube_states.error(youtube_states.SOUND_WITHHELD, video_id) from error
        raise


def _fetch_parts(sound: Sound, path: Path, guard: Guard, max_bytes: int, deadline: float) -> None:
    if sound.size_bytes is not None and sound.size_bytes > max_bytes:
        raise FetchTooLargeError(
            f"The sound of this video has {sound.size_bytes / 1e6:,.0f} MB, and at most {max_bytes / 1e6:,.0f} MB are"
            " fetched. Register a smaller file of it.",
            field="url",
            max_bytes=max_bytes,
        )
    with path.open("wb") as file:
        written, whole = 0, sound.size_bytes is None
        while whole or written < (sound.size_bytes or 0):
            part = None if whole else (written, min(written + _PART_BYTES, sound.size_bytes or 0) - 1)
            limits = FetchLimits(max_bytes=max_bytes - written, max_seconds=max(0.0, deadline - time.monotonic()))
            ask = Ask(headers={"User-Agent": sound.agent}, part=part)
            fetched = fetch(sound.url, file, guard=guard, limits=limits, ask=ask)
            written += fetched.size_bytes
            if not fetched.is_part or fetched.size_bytes == 0:
                break
        if written == 0 or (not whole and written != sound.size_bytes):
            raise FetchFailedError("The sound of this video broke off before its end. We try again.")
