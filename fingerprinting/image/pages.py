"""From pictures in an order (a comic, a scanned book) to fingerprints that know which page is which."""

from collections.abc import Iterable
from typing import Final, TypeAlias

from fingerprinting.errors import LimitExceededError
from fingerprinting.image import features, page_bytes
from fingerprinting.image.decode import Appearance
from fingerprinting.image.fingerprints import IMAGE_FLAT, fingerprint_page
from fingerprinting.image.page_bytes import PageView
from fingerprinting.types import FEATURES_MISSING, Depth, Prints, Role

Page: TypeAlias = tuple[int, Iterable[Appearance]]
"""A page's number, from 1 on, and the ways in which it may be shown, decoded when they are asked for."""

MAX_PAGES: Final = 600
"""Works take 0.15 s a page of one core, and questions 0.13 s; a question is given 90 s."""


def fingerprint_pages(pages: Iterable[Page], role: Role, depth: Depth) -> Prints:
    """Fingerprint pages, one after the other; only one is in memory at a time.

    Returns:
        `pages-dct-256`, and `pages-sift-itq-128` where OpenCV is installed and `depth` compares by it.

    Raises:
        UnreadableMediaError, LimitExceededError: as of the pages; `LimitExceededError`, more than `MAX_PAGES`.
        MissingExtraError: a query at depth thorough, and OpenCV is not installed.
    """
    found: dict[str, list[PageView]] = {algorithm: [] for algorithm in page_bytes.OF_PICTURE}
    for number, (page, shown) in enumerate(pages, 1):
        if number > MAX_PAGES:
            raise LimitExceededError(
                f"There are more than the {MAX_PAGES:,} pages of pictures that are looked at. Split it into parts.",
                max_pages=MAX_PAGES,
            )
        for one in fingerprint_page(shown, role, depth):
            for algorithm, of_picture in page_bytes.OF_PICTURE.items():
                if one.algorithm == of_picture:
                    found[algorithm].append(PageView(page, one))
    prints = tuple(one for algorithm, views in found.items() for one in page_bytes.written(algorithm, views))
    if not prints:
        return Prints((), identifiable=False, notes=(IMAGE_FLAT,))
    is_without = role is Role.WORK and not features.is_available()
    return Prints(prints, notes=(FEATURES_MISSING,) if is_without else ())
