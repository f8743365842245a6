"""Whether a picture is a window or a dialog: mostly of one grey, with edges along and across the page."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from fingerprinting import thresholds

_LEVELS: Final = 7  # what differs by three grey levels or less is one
_OFF: Final = np.radians(6.0)


def is_screen(thumbnail: NDArray[np.uint8], directions: NDArray[np.float32]) -> bool:
    """Tell a window by how much of its small grey picture is of one grey, and by the directions of its features.

    Args:
        thumbnail: grey.
        directions: of the features, in radians.
    """
    counts = np.bincount(thumbnail.ravel(), minlength=256)
    if np.convolve(counts, np.ones(_LEVELS)).max() < thresholds.FEATURE_SCREEN_GREY * thumbnail.size:
        return False
    off = np.abs((directions + np.pi / 4) % (np.pi / 2) - np.pi / 4)
    return bool((off <= _OFF).sum() >= thresholds.FEATURE_SCREEN_AXES * len(directions))
