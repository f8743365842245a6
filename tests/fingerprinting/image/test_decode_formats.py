from pathlib import Path

import pytest
from PIL import Image

from fingerprinting.image import decode
from fingerprinting.media import DEFAULT_LIMITS


@pytest.mark.parametrize("name", decode._FORMATS)
def test_every_format_that_is_named_can_be_opened(tmp_path: Path, name: str) -> None:
    path = tmp_path / "picture"
    Image.linear_gradient("L").convert("RGB").save(path, format=name)

    assert decode.decode(path, DEFAULT_LIMITS).size == (256, 256)
