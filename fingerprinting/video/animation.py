"""From an animated GIF, WebP or PNG to grey frames with their times, as from a video."""

import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from PIL import Image

from fingerprinting.media import Limits
from fingerprinting.video.decode import SHOWN_PIXELS, Frame, Pace

MAX_FRAMES: Final = 3000
MAX_PIXELS: Final = 2_000_000_000
"""So many frames, and so many pixels of them, are looked at; the rest of an animation is left out."""

_USUAL_MILLISECONDS: Final = 100
_FORMATS: Final = ("GIF", "WEBP", "PNG")


class Animation:
    """The frames of an animation, at a pace: iterate over it once.

    Attributes:
        end: where the last frame that was seen ends, in seconds.
    """

    def __init__(self, path: Path, limits: Limits, pace: Pace) -> None:
        self._path = path
        self._limits = limits
        self._pace = pace
        self.end = 0.0

    def __iter__(self) -> Iterator[Frame]:
        """Decode, as far as it is intact. A still picture gives no frame."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(self._path, formats=_FORMATS) as image:
                if getattr(image, "is_animated", False) and image.width * image.height <= self._limits.max_pixels:
                    yield from self._frames(image)

    def _frames(self, image: Image.Image) -> Iterator[Frame]:
        due, left = 0.0, MAX_PIXELS
        for nth in range(MAX_FRAMES):
            left -= image.width * image.height
            if left < 0:
                return
            try:
                image.seek(nth)
                shown = _grey(image) if self.end + _ROUNDING >= due else None
            except EOFError:
                return
            except (OSError, SyntaxError, ValueError):
                return  # damaged from here on; what came before counts
            if shown is not None:
                due = self._pace.after(self.end)
                yield Frame(self.end, shown, image.size)
            duration = image.info.get("duration") or _USUAL_MILLISECONDS
            self.end += max(10.0, float(duration)) / 1000


def _grey(image: Image.Image) -> Image.Image:
    """Give a frame in grey, over white; made small before it is made opaque, which costs the most of a large one."""
    factor = max(1, int((image.width * image.height / SHOWN_PIXELS) ** 0.5))
    factor = factor if min(image.size) >= factor else 1
    if not image.has_transparency_data:
        grey = image.convert("L")
        return grey.reduce(factor) if factor > 1 else grey
    shown = image.convert("RGBA")
    shown = shown.reduce(factor) if factor > 1 else shown
    opaque = Image.new("RGBA", shown.size, "white")
    opaque.alpha_composite(shown)
    return opaque.convert("L")


_ROUNDING: Final = 1e-3
