"""How the local features of frames are written into one fingerprint, `video-sift-itq-128`, and read from it.

Little-endian: 4 bytes `VSF1`; then for each frame: from when until when it stands, in milliseconds, the length of its
features (3 uint32), and its features as `fingerprinting.image.feature_bytes` writes them. In order of time.
"""

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from fingerprinting.image import feature_bytes

ALGORITHM: Final = "video-sift-itq-128"
VERSION: Final = 1
MAGIC: Final = b"VSF1"
FRAMES_A_VALUE: Final = 400
MAX_FRAMES: Final = 20_000
_FRAME: Final = struct.Struct("<III")


@dataclass(frozen=True, slots=True)
class FeatureFrame:
    """The features of one frame.

    Attributes:
        since: from when it stands, in seconds.
        until: until when.
        value: as `feature_bytes.write` gives it.
    """

    since: float
    until: float
    value: bytes


def written(frames: Sequence[FeatureFrame]) -> list[bytes]:
    """Write frames into as many values as are needed, of at most `FRAMES_A_VALUE` each."""
    return [write(frames[at : at + FRAMES_A_VALUE]) for at in range(0, len(frames), FRAMES_A_VALUE)]


def write(frames: Sequence[FeatureFrame]) -> bytes:
    """Write frames; `read` is the inverse."""
    return MAGIC + b"".join(
        _FRAME.pack(round(each.since * 1000), round(each.until * 1000), len(each.value)) + each.value for each in frames
    )


def read(value: bytes) -> list[FeatureFrame]:
    """Read what `write` wrote.

    Raises:
        ValueError: saying what is wrong.
    """
    if not value.startswith(MAGIC):
        raise ValueError("it does not begin with `VSF1`")
    found = list(_frames(value))
    if not 0 < len(found) <= MAX_FRAMES:
        raise ValueError(f"it must have one to {MAX_FRAMES} frames")
    if any(one.since > other.since for one, other in pairwise(found)):
        raise ValueError("its frames must be in order of time")
    return found


def check(value: bytes) -> str | None:
    """Say what is wrong with a fingerprint of this form, or None."""
    try:
        for each in read(value):
            feature_bytes.read(each.value)
    except ValueError as error:
        return f"the value can't be read: {error}"
    return None


def _frames(value: bytes) -> Iterator[FeatureFrame]:
    at = len(MAGIC)
    while at < len(value):
        if len(value) - at < _FRAME.size:
            raise ValueError("it stops within a frame")
        since, until, size = _FRAME.unpack_from(value, at)
        at += _FRAME.size
        if len(value) - at < size or until < since:
            raise ValueError("it stops within a frame, or a frame ends before it begins")
        yield FeatureFrame(since / 1000, until / 1000, value[at : at + size])
        at += size
