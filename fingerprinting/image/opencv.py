"""OpenCV, where it is installed: it blurs, compares and samples pictures for local features."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from fingerprinting.errors import MissingExtraError


@cache
def load() -> Any:
    """Give the module `cv2`.

    Raises:
        MissingExtraError: it is not installed.
    """
    try:
        import cv2  # noqa: PLC0415 - 150 MB that only local features need
    except ImportError as error:
        raise MissingExtraError(
            "Pictures can't be searched thoroughly here, because OpenCV is not installed: install the extra `thorough`"
            " of mediamanager, or ask with depth fast or standard.",
            extra="thorough",
        ) from error
    cv2.setNumThreads(1)  # the caller has a process for each core already
    return cv2


def is_available() -> bool:
    """Say whether it is installed."""
    try:
        load()
    except MissingExtraError:
        return False
    return True


@contextmanager
def memory_errors() -> Iterator[None]:
    """OpenCV has an error of its own for a lack of memory; who decodes strangers' media waits for Python's."""
    cv2 = load()
    try:
        yield
    except cv2.error as error:
        if error.code == cv2.Error.StsNoMem:
            raise MemoryError from error
        raise
