"""The hashes of frames that are mirrored or turned, made from those of the frames as they are.

Mirroring changes the sign of odd frequencies, so their bits; turning exchanges rows and columns. The median that bits
are taken against moves a little by it, and with it 1 to 4 of 256 bits.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from fingerprinting.image import dct

USUAL: Final = (0, 1)
"""As it is, and mirrored left to right."""

THOROUGH: Final = tuple(range(len(dct.FORMS)))
_SIDE: Final = dct.FREQUENCIES


def turned(hashes: NDArray[np.uint8], forms: Sequence[int]) -> NDArray[np.uint8]:
    """Turn N hashes, shape (N, 32), into some of the forms of `dct.FORMS`: shape (forms, N, 32)."""
    bits = np.unpackbits(np.ascontiguousarray(hashes), axis=1).reshape(-1, _SIDE, _SIDE)
    odd = (np.arange(1, _SIDE + 1) % 2).astype(np.uint8)
    made = []
    for form in forms:
        is_turned, down, across = dct.FORMS[form]
        shown = bits.transpose(0, 2, 1) if is_turned else bits
        shown = shown ^ odd[:, None] if down else shown
        made.append(shown ^ odd if across else shown)
    return np.packbits(np.stack(made).reshape(len(made), len(bits), -1), axis=2)


def turned_greys(greys: NDArray[np.uint8], form: int) -> NDArray[np.uint8]:
    """Turn N grey pictures, shape (N, 256), into one of the forms of `dct.FORMS`."""
    is_turned, down, across = dct.FORMS[form]
    shown = greys.reshape(-1, dct.THUMBNAIL, dct.THUMBNAIL)
    shown = shown.transpose(0, 2, 1) if is_turned else shown
    shown = shown[:, ::-1] if down else shown
    shown = shown[:, :, ::-1] if across else shown
    return shown.reshape(len(greys), -1)


def is_mirrored(form: int) -> bool:
    """Whether a form is a mirror image."""
    return bool(sum(dct.FORMS[form]) % 2)


def turns(form: int) -> int:
    """By how many degrees, to the right, the asset has to be turned to stand as the work does, once it is mirrored."""
    is_turned, down, across = dct.FORMS[form]
    if not is_turned:
        return 180 if down and across else 0
    return 90 if across else 270
