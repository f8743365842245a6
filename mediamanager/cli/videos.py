"""Links to videos of YouTube, whose captions a command fingerprints here: brought one by one, each as a file."""

import importlib.util
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from mediamanager.cli import PROGRAM
from mediamanager.client.queries import Query
from optout.consent import identifiers
from optout.errors import OptoutError


@contextmanager
def brought(queries: Iterable[Query]) -> Iterator[Iterator[Query]]:
    """Give the queries back, those about a video with a file of its captions, which goes away with the block.

    A video whose captions can't be had becomes a query with the reason; its keys are known all the same.
    """
    with tempfile.TemporaryDirectory(prefix="captions-") as folder:
        yield (_brought(query, Path(folder) / f"{number}.json3") for number, query in enumerate(queries))


def _brought(query: Query, file: Path) -> Query:
    video_id = None if query.file is not None or query.error is not None else identifiers.youtube_id(query.path)
    if video_id is None:
        return query
    if importlib.util.find_spec("yt_dlp") is None:
        how = f"pip install '.[fetch]' in a clone of {PROGRAM}"
        return replace(query, error=f"its captions can't be fetched: that needs yt-dlp, which is not installed: {how}.")
    # Imported here: only links to videos need them.
    from workers import youtube  # noqa: PLC0415
    from workers.errors import VideoNotYetError  # noqa: PLC0415
    from workers.network import Guard  # noqa: PLC0415

    try:
        file.write_bytes(youtube.look(video_id, guard=Guard()).words().data)
    except VideoNotYetError as error:
        return replace(query, error=error.asked_once)
    except OptoutError as error:
        return replace(query, error=str(error))
    return replace(query, file=file)
