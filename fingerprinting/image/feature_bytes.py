"""How the local features of a picture are written into one fingerprint, and read from it.

Little-endian: width and height of the upright picture (uint32), number of features N (uint16), variants V (1, 2 or 4),
width and height of the thumbnail (uint8), a zero byte; the thumbnail, grey, row by row; N places (see `PLACE`); V times
N codes of 16 bytes. The variants are the picture as it is, mirrored left to right, negative, and both.
"""

import struct
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

CODE_BYTES: Final = 16

PLACE: Final = np.dtype([("x", "<u2"), ("y", "<u2"), ("scale", "u1"), ("angle", "u1")])
"""Where a feature lies: x and y in 65535ths of width and height; size on a logarithmic scale (see `SIZE_STEPS`);
direction in 256ths of a turn."""

SIZE_STEPS: Final = 16
SIZE_UNIT: Final = 1 / 1024
"""A feature's diameter is SIZE_UNIT * 2 ** (scale / SIZE_STEPS) of the picture's longer side."""

MIRRORED: Final = 1
NEGATIVE: Final = 2
VARIANTS: Final = (1, 2, 4)
"""How many variants there may be: a work has itself, a query asks four ways, a frame of a video without negatives. The
variant's number holds these bits."""

MAX_FEATURES: Final = 2000

_HEADER: Final = struct.Struct("<IIHBBBB")


@dataclass(frozen=True, slots=True)
class Features:
    """The local features of one picture.

    Attributes:
        size: width and height of the upright picture in pixels.
        thumbnail: uint8, shape (rows, columns): the whole picture in grey.
        places: `PLACE`, shape (N,).
        codes: uint64, shape (V, N, 2).
    """

    size: tuple[int, int]
    thumbnail: NDArray[np.uint8]
    places: NDArray[np.void]
    codes: NDArray[np.uint64]

    def __len__(self) -> int:
        return len(self.places)


def write(features: Features) -> bytes:
    """Write features; `read` is the inverse."""
    rows, columns = features.thumbnail.shape
    header = _HEADER.pack(*features.size, len(features), len(features.codes), columns, rows, 0)
    codes = features.codes.astype("<u8", copy=False)
    return header + features.thumbnail.tobytes() + features.places.tobytes() + codes.tobytes()


def read(value: bytes) -> Features:
    """Read what `write` wrote.

    Raises:
        ValueError: saying what is wrong.
    """
    if len(value) < _HEADER.size:
        raise ValueError("it is too short")
    width, height, count, variants, columns, rows, zero = _HEADER.unpack_from(value)
    if variants not in VARIANTS or zero or not (width and height and columns and rows) or count > MAX_FEATURES:
        raise ValueError("its header is malformed")
    places_at = _HEADER.size + columns * rows
    codes_at = places_at + count * PLACE.itemsize
    if len(value) != codes_at + variants * count * CODE_BYTES:
        raise ValueError("its length does not fit its header")
    return Features(
        size=(width, height),
        thumbnail=np.frombuffer(value, np.uint8, columns * rows, _HEADER.size).reshape(rows, columns),
        places=np.frombuffer(value, PLACE, count, places_at),
        codes=np.frombuffer(value, "<u8", variants * count * 2, codes_at).reshape(variants, count, 2),
    )


def check(value: bytes) -> str | None:
    """Say what is wrong with a fingerprint of this form, or None."""
    try:
        read(value)
    except ValueError as error:
        return str(error)
    return None
