"""The video or sound on a page that is not YouTube's, in HTML5, HLS or DASH: found by yt-dlp, fetched by our client.

yt-dlp runs in a sandboxed child without a network. Every address that it names, of a list or of a piece, is fetched by
`workers.fetch`: a page can lead nowhere that a link could not.
"""

import contextlib
import socket
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from pydantic import Field

from fingerprinting import media
from fingerprinting.errors import FingerprintingError, UnsupportedMediaError
from fingerprinting.media import Limits
from fingerprinting.text import kinds
from fingerprinting.types import Extraction, Modality
from workers import sandbox
from workers.errors import FetchFailedError, FetchRefusedError, FetchTooLargeError
from workers.fetch import Ask, FetchLimits, fetch
from workers.network import Guard
from workers.youtube_talk import Client, Conversation, Line, Said, guarded_client

_ALLOWANCE: Final = sandbox.Allowance(cpu_seconds=60, wall_seconds=150.0)
_MOST_REQUESTS: Final = 260
_MOST_PIECES: Final = 6000
_MAX_CAPTIONS: Final = 16 * 1024 * 1024
_MAX_SECONDS: Final = 900.0
_OF_BYTES: Final = "sha256"
REMEDY: Final = "Register the file of the video or sound itself."


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a video: an address, and the first byte and the last one, if not all of it belongs to the video."""

    url: str
    part: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class OnPage:
    """What is on a page: the pieces of one file, in order, and captions in the form of VTT."""

    title: str | None
    pieces: tuple[Piece, ...]
    captions: str | None


class _Media(Said):
    title: str | None = Field(max_length=300)
    pieces: list[tuple[str, int | None, int | None]] = Field(min_length=1, max_length=_MOST_PIECES)
    captions: str | None = Field(max_length=_MAX_CAPTIONS)


class _Line(Line):
    media: _Media | None = None

    def is_last(self) -> bool:
        return self.media is not None or super().is_last()


def look(url: str, *, guard: Guard, client: Client | None = None) -> OnPage:
    """Find the video or sound on a page.

    Args:
        url: of a page, or of a list of HLS or DASH.
        guard: where connections may go.
        client: another way to the web, for tests.

    Raises:
        FetchRefusedError: there is none that can be read; the sentence says why.
        SandboxUnavailableError: yt-dlp could not be started.
    """
    talk = Conversation(client or guarded_client(guard, ()), _Line, max_requests=_MOST_REQUESTS)
    ours, theirs = socket.socketpair()
    with ours:
        task = {"task": "page", "url": url}
        last, _ = sandbox.run(task, [theirs.detach()], _ALLOWANCE, lambda until: talk.listen(ours, until))
    if last.media is None:
        raise FetchRefusedError(
            f"No video or sound could be read from this page: {(last.failed or '').rstrip('.')}. {REMEDY}", field="url"
        )
    pieces = tuple(
        Piece(each, None if first is None or end is None else (first, end)) for each, first, end in last.media.pieces
    )
    return OnPage(last.media.title, pieces, last.media.captions)


def is_page(path: Path) -> bool:
    """Whether what was fetched is no film or recording, but says where one is: a web page, a list of HLS or DASH."""
    try:
        kind = media.sniff(media.read_head(path))
    except UnsupportedMediaError as error:
        return error.parameters.get("kind") == "playlist"
    return kind.modality is Modality.TEXT and kind.media_type == kinds.PLAIN


def read(url: str, folder: Path, *, guard: Guard, limits: Limits) -> tuple[Extraction, Path, str | None]:
    """Fingerprint the video or sound on a page, and its captions where it has some; its file, and what it is called.

    Raises:
        FetchRefusedError, FetchFailedError, FetchTooLargeError: as `look` and `download` say.
        FingerprintingError, SandboxUnavailableError: as `sandbox.extract` says of the video.
    """
    found, path = look(url, guard=guard), folder / "film"
    download(found, path, guard=guard, max_bytes=limits.max_bytes)
    shown = sandbox.extract(path, name="film", limits=limits)
    if shown.modality not in {Modality.VIDEO, Modality.AUDIO}:
        raise FetchRefusedError(f"What this page gives as its video is something else. {REMEDY}", field="url")
    if found.captions is not None:
        words = folder / "captions.vtt"
        words.write_text(found.captions, encoding="utf-8")
        with contextlib.suppress(FingerprintingError):  # the video counts without them
            said = sandbox.extract(words, name=words.name, limits=limits)
            prints = (*shown.fingerprints, *(one for one in said.fingerprints if one.algorithm != _OF_BYTES))
            beside = shown.beside | {Modality.TEXT}
            shown = replace(
                shown, fingerprints=prints, beside=beside, identifiable=shown.identifiable or said.identifiable
            )
    return shown, path, found.title


def download(found: OnPage, path: Path, *, guard: Guard, max_bytes: int) -> None:
    """Fetch the pieces, one after the other, into one file.

    Raises:
        FetchTooLargeError: more than `max_bytes` together.
        FetchRefusedError, FetchFailedError: a piece could not be had.
    """
    deadline = time.monotonic() + _MAX_SECONDS
    with path.open("wb") as file:
        for piece in found.pieces:
            left = max_bytes - file.tell()
            if left <= 0:
                raise FetchTooLargeError(f"This video is too large. {REMEDY}", field="url", max_bytes=max_bytes)
            limits = FetchLimits(max_bytes=left, max_seconds=max(0.0, deadline - time.monotonic()))
            fetched = fetch(piece.url, file, guard=guard, limits=limits, ask=Ask(part=piece.part))
            if piece.part is not None and not fetched.is_part:
                raise FetchFailedError(f"The server sent more than the part of the video that was asked for. {REMEDY}")
