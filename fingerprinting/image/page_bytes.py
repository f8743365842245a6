"""How the fingerprints of many pages are written into one, `pages-dct-256` or `pages-sift-itq-128`, and read from it.

Little-endian: 4 bytes `PGS1`; then for each view of a page: the page's number from 1 on (uint32), the quality 0 to 100
(uint8), whether it has a span (uint8), two zero bytes, the span (4 float32: left, top, right, bottom in pixels; zeros
where there is none), the length of its value (uint32), and its value, as `dct-256` or `sift-itq-128` has it. The pages
are in order.
"""

import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from fingerprinting.types import Fingerprint

HASHES: Final = "pages-dct-256"
FEATURES: Final = "pages-sift-itq-128"
OF_PICTURE: Final = {HASHES: "dct-256", FEATURES: "sift-itq-128"}
"""Which algorithm of single pictures the pages are looked at by."""

VERSION: Final = 1
MAGIC: Final = b"PGS1"
MAX_VIEWS: Final = 20_000
BYTES_A_VALUE: Final = 2_500_000
"""A longer one is written as several: what is sent as JSON has an end somewhere."""

_VIEW: Final = struct.Struct("<IBBxx4fI")
_NOWHERE: Final = (0.0, 0.0, 0.0, 0.0)


@dataclass(frozen=True, slots=True)
class PageView:
    """One fingerprint of one page; pages are numbered from 1 on."""

    page: int
    print: Fingerprint


def written(algorithm: str, views: Iterable[PageView]) -> Iterator[Fingerprint]:
    """Write views of pages, in order, as one fingerprint, or as several where they are long."""
    waiting, size_bytes = list[PageView](), 0
    for view in views:
        if waiting and size_bytes + len(view.print.value) > BYTES_A_VALUE:
            yield Fingerprint(algorithm, VERSION, write(waiting))
            waiting, size_bytes = [], 0
        waiting.append(view)
        size_bytes += _VIEW.size + len(view.print.value)
    if waiting:
        yield Fingerprint(algorithm, VERSION, write(waiting))


def write(views: Iterable[PageView]) -> bytes:
    """Write views into one value; `read` is the inverse."""
    return MAGIC + b"".join(
        _VIEW.pack(
            view.page,
            round(view.print.quality),
            view.print.span is not None,
            *(view.print.span or _NOWHERE),
            len(view.print.value),
        )
        + view.print.value
        for view in views
    )


def read(value: bytes, algorithm: str) -> list[PageView]:
    """Read what `write` wrote; `algorithm` is the one of single pictures.

    Raises:
        ValueError: saying what is wrong.
    """
    if not value.startswith(MAGIC):
        raise ValueError("it does not begin with `PGS1`")
    found = list(_views(value, algorithm))
    if not 0 < len(found) <= MAX_VIEWS:
        raise ValueError(f"it must have one to {MAX_VIEWS} views of pages")
    if found[0].page < 1 or any(one.page > other.page for one, other in pairwise(found)):
        raise ValueError("its pages must be in order, from 1 on")
    return found


def _views(value: bytes, algorithm: str) -> Iterator[PageView]:
    at = len(MAGIC)
    while at < len(value):
        if len(value) - at < _VIEW.size:
            raise ValueError("it stops within a page")
        page, quality, has_span, *sides, size = _VIEW.unpack_from(value, at)
        at += _VIEW.size
        if len(value) - at < size or has_span > 1:
            raise ValueError("it stops within a page, or is malformed")
        span = tuple(round(side, 1) for side in sides) if has_span else None
        yield PageView(page, Fingerprint(algorithm, 1, value[at : at + size], float(quality), span))
        at += size
