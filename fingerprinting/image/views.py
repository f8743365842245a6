"""What PDQ is shown of a picture: the whole of it, and a few frames that a cropped copy still has."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Final

import numpy as np
from PIL import Image

from fingerprinting.image import anchors, pdq
from fingerprinting.image.anchors import Frame
from fingerprinting.image.pdq import Spectrum

WHOLE_SIDE: Final = 512
"""The whole picture is squeezed into a square of this side, as the reference tool does. PDQ's bits depend on the size
of its input (18 of 256 move between 256 and 512 px), so this is part of the definition."""

FRAME_SIDE: Final = 64
"""A frame is brought straight to PDQ's own 64 by 64 blocks: frames are small, and twelve of them must be quick."""

MIN_STRENGTH: Final = 4.0
"""Least median magnitude of the DCT coefficients. Exactly tiled patterns, whose bits are rounding noise, lie near 0 and
match each other at any quality; photographs lie above 20."""

MIN_FRAME_QUALITY: Final = 50
"""Frames of less gradient (PDQ's quality) could never decide a match, so they are not kept."""

MAX_CANDIDATES: Final = 24
"""How many frames are looked at to find those worth keeping."""


@dataclass(frozen=True, slots=True)
class View:
    """A frame that is worth keeping, and its PDQ spectrum."""

    frame: Frame
    spectrum: Spectrum


def whole(image: Image.Image) -> Spectrum:
    """Compute the PDQ spectrum of the whole of an RGB picture."""
    square = image.resize((WHOLE_SIDE, WHOLE_SIDE), Image.Resampling.BILINEAR, reducing_gap=3.0)
    return pdq.spectrum(np.asarray(square))


def views(image: Image.Image, count: int) -> Iterator[View]:
    """Yield at most `count` frames of an RGB picture, the strongest first, leaving out those that say too little."""
    return islice(_worthwhile(image), count)


def _worthwhile(image: Image.Image) -> Iterator[View]:
    for frame in islice(anchors.frames(image), MAX_CANDIDATES):
        box = (frame.left, frame.top, frame.right, frame.bottom)
        square = image.resize((FRAME_SIDE, FRAME_SIDE), Image.Resampling.BILINEAR, box=box)
        spectrum = pdq.spectrum(np.asarray(square))
        if spectrum.quality >= MIN_FRAME_QUALITY and spectrum.strength >= MIN_STRENGTH:
            yield View(frame, spectrum)
