"""Chromaprint, algorithm 2 (the one that AcoustID uses), by the C library where it is installed."""

from collections.abc import Iterable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from fingerprinting.audio import chromaprint_numpy
from fingerprinting.audio.decode import RATE_HZ

try:
    import chromaprint as _library
except ImportError:  # pyacoustid is pure Python; the C library that it loads is the operating system's to give
    _library = None

SECONDS_PER_CODE: Final = chromaprint_numpy.HOP_SAMPLES / RATE_HZ
"""How far one code is from the next: 0.1238 s."""

SECONDS_SEEN_BY_CODE: Final = chromaprint_numpy.CODE_SAMPLES / RATE_HZ
"""How much sound one code is computed from: 2.72 s."""

SILENCE_CODE: Final = 627964279
"""The code of digital silence, which is in most recordings and says nothing about any."""


def has_library() -> bool:
    """Whether libchromaprint is used; otherwise numpy does the same, about ten times slower."""
    return _library is not None


def codes(pcm: NDArray[np.int16] | Iterable[NDArray[np.int16]]) -> NDArray[np.uint32]:
    """Compute the codes of a recording, in order, SECONDS_PER_CODE apart.

    Args:
        pcm: mono samples at RATE_HZ, shape (n,), or chunks of such in order.

    Returns:
        uint32 of shape (c,): one code for every HOP_SAMPLES after the first CODE_SAMPLES; empty for anything shorter.

    Raises:
        whatever iterating over `pcm` raises.
    """
    chunks = (pcm,) if isinstance(pcm, np.ndarray) else pcm
    if _library is None:
        return chromaprint_numpy.codes(chunks)
    # The library counts algorithms from 0, its tools and its users from 1.
    printer = _library.Fingerprinter(_library.Fingerprinter.ALGORITHM_TEST2)
    printer.start(RATE_HZ, 1)
    for chunk in chunks:
        printer.feed(np.ascontiguousarray(chunk, dtype="=i2").tobytes())
    decoded, _ = _library.decode_fingerprint(printer.finish())
    return np.array(decoded, dtype=np.uint32)
