"""Read a comic: the pictures of a CBZ in the order of their names, or those of a book in the order of its pages."""

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Final

from fingerprinting.errors import (
    FingerprintingError,
    LimitExceededError,
    LockedDocumentError,
    UnreadableMediaError,
    UnsupportedMediaError,
)
from fingerprinting.image.decode import Appearance, appearances
from fingerprinting.image.pages import MAX_PAGES, Page
from fingerprinting.media import Limits
from fingerprinting.text import archive, kinds
from fingerprinting.text.archive import Archive

_MAX_PAGE_BYTES: Final = 64 * 1024**2
_MAX_PIXELS: Final = 4_000_000_000
"""Of all pages together: a page of 6 million pixels, for as many as there may be."""

# What programs put beside the pages, and what says nothing about them.
_BESIDE: Final = frozenset({".xml", ".txt", ".nfo", ".json", ".db", ".ini", ".sfv", ".md5", ".url"})
_OF_SYSTEMS: Final = frozenset({"__MACOSX", "@eaDir"})
_DIGITS: Final = re.compile(r"(\d+)")
_MAX_NAME: Final = 1000


def pages(path: Path, limits: Limits) -> Iterator[Page]:
    """Give the pages of a comic in their order, each to be decoded before the next one is asked for.

    Raises:
        UnreadableMediaError: the archive or a page is damaged; `LockedDocumentError`, it needs a password.
        UnsupportedMediaError: it holds something else than pictures, which would go unseen.
        LimitExceededError: too many pages, bytes or pixels.
    """
    with _reworded(), archive.opened(path, limits.max_bytes) as comic:
        yield from _read(comic, enumerate(_pages(comic), 1), limits)


def pages_of_book(path: Path, pictures: Iterable[tuple[int, str]], limits: Limits) -> Iterator[Page]:
    """Give the pictures of a book, with the pages that they are on, as `epub.pictures_of` lists them.

    Raises:
        UnreadableMediaError, LimitExceededError: as `pages` does.
    """
    with _reworded(), archive.opened(path, limits.max_bytes) as book:
        yield from _read(book, pictures, limits)


def _read(comic: Archive, pictures: Iterable[tuple[int, str]], limits: Limits) -> Iterator[Page]:
    left_pixels = _MAX_PIXELS
    for number, name in pictures:
        raw = comic.read(name, _MAX_PAGE_BYTES)
        shown = _counted(_shown(raw, limits, number, name))
        yield number, shown
        left_pixels -= shown.pixels
        if left_pixels < 0:
            raise LimitExceededError(
                f"The pages of this comic have more than the {_MAX_PIXELS / 1e6:,.0f} million pixels that are looked"
                " at. Split it into parts, or export it smaller.",
                max_pixels=_MAX_PIXELS,
            )


class _counted:  # noqa: N801 - used as a function
    """Gives the appearances of a page, and keeps how many pixels were decoded."""

    def __init__(self, shown: Iterator[Appearance]) -> None:
        self.pixels = 0
        self._shown = shown

    def __iter__(self) -> Iterator[Appearance]:
        for one in self._shown:
            self.pixels += round(one.image.width * one.image.height * one.scale**2)
            yield one


def _shown(raw: bytes, limits: Limits, number: int, name: str) -> Iterator[Appearance]:
    try:
        yield from appearances(raw, limits)
    except UnreadableMediaError as error:
        raise UnreadableMediaError(
            f"Page {number} of this comic ({PurePosixPath(name).name[-80:]}) is damaged or no picture that can be read."
            " Export the comic again and use that.",
            page=number,
        ) from error


def _pages(comic: Archive) -> list[str]:
    found: list[str] = []
    for name in comic.names():
        parts = PurePosixPath(name).parts
        if not parts or parts[-1].startswith(".") or _OF_SYSTEMS & set(parts):
            continue
        suffix = PurePosixPath(name).suffix.lower()
        if suffix in kinds.PICTURE_SUFFIXES:
            found.append(name)
        elif suffix not in _BESIDE:
            raise UnsupportedMediaError(
                f"This archive holds more than the pages of a comic ({parts[-1][-80:]}). Unpack it and use what is"
                " inside.",
                kind="archives",
            )
    if not found:
        raise UnreadableMediaError("There is no page in this comic. Export it again and use that.")
    if len(found) > MAX_PAGES:
        raise LimitExceededError(
            f"This comic has more than the {MAX_PAGES:,} pages that are looked at. Split it into parts.",
            max_pages=MAX_PAGES,
        )
    return sorted(found, key=_order)


def _order(name: str) -> tuple[tuple[tuple[int, int, str], ...], str]:
    """As people sort: page 9 before page 10, with or without zeros before them."""
    parts = _DIGITS.split(name.casefold()[:_MAX_NAME])
    return tuple((1, int(each), "") if each.isdecimal() else (0, 0, each) for each in parts), name


@contextmanager
def _reworded() -> Iterator[None]:
    """Say of a comic what is said of documents, whose text could be saved instead."""
    try:
        yield
    except LockedDocumentError as error:
        raise LockedDocumentError("This comic is protected by a password. Save it without one and use that.") from error
    except (UnreadableMediaError, LimitExceededError) as error:
        if ".txt" not in str(error):
            raise
        raise _of_comic(error) from error


def _of_comic(error: FingerprintingError) -> FingerprintingError:
    if isinstance(error, LimitExceededError):
        return LimitExceededError(
            "This comic, or a page of it, has more parts or unpacks to more than is looked at. Split it into parts, or"
            " export it smaller.",
            **error.parameters,
        )
    return UnreadableMediaError("This comic is damaged or incomplete. Export or download it again and use that.")
