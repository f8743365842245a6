"""How the frames of a moving picture are written into one fingerprint, `video-dct-256`, and read from it.

Little-endian: 4 bytes `VDF2`; the end of the moving picture in milliseconds (uint32); then for each view of a frame 298
bytes (see `VIEW`), in order of time, the whole frame before its trimmed view. A frame stands for those that were
looked at until `until`, too, because they look the same. `hash` and `grey` are those of `dct-256` (see
`fingerprinting.image.dct`). Version 1 had the grey in 16 levels, too few to see what moves before a fixed camera.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from fingerprinting.image import dct

ALGORITHM: Final = "video-dct-256"
VERSION: Final = 2
MAGIC: Final = b"VDF2"
VIEW: Final = np.dtype(
    [
        *(("since", "<u4"), ("until", "<u4"), ("quality", "u1"), ("kind", "u1")),
        *(("hash", "u1", (dct.HASH_BYTES,)), ("grey", "u1", (dct.THUMBNAIL_BYTES,))),
    ]
)
"""One view of a frame: from when until when (milliseconds), quality 0 to 100, and `kind`, one of those below."""

WHOLE: Final = 0
TRIMMED: Final = 1
MOVING: Final = 2
"""The whole frame, the frame without its borders, and the part of it that moves."""

VIEWS_A_VALUE: Final = 16_000
MAX_VIEWS: Final = 200_000
_HEADER: Final = struct.Struct("<4sI")


@dataclass(frozen=True, slots=True)
class Views:
    """The views of the frames of one moving picture.

    Attributes:
        end: where it ends, in milliseconds.
        views: `VIEW`, shape (N,), in order of `since`.
    """

    end: int
    views: NDArray[np.void]

    @property
    def since(self) -> NDArray[np.float64]:
        """When each begins, in seconds."""
        return self.views["since"].astype(np.float64) / 1000

    @property
    def until(self) -> NDArray[np.float64]:
        """When each ends, in seconds."""
        return self.views["until"].astype(np.float64) / 1000


def view(spectrum: dct.Spectrum, kind: int, since: int) -> NDArray[np.void]:
    """Make one view, shape (), that begins and ends at a time in milliseconds."""
    written = dct.value(spectrum)
    made = np.zeros((), VIEW)
    made["since"], made["until"], made["quality"], made["kind"] = since, since, spectrum.quality, kind
    made["hash"] = np.frombuffer(written, np.uint8, dct.HASH_BYTES, dct.THUMBNAIL_BYTES)
    made["grey"] = np.frombuffer(written, np.uint8, dct.THUMBNAIL_BYTES)
    return made


def write(end: int, views: Sequence[NDArray[np.void]] | NDArray[np.void]) -> bytes:
    """Write views; `read` is the inverse."""
    return _HEADER.pack(MAGIC, end) + np.array(views, VIEW).tobytes()


def read(value: bytes) -> Views:
    """Read what `write` wrote and `check` accepted."""
    _, end = _HEADER.unpack_from(value)
    return Views(end, np.frombuffer(value, VIEW, offset=_HEADER.size))


def check(value: bytes) -> str | None:
    """Say what is wrong with written views, or None."""
    count, rest = divmod(len(value) - _HEADER.size, VIEW.itemsize)
    if count < 1 or rest or count > MAX_VIEWS or not value.startswith(MAGIC):
        return f"the value must be `VDF2`, a time, and one to {MAX_VIEWS} views of {VIEW.itemsize} bytes"
    found = read(value)
    since, until = found.views["since"], found.views["until"]
    if bool((np.diff(since.astype(np.int64)) < 0).any()) or bool((until < since).any()):
        return "the views must be in order of time, and none may end before it begins"
    return None if int(found.views["kind"].max()) <= MOVING else "a view is of an unknown kind"
