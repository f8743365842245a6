"""Open a recording with the one FFmpeg demuxer that its first bytes name.

FFmpeg's own probing would also try playlist formats (HLS, DASH, concat), which open further files and addresses. So the
demuxer is chosen here, from a closed list of formats that hold their sound themselves, and FFmpeg reads from a file
object of ours: it never learns a path and has no protocol to open another one with.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final

import av
from av.container import InputContainer

from fingerprinting.errors import LimitExceededError, UnreadableMediaError, UnsupportedMediaError
from fingerprinting.media import Limits

_HEAD_BYTES: Final = 4096
_READ_BYTES: Final = 1 << 17


@contextmanager
def open_container(path: Path, limits: Limits) -> Iterator[InputContainer]:
    """Open a file as a container of sound.

    Raises:
        UnreadableMediaError: the file is empty, damaged, or cannot be read.
        UnsupportedMediaError: its first bytes name no container that we open.
        LimitExceededError: it has more than `limits.max_bytes`.
    """
    try:
        file = path.open("rb")
    except OSError as error:
        raise UnreadableMediaError(
            f"This file cannot be read ({error.strerror}). Check that it exists and that you may read it."
        ) from error
    with file:
        _check_size(path.stat().st_size, limits)
        name = demuxer_of(file)
        if name is None:
            raise UnsupportedMediaError("This is not a sound file that is known. Use MP3, FLAC, WAV, Ogg, M4A or Opus.")
        with _opened(file, name) as container:
            yield container


@contextmanager
def _opened(file: BinaryIO, demuxer: str) -> Iterator[InputContainer]:
    # "none" is no protocol's name: whatever a demuxer wants to open beside our file object is refused.
    options = {"protocol_whitelist": "none"}
    try:
        container = av.open(file, "r", demuxer, options, metadata_errors="replace", buffer_size=_READ_BYTES)
    # PyAV raises FFmpegError, but ValueError and EOFError for some headers that stop early.
    except (av.error.FFmpegError, ValueError, OSError) as error:
        raise damaged() from error
    with container:
        yield container


def damaged() -> UnreadableMediaError:
    """Make the error for a recording in which no sound can be decoded."""
    return UnreadableMediaError("This recording is damaged or incomplete: no sound could be read. Export it again.")


def demuxer_of(file: BinaryIO) -> str | None:
    """Tell which FFmpeg demuxer reads a file, by its first bytes; None where no known one does.

    The file is left at its beginning.
    """
    file.seek(0)
    head = file.read(_HEAD_BYTES)
    is_tagged = False
    # ID3v2 tags, possibly several, stand before MP3, but also before ADTS and FLAC.
    position = 0
    for _ in range(_MAX_TAGS):
        size = _id3_bytes(head)
        if size is None:
            break
        is_tagged = True
        position += size
        file.seek(position)
        head = file.read(_HEAD_BYTES)
    file.seek(0)
    found = _demuxer_by_magic(head) or _demuxer_by_sync(head.lstrip(b"\0"))
    # Padding between tag and first frame is common in MP3 and in nothing else.
    return found or ("mp3" if is_tagged else None)


def _check_size(size_bytes: int, limits: Limits) -> None:
    if size_bytes == 0:
        raise UnreadableMediaError("This file is empty. Choose the recording again, or export it anew.")
    if size_bytes > limits.max_bytes:
        raise LimitExceededError(
            f"This file has {size_bytes} bytes, and at most {limits.max_bytes} are accepted. Export a smaller one.",
            size_bytes=size_bytes,
            max_bytes=limits.max_bytes,
        )


_ID3_HEADER: Final = re.compile(rb"ID3[\x02-\x04].{2}([\x00-\x7f])([\x00-\x7f])([\x00-\x7f])([\x00-\x7f])", re.DOTALL)
_ID3_HEADER_BYTES: Final = 10
_MAX_TAGS: Final = 100
"""Honest files have one or two; a file of nothing but empty tags would be looked through for minutes."""


def _id3_bytes(head: bytes) -> int | None:
    """Measure an ID3v2 tag. Source: ID3v2.4 section 3.1, four times seven bits."""
    found = _ID3_HEADER.match(head)
    if found is None:
        return None
    size = 0
    for part in found.groups():
        size = size << 7 | part[0]
    return size + _ID3_HEADER_BYTES


_MAGIC: Final = (
    (0, b"fLaC", "flac"),
    (0, b"OggS", "ogg"),
    (0, b"RF64", "wav"),
    (0, b"riff\x2e\x91\xcf\x11", "w64"),
    (0, b"\x1a\x45\xdf\xa3", "matroska"),
    (0, b"caff", "caf"),
    (0, b".snd", "au"),
    (0, b"wvpk", "wv"),
    (0, b"MAC ", "ape"),
    (0, b"TTA1", "tta"),
    (0, b"DSD ", "dsf"),
    (0, b"#!AMR", "amr"),
    (0, b"FLV\x01", "flv"),
    (0, b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "asf"),
    (0, b"\0\0\x01\xba", "mpeg"),
    (0, b"\x0b\x77", "ac3"),
    (4, b"ftyp", "mov"),
    (4, b"moov", "mov"),
    (4, b"mdat", "mov"),
    (4, b"wide", "mov"),
)
_FORMS: Final = {b"RIFFWAVE": "wav", b"RIFFAVI ": "avi", b"FORMAIFF": "aiff", b"FORMAIFC": "aiff"}


def _demuxer_by_magic(head: bytes) -> str | None:
    for offset, magic, name in _MAGIC:
        if head.startswith(magic, offset):
            return name
    return _FORMS.get(head[:4] + head[8:12])


_TS_PACKET_BYTES: Final = 188
_ADTS: Final = re.compile(rb"\xff[\xf0\xf1\xf8\xf9]")
_MPEG_AUDIO: Final = re.compile(rb"\xff[\xe2-\xe7\xf2-\xf7\xfa-\xff][^\xf0-\xff]")


def _demuxer_by_sync(head: bytes) -> str | None:
    """Recognise the formats that have no magic number, only a sync word per frame or packet."""
    if head[: 3 * _TS_PACKET_BYTES : _TS_PACKET_BYTES] == b"\x47\x47\x47":
        return "mpegts"
    if _ADTS.match(head):
        return "aac"
    return "mp3" if _MPEG_AUDIO.match(head) else None
