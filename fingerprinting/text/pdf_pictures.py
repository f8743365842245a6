"""Draw the pages of a PDF that have no words: a scan, a comic, drawings."""

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

from fingerprinting.errors import LimitExceededError
from fingerprinting.image.decode import Appearance
from fingerprinting.image.pages import Page
from fingerprinting.media import Limits
from fingerprinting.text import pdf

if TYPE_CHECKING:
    from PIL.Image import Image
    from pypdfium2 import PdfPage

_PIXELS: Final = 1_500_000
"""Of a drawn page: seven times what its features are looked for in."""

_MAX_SCALE: Final = 8.0
_MIN_COVER: Final = 1 / 3
"""How much of a page that has a few words a picture must cover to be what the page is about."""


def pages(path: Path, numbers: Collection[int], limits: Limits) -> Iterator[Page]:
    """Draw some pages, each when it is asked for.

    Args:
        path: a PDF.
        numbers: of the pages, from 1 on, as `pdf.read` gives them.
        limits: `max_pixels` of a picture on a page.

    Raises:
        UnreadableMediaError: damaged, or locked.
        LimitExceededError: a picture of more pixels than are decoded.
    """
    with pdf.opened(path) as document:
        for number in numbers:
            page = document[number - 1]
            try:
                drawn = _drawn(page, limits)
            finally:
                page.close()
            if drawn is not None:
                yield number, [Appearance(drawn)]


def _drawn(page: "PdfPage", limits: Limits) -> "Image | None":
    """Draw a page; None where it is empty, or has words and no picture of a size beside them."""
    import pypdfium2.raw as pdfium  # noqa: PLC0415 - most texts are none

    width, height = page.get_size()
    if width < 1 or height < 1 or pdfium.FPDFPage_CountObjects(page) < 1:
        return None
    shown = 0.0
    for each in page.get_objects(filter=[pdfium.FPDF_PAGEOBJ_IMAGE]):
        across, down = each.get_px_size()
        if across * down > limits.max_pixels:
            raise LimitExceededError(
                f"A picture in this document has more than {limits.max_pixels / 1e6:,.0f} million pixels. Export it"
                " smaller.",
                max_pixels=limits.max_pixels,
            )
        left, bottom, right, top = each.get_bounds()
        shown = max(shown, (min(right, width) - max(left, 0)) * (min(top, height) - max(bottom, 0)))
    words = page.get_textpage()
    has_words = words.count_chars() > 0
    words.close()
    if has_words and shown < _MIN_COVER * width * height:
        return None
    bitmap = page.render(scale=min((_PIXELS / (width * height)) ** 0.5, _MAX_SCALE), may_draw_forms=False)
    drawn: Image = bitmap.to_pil().convert("RGB")
    bitmap.close()
    return drawn
