"""Small films for tests: views that wander over drawn pictures, encoded as a camera's files are."""

from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray
from PIL import Image

SIZE = (320, 240)
RATE = 10

Rgb = NDArray[np.uint8]
Change = Callable[[Image.Image], Image.Image]


@cache
def _picture(seed: int) -> Image.Image:
    """Draw blobs, edges and specks of many sizes."""
    draw = np.random.default_rng(seed)
    canvas = np.zeros((480, 640, 3), np.float32)
    for cells in (3, 6, 12, 30):
        small = Image.fromarray(draw.integers(0, 256, (cells, cells, 3), np.uint8))
        method = Image.Resampling.NEAREST if cells == 12 else Image.Resampling.BICUBIC
        canvas += np.asarray(small.resize((640, 480), method), np.float32) / (1 + cells / 30)
    canvas -= canvas.min()
    return Image.fromarray((canvas / canvas.max() * 255).astype(np.uint8))


def frames(seed: int, start: float, end: float, *, shot: float = 4.0, speed: float = 1.0) -> Iterator[Image.Image]:
    """Give the frames of a part of a film, in seconds; each shot wanders over a picture of its own."""
    for nth in range(round((end - start) * RATE / speed)):
        time = start + nth * speed / RATE
        number, within = divmod(time, shot)
        picture = _picture(seed * 1000 + int(number))
        share = within / shot
        left, top = 200 * share, 100 * (1 - share)
        zoom = 1 + 0.15 * share
        box = (left, top, left + 400 / zoom, top + 300 / zoom)
        yield picture.resize(SIZE, Image.Resampling.BILINEAR, box=box)


def write(path: Path, shown: Iterator[Image.Image], change: Change = lambda frame: frame) -> Path:
    """Encode frames, without sound."""
    with av.open(str(path), "w") as container:
        stream = None
        for frame in map(change, shown):
            if stream is None:
                stream = container.add_stream("mpeg4", rate=RATE)
                stream.width, stream.height, stream.pix_fmt = frame.width, frame.height, "yuv420p"
                stream.bit_rate = 1_500_000
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.asarray(frame), format="rgb24")))
        assert stream is not None
        container.mux(stream.encode())
    return path
