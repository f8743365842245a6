"""Copies of pictures as they are met, some ninety kinds. Each is repeatable: chance comes from the dice it is given."""

import io
import math
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageChops, ImageDraw, ImageEnhance, ImageFilter, ImageOps

from benchmarks.image import canvas
from benchmarks.image.canvas import Box


@dataclass(frozen=True)
class Copy:
    """A copy as bytes, and where in it the work lies (pixels)."""

    data: bytes
    box: Box


Made = tuple[Image.Image, Box | None]
Change = Callable[[Image.Image, random.Random, Image.Image], Made]
"""Takes the work, dice, and another picture; gives the copy and where the work lies in it (None: everywhere)."""


@dataclass(frozen=True)
class Kind:
    """One kind of copy: its family, and how it is made and written."""

    family: str
    change: Change
    format: str = "JPEG"
    quality: int = 82


def make(kind: Kind, work: Image.Image, other: Image.Image, seed: str) -> Copy:
    """Make a copy of a work."""
    image, box = kind.change(work, random.Random(seed), other)
    buffer = io.BytesIO()
    image.convert("RGB").save(buffer, kind.format, quality=kind.quality)
    return Copy(buffer.getvalue(), box or (0.0, 0.0, float(image.width), float(image.height)))


_LEAST_SIDE = 100
"""No copy is made smaller: the works of some packages are small already."""


def _plain(change: Callable[[Image.Image], Image.Image]) -> Change:
    return lambda image, _dice, _other: (change(image), None)


def _crop(share: float, *, centred: bool) -> Change:
    def change(image: Image.Image, dice: random.Random, _other: Image.Image) -> Made:
        width, height = int(image.width * share), int(image.height * share)
        left = (image.width - width) // 2 if centred else dice.randint(0, image.width - width)
        top = (image.height - height) // 2 if centred else dice.randint(0, image.height - height)
        return image.crop((left, top, left + width, top + height)), None

    return change


def _square(image: Image.Image) -> Image.Image:
    side = min(image.size)
    left, top = (image.width - side) // 2, (image.height - side) // 2
    return image.crop((left, top, left + side, top + side))


def _rotated(degrees: float, *, cut: bool) -> Change:
    def change(image: Image.Image, dice: random.Random, _other: Image.Image) -> Made:
        angle = degrees * dice.choice((-1, 1))
        turned = image.rotate(angle, Image.Resampling.BICUBIC, expand=not cut)
        if cut:
            bow = math.radians(abs(angle))
            share = 1 / (math.cos(bow) + math.sin(bow) * max(image.size) / min(image.size))
            return _crop(share, centred=True)(turned, dice, image)
        return turned, None

    return change


def _perspective(strength: float) -> Change:
    return lambda image, dice, _other: _bent(image, dice, strength, edge=0)


def _bent(image: Image.Image, dice: random.Random, strength: float, *, edge: int) -> Made:
    """Move the corners inwards. The work is all but an edge so many pixels wide."""
    width, height = image.size
    corners = [(0, 0), (width, 0), (width, height), (0, height)]
    moved = [
        (x + (1 if x == 0 else -1) * dice.uniform(0, strength) * width,
         y + (1 if y == 0 else -1) * dice.uniform(0, strength) * height)
        for x, y in corners
    ]  # fmt: skip
    rows = []
    for (x, y), (u, v) in zip(moved, corners, strict=True):
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
    solved = np.linalg.solve(np.array(rows, float), np.array(corners, float).ravel())
    bent = image.transform(image.size, Image.Transform.PERSPECTIVE, tuple(solved), Image.Resampling.BICUBIC)
    inner = np.array([(abs(x - edge), abs(y - edge), 1) for x, y in corners], float)
    there = inner @ np.linalg.inv(np.append(solved, 1).reshape(3, 3)).T
    return bent, canvas.transformed_box([(x / depth, y / depth) for x, y, depth in there.tolist()], image.size)


