"""What copies are put into: pages, cards, windows, collages; and what is drawn over them."""

import random

import numpy as np
from PIL import Image, ImageDraw, ImageFont

Box = tuple[float, float, float, float]

_WORDS = ["when", "you", "see", "again", "nobody", "told", "them", "this", "was", "about", "still", "more"]


def words(dice: random.Random, count: int) -> str:
    return " ".join(dice.choice(_WORDS) for _ in range(count))


def font(size: float) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(max(8, size))


def write(
    image: Image.Image, at: tuple[float, float], text: str, size: float, colour: str, *, outline: int = 0
) -> None:
    """Write a line; `outline` is how many pixels of black surround its letters."""
    drawing = ImageDraw.Draw(image)
    drawing.text(at, text, fill=colour, font=font(size), stroke_width=outline, stroke_fill="black")


def paragraph(image: Image.Image, box: Box, dice: random.Random, size: float, colour: str = "black") -> None:
    """Fill a rectangle with lines of words."""
    left, top, right, bottom = box
    across = max(2, int((right - left) / (size * 2.8)))
    y = top
    while y + size < bottom:
        write(image, (left, y), words(dice, across), size, colour)
        y += size * 1.4


def inside(size: tuple[int, int], share: float, width: int, height: int, dice: random.Random) -> tuple[int, int, float]:
    """Choose where a picture goes on a page so that it takes this share of its shorter way; left, top, factor."""
    factor = share * min(size[0] / width, size[1] / height)
    left = dice.randint(0, max(0, int(size[0] - width * factor)))
    top = dice.randint(0, max(0, int(size[1] - height * factor)))
    return left, top, factor


def put(page: Image.Image, image: Image.Image, left: int, top: int, factor: float) -> Box:
    """Put a picture on a page; where it lies."""
    small = resized(image, factor)
    page.paste(small, (left, top))
    return (left, top, left + small.width, top + small.height)


def resized(image: Image.Image, factor: float, factor_down: float | None = None) -> Image.Image:
    down = factor if factor_down is None else factor_down
    size = max(1, round(image.width * factor)), max(1, round(image.height * down))
    return image.resize(size, Image.Resampling.LANCZOS)


def covering(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    """Scale and cut a picture so that it fills a size."""
    factor = max(size[0] / image.width, size[1] / image.height)
    large = resized(image, factor * 1.001)
    left, top = (large.width - size[0]) // 2, (large.height - size[1]) // 2
    return large.crop((left, top, left + size[0], top + size[1]))


def emoji(size: int) -> Image.Image:
    """Draw a face, as the fonts of telephones have it."""
    face = Image.new("RGBA", (size, size))
    pen = ImageDraw.Draw(face)
    pen.ellipse((0, 0, size - 1, size - 1), fill="#ffcc22", outline="#aa7700", width=max(1, size // 30))
    for x in (0.32, 0.68):
        pen.ellipse((size * (x - 0.07), size * 0.28, size * (x + 0.07), size * 0.48), fill="#442200")
    pen.chord((size * 0.25, size * 0.5, size * 0.75, size * 0.85), 0, 180, fill="#aa2211")
    return face


def noise(image: Image.Image, deviation: float, dice: random.Random) -> Image.Image:
    generator = np.random.default_rng(dice.randint(0, 2**31))
    values = np.asarray(image, np.float32) + generator.normal(0, deviation, (image.height, image.width, 3))
    return Image.fromarray(values.clip(0, 255).astype(np.uint8))


def transformed_box(corners: list[tuple[float, float]], size: tuple[int, int]) -> Box:
    xs, ys = zip(*corners, strict=True)
    return (max(0.0, min(xs)), max(0.0, min(ys)), min(float(size[0]), max(xs)), min(float(size[1]), max(ys)))
