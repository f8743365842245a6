"""What becomes of clips: each kind changes the frames, and is encoded as platforms do."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter, ImageOps

RATE = 24
Change = Callable[[Image.Image], Image.Image]


@dataclass(frozen=True)
class Kind:
    """One kind of copy: which row of the report, what is done to frames, and to the clip as a whole."""

    row: str
    change: Change
    seconds: float = 4.0
    speed: float = 1.0
    within: float = 0.0
    ending: str = ".mp4"
    crf: int = 28


def _bars(frame: Image.Image) -> Image.Image:
    return ImageOps.pad(frame, (640, 640), color="black")


def _subtitled(frame: Image.Image) -> Image.Image:
    frame = frame.copy()
    words = ImageDraw.Draw(frame)
    size = frame.height / 14
    for line, text in enumerate(("And then they all went home,", "as if nothing had happened.")):
        place = (frame.width / 2, frame.height * 0.8 + line * size * 1.2)
        words.text(place, text, "white", anchor="mm", font_size=size, stroke_width=2, stroke_fill="black")
    return frame


def _logo(frame: Image.Image) -> Image.Image:
    frame = frame.copy()
    width, height = frame.size
    ImageDraw.Draw(frame).ellipse((width * 0.82, height * 0.04, width * 0.96, height * 0.18), "red", "white", 3)
    return frame


def _cropped(share: float) -> Change:
    def change(frame: Image.Image) -> Image.Image:
        width, height = frame.width * share, frame.height * share
        left, top = (frame.width - width) * 0.6, (frame.height - height) * 0.4
        return frame.crop((round(left), round(top), round(left + width), round(top + height)))

    return change


def _half(frame: Image.Image) -> Image.Image:
    return frame.crop((0, 0, frame.width // 2, frame.height))


def _page() -> Image.Image:
    draw = np.random.default_rng(7)
    small = Image.fromarray(draw.integers(60, 220, (9, 16, 3), np.uint8))
    page = small.resize((640, 360), Image.Resampling.BICUBIC)
    words = ImageDraw.Draw(page)
    for row in range(20):
        words.text((12, 10 + 17 * row), "some words that stand on this page " * 4, "black", font_size=11)
    return page


_PAGE = _page()


def _inset(share: float) -> Change:
    def change(frame: Image.Image) -> Image.Image:
        page = _PAGE.copy()
        page.paste(ImageOps.contain(frame, (round(640 * share), round(360 * share))), (300, 90))
        return page

    return change


def _upright(frame: Image.Image) -> Image.Image:
    behind = ImageOps.fit(frame, (360, 640)).filter(ImageFilter.GaussianBlur(18))
    front = ImageOps.contain(frame, (360, 640))
    behind.paste(front, (0, (640 - front.height) // 2))
    return behind


def _refilmed(frame: Image.Image) -> Image.Image:
    width, height = frame.size
    corners = (-0.08, -0.06, -0.02, 1.07, 1.06, 1.1, 1.09, -0.04)
    quad = tuple(value * (width if nth % 2 == 0 else height) for nth, value in enumerate(corners))
    bent = frame.transform(frame.size, Image.Transform.QUAD, quad, Image.Resampling.BILINEAR)
    bent = ImageEnhance.Contrast(ImageEnhance.Brightness(bent).enhance(1.15)).enhance(0.8)
    noise = np.random.default_rng(1).normal(0, 8, (height, width, 1))
    return Image.fromarray((np.asarray(bent) + noise).clip(0, 255).astype(np.uint8))


def _turned(frame: Image.Image) -> Image.Image:
    return frame.rotate(8, Image.Resampling.BILINEAR)


def _same(frame: Image.Image) -> Image.Image:
    return frame


KINDS: Mapping[str, Kind] = {
    "re-encoded": Kind("easy", _same, crf=36),
    "re-encoded, 10 s": Kind("easy", _same, seconds=10.0, crf=36),
    "half the size": Kind("easy", lambda frame: frame.reduce(2)),
    "bars": Kind("easy", _bars),
    "subtitles": Kind("easy", _subtitled),
    "logo": Kind("easy", _logo),
    "mirrored": Kind("easy", ImageOps.mirror),
    "1.1 times as fast": Kind("easy", _same, speed=1.1),
    "cropped to 75 %": Kind("medium", _cropped(0.75)),
    "inset, half": Kind("medium", _inset(0.5)),
    "upright, blurred sides": Kind("medium", _upright),
    "4 s inside 20 s": Kind("medium", _same, within=20.0),
    "a still": Kind("medium", _same, ending=".jpg"),
    "GIF": Kind("medium", lambda frame: ImageOps.contain(frame, (320, 320)), ending=".gif"),
    "re-filmed": Kind("hard", _refilmed),
    "inset, 30 %": Kind("hard", _inset(0.3)),
    "half cropped away": Kind("hard", _half),
    "turned by 8 degrees": Kind("hard", _turned),
    "2 s inside 20 s": Kind("hard", _same, seconds=2.0, within=20.0),
}


def write(path: Path, frames: Iterable[Image.Image], kind: Kind) -> None:
    """Encode frames as a kind's ending says."""
    if path.suffix == ".jpg":
        next(iter(frames)).save(path, quality=80)
        return
    if path.suffix == ".gif":
        first, *others = [frame for nth, frame in enumerate(frames) if nth % 3 == 0]
        first.save(path, save_all=True, append_images=others, duration=125)
        return
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=RATE, options={"crf": str(kind.crf), "preset": "veryfast"})
        for nth, frame in enumerate(frames):
            width, height = frame.width // 2 * 2, frame.height // 2 * 2
            if nth == 0:
                stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
            shown = frame.convert("RGB").crop((0, 0, width, height))
            container.mux(stream.encode(av.VideoFrame.from_image(shown)))
        container.mux(stream.encode())
