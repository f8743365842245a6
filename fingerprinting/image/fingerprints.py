"""From a picture file to its fingerprints: exact pixels, PDQ of the whole and of a few frames, pHash."""

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from PIL import Image

from fingerprinting.image import budget, pdq, views
from fingerprinting.image.decode import Appearance, appearances
from fingerprinting.image.pdq import Spectrum
from fingerprinting.image.phash import phash
from fingerprinting.media import Limits
from fingerprinting.types import Fingerprint, Prints, Role, SpanUnit

WORK_FRAMES: Final = 12
QUERY_FRAMES: Final = 8
"""How many frames a work keeps and how many an asset asks with, beside the whole. The strongest come first on both
sides, so that the work's list may be the longer one: a crop has lost some of them."""

IMAGE_FLAT: Final = "image-flat"
"""The note of a picture with too little in it (blank, one colour, an exact pattern) for any but exact matching."""

MIN_QUALITY: Final = 4
"""PDQ quality under which a whole picture is flat. Copies of a faint wallpaper of quality 8 moved by 0 to 10 bits,
those of one of quality 1 by 18 to 26; unrelated pictures lie 100 and more apart all the same."""


def fingerprint_image(path: Path, limits: Limits, *, role: Role = Role.WORK) -> Prints:
    """Fingerprint a picture.

    A picture with transparency is hashed as each program may show it (see `appearances`); frames and pHash are of the
    first appearance that tells something. A work is kept as it is. A query also asks whether it is a mirror image of
    a work, or a work turned by quarters: seven further PDQ hashes of the whole.

    Returns:
        `pixels-sha256`; then, unless the picture is flat, `pdq-256` of the whole (span None), `pdq-256` of frames (span
        `(left, top, right, bottom)` in pixels of the upright picture), and `phash-64`.

    Raises:
        UnreadableMediaError: damaged, incomplete, or empty.
        LimitExceededError: more pixels than `limits` allow.
    """
    exact: Fingerprint | None = None
    telling: tuple[Appearance, Spectrum] | None = None
    others: list[Fingerprint] = []
    for shown in appearances(path, limits):
        exact = exact or _exact(shown.image)
        whole = views.whole(shown.image)
        if _tells(whole) and telling is None:
            telling = shown, whole
        elif _tells(whole):
            others.append(_pdq(whole))
        del shown  # a huge one should be gone before the next is made
    found = () if exact is None else (exact,)
    if telling is None:
        return Prints(found, identifiable=False, notes=(IMAGE_FLAT,))
    return Prints((*found, *_perceptual(*telling, others, role)))


def _exact(image: Image.Image) -> Fingerprint:
    return Fingerprint(algorithm="pixels-sha256", version=1, value=pixels_sha256(image), unit=SpanUnit.PIXELS)


def _perceptual(shown: Appearance, whole: Spectrum, others: Iterable[Fingerprint], role: Role) -> Iterator[Fingerprint]:
    image = shown.image
    yield from _whole(image, whole, role)
    yield from others
    yield from _frames(shown, WORK_FRAMES if role is Role.WORK else QUERY_FRAMES)
    yield Fingerprint(algorithm="phash-64", version=1, value=phash(image), quality=whole.quality, unit=SpanUnit.PIXELS)


def _tells(whole: Spectrum) -> bool:
    return whole.quality >= MIN_QUALITY and whole.strength >= views.MIN_WHOLE_STRENGTH


def pixels_sha256(image: Image.Image) -> bytes:
    """Hash the pixels of an upright RGB picture, 32 bytes: the size as `<width>x<height>` and a newline, then the rows.

    Two files with the same pixels (a PNG and a lossless WebP, other metadata) have the same hash. A JPEG picture so
    huge that it is decoded smaller has a hash of the smaller pixels, which no other format shares.
    """
    digest = hashlib.sha256(b"%dx%d\n" % image.size)
    for box in budget.strips(image.size):
        digest.update(image.crop(box).tobytes())
    return digest.digest()


def _whole(image: Image.Image, whole: Spectrum, role: Role) -> Iterator[Fingerprint]:
    yield _pdq(whole)
    if role is Role.QUERY:
        for spectrum in views.turned(image):
            yield _pdq(spectrum)


def _pdq(spectrum: Spectrum) -> Fingerprint:
    return Fingerprint(
        algorithm="pdq-256",
        version=1,
        value=pdq.bits(spectrum.coefficients),
        quality=spectrum.quality,
        unit=SpanUnit.PIXELS,
    )


def _frames(shown: Appearance, count: int) -> Iterator[Fingerprint]:
    for view in views.views(shown.image, count):
        frame = view.frame
        sides = (frame.left, frame.top, frame.right, frame.bottom)
        yield Fingerprint(
            algorithm="pdq-256",
            version=1,
            value=pdq.bits(view.spectrum.coefficients),
            quality=view.spectrum.quality,
            span=tuple(round(side * shown.scale, 1) for side in sides),
            unit=SpanUnit.PIXELS,
        )
