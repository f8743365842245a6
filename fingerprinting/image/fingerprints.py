"""From a picture file to its fingerprints: exact pixels, hashes of the whole and of views, local features."""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from PIL import Image

from fingerprinting.image import budget, dct, feature_bytes, features, pdq, proposals, views
from fingerprinting.image.decode import Appearance, appearances
from fingerprinting.image.pdq import Spectrum
from fingerprinting.image.phash import phash
from fingerprinting.media import Limits
from fingerprinting.thresholds import DCT_MIN_QUALITY, DCT_MIN_STRENGTH, PDQ_BLANK_QUALITY
from fingerprinting.types import FEATURES_MISSING, Depth, Fingerprint, Prints, Role, SpanUnit

WORK_FRAMES: Final = 12
QUERY_FRAMES: Final = 8
"""How many frames a work keeps and how many an asset asks with, beside the whole. The strongest come first on both
sides, so that the work's list may be the longer one: a crop has lost some of them."""

IMAGE_FLAT: Final = "image-flat"
"""The note of a picture with too little in it (blank, one colour, an exact pattern) for any but exact matching."""

FEW_FEATURES: Final = "image-few-features"
"""The note of a work with so few local features that small parts of it can't be recognised."""

_TELLING_FEATURES: Final = 40


@dataclass(frozen=True, slots=True)
class _Telling:
    """The first appearance of a picture that says something, and what was computed of it.

    `square` is what its pHash is computed of: for a query, the small square that its PDQ is of.
    """

    shown: Appearance
    grey: Image.Image
    square: Image.Image
    whole: Spectrum


def fingerprint_image(path: Path, limits: Limits, *, role: Role = Role.WORK, depth: Depth = Depth.STANDARD) -> Prints:
    """Fingerprint a picture. It is decoded once, whatever is computed.

    A picture with transparency is hashed as each program may show it (see `appearances`); views, pHash and features are
    of the first appearance that tells something. A work gets everything that any depth may ask for. A query gets what
    its depth compares, and asks also whether it is a mirror image of a work, a work turned by quarters, or a negative.

    Returns:
        `pixels-sha256`; then, unless the picture is flat, `pdq-256` of the whole (span None), `phash-64`, `dct-256` of
        the whole and of views (span `(left, top, right, bottom)` in pixels of the upright picture), and
        `sift-itq-128`, of more features at depth thorough. A work, and a query where OpenCV is not installed, have
        `pdq-256` of frames, too. A query at depth fast has only `dct-256` of the whole, from a JPEG picture that is
        decoded small.

    Raises:
        UnreadableMediaError: damaged, incomplete, or empty.
        LimitExceededError: more pixels than `limits` allow.
        MissingExtraError: a query at depth thorough, and OpenCV is not installed.
    """
    if role is Role.QUERY and depth is Depth.FAST:
        return _fast(path, limits)
    exact: Fingerprint | None = None
    telling: _Telling | None = None
    others: list[Fingerprint] = []
    for shown in appearances(path, limits):
        exact = exact or _exact(shown.image)
        looked = _looked(shown, role)
        if _tells(looked.whole) and telling is None:
            telling = looked
        elif _tells(looked.whole):
            others.append(_pdq(looked.whole))
            others += _dct(dct.spectrum(looked.grey), _forms(role))
        del shown, looked  # a huge one should be gone before the next is made
    found = () if exact is None else (exact,)
    if telling is None:
        return Prints(found, identifiable=False, notes=(IMAGE_FLAT,))
    boxes = _boxes(telling.grey, role)
    prints = [*found, *_hashes(telling, role, boxes), *others]
    is_without = not features.is_available()
    if role is Role.WORK or is_without:
        prints += _frames(telling.shown, WORK_FRAMES if role is Role.WORK else QUERY_FRAMES)
    if is_without and (role is Role.WORK or depth is not Depth.THOROUGH):
        return Prints(tuple(prints), notes=(FEATURES_MISSING,))
    described = _features(telling, _effort(role, depth), boxes)
    notes = (FEW_FEATURES,) if role is Role.WORK and len(described) < _TELLING_FEATURES else ()
    return Prints((*prints, _local(described)), notes=notes)


def fingerprint_page(shown: Iterable[Appearance], role: Role, depth: Depth) -> tuple[Fingerprint, ...]:
    """Fingerprint one picture of many by what finds copies of it and of parts of it, each of them once.

    Returns:
        `dct-256` of the whole and of views, and, where OpenCV is installed and `depth` compares them, `sift-itq-128`;
        nothing of a flat picture.

    Raises:
        UnreadableMediaError, LimitExceededError, MissingExtraError: as `fingerprint_image` does.
    """
    for appearance in shown:
        telling = _looked(appearance, role)
        if not _tells(telling.whole):
            continue
        if role is Role.QUERY and depth is Depth.FAST:
            return tuple(_dct(dct.spectrum(telling.grey), _forms(role)))
        boxes = _boxes(telling.grey, role)
        hashed = tuple(_dcts(telling, role, boxes))
        if features.is_available() or (role is Role.QUERY and depth is Depth.THOROUGH):
            return (*hashed, _local(_features(telling, _effort(role, depth), boxes)))
        return hashed
    return ()


