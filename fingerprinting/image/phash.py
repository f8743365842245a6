"""The 64-bit pHash, as the package ImageHash computes it."""

import imagehash
import numpy as np
from PIL import Image


def phash(image: Image.Image) -> bytes:
    """Hash a picture.

    Args:
        image: RGB, of any size: it is brought to 32 by 32 grey pixels first.

    Returns:
        8 bytes: the 8 by 8 bits of `imagehash.phash`, row by row, most significant bit first.
    """
    return np.packbits(imagehash.phash(image).hash).tobytes()
