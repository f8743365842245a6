"""WARC files: where each record lies, and what a server answered, decoded."""

import contextlib
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Final
from urllib.parse import urlsplit

from warcio.archiveiterator import ArchiveIterator
from warcio.bufferedreaders import BufferedReader
from warcio.exceptions import ArchiveLoadFailed

from fingerprinting.errors import LimitExceededError, UnreadableMediaError

_CUT_OFF: Final = "it is cut off"
_AT_ONCE: Final = 1 << 20
_PLAIN: Final = ("", "identity")
_ENDINGS: Final = {"text/html": ".html", "application/xhtml+xml": ".html", "text/vtt": ".vtt", "text/plain": ".txt"}


class _Reader(ArchiveIterator):  # type: ignore[misc] # it is not typed
    """A reader that counts what is wrong, and prints nothing."""

    INC_RECORD = ""


class BrokenWarcError(Exception):
    """From some byte on a file can't be read."""


@dataclass(frozen=True, slots=True)
class Record:
    """A record of a file.

    Attributes:
        start, end: its bytes in the file, compressed as they lie there, with what parts it from the next one.
        kind: its `WARC-Type`.
        uri: its `WARC-Target-URI`; empty where it has none.
        size: bytes of its block.
        date: its `WARC-Date`.
        is_segment: whether it is one part of a record that was cut in several.
    """

    start: int
    end: int
    kind: str
    uri: str
    size: int
    date: str
    is_segment: bool


def records(file: Path) -> Iterator[Record]:
    """Give every record in order, reading no more than their headers need to be.

    Raises:
        BrokenWarcError: it is no WARC file, or is cut off or damaged from there on; what came before was whole.
    """
    with file.open("rb") as opened, _told_as_broken():
        size = opened.seek(0, io.SEEK_END)
        opened.seek(0)
        reader = _Reader(opened, no_record_parse=True)
        end = 0
        for record in reader:
            if record.format != "warc":
                raise BrokenWarcError("it is an ARC file: convert it with `warcio recompress`")
            reader.read_to_end()
            start, length = reader.member_info
            if record.raw_stream.limit or start + length > size:
                raise BrokenWarcError(_CUT_OFF)
            if reader.err_count:
                raise BrokenWarcError(f"the record at byte {start} is not as long as it says")
            head, end = record.rec_headers, reader.offset
            yield Record(
                start=start,
                end=end,
                kind=str(record.rec_type),
                uri=str(head.get_header("WARC-Target-URI") or "").strip("<>"),
                size=int(head.get_header("Content-Length")),
                date=str(head.get_header("WARC-Date")),
                is_segment=head.get_header("WARC-Segment-Number") is not None,
            )
        opened.seek(end)
        if opened.read(_AT_ONCE).strip(b"\r\n"):
            raise BrokenWarcError("what follows is no record")


def payload(file: Path, offset: int, target: IO[bytes], most: int) -> str:
    """Write what the record at a byte of a file holds, without the server's headers and its encodings.

    Returns:
        A name for it: the last part of the address, ending as its type asks.

    Raises:
        UnreadableMediaError: it can't be decoded.
        LimitExceededError: it has more than `most` bytes.
    """
    try:
        with file.open("rb") as opened, _told_as_broken():
            opened.seek(offset)
            return _payload(opened, target, most)
    except BrokenWarcError as error:
        raise UnreadableMediaError(f"This record can't be read: {error}.") from error


def _payload(opened: IO[bytes], target: IO[bytes], most: int) -> str:
    record = next(iter(_Reader(opened)), None)
    if record is None:
        raise BrokenWarcError(_CUT_OFF)
    head = record.http_headers
    encoding = "" if head is None else str(head.get_header("Content-Encoding") or "").strip().lower()
    if encoding not in (*_PLAIN, *BufferedReader.get_supported_decompressors()):
        raise UnreadableMediaError(f"This answer is encoded as {encoding[:40]}, which is not read.")
    _copy(record.content_stream(), target, most)
    if record.raw_stream.limit:
        raise BrokenWarcError(_CUT_OFF)
    said = record.content_type if head is None else head.get_header("Content-Type")
    ending = _ENDINGS.get(str(said or "").split(";")[0].strip().lower(), "")
    address = str(record.rec_headers.get_header("WARC-Target-URI") or "")
    name = PurePosixPath(urlsplit(address).path).name[-100:] or "index"
    return name if name.lower().endswith(ending) else f"{name}{ending}"


def _copy(source: IO[bytes], target: IO[bytes], most: int) -> None:
    written = 0
    while some := source.read(_AT_ONCE):
        written += len(some)
        if written > most:
            raise LimitExceededError(f"This record holds more than {most / 1e6:,.0f} MB.", limit="bytes")
        target.write(some)


@contextlib.contextmanager
def _told_as_broken() -> Iterator[None]:
    try:
        yield
    except (UnreadableMediaError, LimitExceededError, BrokenWarcError, OSError, MemoryError):
        raise
    except ArchiveLoadFailed as error:
        raise BrokenWarcError(" ".join(str(error).split())[:200]) from error
    except Exception as error:  # on damaged bytes the reader raises anything: zlib's, ValueError, TypeError
        raise BrokenWarcError(f"{type(error).__name__}: {error}"[:200]) from error