def _fast(path: Path, limits: Limits) -> Prints:
    found: list[Fingerprint] = []
    for shown in appearances(path, limits, is_rough=True):
        grey = shown.image.convert("L")
        whole = dct.spectrum(grey) if shown.scale == 1.0 else dct.spectrum_of_shrunk(grey)
        found += _dct(whole, dct.QUERY_FORMS[-1])
    return Prints(tuple(found), identifiable=bool(found), notes=() if found else (IMAGE_FLAT,))


def _looked(shown: Appearance, role: Role) -> _Telling:
    """Look at the whole: exactly where it is kept, and where it only asks, nearly and in a tenth of the time."""
    grey = shown.image.convert("L")
    if role is Role.WORK:
        return _Telling(shown, grey, shown.image, views.whole(shown.image))
    square = views.squeezed(grey)
    return _Telling(shown, grey, square, views.near(square))


def _exact(image: Image.Image) -> Fingerprint:
    return Fingerprint(algorithm="pixels-sha256", version=1, value=pixels_sha256(image), unit=SpanUnit.PIXELS)


def _hashes(telling: _Telling, role: Role, boxes: Sequence[proposals.Box]) -> Iterator[Fingerprint]:
    whole, hashed = telling.whole, phash(telling.square)
    yield _pdq(whole)
    yield Fingerprint(algorithm="phash-64", version=1, value=hashed, quality=whole.quality, unit=SpanUnit.PIXELS)
    yield from _dcts(telling, role, boxes)


def _dcts(telling: _Telling, role: Role, boxes: Sequence[proposals.Box]) -> Iterator[Fingerprint]:
    yield from _dct(dct.spectrum(telling.grey), _forms(role))
    for box in boxes:
        sides = tuple(round(side * telling.shown.scale, 1) for side in box)
        yield from _dct(dct.spectrum(telling.grey, box), min(_forms(role), len(dct.FORMS)), sides)


def _boxes(grey: Image.Image, role: Role) -> list[proposals.Box]:
    if role is Role.QUERY:
        return proposals.boxes(grey)
    inner = proposals.trimmed(grey)
    return [] if inner is None else [inner]


def _forms(role: Role) -> int:
    return dct.WORK_FORMS if role is Role.WORK else dct.QUERY_FORMS[-1]


def _dct(found: dct.Spectrum, forms: int, sides: tuple[float, ...] | None = None) -> Iterator[Fingerprint]:
    if found.quality >= DCT_MIN_QUALITY and found.strength >= DCT_MIN_STRENGTH:
        yield Fingerprint(
            algorithm="dct-256",
            version=1,
            value=dct.value(found, forms),
            quality=found.quality,
            span=sides,
            unit=SpanUnit.PIXELS,
        )


def _effort(role: Role, depth: Depth) -> features.Effort:
    if role is Role.WORK:
        return features.WORK
    return features.THOROUGH if depth is Depth.THOROUGH else features.STANDARD


def _features(telling: _Telling, effort: features.Effort, boxes: Sequence[proposals.Box]) -> feature_bytes.Features:
    image, scale = telling.shown.image, telling.shown.scale
    return features.describe(telling.grey, (round(image.width * scale), round(image.height * scale)), effort, boxes)


def _local(described: feature_bytes.Features) -> Fingerprint:
    return Fingerprint(algorithm="sift-itq-128", version=1, value=feature_bytes.write(described), unit=SpanUnit.PIXELS)


def _tells(whole: Spectrum) -> bool:
    return whole.quality >= PDQ_BLANK_QUALITY and whole.strength >= views.MIN_WHOLE_STRENGTH


def pixels_sha256(image: Image.Image) -> bytes:
    """Hash the pixels of an upright RGB picture, 32 bytes: the size as `<width>x<height>` and a newline, then the rows.

    Two files with the same pixels (a PNG and a lossless WebP, other metadata) have the same hash. A JPEG picture so
    huge that it is decoded smaller has a hash of the smaller pixels, which no other format shares.
    """
    digest = hashlib.sha256(b"%dx%d\n" % image.size)
    strips = list(budget.strips(image.size))
    for box in strips:
        digest.update((image.crop(box) if len(strips) > 1 else image).tobytes())
    return digest.digest()


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
