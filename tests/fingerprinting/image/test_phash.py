"""pHash is ImageHash's."""

import imagehash
import synthetic_media

from fingerprinting.image.phash import phash


def test_it_is_the_hash_of_the_package_row_by_row() -> None:
    image = synthetic_media.natural_picture(4)

    assert phash(image).hex() == str(imagehash.phash(image))