def _sheared(image: Image.Image, dice: random.Random, _other: Image.Image) -> Made:
    shear = 0.2 * dice.choice((-1, 1))
    matrix = (1, shear, -shear * image.height / 2, 0, 1, 0)
    return image.transform(image.size, Image.Transform.AFFINE, matrix, Image.Resampling.BICUBIC), None


def _sepia(image: Image.Image) -> Image.Image:
    return ImageOps.colorize(image.convert("L"), "#2b1a0a", "#ffe9c4")


def _gamma(power: float) -> Change:
    table = [round(255 * (level / 255) ** power) for level in range(256)] * 3
    return _plain(lambda image: image.point(table))


def _hue(image: Image.Image) -> Image.Image:
    hue, saturation, value = image.convert("HSV").split()
    return Image.merge("HSV", (hue.point(lambda level: (level + 90) % 256), saturation, value)).convert("RGB")


def _swapped(image: Image.Image) -> Image.Image:
    red, green, blue = image.split()
    return Image.merge("RGB", (blue, red, green))


def _pixelated(image: Image.Image) -> Image.Image:
    small = image.resize((max(1, image.width // 6), max(1, image.height // 6)), Image.Resampling.BOX)
    return small.resize(image.size, Image.Resampling.NEAREST)


def _noisy(deviation: float) -> Change:
    return lambda image, dice, _other: (canvas.noise(image, deviation, dice), None)


def _captioned(image: Image.Image, dice: random.Random, *, lines: int, share: float) -> Image.Image:
    shown = image.copy()
    size = min(image.size) * share
    for line in range(lines):
        at = (image.width * 0.05, image.height * dice.uniform(0.05, 0.85) if lines == 1 else line * size * 1.3)
        canvas.write(shown, at, canvas.words(dice, 6), size, "white", outline=max(1, int(size / 12)))
    return shown


def _impact(image: Image.Image, dice: random.Random, _other: Image.Image) -> Made:
    shown, size = image.copy(), image.height * 0.11
    for y in (image.height * 0.02, image.height * 0.86):
        canvas.write(
            shown,
            (image.width * 0.04, y),
            canvas.words(dice, 5).upper(),
            size,
            "white",
            outline=3,
        )
    return shown, None


def _with_emoji(image: Image.Image, dice: random.Random, _other: Image.Image) -> Made:
    shown, side = image.copy(), int(min(image.size) * 0.4)
    at = dice.randint(0, image.width - side), dice.randint(0, image.height - side)
    shown.paste(face := canvas.emoji(side), at, face)
    return shown, None


def _emojis(image: Image.Image, dice: random.Random, _other: Image.Image) -> Made:
    shown, side = image.copy(), int(min(image.size) * 0.16)
    for _ in range(8):
        at = dice.randint(0, image.width - side), dice.randint(0, image.height - side)
        shown.paste(face := canvas.emoji(side), at, face)
    return shown, None


def _striped(image: Image.Image, dice: random.Random, _other: Image.Image) -> Made:
    shown = image.copy()
    pen, step = ImageDraw.Draw(shown), image.height // 8
    for at in range(dice.randint(0, step), image.height, step):
        pen.rectangle((0, at, image.width, at + step // 4), fill="#dd2233")
    return shown, None


def _logo_bar(image: Image.Image, dice: random.Random, _other: Image.Image) -> Made:
    shown, high = image.copy(), int(image.height * 0.12)
    ImageDraw.Draw(shown).rectangle((0, image.height - high, image.width, image.height), fill="#113355")
    canvas.write(shown, (10, image.height - high), canvas.words(dice, 3).title(), high * 0.7, "white")
    return shown, None


def _watermarked(image: Image.Image, dice: random.Random, _other: Image.Image) -> Made:
    layer, size = Image.new("RGBA", image.size), min(image.size) * 0.07
    text = canvas.words(dice, 2).upper()
    for row in range(8):
        for column in range(5):
            at = (column * image.width / 4 - (row % 2) * image.width / 8, row * image.height / 7)
            ImageDraw.Draw(layer).text(at, text, fill=(255, 255, 255, 110), font=canvas.font(size))
    shown = image.convert("RGBA")
    shown.alpha_composite(layer)
    return shown.convert("RGB"), None


def _scribbled(image: Image.Image, dice: random.Random, _other: Image.Image) -> Made:
    shown = image.copy()
    for colour in ("red", "#22cc44", "#2255ff"):
        points = [(dice.uniform(0, image.width), dice.uniform(0, image.height)) for _ in range(7)]
        ImageDraw.Draw(shown).line(points, fill=colour, width=max(3, image.width // 70), joint="curve")
    return shown, None


def _padded(share: float, colour: str) -> Change:
    def change(image: Image.Image, _dice: random.Random, _other: Image.Image) -> Made:
        edge = int(min(image.size) * share)
        return ImageOps.expand(image, edge, colour), (edge, edge, edge + image.width, edge + image.height)

    return change


def _square_padded(image: Image.Image, dice: random.Random, _other: Image.Image) -> Made:
    side = max(*image.size, int(min(image.size) * 1.4))
    page = canvas.covering(image, (side, side)).filter(ImageFilter.GaussianBlur(side / 25))
    return page, canvas.put(page, image, (side - image.width) // 2, (side - image.height) // 2, 1.0)


def _letterboxed(image: Image.Image, _dice: random.Random, _other: Image.Image) -> Made:
    high = int(image.height * 0.25)
    page = Image.new("RGB", (image.width, image.height + 2 * high), "black")
    return page, canvas.put(page, image, 0, high, 1.0)


def _meme(image: Image.Image, dice: random.Random, _other: Image.Image) -> Made:
    high = int(image.height * 0.25)
    page = Image.new("RGB", (image.width, image.height + high), "white")
    canvas.paragraph(page, (12, 8, image.width - 12, high), dice, high * 0.3)
    return page, canvas.put(page, image, 0, high, 1.0)


def _polaroid(image: Image.Image, dice: random.Random, _other: Image.Image) -> Made:
    edge, high = int(image.width * 0.06), int(image.height * 0.22)
    page = Image.new("RGB", (image.width + 2 * edge, image.height + edge + high), "#f6f3ea")
    box = canvas.put(page, image, edge, edge, 1.0)
    canvas.write(page, (edge * 2, image.height + edge * 1.5), canvas.words(dice, 4), high * 0.4, "#223366")
    return page, box


def _window(image: Image.Image, dice: random.Random, _other: Image.Image) -> Made:
    bar = max(24, image.height // 14)
    page = Image.new("RGB", (image.width + 8, image.height + bar + 8), "#3a3f4b")
    canvas.write(page, (bar, bar * 0.15), canvas.words(dice, 3), bar * 0.6, "white")
    for at, colour in enumerate(("#ee5555", "#eebb44", "#55cc66")):
        x = page.width - (at + 1) * bar
        ImageDraw.Draw(page).ellipse((x, bar * 0.25, x + bar * 0.5, bar * 0.75), fill=colour)
    return page, canvas.put(page, image, 4, bar, 1.0)


def _quote_card(image: Image.Image, dice: random.Random, _other: Image.Image) -> Made:
    page = Image.new("RGB", (int(image.width * 1.8), int(image.height * 1.1)), "#16202c")
    box = canvas.put(page, image, int(image.width * 0.05), int(image.height * 0.05), 1.0)
    area = (image.width * 1.1, image.height * 0.2, image.width * 1.75, image.height * 0.9)
    canvas.paragraph(page, area, dice, image.height * 0.05, "white")
    return page, box


def _rounded(image: Image.Image, _dice: random.Random, _other: Image.Image) -> Made:
    mask = Image.new("L", image.size)
    radius = min(image.size) // 4
    ImageDraw.Draw(mask).rounded_rectangle((0, 0, image.width - 1, image.height - 1), radius, fill=255)
    page = Image.new("RGB", image.size, "white")
    page.paste(image, (0, 0), mask)
    return page, None


def _on_background(share: float) -> Change:
    def change(image: Image.Image, dice: random.Random, other: Image.Image) -> Made:
        page = canvas.covering(other, (1024, 768))
        left, top, factor = canvas.inside(page.size, share, image.width, image.height, dice)
        return page, canvas.put(page, image, left, top, factor)

    return change


def _on_page(share: float) -> Change:
    def change(image: Image.Image, dice: random.Random, _other: Image.Image) -> Made:
        page = Image.new("RGB", (900, 1200), "white")
        canvas.paragraph(page, (40, 40, 860, 1160), dice, 22)
        left, top, factor = canvas.inside(page.size, share, image.width, image.height, dice)
        return page, canvas.put(page, image, left, top, factor)

    return change


def _collage(columns: int, rows: int, gutter: int, *, squashed: bool) -> Change:
    def change(image: Image.Image, dice: random.Random, other: Image.Image) -> Made:
        wide, high = 1200 // columns, 900 // rows
        page = Image.new("RGB", (1200, 900), "white")
        mine, box = dice.randrange(columns * rows), (0.0, 0.0, 0.0, 0.0)
        fillers = [other, ImageOps.mirror(other), ImageOps.flip(other), other.rotate(90, expand=True)]
        for cell in range(columns * rows):
            left, top = cell % columns * wide, cell // columns * high
            size = (wide - gutter, high - gutter)
            shown = image if cell == mine else _crop(0.5, centred=False)(fillers[cell % 4], dice, other)[0]
            page.paste(shown.resize(size) if squashed else canvas.covering(shown, size), (left, top))
            if cell == mine:
                box = (left, top, left + size[0], top + size[1])
        return page, box

    return change


def _beside(image: Image.Image, dice: random.Random, other: Image.Image) -> Made:
    page = Image.new("RGB", (image.width * 2, image.height))
    page.paste(canvas.covering(other, image.size), (image.width, 0))
    return page, canvas.put(page, image, 0, 0, 1.0)


def _blended(share: float) -> Change:
    def change(image: Image.Image, _dice: random.Random, other: Image.Image) -> Made:
        return Image.blend(canvas.covering(other, image.size), image, share), None

    return change


def _chat(image: Image.Image, dice: random.Random, _other: Image.Image) -> Made:
    page = Image.new("RGB", (720, 1280), "#e8dfd5")
    pen = ImageDraw.Draw(page)
    pen.rectangle((0, 0, 720, 110), fill="#075e54")
    canvas.write(page, (90, 40), canvas.words(dice, 2).title(), 34, "white")
    y = 140
    for _ in range(2):
        pen.rounded_rectangle((30, y, 520, y + 90), 18, fill="white")
        canvas.paragraph(page, (50, y + 10, 500, y + 80), dice, 24)
        y += 110
    factor = min(540 / image.width, 600 / image.height)
    pen.rounded_rectangle((150, y, 170 + 540, y + 20 + image.height * factor), 18, fill="#dcf8c6")
    box = canvas.put(page, image, 160, y + 10, factor)
    pen.rounded_rectangle((30, 1130, 520, 1220), 18, fill="white")
    canvas.paragraph(page, (50, 1140, 500, 1210), dice, 24)
    return page, box


def _desktop(image: Image.Image, dice: random.Random, other: Image.Image) -> Made:
    page = canvas.covering(other.filter(ImageFilter.GaussianBlur(2)), (1600, 900))
    framed, inner = _window(canvas.resized(image, min(900 / image.width, 620 / image.height)), dice, other)
    left, top = dice.randint(20, 1600 - framed.width - 10), dice.randint(10, 900 - framed.height - 60)
    page.paste(framed, (left, top))
    ImageDraw.Draw(page).rectangle((0, 850, 1600, 900), fill="#20242c")
    canvas.write(page, (30, 858), canvas.words(dice, 6), 24, "white")
    left_in, top_in, right, bottom = inner or (0.0, 0.0, 0.0, 0.0)
    return page, (left + left_in, top + top_in, left + right, top + bottom)


def _post(image: Image.Image, dice: random.Random, _other: Image.Image) -> Made:
    page = Image.new("RGB", (640, 900), "white")
    page.paste(face := canvas.emoji(60), (20, 20), face)
    canvas.write(page, (95, 30), canvas.words(dice, 3).title(), 28, "black")
    canvas.paragraph(page, (20, 100, 620, 200), dice, 24)
    box = canvas.put(page, image, 20, 220, min(600 / image.width, 560 / image.height))
    canvas.paragraph(page, (20, box[3] + 20, 620, 880), dice, 24, "#666666")
    return page, box


def _photographed(image: Image.Image, dice: random.Random, _other: Image.Image) -> Made:
    """As a telephone sees a screen: slightly turned, bent, with a pattern of lines, noise and glare."""
    edge = image.width // 12
    shown, box = _bent(ImageOps.expand(image, edge, "#111111"), dice, 0.08, edge=edge)
    values = np.asarray(shown, np.float32)
    rows, columns = np.mgrid[0 : shown.height, 0 : shown.width]
    values = values * (1 + 0.05 * np.sin(columns * 1.9 + rows * 0.7))[:, :, None]
    glare = 50 * np.exp(-(((columns / shown.width - 0.7) ** 2 + (rows / shown.height - 0.3) ** 2) / 0.05))
    return canvas.noise(Image.fromarray((values + glare[:, :, None]).clip(0, 255).astype(np.uint8)), 6, dice), box


def _edges(image: Image.Image) -> Image.Image:
    return ImageChops.multiply(image, ImageOps.invert(image.convert("L").filter(ImageFilter.FIND_EDGES)).convert("RGB"))


def _after(*changes: Change) -> Change:
    """Do several one after the other. The box is that of the last that knows one: what follows may only resize it."""

    def change(image: Image.Image, dice: random.Random, other: Image.Image) -> Made:
        box = None
        for each in changes:
            before = image.size
            image, now = each(image, dice, other)
            box = now or (None if box is None else _resized(box, before, image.size))
        return image, box

    return change


def _resized(box: Box, before: tuple[int, int], after: tuple[int, int]) -> Box:
    across, down = after[0] / before[0], after[1] / before[1]
    return (box[0] * across, box[1] * down, box[2] * across, box[3] * down)


def _jpeg(quality: int) -> Change:
    def change(image: Image.Image, _dice: random.Random, _other: Image.Image) -> Made:
        buffer = io.BytesIO()
        image.save(buffer, "JPEG", quality=quality)
        return Image.open(io.BytesIO(buffer.getvalue())).convert("RGB"), None

    return change


def _scaled(factor: float, down: float | None = None) -> Change:
    def change(image: Image.Image, _dice: random.Random, _other: Image.Image) -> Made:
        least = min(1.0, _LEAST_SIDE / max(image.size))
        return canvas.resized(image, max(factor, least), None if down is None else max(down, least)), None

    return change


def _to_side(side: int) -> Change:
    return _plain(lambda image: canvas.resized(image, side / max(image.size)))


_SAME = _plain(lambda image: image)
_MIRROR = _plain(ImageOps.mirror)
_GREY = _plain(lambda image: image.convert("L").convert("RGB"))
_TEXT: Change = lambda image, dice, _other: (_captioned(image, dice, lines=1, share=0.09), None)  # noqa: E731
_DENSE: Change = lambda image, dice, _other: (_captioned(image, dice, lines=7, share=0.1), None)  # noqa: E731


def _enhanced(what: type[ImageEnhance._Enhance], factor: float) -> Change:
    return _plain(lambda image: what(image).enhance(factor))


def _blurred(radius: float) -> Change:
    return _plain(lambda image: image.filter(ImageFilter.GaussianBlur(radius)))


TRANSFORMATIONS: Mapping[str, Kind] = {
    "jpeg-75": Kind("re-encoded", _SAME, quality=75),
    "jpeg-50": Kind("re-encoded", _SAME, quality=50),
    "jpeg-30": Kind("re-encoded", _SAME, quality=30),
    "jpeg-10": Kind("re-encoded", _SAME, quality=10),
    "webp-50": Kind("re-encoded", _SAME, "WEBP", 50),
    "webp-15": Kind("re-encoded", _SAME, "WEBP", 15),
    "png-32-colours": Kind("re-encoded", _plain(lambda image: image.quantize(32).convert("RGB")), "PNG"),
    "half-size": Kind("resized", _scaled(0.5)),
    "quarter-size": Kind("resized", _scaled(0.25)),
    "tenth-size": Kind("resized", _scaled(0.1)),
    "thumbnail-256": Kind("resized", _to_side(256)),
    "thumbnail-128": Kind("resized", _to_side(128)),
    "wider-1.5": Kind("resized", _scaled(1.2, 0.8)),
    "narrower-0.6": Kind("resized", _scaled(0.6, 1.0)),
    "crop-90": Kind("cropped", _crop(0.9, centred=True)),
    "crop-75": Kind("cropped", _crop(0.75, centred=True)),
    "crop-75-anywhere": Kind("cropped", _crop(0.75, centred=False)),
    "crop-50": Kind("cropped", _crop(0.5, centred=True)),
    "crop-50-anywhere": Kind("cropped", _crop(0.5, centred=False)),
    "crop-30": Kind("cropped to 30 %", _crop(0.3, centred=True)),
    "crop-30-anywhere": Kind("cropped to 30 %", _crop(0.3, centred=False)),
    "crop-square": Kind("cropped", _plain(_square)),
    "turned-90": Kind("turned, mirrored", _plain(lambda image: image.transpose(Image.Transpose.ROTATE_90))),
    "turned-180": Kind("turned, mirrored", _plain(lambda image: image.transpose(Image.Transpose.ROTATE_180))),
    "turned-270": Kind("turned, mirrored", _plain(lambda image: image.transpose(Image.Transpose.ROTATE_270))),
    "mirrored": Kind("turned, mirrored", _MIRROR),
    "upside-down": Kind("turned, mirrored", _plain(ImageOps.flip)),
    "transposed": Kind("turned, mirrored", _plain(lambda image: image.transpose(Image.Transpose.TRANSPOSE))),
    "negative": Kind("negative", _plain(ImageOps.invert)),
    "negative-mirrored": Kind("negative", _after(_plain(ImageOps.invert), _MIRROR)),
    "turned-5-cut": Kind("rotated, bent", _rotated(5, cut=True)),
    "turned-15-cut": Kind("rotated, bent", _rotated(15, cut=True)),
    "turned-5-corners": Kind("rotated, bent", _rotated(5, cut=False)),
    "turned-15-corners": Kind("rotated, bent", _rotated(15, cut=False)),
    "turned-45-corners": Kind("rotated, bent", _rotated(45, cut=False)),
    "perspective-mild": Kind("rotated, bent", _perspective(0.08)),
    "perspective-strong": Kind("rotated, bent", _perspective(0.2)),
    "sheared": Kind("rotated, bent", _sheared),
    "brighter": Kind("colours", _enhanced(ImageEnhance.Brightness, 1.6)),
    "darker": Kind("colours", _enhanced(ImageEnhance.Brightness, 0.45)),
    "more-contrast": Kind("colours", _enhanced(ImageEnhance.Contrast, 1.8)),
    "less-contrast": Kind("colours", _enhanced(ImageEnhance.Contrast, 0.4)),
    "saturated": Kind("colours", _enhanced(ImageEnhance.Color, 2.5)),
    "grey": Kind("colours", _GREY),
    "sepia": Kind("colours", _plain(_sepia)),
    "gamma-0.5": Kind("colours", _gamma(0.5)),
    "gamma-2": Kind("colours", _gamma(2.0)),
    "other-hue": Kind("colours", _plain(_hue)),
    "channels-swapped": Kind("colours", _plain(_swapped)),
    "posterised": Kind("colours", _plain(lambda image: ImageOps.posterize(image, 2))),
    "equalised": Kind("colours", _plain(ImageOps.equalize)),
    "blur-2": Kind("blur, noise", _blurred(2)),
    "blur-4": Kind("blur, noise", _blurred(4)),
    "sharpened": Kind("blur, noise", _enhanced(ImageEnhance.Sharpness, 6)),
    "noise-15": Kind("blur, noise", _noisy(15)),
    "noise-35": Kind("blur, noise", _noisy(35)),
    "pixelated": Kind("blur, noise", _plain(_pixelated)),
    "dithered": Kind("blur, noise", _plain(lambda image: image.convert("1").convert("RGB")), "PNG"),
    "outlined": Kind("blur, noise", _plain(_edges)),
    "text": Kind("drawn over", _TEXT),
    "much-text": Kind("drawn over", _DENSE),
    "emoji-40": Kind("drawn over", _with_emoji),
    "emojis": Kind("drawn over", _emojis),
    "stripes": Kind("drawn over", _striped),
    "logo-bar": Kind("drawn over", _logo_bar),
    "watermark": Kind("drawn over", _watermarked),
    "scribbled": Kind("drawn over", _scribbled),
    "faded": Kind("drawn over", _plain(lambda image: Image.blend(image, Image.new("RGB", image.size, "white"), 0.6))),
    "meme-caption": Kind("framed", _meme),
    "meme-impact": Kind("framed", _impact),
    "padded-20": Kind("framed", _padded(0.2, "white")),
    "padded-black-50": Kind("framed", _padded(0.5, "black")),
    "padded-square": Kind("framed", _square_padded),
    "letterboxed": Kind("framed", _letterboxed),
    "polaroid": Kind("framed", _polaroid),
    "window": Kind("framed", _window),
    "quote-card": Kind("framed", _quote_card),
    "rounded": Kind("framed", _rounded),
    "on-background-70": Kind("part of a page", _on_background(0.7)),
    "on-background-50": Kind("part of a page", _on_background(0.5)),
    "on-background-30": Kind("small part of a page", _on_background(0.3)),
    "on-background-25": Kind("small part of a page", _on_background(0.25)),
    "on-page-60": Kind("part of a page", _on_page(0.6)),
    "chat": Kind("part of a page", _chat),
    "desktop": Kind("part of a page", _desktop),
    "post": Kind("part of a page", _post),
    "photographed": Kind("rotated, bent", _photographed),
    "beside-another": Kind("collages", _beside),
    "collage-2x2": Kind("collages", _collage(2, 2, 12, squashed=False)),
    "collage-2x2-squashed": Kind("collages", _collage(2, 2, 0, squashed=True)),
    "collage-3x3": Kind("collages", _collage(3, 3, 8, squashed=False)),
    "blend-70": Kind("blended", _blended(0.7)),
    "blend-50": Kind("blended", _blended(0.5)),
    "crop-mirror-jpeg": Kind("combined", _after(_crop(0.75, centred=False), _MIRROR), quality=35),
    "turned-text": Kind("combined", _after(_rotated(7, cut=True), _TEXT), quality=60),
    "meme-quarter": Kind("combined", _after(_meme, _to_side(400)), quality=50),
    "chat-jpeg": Kind("combined", _after(_jpeg(30), _chat), quality=40),
    "grey-crop-noise": Kind("combined", _after(_GREY, _crop(0.6, centred=False), _noisy(12))),
    "bent-dark-blur": Kind(
        "combined", _after(_perspective(0.08), _enhanced(ImageEnhance.Brightness, 0.6), _blurred(1.5))
    ),
    "crop-padded": Kind("combined", _after(_crop(0.75, centred=False), _padded(0.4, "white")), quality=85),
    "crop-on-card": Kind("combined", _after(_crop(0.65, centred=False), _padded(0.3, "#16202c")), quality=85),
    "watermark-padded": Kind("combined", _after(_watermarked, _padded(0.15, "#204060")), "WEBP", 40),
    "emoji-mirror-page": Kind("combined", _after(_with_emoji, _MIRROR, _on_background(0.6)), quality=60),
}
